"""`tellapart map`: what the columns of CSV and Parquet tables are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tellapart.errors import EXIT_REJECTED

map_app = typer.Typer(no_args_is_help=True, help="Maps: what the columns of your CSV and Parquet tables are.")


@map_app.command("init")
def init(
    file: Annotated[Path, typer.Argument(help="Folder of the tables, one table, or the map to write beside them.")],
) -> None:
    """Write a first guess of a map, with comments, to read and correct.

    Examples:

      tellapart map init tables/

      tellapart map init labs.csv
    """
    from tellapart.doors.cli import talk
    from tellapart.tasks import maps

    place = escape(str(maps.init(file)))
    talk().print(f"Written: {place}. Read it, correct it, then: tellapart map check {place}", soft_wrap=True)


@map_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The map, or the folder that holds it.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Show what a map would read: rows by what becomes of them, the first of each table, what is not understood.

    Example:

      tellapart map check tables/
    """
    import orjson

    from tellapart.tasks import maps

    found = maps.check(file)
    if json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found, Console(highlight=False))
    if found["rejected"]:
        raise typer.Exit(EXIT_REJECTED)


def _print(found: dict[str, Any], console: Console) -> None:
    console.print(f"{found['persons']} person(s)\n")
    rare = [c for c in ("withdrawn", "duplicate", "after_as_of") if any(t[c] for t in found["tables"].values())]
    classes = ["read", "used", "unmapped", "not_needed", "rejected", *rare]
    table = Table("table", box=None, padding=(0, 2, 0, 0))
    table.columns[0].overflow = "fold"
    for name in classes:
        table.add_column(name.replace("_", " "), justify="right")
    for name, counts in found["tables"].items():
        table.add_row(escape(name), *(str(counts.get(c, 0)) for c in classes))
    console.print(table)
    console.print("\n[bold]The first rows of each table, as they are understood[/]")
    for r in found["first"]:
        result = " ".join(str(x) for x in (r["comparator"], r["value"], r["unit"]) if x is not None)
        said = f"{r['system']} {r['code']}{f' = {result}' if result else ''}"
        line = f"{r['reference']}: {r['person_id']}, {r['date'] or 'no day'}, {said} means {r['meaning']}"
        console.print(f"  {escape(line)}", soft_wrap=True)
    if found["unmapped"]:
        console.print("\n[bold]Codes that nothing here knows, most frequent first[/] (give their meaning with --codes)")
        for r in found["unmapped"]:
            console.print(
                f"{r['n']:>9}  {escape(' '.join(filter(None, (r['system'], r['code'], r['display']))))}", soft_wrap=True
            )
    if found["rejected"]:
        console.print("\n[bold]What could not be used[/]")
        for r in found["rejected"]:
            value = f" {r['value']!r}" if r["value"] else ""
            console.print(f"{r['count']:>9}  {escape(r['reason'])} {escape(r['what_to_do'] or '')} "
                          f"[dim]({escape(r['reference'] or '')}{escape(value)})[/]", soft_wrap=True)  # fmt: skip
