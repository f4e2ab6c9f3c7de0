"""Entries from a long CSV file: `date,signal,value`, as design §6 has it and as spreadsheets write it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tellapart.errors import InputError
from tellapart.events.readers.diary.signals import Signals, Unfit
from tellapart.events.readers.diary.store import Entry

COLUMNS = ("date", "signal", "value")
ORIGIN = "csv"


def read(path: Path, signals: Signals) -> Iterator[Entry | dict[str, object]]:
    """Every row of the file: an entry, or (as a row of `rejected`) what is wrong with it.

    Separators are comma, semicolon or tab; `6,5` is six and a half, also unquoted in a comma-separated file.

    Raises:
        InputError: it cannot be read, or its head does not name the three columns.
    """
    lines = _text(path).splitlines()
    head = lines[0] if lines else ""
    separator = max(",;\t", key=head.count)
    names = [name.strip().lower() for name in next(csv.reader([head], delimiter=separator), [])]
    if not set(COLUMNS) <= set(names):
        raise InputError(f"{path}:1: the first line must name the columns date, signal and value; it is {head[:80]!r}.")
    rows = csv.reader(lines[1:], delimiter=separator)
    for cells in rows:
        line = rows.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if separator == "," and len(cells) == len(names) + 1 and names[-1] == "value":
            cells[-2:] = [",".join(cells[-2:])]  # a decimal comma that was not quoted
        try:
            if len(cells) != len(names):
                told = separator.join(cells)
                raise Unfit("", told, f"has {len(cells)} cells, not {len(names)}", "Write one date, signal and value.")
            day, signal, value = (cells[names.index(column)] for column in COLUMNS)
            yield Entry(*signals.entry(day, signal, value), ORIGIN)
        except Unfit as unfit:
            yield {
                "file": str(path), "line": line, "reference": None, "field": unfit.field, "value": unfit.value,
                "reason": unfit.reason, "what_to_do": unfit.what_to_do,
            }  # fmt: skip


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    for encoding in ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path}: is not text. Save it as CSV in UTF-8.")
