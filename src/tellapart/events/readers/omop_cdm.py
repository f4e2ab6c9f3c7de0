"""Where the tables of an OMOP CDM are: a folder of Parquet or CSV, or a DuckDB file (or a server: `omop_postgres`).

What the reader asks of each place is the same: which tables and columns there are, what to write after FROM, and to
make a temporary table from a query that any SQL database can run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import duckdb

from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError
from tellapart.events.readers.csv_files import quoted, read_csv
from tellapart.events.readers.omop_tables import NAMES

BAD = 'create temp table omop_bad ("table" varchar, file varchar, line bigint, value varchar, reason varchar)'
PARQUET, CSV = (".parquet",), (".csv", ".csv.gz", ".tsv", ".tsv.gz")


class Cdm(Protocol):
    """The tables of a CDM.

    Attributes:
        columns: table of `NAMES` to its columns, in small letters; a table that is not there is missing.
        places: table to how it is named in reports.
    """

    columns: dict[str, set[str]]
    places: dict[str, str]

    def table(self, name: str) -> str:
        """What to write after FROM for a table."""
        ...

    def whole(self, column: str) -> str:
        """A column as BIGINT; what is no number is NULL where the place has such cells."""
        ...

    def take(self, name: str, query: str) -> None:
        """Make temporary table `name` from a query, its rows in an order that does not change from run to run."""
        ...

    def close(self) -> None:
        """Let go of the place."""
        ...


class Folder:
    """A folder: `measurement.parquet`, `MEASUREMENT.csv`, or a folder `measurement/` of such files."""

    def __init__(self, engine: DuckDB, source: Path) -> None:
        """Raises InputError: a file cannot be read."""
        self.engine = engine
        self.columns: dict[str, set[str]] = {}
        self.places: dict[str, str] = {}
        engine.connection.execute(BAD)
        found: dict[str, list[Path]] = {}
        for path in sorted(source.rglob("*")):
            if (name := table_of(path, source)) in NAMES and path.is_file():
                found.setdefault(name, []).append(path)
        for name, paths in found.items():
            self.places[name] = ", ".join(p.relative_to(source).as_posix() for p in paths)
            try:
                self._open(name, paths)
            except duckdb.Error as trouble:
                reason = str(trouble).split("\n", 1)[0]
                raise InputError(
                    f"{source}: {self.places[name]} cannot be read ({reason}). Export the table again."
                ) from trouble
            self.columns[name] = {r["column_name"].lower() for r in engine.rows(f"describe from omop_file_{name}")}

    def _open(self, name: str, paths: list[Path]) -> None:
        run = self.engine.connection.execute
        if paths[0].name.lower().endswith(PARQUET):
            listed = "[" + ", ".join(quoted(str(p)) for p in paths) + "]"
            run(f"create temp view omop_file_{name} as from read_parquet({listed}, union_by_name = true)")
            return
        for number, path in enumerate(paths):
            target = f"insert into omop_file_{name} by name" if number else f"create temp table omop_file_{name} as"
            for bad in read_csv(self.engine.connection, path, target):
                run("insert into omop_bad values ($1, $2, $3, $4, $5)", [name, path.name, *bad])

    def table(self, name: str) -> str:
        return f"omop_file_{name}"

    def whole(self, column: str) -> str:
        return f"try_cast({column} as bigint)"

    def take(self, name: str, query: str) -> None:
        self.engine.connection.execute(f"create or replace temp table {name} as {query}")

    def close(self) -> None:
        pass


class Database(Folder):
    """A DuckDB file: the schema that holds `person`."""

    def __init__(self, engine: DuckDB, source: Path) -> None:
        """Raises InputError: the file is no database, or `person` stands in several schemas."""
        self.engine = engine
        engine.connection.execute(BAD)
        try:
            engine.connection.execute(f"attach {quoted(str(source))} as omop_source (read_only)")
        except duckdb.Error as trouble:
            reason = str(trouble).split("\n", 1)[0]
            raise InputError(
                f"{source}: cannot be opened as a DuckDB database ({reason}). OMOP is read from a folder of tables or a DuckDB file."
            ) from trouble
        held = engine.rows(
            "select schema_name as place, table_name as name from duckdb_tables() where database_name = 'omop_source' "
            "union all select schema_name, view_name from duckdb_views() where database_name = 'omop_source'"
        )
        where = sorted({r["place"] for r in held if r["name"].lower() == "person"})
        if len(where) > 1:
            raise InputError(f"{source}: several schemas hold a table person ({', '.join(where)}). Keep one of them.")
        self.names = {
            r["name"].lower(): f'omop_source."{r["place"]}"."{r["name"]}"' for r in held if r["place"] in where
        }
        self.columns = {
            name: {r["column_name"].lower() for r in engine.rows(f"describe from {place}")}
            for name, place in self.names.items()
            if name in NAMES
        }
        self.places = dict.fromkeys(self.columns, source.name)

    def table(self, name: str) -> str:
        return self.names[name]

    def close(self) -> None:
        self.engine.connection.execute("detach omop_source")


def table_of(path: Path, source: Path) -> str:
    """The table that a file belongs to: by its own name, or that of the folder it lies in; empty if it is no table."""
    if not path.name.lower().endswith((*PARQUET, *CSV)) or path.name.startswith("."):
        return ""
    own = path.name.lower().split(".")[0]
    return own if own in NAMES or path.parent == source else path.parent.name.lower()
