"""The shape of every relation that walks from room to room: columns, types, grain and key.

A relation's grain is its "one row per …"; its key is unique on every engine and every data set (tested).
Types are DuckDB names that mean the same on Spark. A change here is a change of contract.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, WHOLE, REAL, DAY, FLAG = "VARCHAR", "BIGINT", "DOUBLE", "DATE", "BOOLEAN"
SMALL = "INTEGER"


@dataclass(frozen=True)
class Relation:
    """One relation of the house.

    Attributes:
        name: name of the table or view.
        grain: what one row stands for, in words ("one row per …").
        key: columns that together are unique (empty: a log without a key).
        columns: column name to type, in order.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, str]


STATEMENTS = Relation(
    "statements",
    "one row per clinical statement of the source and coding of it; every leaf is text as given",
    (),
    {
        "row_no": WHOLE, "part": SMALL, "person_id": TEXT, "kind": TEXT, "reference": TEXT,
        "system": TEXT, "code": TEXT, "display": TEXT, "coding_no": SMALL,
        "value": TEXT, "value_to": TEXT, "comparator": TEXT, "unit": TEXT,
        "low": TEXT, "high": TEXT, "range_text": TEXT, "interpretation": TEXT,
        "date": TEXT, "end_date": TEXT, "known_date": TEXT,
        "status": TEXT, "by": TEXT, "method": TEXT, "text": TEXT, "absent_reason": TEXT, "group_key": TEXT,
    },
)  # fmt: skip

SOURCE_ROWS = Relation(
    "source_rows",
    "one row per source row (a resource, a case entry); class is its place in the accounting",
    ("row_no",),
    {
        "row_no": WHOLE, "source_type": TEXT, "file": TEXT, "line": WHOLE, "reference": TEXT,
        "person_id": TEXT, "class": TEXT,
    },
)  # fmt: skip

REJECTED = Relation(
    "rejected",
    "one row per thing that could not be used, with where, why and what to do",
    (),
    {
        "file": TEXT, "line": WHOLE, "reference": TEXT, "person_id": TEXT, "field": TEXT, "value": TEXT,
        "reason": TEXT, "what_to_do": TEXT, "row_no": WHOLE,
    },
)  # fmt: skip

PERSONS = Relation(
    "persons",
    "one row per person read; person is the rank of person_id",
    ("person",),
    {"person": WHOLE, "person_id": TEXT, "sex": TEXT, "birth_date": DAY, "death_date": DAY, "age": SMALL},
)

EVENTS = Relation(
    "events",
    "one row per clinical statement and known code of it, typed, in canonical units",
    (),
    {
        "person": WHOLE, "row_no": WHOLE, "part": SMALL, "reference": TEXT, "kind": TEXT, "code_id": SMALL,
        "system": TEXT, "code": TEXT, "display": TEXT,
        "date": DAY, "date_precision": TEXT, "known_date": DAY, "known_precision": TEXT, "end_date": DAY,
        "value": REAL, "value_to": REAL, "comparator": TEXT, "unit": TEXT, "low": REAL, "high": REAL,
        "interpretation": TEXT, "status": TEXT, "by": TEXT, "method": TEXT, "shape": TEXT, "text": TEXT,
        "group_key": TEXT,
    },
)  # fmt: skip

SOURCES = (STATEMENTS, SOURCE_ROWS, REJECTED)


def ddl(relation: Relation) -> str:
    """The CREATE TABLE statement of a relation (readers start from it)."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in relation.columns.items())
    return f"create or replace table {relation.name} ({columns})"
