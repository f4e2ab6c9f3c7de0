"""Diaries of many persons in an audit: read in stretches, flares found in several processes, kept as one relation."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tellapart.answers.flares import flares
from tellapart.contracts.relations import DIARY_FLARES, LEFT_OUT, PATIENTS, REJECTED, SOURCE_ROWS, STATEMENTS
from tellapart.engines.duckdb import DuckDB
from tellapart.events.readers.diary import many
from tellapart.events.readers.diary.signals import Signals
from tellapart.knowledge.load import Knowledge, load

Work = tuple[many.Source, many.Stretch, dt.date, dt.date]
Found = tuple[list[tuple[Any, ...]], dict[str, int], list[dict[str, Any]]]


def read(engine: DuckDB, source: Path, as_of: dt.date | None, today: dt.date, spill: Path | None) -> str:
    """Read the diaries of `source` into relations: persons, accounting, rejected rows, and their flares.

    Returns:
        a clause for the user: how many persons and stretches.

    Raises:
        InputError: nothing in it is a diary.
    """
    folder = spill or Path(tempfile.mkdtemp(prefix="tellapart-diaries-"))
    long = many.opened(engine.connection, source, folder)
    stretches, persons, last = many.stretches(engine.connection, long, today)
    until = as_of or last or today
    work = [(long, stretch, until, today) for stretch in stretches]
    rows: list[tuple[Any, ...]] = []
    classes: Counter[str] = Counter()
    rejected: list[dict[str, Any]] = []
    for found, counted, bad in _done(engine, work):
        rows += found
        classes.update(counted)
        rejected += bad
    engine.load("diary_flares", DIARY_FLARES.columns, rows)
    engine.load("statements", STATEMENTS.columns, [])
    engine.load("source_rows", SOURCE_ROWS.columns, [])
    day = until.isoformat()
    patient = dict.fromkeys(PATIENTS.columns)
    engine.load(
        "patients", PATIENTS.columns, [tuple({**patient, "person_id": p, "as_of": day}.values()) for p in persons]
    )
    counts = [{"source_type": many.SOURCE_TYPE, "class": name, "n": n} for name, n in sorted(classes.items())]
    engine.load("left_out", LEFT_OUT.columns, [tuple(row.get(c) for c in LEFT_OUT.columns) for row in counts])
    named = [{**row, "file": source.name} for row in rejected]
    engine.load("rejected", REJECTED.columns, [tuple(row.get(c) for c in REJECTED.columns) for row in named])
    return f"{len(persons):,} diaries"


def _done(engine: DuckDB, work: list[Work]) -> Iterable[Found]:
    """Every stretch worked on, in order; in processes of their own when there are several."""
    threads = int(engine.one("select current_setting('threads')"))
    if len(work) <= 1 or threads == 1:
        yield from map(_stretch, work)
        return
    with ProcessPoolExecutor(threads, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_stretch, work)


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    """The connection of this process."""
    connection = duckdb.connect(":memory:", config={"threads": "1", "memory_limit": "1GB"})
    connection.execute("set enable_progress_bar = false")
    return connection


def _stretch(work: Work) -> Found:
    source, stretch, as_of, today = work
    knowledge = load()
    table, classes, bad = many.entries(_connection(), source, stretch, Signals.of(knowledge, today), as_of)
    return list(_rows(table, knowledge)), classes, bad


def _rows(table: pa.Table, knowledge: Knowledge) -> Iterator[tuple[Any, ...]]:
    for person, found in flares(table, knowledge):
        for flare in found:
            start, peak, end = (dt.date.fromisoformat(flare[k]) if flare[k] else None for k in ("start", "peak", "end"))
            yield (
                person, start, peak, end, flare["type"], flare["basis"], flare["severity"], flare["certainty"],
                ";".join(flare["signals"]),
            )  # fmt: skip
