"""`tellapart validate`: how good it is, published and simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tellapart.errors import InputError, UsageError


def validate(
    out: Annotated[Path, typer.Option(help="Folder for validation.md, validation.json and charts.")] = Path(
        "tellapart-validation"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Few persons and cells, under a minute.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Number of threads.")] = None,
) -> None:
    """Measure it: published performance, shipped cases, calibration and errors on simulated cohorts beside other methods.

    Examples:

      tellapart validate --quick

      tellapart validate --out validation
    """
    needed()
    import orjson

    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load
    from tellapart.rendering.validation import charts, page
    from tellapart.tasks.session import Session
    from tellapart.tasks.validation.run import validate as run

    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder.")
    console = talk()
    session = Session(load(), threads=threads)
    try:
        document = run(session, quick, lambda what: console.print(escape(what)))
    finally:
        session.close()
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "validation.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        (out / "validation.md").write_text(page(document, "."), encoding="utf-8")
        for name, chart in charts(document).items():
            (out / name).write_text(chart, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot write ({error.strerror}). Choose another --out.") from error
    console.print(f"Written: {escape(str(out / 'validation.md'))}", soft_wrap=True)


def needed() -> None:
    """Raise a UsageError that says what to install, if something is missing."""
    try:
        import scipy  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is needed: pip install 'tellapart[validate]'") from None
