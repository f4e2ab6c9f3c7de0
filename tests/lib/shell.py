"""Runs the command line as a user does, inside this process (fast) or as a program of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tellapart.doors import cli


@dataclass(frozen=True)
class Run:
    """What a command left behind.

    Attributes:
        code: exit code.
        out: standard output (data).
        err: standard error (talk).
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Standard error as one line with single blanks, whatever the width of the terminal."""
        return " ".join(self.err.split())


def run_cli(*arguments: object, stdin: bytes = b"") -> Run:
    """Run a command in this process; a traceback anywhere fails the test that asked."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    code = 0
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.dict(os.environ, {"TELLAPART_DEBUG": "1"}),
        mock.patch.object(sys, "argv", ["tellapart", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", given),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException:
            traceback.print_exc()
            code = 1
    return _checked(Run(code, _text(out), _text(err)))


def program(*arguments: object, stdin: bytes = b"", env: dict[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run a command as a program of its own (costs its start)."""
    command = [sys.executable, "-c", "from tellapart.doors.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, env=env, cwd=cwd, check=False, timeout=120)
    return _checked(Run(done.returncode, done.stdout.decode(), done.stderr.decode()))


def _text(stream: io.TextIOWrapper) -> str:
    return bytes(stream.buffer.getvalue()).decode()  # type: ignore[attr-defined]


def _checked(run: Run) -> Run:
    assert "Traceback" not in run.err, run.err
    assert "Traceback" not in run.out, run.out
    assert "fault of the program" not in run.said, run.err
    return run
