"""Shows knowledge rows and exports the tables."""

from __future__ import annotations

import difflib
from pathlib import Path

from tellapart.errors import InputError, UsageError
from tellapart.knowledge.load import TABLES, Knowledge, Row


def show(knowledge: Knowledge, what: str) -> dict[str, list[Row]]:
    """A whole table by name, or every row of every table in which `what` is an id.

    Raises:
        UsageError: nothing is called that; names the nearest ids.
    """
    if what in knowledge.tables:
        return {what: list(knowledge[what])}
    found = {
        name: rows
        for name, table in knowledge.tables.items()
        if (rows := [r for r in table if any(what in cell.split(";") for cell in r.values())])
    }
    if found:
        return found
    ids = set(knowledge.tables) | {r["finding"] for r in knowledge["findings"]} | {
        next(iter(r.values())) for t in knowledge.tables.values() for r in t
    }  # fmt: skip
    near = difflib.get_close_matches(what, sorted(ids), n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"'{what}' is not a table and no id.{hint} Tables: {', '.join(sorted(knowledge.tables))}.")


def text(found: dict[str, list[Row]]) -> str:
    """Rows as text, a block per row, empty cells left out."""
    parts = []
    for name, rows in found.items():
        parts.append(f"{name} ({len(rows)} row{'s' if len(rows) != 1 else ''})")
        for row in rows:
            parts.append("  " + "  ".join(f"{k}={v}" for k, v in row.items() if v))
        parts.append("")
    return "\n".join(parts).rstrip()


def export(knowledge: Knowledge, folder: Path) -> int:
    """Copy every table into `folder`; returns how many.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in knowledge.tables:
            (folder / f"{name}.csv").write_bytes((TABLES / f"{name}.csv").read_bytes())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}). Choose another folder.") from error
    return len(knowledge.tables)
