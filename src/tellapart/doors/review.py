"""`tellapart review`: a sample of an audit to judge by hand, and what the judgments say of the calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

review_app = typer.Typer(
    no_args_is_help=True, help="Review: judge a sample of an audit by hand, and read what it says."
)


@review_app.command("sample")
def sample(
    folder: Annotated[Path, typer.Argument(help="The output of an audit.")],
    persons: Annotated[int, typer.Option("-n", "--persons", min=1, help="How many persons.")] = 100,
    out: Annotated[Path, typer.Option(help="The sheet to write; never over one that exists.")] = Path("review.csv"),
    seed: Annotated[int, typer.Option(help="Another number draws other persons.")] = 1,
) -> None:
    """Draw persons by reason and call into a sheet with what is on record and the questions to answer.

    Example:

      tellapart review sample results -n 100
    """
    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load
    from tellapart.tasks import review

    knowledge = load()
    rows = review.sample(knowledge, folder, persons, seed)
    review.write(rows, out)
    strata = len({(r["reason"], r["call"]) for r in rows})
    console = talk()
    console.print(
        f"{len(rows)} persons of {strata} strata (reason and call) written to {escape(str(out))}", soft_wrap=True
    )
    for q in knowledge["review_questions"]:
        console.print(f"  {q['question']}: {q['text']} ({q['answers'].replace(';', ', ')})", soft_wrap=True)
    console.print("It names persons and stays on the site. Filled in: tellapart review read FILE ...", soft_wrap=True)


@review_app.command("read")
def read(
    files: Annotated[list[Path], typer.Argument(help="Filled sheets, one or more.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Read filled sheets: PPV, sensitivity where the scheme allows, agreement of reviewers, each with its interval.

    Example:

      tellapart review read review.csv review-second.csv
    """
    import orjson

    from tellapart.knowledge.load import load
    from tellapart.tasks import review

    found = review.read(load(), files)
    if json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found, Console(highlight=False))


def _print(found: dict[str, Any], console: Console) -> None:
    console.print(f"{found['reviewed']} of {found['persons']} persons judged by {found['reviewers']} reviewer(s)")
    table = Table(
        "Measure",
        "Of",
        "Persons",
        "Not settled",
        "Value (95% interval)",
        title="Calls and reasons",
        title_justify="left",
    )
    for m in found["measures"]:
        table.add_row(
            m["measure"].replace("_", " "), m["of"], str(m["persons"]), str(m["not_settled"]), _said(m, "value")
        )
    console.print(table)
    if not any(m["measure"] == "sensitivity" for m in found["measures"]):
        console.print("No sensitivity: not every stratum of the audit has a person judged. Draw more with -n.")
    table = Table(
        "Question", "Pairs", "Same answer (95% interval)", "Kappa", title="Agreement of reviewers", title_justify="left"
    )
    for a in found["agreement"]:
        table.add_row(
            a["question"], str(a["pairs"]), _said(a, "agree"), "" if a["kappa"] is None else f"{a['kappa']:.2f}"
        )
    if any(a["pairs"] for a in found["agreement"]):
        console.print(table)


def _said(row: dict[str, Any], key: str) -> str:
    if row[key] is None:
        return "not known"
    return f"{row[key]:.0%} ({row['low']:.0%} to {row['high']:.0%})"
