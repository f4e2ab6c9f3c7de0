"""The diary's file: one SQLite database, written in whole transactions, readable by its owner only.

The version of its tables is `user_version`; `migrations/NNN_*.sql` take an older file forward, one transaction for all.
A file of a newer version is refused, never changed. Nothing is sorted or decided by the clock: `written` only says when.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import platformdirs

from tellapart.errors import InputError

APPLICATION = int.from_bytes(b"tela")  # SQLite's mark of whose file it is
PATIENCE = 30.0  # seconds to wait for another process that writes
TYPED = "typed"


class Entry(NamedTuple):
    """One value of one local calendar day."""

    day: str
    signal: str
    value: float
    origin: str = TYPED


class Note(NamedTuple):
    """Something in words on a day: a medicine (or one stopped), what helps, a test done, a question."""

    day: str
    kind: str
    text: str


def default_path() -> Path:
    """The diary in the platform's data folder of this user."""
    return Path(platformdirs.user_data_dir("tellapart", appauthor=False)) / "diary.sqlite"


def migrations() -> list[str]:
    """The SQL of every step, oldest first; step 1 makes an empty diary."""
    folder = resources.files(__package__) / "migrations"
    return [
        p.read_text(encoding="utf-8") for p in sorted(folder.iterdir(), key=lambda p: p.name) if p.name.endswith(".sql")
    ]


@contextmanager
def opened(path: Path, create: bool = False) -> Iterator[Store]:
    """The diary at `path`, brought to this version's tables.

    Raises:
        InputError: there is none (and `create` is false), it cannot be read or written, is no diary, is damaged, or was
            made by a newer version of the program.
    """
    if not create and not path.exists():
        raise InputError(f"{path}: there is no diary yet. Begin one with: tellapart diary add --diary {path}")
    connection: sqlite3.Connection | None = None
    try:
        if create and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if os.name == "posix":
            path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        _prepare(connection, path)
        yield Store(connection)
    except OSError as error:
        raise InputError(f"{path}: the diary cannot be opened ({error.strerror}). Check its folder.") from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: {_words(error)}") from error
    finally:
        if connection is not None:
            connection.close()


def _words(error: sqlite3.DatabaseError) -> str:
    said = str(error)
    if "locked" in said or "busy" in said:
        return "another program is writing to the diary. Wait until it is done, then try again; nothing was changed."
    if "full" in said:
        return "the disk is full. Free some space and try again; what was in the diary before is still there."
    if "readonly" in said or "unable to open" in said:
        return "the diary cannot be written. Check the permissions of the file and its folder."
    return (
        f"the file is damaged or no diary ({said}). Put it aside and restore a copy; `sqlite3 FILE .recover` may save "
        "what is in it."
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check whose file it is and take it forward."""
    steps = migrations()
    version = connection.execute("pragma user_version").fetchone()[0]
    mine = connection.execute("pragma application_id").fetchone()[0] == APPLICATION
    if not mine and connection.execute("select count(*) from sqlite_master").fetchone()[0]:
        raise InputError(f"{path}: is a database of another program, not a diary. Name another file with --diary.")
    if version > len(steps):
        raise InputError(
            f"{path}: the diary was written by a newer tellapart (its tables are version {version}, this one knows "
            f"{len(steps)}). Update tellapart; the file was not changed."
        )
    if (found := connection.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(found)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    if version < len(steps):
        with _transaction(connection):
            done = connection.execute("pragma user_version").fetchone()[0]  # another process may have been faster
            for step in steps[done:]:
                for statement in _statements(step):
                    connection.execute(statement)
            connection.execute(f"pragma application_id = {APPLICATION}")
            connection.execute(f"pragma user_version = {len(steps)}")


def _statements(text: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would end the transaction."""
    part = ""
    for line in text.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, the only writer from its first line."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("rollback")
        raise
    connection.execute("commit")


class Store:
    """An open diary."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def write(self, entries: Iterable[Entry]) -> Counter[str]:
        """Write entries, all or none; the same day, signal and origin again replaces the value.

        Returns:
            how many were `new`, `changed` and `same`.
        """
        counts: Counter[str] = Counter()
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with _transaction(self.connection):
            for day, signal, value, origin in entries:
                key = (day, signal, origin)
                old = self.connection.execute(
                    "select value from entries where day = ? and signal = ? and origin = ?", key
                ).fetchone()
                counts["new" if old is None else "same" if old[0] == value else "changed"] += 1
                if old is None or old[0] != value:
                    self.connection.execute(
                        "insert or replace into entries (day, signal, origin, value, written) values (?, ?, ?, ?, ?)",
                        (*key, value, now),
                    )
        return counts

    def entries(self) -> list[Entry]:
        """One entry per day and signal, by day: what was typed before what a device or a file says."""
        return [
            Entry(*row)
            for row in self.connection.execute(
                "select day, signal, value, origin from ("
                "  select *, row_number() over (partition by day, signal order by origin = ? desc, origin) as place"
                "  from entries) where place = 1 order by day, signal",
                (TYPED,),
            )
        ]

    def write_notes(self, notes: Iterable[Note]) -> None:
        """Write notes, all or none; the same note again is the same note."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with _transaction(self.connection):
            self.connection.executemany(
                "insert or ignore into notes (day, kind, text, written) values (?, ?, ?, ?)", [(*n, now) for n in notes]
            )

    def notes(self) -> list[Note]:
        """All notes by day."""
        return [
            Note(*row) for row in self.connection.execute("select day, kind, text from notes order by day, kind, text")
        ]

    def last_day(self) -> dt.date | None:
        """The latest day with an entry."""
        day = self.connection.execute("select max(day) from entries").fetchone()[0]
        return dt.date.fromisoformat(day) if day else None
