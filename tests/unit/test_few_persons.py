"""A few persons are worked up on SQLite, many on DuckDB: every relation of the plan is equal, row for row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import people
import pytest
import records
import statements

from tellapart import pipeline
from tellapart.contracts.relations import ALL, REJECTIONS
from tellapart.engines import sqlite
from tellapart.engines.duckdb import DuckDB
from tellapart.engines.sqlite import SQLite, to_sqlite
from tellapart.events import normalize
from tellapart.events.readers import case
from tellapart.tasks import session as sessions
from tellapart.tasks.session import Options, Session

PERSONS = 120
TODAY = date(2026, 11, 24)
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


@pytest.fixture(scope="module")
def reader() -> Iterator[Session]:
    session = Session(threads=2)
    yield session
    session.close()


MADE = [name for name, _ in normalize.STEPS if name not in normalize.REMEMBERED.values()] + ["rejected"]


def _unequal(reader: Session, read: Callable[[DuckDB | SQLite], None]) -> list[str]:
    """Read a source into both engines and normalise it there: what is not equal."""
    made = []
    for engine, full in ((reader._few(), reader.engine), (reader.engine, None)):
        engine.load("rejections", REJECTIONS.columns, [])
        read(engine)
        normalize.normalize(engine, None, TODAY, full)
        held = {n: [c for c in ALL[n].columns if c in engine.columns(n)] for n in MADE}
        listed = {n: ", ".join(f'"{c}"' for c in columns) for n, columns in held.items()}
        # what is remembered of other sources stays
        of_this = {"code_map": " where (kind, system, code) in (select kind, coalesce(system, ''), coalesce(code, '') from statements)",
                   "texts": " where text in (select value from statements)"}  # fmt: skip
        made.append(
            {
                n: sorted(
                    repr([_plain(v) for v in row.values()])
                    for row in engine.rows(f'select {columns} from "{n}"{of_this.get(n, "")}')
                )
                for n, columns in listed.items()
            }
        )
    few, many = made
    assert few["events"] and few["rejected"]
    return [
        f"{n}: {len(few[n])} rows, {len(many[n])} on DuckDB; {[r for r in few[n] if r not in many[n]][:1]}"
        for n in MADE
        if few[n] != many[n]
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_statements_are_normalised_equally(reader: Session, seed: int) -> None:
    found = list(statements.generated(seed))
    assert not _unequal(reader, lambda engine: statements.fill(engine, found))


def test_papers_are_normalised_equally(reader: Session) -> None:
    """Every case scored by hand, and one whose values cannot be used."""
    junk = {
        "schema": "tellapart.case/1", "person": {"id": "junk", "sex": "female", "age": 40},
        "findings": [{"finding": "platelets", "value": v, "unit": u, "date": "2024-02-29"}
                     for v, u in ((3e6, "10*9/L"), (-5, "10*9/L"), (90, None), (90, "furlong"), (85, "K/uL"))],
        "medications": [{"code": "L04AX03", "system": "atc", "date": "2024-01-01", "text": "15 mg once weekly"}],
    }  # fmt: skip
    ids = case.knowledge_ids(reader.knowledge)
    listed = [*statements.papers(), ("junk", "junk", junk)]
    assert not _unequal(reader, lambda engine: case.read_documents(engine, listed, ids, strict=False))


@pytest.mark.parametrize(
    "text",
    ["1", " 1 ", "+1.5", "-.5", "5.", "1e3", "1E-3", "1_000", "1,5", "", " ", "1:80", "0x10", "½", "١٢", "1e400", "--1", "inf", "e5"],
)  # fmt: skip
def test_numbers_are_read_equally(reader: Session, text: str) -> None:
    query = "select try_cast(text as double) as number from (select cast(? as varchar) as text) as said"
    assert reader._few().one(query, [text]) == reader.engine.one(query, [text])


@pytest.mark.parametrize("text", ["2024-02-29", "2023-02-29", "2024-13-01", "20240101", "2021-W01-1", "2024-1-1", ""])
def test_days_written_whole_are_read_equally(reader: Session, text: str) -> None:
    """Others are no days: DuckDB reads some of them, and `readings` leaves out what is not written as the day itself."""
    few, many = (
        e.one("select try_cast(text as date) as day from (select cast(? as varchar) as text) as said", [text])
        for e in (reader._few(), reader.engine)
    )
    assert few == (many.isoformat() if many and many.isoformat() == text else None)


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
