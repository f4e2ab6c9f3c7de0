"""Reading on a cluster: every shard of whole persons is read where it lies, by the same code as a source on one machine.

A task writes its shard to its own disk, lets a session with the embedded engine read it, and hands back what was read as
Arrow. No row passes through Python one by one. From there on the persons' events lie on the cluster, cut at the as-of day
and run through the plan by Spark.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tellapart.contracts.relations import (
    ACCOUNTING,
    ASKED,
    DIARY_FLARES,
    DOSES,
    EVENTS,
    PATIENTS,
    REGISTERED,
    REJECTED,
    UNMAPPED,
)
from tellapart.engines.spark import Spark
from tellapart.errors import InputError
from tellapart.events import normalize
from tellapart.events.readers.csv_files import quoted
from tellapart.events.shards import Cut
from tellapart.knowledge.load import Knowledge
from tellapart.knowledge.local import LocalCodes
from tellapart.tasks.session import Options, Session

LAST_DAY = date.max  # everything is read; the as-of day is known when all shards are
NUMBERS = "_numbers"
SHARD_ROWS = 1 << 40  # row numbers of a shard: more than it can have
READ = {
    "reported": {**EVENTS.columns, "source_type": "VARCHAR"},
    "registered": REGISTERED.columns,
    "rejected": REJECTED.columns,
    "counted": {**ACCOUNTING.columns, "place": "BIGINT"},
    "unmapped": UNMAPPED.columns,
    "doses": DOSES.columns,
}
"""What a shard hands back: relation to its columns."""

QUERIES = {
    "reported": """select e.* replace (n.number as person, e.row_no + $first as row_no), s.source_type from events as e
        inner join registered as r on r.person = e.person inner join numbers as n on n.person_id = r.person_id
        inner join source_rows as s on s.row_no = e.row_no""",
    "registered": """select r.* replace (n.number as person) from registered as r
        inner join numbers as n on n.person_id = r.person_id""",
    "rejected": """select r.* replace (
          coalesce(f.file, r.file) as file, cast(null as bigint) as line, r.row_no + $first as row_no
        ) from rejected as r
        asof left join shard_files as f on f.name = split_part(r.file, '.', 1) and f.first_line <= coalesce(r.line, 1)""",
    # what every shard has is counted once, by its place
    "counted": """select source_type, class, count(*) as n, case when source_type in $lookups then place end as place
        from (select *, row_number() over (partition by source_type order by row_no) as place from row_classes)
        group by all
        union all select source_type, class, n, null as place from left_out""",
    "unmapped": "select * from unmapped",
    "doses": "select * from doses",
}
SPARK_TYPES = {
    "VARCHAR": "string", "BIGINT": "bigint", "INTEGER": "int", "DOUBLE": "double", "BOOLEAN": "boolean", "DATE": "date",
}  # fmt: skip
SHARD = "shard int, name string, file string, text string"


@dataclass(frozen=True)
class _Way:
    """What a task needs to read a shard."""

    format: str
    lookups: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    shared: Any  # broadcast: (knowledge, codes, tables for every shard)
    memory: str


def read(spark: Spark, cut: Cut, knowledge: Knowledge, codes: LocalCodes, options: Options, memory: str) -> None:
    """Make `persons`, `events`, `horizons`, `doses`, `rejected`, `accounting` and `unmapped` on the cluster.

    Args:
        memory: what a task may use to read a shard, beside Spark's own (`1GB`); beyond it spills to disk.
    """
    shared = spark.session.sparkContext.broadcast((knowledge, codes, dict(cut.everywhere)))
    way = _Way(cut.format, cut.lookups, cut.columns, shared, memory)
    columns = {name: ", ".join(f"`{c}`: {SPARK_TYPES[t]}" for c, t in own.items()) for name, own in READ.items()}
    schema = ", ".join(f"{name} struct<{inside}>" for name, inside in columns.items())
    made = _shards(spark, cut).mapInArrow(partial(_read_shard, way), schema).persist()
    for name in READ:
        spark.take(name, made.where(f"{name} is not null").select(f"{name}.*"))
    made.unpersist()
    irrelevant = {r["code"] for r in knowledge["not_needed"] if r["system"] == "omop"}
    tables = [(t, "not_needed" if t in irrelevant else "unmapped", n) for t, n in cut.counted.items()]
    spark.load("counted_only", ACCOUNTING.columns, tables)
    _as_of(spark, options)
    spark.make("doses", "select distinct * from doses")
    spark.make("unmapped", """select system, code, min(display) as display, cast(sum(n) as bigint) as n, min(unit) as unit
        from unmapped group by system, code""")  # fmt: skip
    spark.load("diary_flares", DIARY_FLARES.columns, [])


def _shards(spark: Spark, cut: Cut) -> Any:
    """The rows of the source, each in the partition that is its shard, sorted; with the numbers of the persons."""
    numbers = spark.numbered(cut.persons, "person_id").selectExpr(
        "key", f"'{NUMBERS}' as name", "cast(null as string) as file",
        "to_json(named_struct('person_id', person_id, 'number', number)) as text",
    )  # fmt: skip
    rows = cut.rows.unionAll(numbers)
    listed = ", ".join(f"'{name}'" for name in cut.lookups) or "''"
    return (
        rows.selectExpr(
            f"explode(case when name in ({listed}) then sequence(0, {spark.partitions - 1}) "
            f"else array(int(pmod(xxhash64(key), {spark.partitions}))) end) as shard",
            "name", "file", "concat(text, '\\n') as text",
        )
        .repartitionById(spark.partitions, "shard")
        .sortWithinPartitions("name", "file", "text")
    )  # fmt: skip


def _as_of(spark: Spark, options: Options) -> None:
    """Cut what was read at the as-of day, by the statements of the events room; count what became known later."""
    spark.load("asked", ASKED.columns, [(options.as_of, options.today)])
    spark.load("patients", PATIENTS.columns, [])  # documents with a day or a setting of their own are not read here
    spark.make("readings", "select known_date, 'used' as class from reported", view=True)
    for name in ("horizons", "persons"):
        spark.make(name, normalize.text(name))
    kept = ", ".join(f'r."{c}"' for c in EVENTS.columns)
    spark.make("events", normalize.text("events").replace("r.*", kept))
    # a source row is late when none of its events is in time
    spark.make(
        "late",
        """select r.source_type, count(distinct r.row_no) as n from reported as r
        where not exists (select 1 from events as e where e.person = r.person and e.row_no = r.row_no) group by r.source_type""",
    )
    spark.make("accounting", """
        with once as (
          select source_type, class, n from counted where place is null
          union all
          select source_type, class, n from counted_only
          union all
          select source_type, case when bool_or(class = 'used') then 'used' else min(class) end as class, 1 as n
          from counted where place is not null group by source_type, place
          union all
          select source_type, 'used' as class, -n as n from late
          union all
          select source_type, 'after_as_of' as class, n from late
        )
        select source_type, class, cast(sum(n) as bigint) as n from once group by source_type, class having sum(n) > 0""")  # fmt: skip
    for name in ("readings", "late", "counted", "reported", "registered"):
        spark.drop(name)


# --- in a task --------------------------------------------------------------------------------------------------------

_SESSIONS: dict[tuple[str, str, str], Session] = {}
"""Of this worker process: making one costs as much as reading a small shard."""


def _session(way: _Way) -> Session:
    knowledge, codes, _ = way.shared.value
    key = (knowledge.version, codes.sha256, way.memory)
    if key not in _SESSIONS:
        _SESSIONS[key] = Session(knowledge, memory=way.memory, threads=1, codes=codes)
    return _SESSIONS[key]


def _read_shard(way: _Way, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read one shard: rows of `SHARD`, sorted by name and file, to rows of `READ`."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    with tempfile.TemporaryDirectory(prefix="tellapart-shard-") as folder:
        files, numbers = _written(batches, Path(folder))
        if not files:
            return
        session = _session(way)
        if way.columns:
            _as_tables(session, way, Path(folder))
        _run(session, Path(folder), way.format)
        engine = session.engine
        engine.load("shard_files", {"name": "VARCHAR", "first_line": "BIGINT", "file": "VARCHAR"}, files)
        engine.make(
            "numbers",
            f"select * from read_ndjson({quoted(str(numbers))}, columns = {{person_id: 'VARCHAR', number: 'BIGINT'}})"
            if numbers.exists()
            else "select cast(null as varchar) as person_id, cast(null as bigint) as number where false",
        )
        given = {"first": context.partitionId() * SHARD_ROWS, "lookups": list(way.lookups)}
        for name in READ:
            parameters = {k: v for k, v in given.items() if f"${k}" in QUERIES[name]}
            yield from engine.connection.sql(_packed(name), params=parameters).to_arrow_reader(1 << 16)


def _packed(name: str) -> str:
    """The query of one relation as rows of `READ`: its columns in a struct of its name, the others empty."""

    def struct(own: Mapping[str, str]) -> str:
        return ", ".join(f'"{c}" {t}' for c, t in own.items())

    fields = ", ".join(f'"{c}": cast("{c}" as {t})' for c, t in READ[name].items())
    packed = [
        f"{{{fields}}} as {other}" if other == name else f"cast(null as struct({struct(own)})) as {other}"
        for other, own in READ.items()
    ]
    return f"select {', '.join(packed)} from ({QUERIES[name]})"


def _written(batches: Iterable[pa.RecordBatch], folder: Path) -> tuple[list[tuple[str, int, str]], Path]:
    """Write the text of a shard to a file per name.

    Returns:
        From which line on which file of the source stands in it (name, line, file); the file of the numbers.
    """
    import pyarrow.compute as pc

    files: list[tuple[str, int, str]] = []
    lines: dict[str, int] = {}
    for batch in batches:
        key = pc.binary_join_element_wise(
            batch["name"].cast("string"), pc.fill_null(batch["file"].cast("string"), ""), "\n"
        )
        ends = pc.run_end_encode(key).run_ends.to_pylist()
        for start, end in zip([0, *ends], ends, strict=False):
            name, _, file = key[start].as_py().partition("\n")
            with (folder / f"{name}.ndjson").open("ab") as target:
                target.write(_text(batch["text"].slice(start, end - start)))
            files.append((name, lines.get(name, 0) + 1, file))
            lines[name] = lines.get(name, 0) + end - start
    numbers = folder / f"{NUMBERS}.ndjson"
    hidden = folder / f".{NUMBERS}"
    if numbers.exists():
        numbers.rename(hidden)
    return [f for f in files if f[0] != NUMBERS], hidden


def _text(column: pa.Array) -> memoryview | bytes:
    """The bytes of a column of text, one after the other: as they lie in memory."""
    _, offsets, data = column.buffers()
    if data is None or offsets is None or not len(column):
        return b""
    places = memoryview(offsets).cast("q") if pa.types.is_large_string(column.type) else memoryview(offsets).cast("i")
    return memoryview(data)[places[column.offset] : places[column.offset + len(column)]]


def _as_tables(session: Session, way: _Way, folder: Path) -> None:
    """Make the lines of a CDM's tables Parquet files of text, empty ones too, and put what every shard needs beside them."""
    for table, columns in way.columns.items():
        lines = folder / f"{table}.ndjson"
        names = ", ".join(f"\"{c}\": 'VARCHAR'" for c in columns)
        lines.touch()
        session.engine.copy(
            f"select * from read_ndjson({quoted(str(lines))}, columns = {{{names}}})",
            folder / f"{table}.parquet",
            "format parquet",
        )
        lines.unlink()
    for name, table in way.shared.value[2].items():
        pq.write_table(table, folder / f"{name}.parquet")


def _run(session: Session, folder: Path, form: str) -> None:
    options = Options(format=form, as_of=LAST_DAY)
    try:
        session.read(folder, options)
    except InputError:
        if form != "fhir":
            raise
        session.normalize(
            options
        )  # not one resource in this shard can be used: what is wrong with it is told all the same
    normalize.rank_unmapped(session.engine)
