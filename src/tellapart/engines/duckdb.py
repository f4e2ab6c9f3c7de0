"""How a statement runs on DuckDB: connect, load relations, run, hand back rows. No word of medicine."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

ARROW = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "INTEGER": pa.int32(), "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(), "DATE": pa.date32(), "DECIMAL": pa.decimal128(12, 6),
}  # fmt: skip


REFILLS = 100
"""How often a table is emptied and filled before it is created anew: emptied rows stay in it until then."""


@dataclass
class _Kept:
    """A relation that stands in the database: what made it, and the statement that can fill it again."""

    sql: str
    loaded: tuple[dict[str, str], list[Sequence[Any]]] | None = None
    prepared_at: int | None = None
    fills: int = 0


class DuckDB:
    """One in-process DuckDB database.

    Args:
        memory: limit as DuckDB writes it (`4GB`); beyond it DuckDB spills to `spill`.
        threads: number of threads; DuckDB's own choice if None.
        spill: folder for spilling.
    """

    def __init__(self, memory: str | None = None, threads: int | None = None, spill: Path | None = None) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "preserve_insertion_order": "false",
            "checkpoint_threshold": "1TB",  # an in-memory database has nothing to checkpoint, yet would stop to do it
        }
        if memory:
            config["memory_limit"] = memory
        if threads:
            config["threads"] = str(threads)
        if spill:
            config["temp_directory"] = str(spill)
        self.connection = duckdb.connect(":memory:", config=config)
        self.connection.execute("set enable_progress_bar = false")
        self._parsed: dict[str, duckdb.Statement] = {}
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, tuple[int, int | None]] = {}
        self._changes = 0  # of the catalog: each one makes DuckDB plan every prepared statement again
        self._again = False

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Create table `name` with these columns (DuckDB type names) and rows."""
        listed = list(rows)
        kept = self._kept.get(name)
        if self._again and kept is not None and kept.loaded is not None and kept.loaded[0] == columns:
            if kept.loaded[1] == listed:
                return
            target = f'delete from "{name}"; insert into "{name}"'
        else:
            target = f'create or replace table "{name}" as'
            self._changes += 1
        values = zip(*listed, strict=True) if listed else ((),) * len(columns)
        table = pa.table(
            [pa.array(v, type=ARROW[kind]) for v, kind in zip(values, columns.values(), strict=True)],
            names=list(columns),
        )
        self.connection.register("incoming", table)
        self.connection.execute(f"{target} select * from incoming")
        self.connection.unregister("incoming")
        self._kept[name] = _Kept("", loaded=(dict(columns), listed))

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None:
        """Make relation `name` by a query (`only_with` is for one person and means nothing here)."""
        kept = self._kept.get(name)
        if not self._again or kept is None or kept.sql != sql or kept.fills >= REFILLS:
            self.connection.execute(
                self._statement(f'create or replace {"view" if view else "table"} "{name}" as {sql}')
            )
            self._kept[name] = _Kept(sql)
            self._changes += 1
        elif not view:
            if kept.prepared_at != self._changes:
                self.connection.execute(f'prepare "fill_{name}" as insert into "{name}" {sql}')
                kept.prepared_at = self._changes
            self.connection.execute(self._statement(f'delete from "{name}"'))
            self.connection.execute(self._statement(f'execute "fill_{name}"'))
            kept.fills += 1

    def append(self, name: str, sql: str) -> None:
        """Add the rows of a query to table `name`, matched by the names of their columns."""
        self.connection.execute(f'insert into "{name}" by name {sql}')

    def _statement(self, text: str) -> duckdb.Statement:
        """The parsed statement, kept: a session runs the same ones again and again."""
        if text not in self._parsed:
            self._parsed[text] = self.connection.extract_statements(text)[0]
        return self._parsed[text]

    @contextmanager
    def hurried(self, hurried: bool = True) -> Iterator[None]:
        """Run what follows for a handful of rows, where planning a statement costs more than running it.

        DuckDB's optimizer is off, and a relation made again by the same query is emptied and filled by a prepared
        statement: nothing is planned twice as long as no other table is created in between. The rows are the same;
        measured, a warm workup takes well under half of the time.
        """
        if not hurried:
            yield
            return
        self.connection.execute("pragma disable_optimizer")
        self._again = True
        try:
            yield
        finally:
            self._again = False
            self.connection.execute("pragma enable_optimizer")

    def forget(self) -> None:
        """What stands in the tables may have been made by others from now on: make every relation anew."""
        self._kept.clear()
        self._changes += 1

    def drop(self, name: str) -> None:
        """Let go of table `name`."""
        self.connection.execute(f'drop table "{name}"')
        self._kept.pop(name, None)
        self._changes += 1

    def table(self, sql: str) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """The result of a query as columns with their types, and rows: what `load` takes."""
        cursor = self._ask(sql, ())
        return {d[0]: str(d[1]) for d in cursor.description or []}, cursor.fetchall()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The result of a query as dictionaries (small results only)."""
        cursor = self._ask(sql, parameters)
        names = [d[0] for d in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The single value of a query."""
        rows = self._ask(sql, parameters).fetchall()
        return rows[0][0] if rows else None

    def _ask(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        """Run a query; within `hurried` as a prepared one, if its parameters are whole numbers."""
        if not self._again or not all(type(p) is int for p in parameters):
            return self.connection.execute(sql, parameters)
        number, prepared_at = self._asked.get(sql, (len(self._asked), None))
        if prepared_at != self._changes:
            self.connection.execute(f"prepare ask_{number} as {sql}")
            self._asked[sql] = number, self._changes
        values = ", ".join(map(str, parameters))
        return self.connection.execute(f"execute ask_{number}({values})" if values else f"execute ask_{number}")

    def copy(self, query: str, target: Path, form: str) -> None:
        """Write the result of `query`, in its own order, to a file (`form`: DuckDB's COPY options).

        Raises:
            OSError: the file cannot be written.
        """
        quoted = str(target).replace("'", "''")
        self.connection.execute("set preserve_insertion_order = true")
        try:
            self.connection.execute(f"copy ({query}) to '{quoted}' ({form})")
        except duckdb.IOException as error:
            raise OSError(errno.EIO, str(error).split("\n", 1)[0]) from error
        finally:
            self.connection.execute("set preserve_insertion_order = false")

    def close(self) -> None:
        self.connection.close()
