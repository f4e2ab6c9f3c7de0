"""Tables with one coded row per line (or one column per test) to `statements`, `source_rows`, `left_out` and `rejected`.

What a map says of a CSV file and what MEDS is are both brought to one shape, `FIELDS`; from there this module reads them in two
passes, as OMOP is read (decision 13): codes are counted first, and only rows whose code means something are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from tellapart.contracts import relations
from tellapart.engines.duckdb import DuckDB
from tellapart.events import normalize

FIELDS = (
    "row", "part", "id", "person", "kind", "system", "code", "display", "value", "comparator", "unit", "low", "high",
    "range_text", "interpretation", "date", "end_date", "known_date", "status", "by", "method", "text", "group_key",
)  # fmt: skip
"""Columns of a flat table: `row` counts from 1 within its file, `part` is the column of a table with one column per test, `id`
is the row's own; the others are those of `statements`, as text. `system` and `code` are empty where unknown, never NULL."""

# codings of a code seen: the first (nth 0) is its name
CODING = "create or replace temp table flat_coding (kind varchar, seen_system varchar, seen_code varchar, nth bigint, " \
    "system varchar, code varchar, display varchar)"  # fmt: skip
SEEN = "create or replace temp table flat_seen (source_type varchar, kind varchar, system varchar, code varchar, " \
    "display varchar, n bigint)"  # fmt: skip


class Flat:
    """One reading. Call `count` for each table, `understand` once, then `take` for each table."""

    def __init__(self, engine: DuckDB) -> None:
        self.engine, self.offset = engine, 0
        for relation in (*relations.SOURCES, relations.PATIENTS):
            engine.connection.execute(relations.ddl(relation))
        engine.connection.execute(SEEN)
        engine.connection.execute(CODING)

    def sql(self, name: str, **variables: object) -> None:
        """Run a `.sql` file beside this module with these variables (named `flat_…` there)."""
        for variable, value in variables.items():
            self.engine.connection.execute(f"set variable flat_{variable} = $1", [value])
        self.engine.connection.execute((files(__package__) / f"{name}.sql").read_text(encoding="utf-8"))

    def count(self, view: str, source_type: str, wide: bool = False) -> None:
        """Count the codes of a table, one per row; those of a wide table are only named, all of its rows are taken."""
        self.engine.connection.execute(
            f"insert into flat_seen select $1, kind, system, code, min(display), {0 if wide else 'count(*)'} from {view} group by all",
            [source_type],
        )

    def name_codings(self) -> None:
        """Every code seen stands for itself."""
        self.engine.connection.execute(
            "insert into flat_coding select distinct kind, system, code, 0, system, code, cast(null as varchar) from flat_seen"
        )

    def understand(self) -> None:
        """Find out what the codes seen mean, by their codings in `flat_coding`."""
        self.sql("flat_needed_codes")
        normalize.know_codes(self.engine)
        self.sql("flat_needed")

    def place(self, rows: int) -> int:
        """Keep row numbers for this many rows; what to add to a row's number within its table."""
        self.offset += rows
        return self.offset - rows

    def take(self, view: str, source_type: str, file: str, offset: int, wide: bool = False) -> None:
        """Take the needed rows of a table; of a wide one all rows, each with the cells that are filled."""
        needed = (
            "" if wide else " where (kind, system, code) in (select (kind, seen_system, seen_code) from flat_needed)"
        )
        self.engine.connection.execute(f"create or replace temp table flat_row as select * from {view}{needed}")
        self.sql("flat_statements", type=source_type, file=file, offset=offset, wide=wide)

    def refuse(self, source_type: str, file: str, line: int, value: str, reason: str) -> None:
        """Account for a line that is no row."""
        number, reference = self.place(1) + 1, f"{file}#{line}"
        self.engine.connection.execute(
            "insert into source_rows by name select $1 as row_no, $2 as source_type, $3 as file, $4 as line, $5 as reference, "
            "'rejected' as class",
            [number, source_type, file, line, reference],
        )
        self.engine.connection.execute(
            "insert into rejected by name select $1 as row_no, $2 as file, $3 as line, $4 as reference, $5 as value, "
            "$6 as reason, 'Correct the line, or export the table again.' as what_to_do",
            [number, file, line, reference, value, reason],
        )


@contextmanager
def reading(engine: DuckDB) -> Iterator[Flat]:
    """A reading; what it needs on the way is dropped at its end."""
    order = engine.one("select current_setting('preserve_insertion_order')")
    engine.connection.execute("set preserve_insertion_order = true")  # row numbers must not hang on threads
    try:
        yield Flat(engine)
    finally:
        for kind in ("view", "table"):
            for row in engine.rows(f"select {kind}_name as name from duckdb_{kind}s() where temporary"):
                if row["name"].startswith("flat_"):
                    engine.connection.execute(f'drop {kind} temp."{row["name"]}"')
        engine.connection.execute(f"set preserve_insertion_order = {order}")
