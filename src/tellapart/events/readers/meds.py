"""MEDS 0.4 reader (Medical Event Data Standard): `data/**/*.parquet` with `metadata/codes.parquet`.

A code holds its vocabulary (`LOINC/777-3`, `ICD10CM//M32.9`, `LAB//50912//mg/dL`); its `parent_codes` count too. Of the columns
that a data set may add, those named in `COLUMNS` are read. https://github.com/Medical-Event-Data-Standard/meds
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError
from tellapart.events.readers.csv_files import named, quoted
from tellapart.events.readers.flat import Flat, reading

SOURCE_TYPE = "meds"
NEEDED = ("subject_id", "time", "code")
COLUMNS = (
    "subject_id", "time", "code", "numeric_value", "text_value", "unit", "comparator", "range_low", "range_high",
    "interpretation", "end", "known_time", "status", "by", "method",
)  # fmt: skip
NO_PARENTS = "create or replace temp table flat_meds_code (code varchar, description varchar, parent_codes varchar[])"


def is_meds(path: Path) -> bool:
    """Is this a Parquet file with the columns of MEDS data?"""
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(f"describe from read_parquet({quoted(str(path))})").fetchall()
    except duckdb.Error:
        return False
    return {name for name, *_ in rows}.issuperset(NEEDED)


def read_meds(engine: DuckDB, source: Path) -> str:
    """Read a MEDS data set.

    Args:
        engine: holds the knowledge relations and what `normalize.prepare` makes of them.
        source: its root folder (`data/`, `metadata/`), a folder of such Parquet files, or one of them.

    Returns:
        A clause for the user: how persons are named.

    Raises:
        InputError: a file cannot be read, or has not the columns of MEDS.
    """
    root = source if source.is_dir() else source.parent
    data = root / "data" if (root / "data").is_dir() else root
    paths = sorted(p for p in data.rglob("*.parquet") if "metadata" not in p.parts) if source.is_dir() else [source]
    if not paths:
        raise InputError(f"{source}: there is no Parquet file in data/, so this is no MEDS data set. Check the path.")
    with reading(engine) as flat:
        synthetic = _dataset_name(root).lower().startswith("synthetic")
        flat.sql("meds_macros", prefix="synthetic-" if synthetic else "")
        shards = [_Shard(engine, flat, path, path.relative_to(root).as_posix(), n) for n, path in enumerate(paths)]
        flat.sql("meds_persons")
        for shard in shards:
            flat.count(shard.view, SOURCE_TYPE)
        _describe(engine, root)
        flat.sql("meds_codings")
        flat.understand()
        for shard in shards:
            flat.take(shard.view, SOURCE_TYPE, shard.name, shard.offset)
    return (
        f"persons are named by subject_id{', after synthetic-, as the data set calls itself so' if synthetic else ''}"
    )


class _Shard:
    """One Parquet file of data: a view of it as a flat table; what it says of the persons themselves is kept apart.

    Attributes:
        name: how reports call it.
        view: name of the view.
        offset: what to add to its row numbers.
    """

    def __init__(self, engine: DuckDB, flat: Flat, path: Path, name: str, number: int) -> None:
        """Raises InputError: the file cannot be read, or has not the columns of MEDS."""
        run, base = engine.connection.execute, f"flat_meds_{number}"
        self.name, self.view = name, f"flat_view_{number}"
        try:
            place = f"read_parquet({quoted(str(path))}, file_row_number = true)"
            there = {r["column_name"] for r in engine.rows(f"describe from {place}")}
            self.offset = flat.place(engine.one(f"select count(*) from {place}"))
        except duckdb.Error as trouble:
            reason = str(trouble).split("\n", 1)[0]
            raise InputError(f"{path}: cannot be read ({reason}). Write the data set again.") from trouble
        if missing := [c for c in NEEDED if c not in there]:
            raise InputError(
                f"{path}: there is no column {', '.join(missing)}. Expected MEDS 0.4: {', '.join(NEEDED)}."
            )
        columns = [f"cast({named(c) if c in there else 'null'} as varchar) as {named(c)}" for c in COLUMNS]
        run(
            f"create or replace temp view {base} as select file_row_number + 1 as row, {', '.join(columns)} from {place}"
        )
        run(f"create or replace temp view {self.view} as from flat_meds_rows('{base}')")
        flat.sql("meds_about", shard=base, offset=self.offset, file=self.name)


def _dataset_name(root: Path) -> str:
    """What the data set calls itself; empty if it does not say."""
    try:
        about = json.loads((root / "metadata" / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(about.get("dataset_name", "")) if isinstance(about, dict) else ""


def _describe(engine: DuckDB, root: Path) -> None:
    """Make `flat_meds_code` of `metadata/codes.parquet`: description and parents of codes."""
    file = root / "metadata" / "codes.parquet"
    engine.connection.execute(NO_PARENTS)
    if not file.exists():
        return
    try:
        place = f"read_parquet({quoted(str(file))})"
        there = {r["column_name"] for r in engine.rows(f"describe from {place}")}
        columns = [c for c in ("code", "description", "parent_codes") if c in there]
        engine.connection.execute(f"insert into flat_meds_code by name select {', '.join(columns)} from {place}")
    except duckdb.Error as trouble:
        raise InputError(f"{file}: cannot be read ({str(trouble).split(chr(10), 1)[0]}). Write it again.") from trouble
