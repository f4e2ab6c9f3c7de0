"""10,000 generated persons: the rows of a cohort on DuckDB are those of one person on SQLite, whoever else is there."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import people
import pytest
import records
from cohort import SETTING

from tellapart import pipeline
from tellapart.engines.duckdb import DuckDB
from tellapart.engines.sqlite import SQLite
from tellapart.tasks.session import FEW, Options, Session

PERSONS = 10_000
ALONE = 300  # worked up one by one too
CLOSE = 9  # decimals in which sums of DOUBLE agree whatever their order
# After the last day of anybody: before it, undated statements count for those whose own record has ended (design §1).
OPTIONS = Options(as_of=people.LAST_DAY + timedelta(days=500), setting=SETTING)

# of everybody; of the persons of interest, for whom an audit makes what a workup makes
OF_EVERYBODY = ("fm_points", "person_priors")
OF_INTEREST = (
    "exposures", "stated", "contests", "series", "masks", "scores", "course", "met_dates", "findings", "on_record", "drug_induced",
    "red_flags_in_force", "intervals", "calls",
)  # fmt: skip

Rows = dict[tuple[str, int], list[str]]


def plain(value: Any) -> Any:
    return round(float(value), CLOSE) + 0.0 if isinstance(value, (float, Decimal)) else value


def rows(session: Session, relations: Iterable[str], persons: range | None = None) -> Rows:
    """Relation and person to the rows, in words."""
    made: Rows = defaultdict(list)
    for name in relations:
        columns = ", ".join(f'"{c}"' for c in pipeline.columns(name, session.knowledge))
        only = "" if persons is None else f" where person between {persons[0]} and {persons[-1]}"
        for row in session.answers.rows(f'select {columns} from "{name}"{only}'):
            made[name, row["person"]].append(repr([plain(v) for v in row.values()]))
    return {key: sorted(found) for key, found in made.items()}


def at_face_value(session: Session, statement: str) -> dict[int, list[Any]]:
    """Person to points and met of every set of lupus."""
    sets = [r["set"] for r in session.knowledge["criteria_sets"]]
    columns = ", ".join(f"{s}_points, {s}_met" for s in sets)
    found = session.answers.rows(f"select person, {columns} from {statement}")
    return {r["person"]: [plain(v) for k, v in r.items() if k != "person"] for r in found}


@pytest.mark.slow
def test_the_cohort_and_one_person_give_equal_rows(tmp_path: Path) -> None:
    made = people.persons(PERSONS, seed=21)
    source = records.write(tmp_path / "all.ndjson", *(row for person in made for row in person))
    session = Session(threads=2, keep_all=True)
    session.read(source, OPTIONS)
    session.analyse(OPTIONS)
    assert isinstance(session.answers, DuckDB)
    together = rows(session, (*OF_EVERYBODY, *OF_INTEREST))
    points = at_face_value(session, "points")
    interest = {r["person"] for r in session.answers.rows("select person from interest")}
    assert PERSONS / 3 < len(interest) < PERSONS
    assert len(points) > len(interest)

    def differences(persons: range) -> list[str]:
        session.analyse(OPTIONS, persons)
        assert isinstance(session.answers, SQLite)
        alone = rows(session, (*OF_EVERYBODY, *OF_INTEREST), persons)
        face = at_face_value(session, "scores where basis = 'points'")
        scored.update(face)
        wrong = [
            f"{name} of {person}: {[r for r in alone.get((name, person), []) if r not in together.get((name, person), [])][:1]}"
            for person in persons
            for name in (*OF_EVERYBODY, *(OF_INTEREST if person in interest else ()))
            if alone.get((name, person)) != together.get((name, person))
        ]
        return wrong + [f"points of {p}: {face[p]}, {points.get(p)}" for p in face if face[p] != points.get(p)]

    found, scored = list[str](), set[int]()
    for first in range(1, PERSONS + 1, FEW):
        found += differences(range(first, min(first + FEW, PERSONS + 1)))
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20])
    assert scored >= set(points), "whoever has points in the cohort has them alone"
    for person in random.Random(3).sample(range(1, PERSONS + 1), ALONE):
        found += differences(range(person, person + 1))
    assert not found, f"{len(found)} differences one by one\n" + "\n".join(found[:20])
    session.close()
