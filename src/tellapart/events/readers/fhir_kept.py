"""What was read of each FHIR file, kept in one DuckDB file, so that a later run reads only files that are new or changed.

Kept is the end of typed reading: the rows of every family's table, the resources of other types and the bad rows, under the
name of their file within the source. All that reads across files (duplicates, persons, references) is done anew each time, so
that a run from kept rows gives what a whole reading gives.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from tellapart.errors import InputError

DATABASE = "fhir.duckdb"


@dataclass
class KeptReadings:
    """Where rows are kept, and how files are told from what they were.

    Attributes:
        folder: made if missing; it holds nothing else.
        prints: name within the source to a fingerprint that changes with the content.
        read, kept: how many files the last reading opened, and how many it took from what was kept.
    """

    folder: Path
    prints: Mapping[str, str]
    read: int = field(default=0, init=False)
    kept: int = field(default=0, init=False)

    @contextmanager
    def attached(self, con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> Iterator[Attached]:
        """Open what is kept beside a connection.

        Args:
            con: holds the working tables of the FHIR reader, empty.
            tables: those of them that hold resources by family.

        Raises:
            InputError: it cannot be written.
        """
        attached = Attached(self, con, tuple(tables))
        try:
            attached.open()
            yield attached
            con.execute("detach kept")  # writes down what is not yet
        except (duckdb.IOException, OSError) as error:
            raise InputError(
                f"{self.folder}: what was read cannot be kept ({str(error).splitlines()[0]}). "
                "Free space, or run without --incremental."
            ) from error
        finally:
            with suppress(duckdb.Error):
                con.execute("detach database if exists kept")


class Attached:
    """The database `kept` while it is open beside a reader's connection."""

    def __init__(self, readings: KeptReadings, con: duckdb.DuckDBPyConnection, tables: tuple[str, ...]) -> None:
        self.readings, self.con = readings, con
        # a row without a line has its place in the table as its place in the file
        self.placed = (*tables, "fhir_other")
        self.tables = (*self.placed, "fhir_bad")
        self.starts: dict[str, int] = {}
        self.prefix = ""

    def open(self) -> None:
        """Attach, and begin anew if there is nothing, or it was written by another reader or cannot be read."""
        folder = self.readings.folder
        try:
            self._attach()
            if self.con.execute("select form from kept.form").fetchall() == [(form(),)]:
                return
        except duckdb.Error:
            pass
        self.con.execute("detach database if exists kept")
        shutil.rmtree(folder, ignore_errors=True)
        self._attach()
        for table in self.tables:
            self.con.execute(f"create table kept.{table} as select * from temp.{table} limit 0")
        self.con.execute("create table kept.file (name varchar, print varchar, file varchar, exact_lines boolean)")
        self.con.execute("create table kept.form as select $1 as form", [form()])

    def _attach(self) -> None:
        self.readings.folder.mkdir(parents=True, exist_ok=True)
        quoted = str(self.readings.folder / DATABASE).replace("'", "''")
        self.con.execute(f"attach '{quoted}' as kept")

    def take(self, prefix: str, names: Iterable[str]) -> set[str]:
        """Bring the rows of unchanged files into the working tables; returns the names of these files.

        Args:
            prefix: what stands before a name in the path under which a file is read.
            names: the files of the source.
        """
        self.prefix = prefix
        wanted = set(names)
        same = {
            name
            for name, print_ in self.con.execute("select name, print from kept.file").fetchall()
            if name in wanted and self.readings.prints.get(name) == print_
        }
        self._list("same", same)
        for table in self.tables:
            self.con.execute(
                f"insert into {table} select $1 || filename as filename, * exclude (filename) from kept.{table} "
                "where filename in (select name from fhir_kept_same)",
                [prefix],
            )
            self.starts[table] = self._number(f"select max(rowid) + 1 from temp.{table}")
        begins = " union all ".join(
            f"select filename, min(rowid) as first_row from {table} where line is null group by filename"
            for table in self.placed
        )
        self.con.execute(
            "insert into fhir_file select $1 || k.name as filename, k.file, b.first_row, k.exact_lines from kept.file as k "
            f"left join ({begins}) as b on b.filename = $1 || k.name "
            "where k.file is not null and k.name in (select name from fhir_kept_same)",
            [prefix],
        )
        self.readings.kept, self.readings.read = len(same), len(wanted) - len(same)
        return same

    def bundles(self) -> int:
        """The last number of a Bundle among what was taken: others are numbered from there."""
        highest = " union all ".join(f"select max(bundle) as bundle from {table}" for table in self.placed)
        return self._number(f"select max(bundle) from ({highest})")

    def _number(self, query: str) -> int:
        """The single number of a query, 0 for none."""
        row = self.con.execute(query).fetchone()
        return int(row[0] or 0) if row else 0

    def _list(self, which: str, names: Iterable[str]) -> None:
        listed = sorted(n for n in names if n in self.readings.prints)
        self.con.execute(
            f"create or replace temp table fhir_kept_{which} as "
            "select unnest(cast($1 as varchar[])) as name, unnest(cast($2 as varchar[])) as print",
            [listed, [self.readings.prints[n] for n in listed]],
        )

    def keep(self, names: Iterable[str]) -> None:
        """Keep what was read since `take` of the files `names`, and let go of files that changed or went."""
        self._list("new", names)
        self.con.execute("begin")
        try:
            gone = "not in (select name from fhir_kept_same)"
            self.con.execute(f"delete from kept.file where name {gone}")
            for table in self.tables:
                self.con.execute(f"delete from kept.{table} where filename {gone}")
                self.con.execute(
                    f"insert into kept.{table} select substr(filename, $1) as filename, * exclude (filename) from temp.{table} "
                    "where rowid >= $2 and substr(filename, $1) in (select name from fhir_kept_new)",
                    [len(self.prefix) + 1, self.starts[table]],
                )
            self.con.execute(
                "insert into kept.file select n.name, n.print, f.file, coalesce(f.exact_lines, false) from fhir_kept_new as n "
                "left join fhir_file as f on f.filename = $1 || n.name",
                [self.prefix],
            )
            self.con.execute("commit")
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed has rolled back
                self.con.execute("rollback")
            raise


@cache
def form() -> str:
    """What the kept rows hang on beside the files: the reader itself and the database that writes them."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for part in sorted(files(__package__).iterdir(), key=lambda p: p.name):
        if part.name.startswith("fhir") and part.name.endswith((".py", ".sql")):
            digest.update(part.read_bytes())
    return digest.hexdigest()
