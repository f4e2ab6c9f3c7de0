#!/usr/bin/env python3
"""One set of commands for users and developers; needs only Python (3.11 or later) with pip. Sets up .venv by itself.

python3 dev.py demo        run the main job on the example data that ships
python3 dev.py test        the tests (add pytest options, for example: -m slow)
python3 dev.py check       lint, types, structure, drift of generated files
python3 dev.py reference   write docs/reference again
python3 dev.py wheel       build the wheel, install it into an empty environment, run the demo from it
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command; stop with its exit code if it fails."""
    code = subprocess.call([str(c) for c in command], cwd=cwd)
    if code:
        sys.exit(code)


def prepare() -> None:
    """Make .venv with the package and its development groups, once per pyproject.toml."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python {'.'.join(map(str, OLDEST))} or later is needed; this is {sys.version.split()[0]}.")
    stamp = VENV / "prepared"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest() + os.environ.get("CI", "")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    sys.stderr.write("setting up .venv (once) ...\n")
    venv.create(VENV, with_pip=True, clear=True)
    pip = (BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--upgrade", "pip")  # dependency groups need pip 25.1
    heavy = ("--group", "spark") if os.environ.get("CI") else ()  # 430 MB; its tests are skipped without it
    run(*pip, "--editable", ".", "--group", "test", "--group", "lint", *heavy)
    stamp.write_text(wanted)


def demo(options: list[str]) -> None:
    run(BIN / "tellapart", "demo", *options)


def test(options: list[str]) -> None:
    chosen = options or ["-n", "2", "--dist", "loadfile", "-m", "not slow"]
    run(BIN / "python", "-m", "pytest", *chosen)


def check(_: list[str]) -> None:
    run(BIN / "ruff", "check", ".")
    run(BIN / "ruff", "format", "--check", ".")
    run(BIN / "mypy")
    run(BIN / "lint-imports")
    run(BIN / "tellapart", "knowledge", "check")
    run(BIN / "python", "-m", "tellapart.knowledge.synthesis", "--check")
    run(BIN / "python", "tools/make_reference.py", "--check")


def reference(_: list[str]) -> None:
    run(BIN / "python", "tools/make_reference.py")


def wheel(_: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(
            BIN / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "wheel",
            "--quiet",
            "--no-deps",
            "-w",
            work,
            ROOT,
        )
        built = next(work.glob("*.whl"))
        empty = work / "empty"
        venv.create(empty, with_pip=True)
        scripts = empty / BIN.name
        run(scripts / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", built)
        run(scripts / "tellapart", "demo", "--out", work / "demo", cwd=work)
        (ROOT / "dist").mkdir(exist_ok=True)
        shutil.copy(built, ROOT / "dist" / built.name)


COMMANDS = {"demo": demo, "test": test, "check": check, "reference": reference, "wheel": wheel}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        sys.exit(__doc__)
    prepare()
    COMMANDS[name](sys.argv[2:])


if __name__ == "__main__":
    main()
