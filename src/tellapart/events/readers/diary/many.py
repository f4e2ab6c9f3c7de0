"""Diaries of many persons in long tables: Parquet or CSV with `person_id,date,signal,value`, in any order of columns.

A file without `person_id` is the diary of one person, who is called by the file's name. Rows are read person by person in
stretches, so that memory does not grow with the source: a Parquet whose row groups are in order of `person_id` is read as it
is, anything else is put in that order once, on disk. Of two values for one day and signal the larger counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tellapart.errors import InputError
from tellapart.events.readers.diary.signals import WORDS, Signals, Unfit

NEEDED = ("date", "signal", "value")
SUFFIXES = (".parquet", ".csv")
STRETCH = 1_000_000  # rows read at once
SOURCE_TYPE = "diary"


@dataclass(frozen=True)
class Source:
    """Where the rows of many diaries are read from, and how each column is written there."""

    relation: str
    types: dict[str, str]

    def rows(self) -> str:
        """SQL: every row with its text as given (`date`, `value`), and typed (`day`, `number`), NULL if that cannot be."""
        types = self.types
        day = "date" if types["date"] == "DATE" else "try_cast(substr(trim(cast(date as varchar)), 1, 10) as date)"
        words = " ".join(f"when '{word}' then {number}" for word, number in WORDS.items())
        number = (
            "cast(value as double)"
            if types["value"] in ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UTINYINT")
            else f"coalesce(case lower(trim(cast(value as varchar))) {words} end, "
            "try_cast(replace(trim(cast(value as varchar)), ',', '.') as double))"
        )
        return (
            f"select cast(person_id as varchar) as person_id, {day} as day, trim(cast(signal as varchar)) as signal, "
            f"{number} as number, date, value from {self.relation}"
        )


@dataclass(frozen=True)
class Stretch:
    """Rows of the persons from `first` to `last`, both included, by their id."""

    first: str
    last: str


def is_long_table(path: Path) -> bool:
    """Does this file have the columns of a diary?"""
    try:
        return path.suffix.lower() in SUFFIXES and set(NEEDED) <= set(_types(_quiet(), _reader([path])))
    except duckdb.Error:
        return False


def _quiet() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set enable_progress_bar = false")
    return con


def _reader(files: list[Path]) -> str:
    names = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
    if files[0].suffix.lower() == ".parquet":
        return f"read_parquet([{names}], filename = true, union_by_name = true)"
    return f"read_csv([{names}], all_varchar = true, header = true, filename = true, union_by_name = true)"


def _types(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {name.lower(): kind for name, kind, *_ in con.execute(f"describe select * from {relation}").fetchall()}


def opened(con: duckdb.DuckDBPyConnection, source: Path, spill: Path) -> Source:
    """The rows of a file or folder in order of their person, put into that order under `spill` if need be.

    Raises:
        InputError: nothing in it is a diary, or it cannot be read.
    """
    found = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)
    files = [p for p in found if is_long_table(p)]
    files = [p for p in files if p.suffix == files[0].suffix]
    if not files:
        raise InputError(f"{source}: no table with the columns {', '.join(NEEDED)} (and person_id) is in it.")
    relation = _reader(files)
    try:
        types = _types(con, relation)
        if files[0].suffix.lower() == ".parquet" and "person_id" in types and _in_order(con, files):
            return Source(relation, types)
        person = (
            "coalesce(person_id, parse_filename(filename, true))"
            if "person_id" in types
            else "parse_filename(filename, true)"
        )
        target = spill / "diaries.parquet"
        con.execute(
            f"copy (select {person} as person_id, date, signal, value from {relation} order by person_id) "
            f"to '{target}' (format parquet, row_group_size 100000)"
        )
    except duckdb.Error as error:
        raise InputError(f"{source}: cannot be read ({error}).") from error
    return Source(f"read_parquet('{target}')", types)


def _in_order(con: duckdb.DuckDBPyConnection, files: list[Path]) -> bool:
    """Does no person lie in row groups apart from one another?"""
    ends = [
        row
        for file in files
        for row in con.execute(
            "select stats_min_value, stats_max_value from parquet_metadata(?) where path_in_schema = 'person_id' order by row_group_id",
            [str(file)],
        ).fetchall()
    ]
    return all(a[1] is not None and b[0] is not None and a[1] <= b[0] for a, b in pairwise(ends))


def stretches(
    con: duckdb.DuckDBPyConnection, source: Source, today: dt.date
) -> tuple[list[Stretch], list[str], dt.date | None]:
    """The stretches to read, the ids of all persons in order, and the latest day that is not after `today`."""
    rows = con.execute(
        f"select person_id, count(*), max(day) filter (day <= $1) from ({source.rows()}) where person_id is not null "
        "group by person_id order by person_id",
        [today],
    ).fetchall()
    parts: list[Stretch] = []
    first, held = None, 0
    for person, count, _ in rows:
        first = first or person
        held += count
        if held >= STRETCH:
            parts.append(Stretch(first, person))
            first, held = None, 0
    if first is not None:
        parts.append(Stretch(first, rows[-1][0]))
    return parts, [person for person, *_ in rows], max((last for *_, last in rows if last), default=None)


def entries(
    con: duckdb.DuckDBPyConnection, source: Source, stretch: Stretch, signals: Signals, as_of: dt.date
) -> tuple[pa.Table, dict[str, int], list[dict[str, Any]]]:
    """The entries of a stretch.

    Returns:
        columns `person_id`, `day`, `signal`, `value`, one row per person, day and signal; how many source rows are in which
        class; those that could not be used, as rows of `rejected`.
    """
    known = [(s, float(r["low"]), float(r["high"]), r["kind"] == "flag") for s, r in signals.rows.items()]
    table = {name: [row[i] for row in known] for i, name in enumerate(("signal", "low", "high", "flag"))}
    con.register("known_signals", pa.table(table))
    con.execute(
        f"""create or replace temp table stretch as
        select r.*, case
            when s.signal is null and r.signal <> '' then 'unmapped'
            when r.day is null or r.day > $1 or s.signal is null or r.number is null or not (r.number between s.low and s.high)
              or (s.flag and r.number not in (s.low, s.high)) then 'rejected'
            when r.day > $2 then 'after_as_of'
            else 'used' end as class
        from ({source.rows()}) as r
        left join known_signals as s on s.signal = r.signal
        where r.person_id between $3 and $4""",
        [signals.today, as_of, stretch.first, stretch.last],
    )
    classes: dict[str, int] = dict(con.execute("select class, count(*) from stretch group by class").fetchall())
    good = con.sql(
        "select person_id, day, signal, max(number) as value from stretch where class = 'used' group by all"
    ).to_arrow_table()
    classes["duplicate"] = classes.get("used", 0) - good.num_rows
    classes["used"] = good.num_rows
    return good, {k: n for k, n in classes.items() if n}, list(_rejected(con, signals))


def _rejected(con: duckdb.DuckDBPyConnection, signals: Signals) -> Iterator[dict[str, Any]]:
    rows = con.execute(
        "select person_id, cast(date as varchar), signal, cast(value as varchar) from stretch where class = 'rejected' order by all"
    ).fetchall()
    for person, date, signal, value in rows:
        try:
            signals.entry(date or "", signal or "", value or "")
        except Unfit as unfit:
            yield {
                "person_id": person, "reference": f"{date} {signal}", "field": unfit.field, "value": unfit.value,
                "reason": unfit.reason, "what_to_do": unfit.what_to_do,
            }  # fmt: skip
