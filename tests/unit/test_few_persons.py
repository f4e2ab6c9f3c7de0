"""A few persons are worked up on SQLite, many on DuckDB: every relation of the plan is equal, row for row."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import people
import pytest
import records

from tellapart import pipeline
from tellapart.engines import sqlite
from tellapart.engines.duckdb import DuckDB
from tellapart.engines.sqlite import SQLite, to_sqlite
from tellapart.tasks import session as sessions
from tellapart.tasks.session import Options, Session

PERSONS = 120
OF_EVERYBODY = pipeline.FORMS + pipeline.PRIORS  # made of everybody read, whoever is wanted
CLOSE = 9  # decimals in which sums of DOUBLE agree whatever their order


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Generated persons, read once: leap days, ties, copies, unicode ids, people of whom nothing is known."""
    folder = tmp_path_factory.mktemp("few")
    made = people.persons(PERSONS, seed=5)
    nobody = [{"resourceType": "Patient", "id": f"leer-ï-{i}", "gender": "female"} for i in range(3)]
    copies = [row for person in made[:5] for row in person]
    source = records.write(folder / "all.ndjson", *(row for person in made for row in person), *nobody, *copies)
    session = Session(threads=2)
    session.read(source, Options())
    yield session
    session.close()


def _relations(session: Session, persons: range) -> dict[str, list[str]]:
    """Every relation of the plan to its rows, after a run for these persons."""
    session.analyse(Options(), persons)
    out = {}
    for stage in pipeline.WORKUP:
        columns = ", ".join(f'"{c}"' for c in pipeline.columns(stage.makes, session.knowledge))
        only = f" where person between {persons[0]} and {persons[-1]}" if stage in OF_EVERYBODY else ""
        found = session.answers.rows(f'select {columns} from "{stage.makes}"{only}')
        out[stage.makes] = sorted(repr([_plain(value) for value in row.values()]) for row in found)
    return out


def _plain(value: Any) -> Any:
    return round(float(value), CLOSE) + 0.0 if isinstance(value, (float, Decimal)) else value


def _differences(session: Session, persons: range) -> list[str]:
    few = _relations(session, persons)
    assert isinstance(session.answers, SQLite)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "FEW", 0)
        many = _relations(session, persons)
        assert isinstance(session.answers, DuckDB)
    return [
        f"{name}: {len(rows)} rows, {len(many[name])} on DuckDB; first {[r for r in rows if r not in many[name]][:1]}"
        for name, rows in few.items()
        if rows != many[name]
    ]


@pytest.mark.parametrize("first", range(1, PERSONS + 4, 41))
def test_every_relation_is_equal(session: Session, first: int) -> None:
    assert not _differences(session, range(first, first + 41))


def test_one_by_one_is_equal_too(session: Session) -> None:
    for person in (2, PERSONS + 3):
        assert not _differences(session, range(person, person + 1))


BUGS: dict[str, tuple[str, str]] = {
    "one day too many": ("julianday(", "1 + julianday("),
    "all instead of any": (" max(", " min("),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_difference_is_found(session: Session, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    monkeypatch.setattr(sqlite, "to_sqlite", lambda sql: to_sqlite(sql).replace(*BUGS[bug], 1))
    assert _differences(session, range(1, 42))


def test_more_than_a_few_stay_on_duckdb(session: Session) -> None:
    session.analyse(Options(), range(1, sessions.FEW + 2))
    assert isinstance(session.answers, DuckDB)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "select row_number() over (partition by a order by b desc, f(x, y), d) as n from t",
            "select row_number() over (partition by a order by b desc, f(x, y) nulls last, d nulls last) as n from t",
        ),
        (
            "select sum(a) over (order by day rows between unbounded preceding and current row) as s from t",
            "select sum(a) over (order by day nulls last rows between unbounded preceding and current row) as s from t",
        ),
        ("select a from t order by a, b nulls first", "select a from t order by a nulls last, b nulls first"),
        (
            "select p, unnest([case when a in (1, 2) then ',]' end, 2]) as n from (select * from u) as q where f(1)",
            "select p, listed1.value as n from (select * from u) as q "
            "cross join json_each(json_array(case when a in (1, 2) then ',]' end, 2)) as listed1 where f(1)",
        ),
        (
            "select date_diff('day', coalesce(a, date '0001-01-01'), b) // 7 as weeks from t",
            "select cast(julianday(b) - julianday(coalesce(a, '0001-01-01')) as integer) / 7 as weeks from t",
        ),
        ("select a is not distinct from b as same from t", "select a is b as same from t"),
    ],
)
def test_forms_in_other_words(written: str, said: str) -> None:
    assert to_sqlite(written) == said
