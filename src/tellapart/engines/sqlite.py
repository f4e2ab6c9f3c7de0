"""How a statement runs on SQLite: for one person, whose few rows DuckDB spends its time on preparing for. No word of medicine.

The text is the one that DuckDB runs (`engines/portable` says which forms it may use); `to_sqlite` says the handful of
forms otherwise that SQLite has in other words. Relations keep the types of their contract: SQLite holds days as ISO text
and truth values as 0 and 1, and `rows` gives them back as what they are.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

Columns = Mapping[str, str]
STATEMENTS_KEPT = 512
"""Prepared statements that a connection remembers: more than a plan and a document have together."""
INDEXED = 3
"""Columns of the index of a loaded table: its first ones, by which it is joined. Without one SQLite makes its own each time."""


class SQLite:
    """One in-memory SQLite database.

    Args:
        columns: the columns and types (DuckDB names) of a relation that `make` makes.
    """

    def __init__(self, columns: Callable[[str], Columns]) -> None:
        self.connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=STATEMENTS_KEPT, check_same_thread=False
        )
        self._contract = columns
        self._types: dict[str, Columns] = {}
        self._loaded: dict[str, list[Sequence[Any]]] = {}
        has = {row[0] for row in self.connection.execute("select name from pragma_function_list")}
        for name, arguments, function in (*FUNCTIONS, *(f for f in MATHEMATICS if f[0] not in has)):
            self.connection.create_function(name, arguments, function, deterministic=True)
        self.connection.create_window_function("bit_or", 1, _BitOr)
        self.connection.create_aggregate("arg_min", 2, _ArgMin)

    def load(self, name: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> None:
        """Make table `name` hold these columns (DuckDB type names) and rows."""
        listed = list(rows)
        if self._loaded.get(name) == listed and self._types.get(name) == columns:
            return
        self._empty(name, columns, led=", ".join(f'"{c}"' for c in list(columns)[:INDEXED]))
        marks = ", ".join("?" * len(columns))
        self.connection.execute("begin")
        self.connection.executemany(f'insert into "{name}" values ({marks})', listed)
        self.connection.execute("commit")
        self._loaded[name] = listed

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None:
        """Make table `name` by a query in DuckDB's words. (One person's views are tables too: they are read often.)"""
        columns = self._contract(name)
        self._empty(name, columns)
        self._loaded.pop(name, None)
        if only_with is None or self.one(f'select exists (select 1 from "{only_with}")'):
            listed = ", ".join(f'"{c}"' for c in columns)
            self.connection.execute(f'insert into "{name}" select {listed} from ({to_sqlite(sql)})')

    def _empty(self, name: str, columns: Columns, led: str = "") -> None:
        if self._types.get(name) == columns:
            self.connection.execute(f'delete from "{name}"')
            return
        typed = ", ".join(f'"{c}" {kind}' for c, kind in columns.items())
        self.connection.execute(f'drop table if exists "{name}"')
        self.connection.execute(f'create table "{name}" ({typed})')
        if led:
            self.connection.execute(f'create index "led_{name}" on "{name}" ({led})')
        self._types[name] = dict(columns)

    def append(self, name: str, sql: str) -> None:
        """Add the rows of a query to table `name`, matched by the names of their columns."""
        listed = ", ".join(f'"{c}"' for c in self._types[name])
        self.connection.execute(f'insert into "{name}" ({listed}) select {listed} from ({to_sqlite(sql)})')
        self._loaded.pop(name, None)

    def drop(self, name: str) -> None:
        """Let go of table `name`."""
        self.connection.execute(f'drop table "{name}"')
        self._types.pop(name, None)
        self._loaded.pop(name, None)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The result of a query as dictionaries; columns named like one of a relation read have its type."""
        cursor = self.connection.execute(to_sqlite(sql), parameters)
        kinds = self._kinds(sql)
        names = [d[0] for d in cursor.description or []]
        given = [(name, GIVEN[kind]) for name in names if (kind := kinds.get(name, "").split("(")[0]) in GIVEN]
        found = [dict(zip(names, row, strict=True)) for row in cursor]
        for name, value in given:
            for row in found:
                if row[name] is not None:
                    row[name] = value(row[name])
        return found

    def columns(self, name: str) -> Columns:
        """Columns of a table with their types."""
        return self._types[name]

    def table(self, name: str) -> tuple[Columns, list[tuple[Any, ...]]]:
        """Columns with their types, and rows of a table: what `load` takes."""
        return self._types[name], [tuple(row.values()) for row in self.rows(f'select * from "{name}"')]

    def _kinds(self, sql: str) -> Columns:
        """Column to type, of all relations that a query names."""
        found: dict[str, str] = {}
        for name in _relations(sql):
            found |= self._types.get(name, {})
        return found

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The single value of a query."""
        for row in self.rows(sql, parameters):
            return next(iter(row.values()))
        return None

    def close(self) -> None:
        self.connection.close()


sqlite3.register_adapter(dt.date, dt.date.isoformat)
sqlite3.register_adapter(Decimal, float)

GIVEN: dict[str, Callable[[Any], Any]] = {
    "DATE": dt.date.fromisoformat,
    "BOOLEAN": bool,
    "DECIMAL": lambda held: Decimal(repr(held)),
}
"""Type to the value of what SQLite holds, where that is another."""


@lru_cache(maxsize=STATEMENTS_KEPT)
def _relations(sql: str) -> tuple[str, ...]:
    return tuple(re.findall(r'\b(?:from|join)\s+"?(\w+)"?', sql))


class _ArgMin:
    """`arg_min`: the value of the row with the smallest key."""

    def __init__(self) -> None:
        self.held: tuple[Any, Any] | None = None

    def step(self, *given: Any) -> None:
        value, key = given
        if value is not None and key is not None and (self.held is None or key < self.held[0]):
            self.held = key, value

    def finalize(self) -> Any:
        return self.held and self.held[1]


class _BitOr:
    """`bit_or`, also over a window that only grows."""

    def __init__(self) -> None:
        self.bits: int | None = None

    def step(self, bits: int | None) -> None:
        if bits is not None:
            self.bits = bits if self.bits is None else self.bits | bits

    def value(self) -> int | None:
        return self.bits

    finalize = value

    def inverse(self, bits: int | None) -> None:
        raise NotImplementedError("a window whose first row moves")


def _known(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of arguments that are all known."""
    return lambda *given: None if None in given else function(*given)


def _among_known(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """The function of those arguments that are known."""

    def called(*given: Any) -> Any:
        known = [value for value in given if value is not None]
        return function(known) if known else None

    return called


def _split_part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator)
    return parts[number - 1] if number <= len(parts) else ""


def _try_double(given: Any) -> float | None:
    text = str(given)
    try:
        return float(text) if text.isascii() else None
    except ValueError:
        return None


def _regexp_replace(text: str, pattern: str, by: str, _everywhere: str) -> str:
    return re.sub(pattern, by, text)


FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("max_known", -1, _among_known(max)),
    ("min_known", -1, _among_known(min)),
    ("try_double", 1, _known(_try_double)),
    ("year", 1, _known(lambda day: int(day[:4]))),
    ("month", 1, _known(lambda day: int(day[5:7]))),
    ("day", 1, _known(lambda day: int(day[8:]))),
    ("lower", 1, _known(str.lower)),  # its own knows ASCII only
    ("upper", 1, _known(str.upper)),
    ("concat", -1, lambda *given: "".join(part for part in given if part is not None)),
    ("regexp_replace", 4, _known(_regexp_replace)),
    ("split_part", 3, _known(_split_part)),
)
"""Functions that SQLite lacks: name, arguments (-1: any), function."""

MATHEMATICS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("power", 2, _known(math.pow)),
    ("sqrt", 1, _known(math.sqrt)),
    ("exp", 1, _known(math.exp)),
    ("ln", 1, _known(math.log)),
    ("floor", 1, _known(math.floor)),
)
"""Functions that some SQLite is built without."""

ASKED = re.compile(rf"\b({'|'.join(name for name, _, _ in FUNCTIONS)})\(")
"""What asks Python."""

WORDY = re.compile(r"\b(try_cast|starts_with|strpos)\(|& ~")
"""What is said by several words, some of them twice, and words of bits that are read bit by bit."""

WORDS = (
    (r"\bdate '", "'"),
    (r"\bas date\)", "as text)"),
    (r"\bcast\('infinity' as double\)", "9e999"),
    (r"//", "/"),
    (r"\bis not distinct from\b", "is"),
    (r"\bbool_or\(", "max("),
    (r"\bbool_and\(", "min("),
    (r"\bstrpos\(", "instr("),
)
"""Forms that are other words on SQLite, and mean the same."""


@lru_cache(maxsize=STATEMENTS_KEPT)
def to_sqlite(sql: str) -> str:
    """The statement, of portable forms or of room `events`, in SQLite's words."""
    sql = _calls(_once(sql, WORDY), "try_cast", _tried)
    for pattern, word in WORDS:
        sql = re.sub(pattern, word, sql)
    for function, word in (("greatest", "max"), ("least", "min")):
        sql = _calls(sql, function, partial(_of_known, word))
    sql = _calls(sql, "starts_with", lambda given: f"(substr({given[0]}, 1, length({given[1]})) = {given[1]})")
    sql = _of_set_bits(sql)
    sql = _calls(sql, "date_diff", lambda given: f"cast(julianday({given[2]}) - julianday({given[1]}) as integer)")
    return _once(_ordered(_unnested(sql)), ASKED)


def _once(sql: str, costly: re.Pattern[str]) -> str:
    """What is costly in a common table expression is worked out once, not wherever a column of it is used."""
    for found in reversed(list(re.finditer(r"\b\w+ as \((?=\s*(--.*\n\s*)*select\b)", sql))):
        if costly.search(sql, found.end(), _list(sql, found.end())[1]):
            sql = f"{sql[: found.end() - 1]}materialized {sql[found.end() - 1 :]}"
    return sql


def _tried(given: list[str]) -> str:
    value, kind = re.split(r"\s+as\s+(?=\w+$)", given[0])
    if kind == "date":
        return f"(case when date({value}, '+0 days') = {value} then {value} end)"
    return f"(case when {value} is not null then try_{kind}({value}) end)"


def _of_known(word: str, given: list[str]) -> str:
    """The greatest or least of what is known: SQLite's own `max` and `min` know nothing if one of their parts is unknown."""
    if all(re.search(r"^[0-9.e-]+$|\belse [0-9.]+ end$", part) for part in given):
        return f"{word}({', '.join(given)})"
    if len(given) == 2:
        return f"coalesce({word}({', '.join(given)}), {', '.join(given)})"
    return f"coalesce({word}({', '.join(given)}), {word}_known({', '.join(given)}))"


def _of_set_bits(sql: str) -> str:
    """`bit_or` of a group asks Python only for values with a bit set, which few have; a group with known values has at least 0."""
    for found in reversed(list(re.finditer(r"\bbit_or\(", sql))):
        (bits,), end = _list(sql, found.end())
        if not sql[end:].startswith(" over"):
            said = f"coalesce(bit_or({bits}) filter (where {bits} <> 0), case when count({bits}) > 0 then 0 end)"
            sql = sql[: found.start()] + said + sql[end:]
    return sql


def _calls(sql: str, function: str, said: Callable[[list[str]], str]) -> str:
    """Every call of a function said otherwise, the innermost first."""
    while found := list(re.finditer(rf"\b{function}\(", sql)):
        start = found[-1].start()
        given, end = _list(sql, found[-1].end())
        sql = sql[:start] + said(given) + sql[end:]
    return sql


def _unnested(sql: str) -> str:
    """`unnest([...])` in a projection as a join with the elements of the list."""
    number = 0
    while (start := sql.rfind("unnest([")) >= 0:
        number += 1
        given, end = _list(sql, start + len("unnest(["))
        source = sql.index("from ", end) + len("from ")
        after = _list(sql, source + 1)[1] if sql[source] == "(" else source
        named = re.compile(r"\w*(\s+as\s+\w+)?").match(sql, after)
        assert named
        sql = (
            f"{sql[:start]}listed{number}.value{sql[end + 1 : named.end()]} "
            f"cross join json_each(json_array({', '.join(given)})) as listed{number}{sql[named.end() :]}"
        )
    return sql


def _ordered(sql: str) -> str:
    """Unknown values last in ascending orders too, as DuckDB has them."""
    for found in reversed(list(re.finditer(r"\border by ", sql))):
        keys, end = _list(sql, found.end())
        keys[-1], *rest = re.split(r"(?= rows between | limit )", keys[-1], maxsplit=1)
        said = ", ".join(key if re.search(r" desc$| nulls (first|last)$", key) else f"{key} nulls last" for key in keys)
        closed = sql[end - 1 : end]
        sql = "".join([sql[: found.end()], said, *rest, closed, sql[end:]])
    return sql


def _list(sql: str, start: int) -> tuple[list[str], int]:
    """The parts between commas from `start` to the bracket that closes or to the end, and the place after it."""
    parts: list[str] = []
    depth, quoted, begun = 0, False, start
    for place in range(start, len(sql)):
        sign = sql[place]
        if sign == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            if not depth:
                return [*parts, sql[begun:place].strip()], place + 1
            depth -= 1
        elif sign == "," and not depth:
            parts.append(sql[begun:place].strip())
            begun = place + 1
    return [*parts, sql[begun:].strip()], len(sql) + 1
