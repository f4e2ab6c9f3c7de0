"""A PostgreSQL server of the tests' own, and CDMs in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

PASSWORD = "not/for @anybody"  # to be written as % codes in an address


def missing() -> str:
    """What stands in the way of a server, or nothing."""
    try:
        import adbc_driver_postgresql  # noqa: F401
    except ImportError:
        return "the driver is not installed (pip install 'tellapart[postgres]')"
    return "" if _programs() else "PostgreSQL is not installed (Debian: apt install postgresql)"


def _programs() -> Path | None:
    found = [Path(p).parent for p in [shutil.which("initdb")] if p] + [
        p.parent for p in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    ]
    return found[0] if found else None


@dataclass
class Server:
    """A running server; it belongs to `owner`, whose password is `PASSWORD`."""

    port: int
    folder: Path

    def url(self, database: str, user: str = "owner", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@localhost:{self.port}/{database}"

    def run(self, database: str, *statements: str) -> None:
        with self._connection(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def load(self, database: str, tables: dict[str, pa.Table], schema: str = "cdm") -> str:
        """Make a database of these tables; its address."""
        self.run("postgres", f"create database {database}")
        self.run(database, f"create schema {schema}")
        with self._connection(database) as connection, connection.cursor() as cursor:
            for name, table in tables.items():
                cursor.adbc_ingest(name, table, mode="create", db_schema_name=schema)
        return self.url(database)

    def load_folder(self, database: str, folder: Path) -> str:
        """Make a database of a CDM in Parquet files; its address."""
        return self.load(database, {p.stem: pq.read_table(p) for p in sorted(folder.glob("*.parquet"))})

    def wait_for(self, database: str, what: str) -> None:
        """Wait until a statement with these words runs."""
        query = f"select count(*) from pg_stat_activity where state = 'active' and query like '%{what}%' and pid <> pg_backend_pid()"
        with self._connection(database) as connection, connection.cursor() as cursor:
            for _ in range(600):
                cursor.execute(query)
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.05)
        raise AssertionError(f"no statement with {what} ran")

    def _connection(self, database: str) -> Any:
        from adbc_driver_postgresql import dbapi

        return dbapi.connect(self.url(database), autocommit=True)


@contextmanager
def server() -> Iterator[Server]:
    """Start a server (as user postgres where this one is root, as it demands) and stop it."""
    programs = _programs()
    assert programs is not None
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tellapart-pg-"))
    data, words = folder / "data", folder / "password"
    words.write_text(PASSWORD)
    if user:
        shutil.chown(folder, user)
        shutil.chown(words, user)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: object) -> None:
        subprocess.run(
            [programs / program, *map(str, arguments)], user=user, check=True, stdout=subprocess.DEVNULL, cwd="/"
        )

    try:
        run(
            "initdb",
            "-D",
            data,
            "-U",
            "owner",
            "-A",
            "scram-sha-256",
            f"--pwfile={words}",
            "-N",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        run("pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"-p {port} -k {folder} -c fsync=off", "start")
        try:
            yield Server(port, folder)
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
