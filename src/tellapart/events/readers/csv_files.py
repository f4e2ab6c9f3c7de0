"""One CSV file into a table of text: every cell as given, judged where it can be rejected by name; a bad line harms only itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

BadLine = tuple[int, str, str]
"""Line, what stands in it, why it is no row."""


def read_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, target: str, options: Mapping[str, str] | None = None
) -> list[BadLine]:
    """Run `target` (`create temp table x as`, `insert into x by name`) on the rows of a CSV file with a first line of names.

    Args:
        options: more options of DuckDB's `read_csv` (`delim`, `encoding`).

    Raises:
        duckdb.Error: the file cannot be read as CSV.
    """
    more = "".join(f", {name} = {quoted(value)}" for name, value in (options or {}).items())
    connection.execute(
        f"{target} from read_csv({quoted(str(path))}, all_varchar = true, header = true, "
        f"rejects_scan = 'csv_scan', rejects_table = 'csv_error'{more})"
    )
    bad = connection.execute(
        "select line, min(csv_line), min(error_message) from csv_error group by line order by line"
    ).fetchall()
    connection.execute("drop table csv_error")
    connection.execute("drop table csv_scan")
    return bad


def quoted(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
