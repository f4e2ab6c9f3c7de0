"""How a statement runs on DuckDB: connect, load relations, run, hand back rows. No word of medicine."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

ARROW = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "INTEGER": pa.int32(), "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(), "DATE": pa.date32(), "DECIMAL": pa.decimal128(12, 6),
}  # fmt: skip


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

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Create table `name` with these columns (DuckDB type names) and rows."""
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        table = pa.table(
            [pa.array(v, type=ARROW[kind]) for v, kind in zip(values, columns.values(), strict=True)],
            names=list(columns),
        )
        self.connection.register("incoming", table)
        self.connection.execute(f'create or replace table "{name}" as select * from incoming')
        self.connection.unregister("incoming")

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None:
        """Make relation `name` by a query (`only_with` is for one person and means nothing here)."""
        self.connection.execute(f'create or replace {"view" if view else "table"} "{name}" as {sql}')

    def append(self, name: str, sql: str) -> None:
        """Add the rows of a query to table `name`, matched by the names of their columns."""
        self.connection.execute(f'insert into "{name}" by name {sql}')

    def drop(self, name: str) -> None:
        """Let go of table `name`."""
        self.connection.execute(f'drop table "{name}"')

    def columns(self, name: str) -> dict[str, str]:
        """Columns of a table with their types."""
        return {d[0]: str(d[1]) for d in self.connection.execute(f'select * from "{name}" limit 0').description or []}

    def table(self, name: str, where: str = "true") -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """Columns with their types, and rows of a table that a condition holds for: what `load` takes."""
        cursor = self.connection.execute(f'select * from "{name}" where {where}')
        return {d[0]: str(d[1]) for d in cursor.description or []}, cursor.fetchall()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The result of a query as dictionaries (small results only)."""
        cursor = self.connection.execute(sql, parameters)
        names = [d[0] for d in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The single value of a query."""
        rows = self.connection.execute(sql, parameters).fetchall()
        return rows[0][0] if rows else None

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
