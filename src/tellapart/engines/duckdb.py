"""How a statement runs on DuckDB: connect, load relations, run, hand back rows. No word of medicine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
        self._parsed: dict[str, duckdb.Statement] = {}

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Create table `name` with these columns (DuckDB type names) and rows."""
        listed = list(rows)
        table = pa.table(
            {
                column: pa.array([row[i] for row in listed], type=ARROW[kind])
                for i, (column, kind) in enumerate(columns.items())
            }
        )
        self.connection.register("incoming", table)
        self.connection.execute(f'create or replace table "{name}" as select * from incoming')
        self.connection.unregister("incoming")

    def make(self, name: str, sql: str, view: bool = False) -> None:
        """Make relation `name` by a query. The parsed statement is kept: a session runs the same ones again and again."""
        text = f'create or replace {"view" if view else "table"} "{name}" as {sql}'
        if text not in self._parsed:
            self._parsed[text] = self.connection.extract_statements(text)[0]
        self.connection.execute(self._parsed[text])

    @contextmanager
    def hurried(self, hurried: bool = True) -> Iterator[None]:
        """Run what follows as written, without DuckDB's optimizer: for a handful of rows planning costs more than running.

        The rows are the same; measured, a warm workup takes about three quarters of the time.
        """
        if hurried:
            self.connection.execute("pragma disable_optimizer")
        try:
            yield
        finally:
            if hurried:
                self.connection.execute("pragma enable_optimizer")

    def drop(self, name: str) -> None:
        """Let go of table `name`."""
        self.connection.execute(f'drop table "{name}"')

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
        """Write the result of `query`, in its own order, to a file (`form`: DuckDB's COPY options)."""
        quoted = str(target).replace("'", "''")
        self.connection.execute("set preserve_insertion_order = true")
        try:
            self.connection.execute(f"copy ({query}) to '{quoted}' ({form})")
        finally:
            self.connection.execute("set preserve_insertion_order = false")

    def close(self) -> None:
        self.connection.close()
