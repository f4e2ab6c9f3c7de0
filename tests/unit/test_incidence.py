"""Cumulative incidence of the second disease: the relation `incidence`, by hand and against lifelines."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from lifelines import AalenJohansenFitter

from tellapart import pipeline
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import load

AS_OF = date(2020, 1, 1)
YEAR = 365.25
LOST = int(load().limit("incidence_lost_days"))
Person = tuple[int, str, int]  # days from the first disease to the as-of day; what ended it; days until then


def incidence(
    people: list[Person], state: str = "sle", sexes: tuple[str, ...] = ("female",)
) -> dict[tuple[str, str, int], Any]:
    engine = DuckDB()
    course, persons, events, horizons = [], [], [], []
    for number, (ago, outcome, days) in enumerate(people, 1):
        start = AS_OF - timedelta(ago)
        end = start + timedelta(days)
        last = end if outcome in ("lost", "died") else AS_OF
        course.append((number, state, start, end if outcome == "event" else None, "coded"))
        persons.append((number, sexes[number % len(sexes)], date(1980, 1, 1), end if outcome == "died" else None))
        events.append((number, last))
        horizons.append((number, AS_OF))
    whole, text, day = "BIGINT", "VARCHAR", "DATE"
    engine.load(
        "disease_course", {"person": whole, "state": text, "from_date": day, "to_date": day, "basis": text}, course
    )
    engine.load("persons", {"person": whole, "sex": text, "birth_date": day, "death_date": day}, persons)
    engine.load("interest_events", {"person": whole, "date": day}, events)
    engine.load("horizons", {"person": whole, "as_of": day}, horizons)
    engine.make("incidence", pipeline.statements(load())["incidence"])
    return {(r["question"], r["persons_of"], r["year"]): r for r in engine.rows("select * from incidence")}


def test_by_hand() -> None:
    """Ten persons. One gets it on day 100 (1/10), one dies on day 200, one gets it on day 300: 0.8 of all are free, 1 of 8 gets
    it, so 0.1 + 0.8 / 8 = 0.2; the others are followed for more than a year. In the second year one is lost, then one gets it:
    0.2 + 0.6 / 6 = 0.3."""
    people: list[Person] = [
        (5000, "event", 100),
        (5000, "died", 200),
        (5000, "event", 300),
        (5000, "lost", 400),
        (5000, "event", 500),
    ]
    cells = incidence(people + [(2000, "open", 0)] * 5)
    first, second = cells["fm_after_sle", "all", 1], cells["fm_after_sle", "all", 2]
    assert [first[c] for c in ("persons", "at_risk", "events", "died", "lost")] == [10, 7, 2, 1, 0]
    assert [second[c] for c in ("at_risk", "events", "died", "lost")] == [5, 3, 1, 1]
    assert first["incidence"] == pytest.approx(0.2)
    assert second["incidence"] == pytest.approx(0.3)
    assert first["variance"] == pytest.approx(0.2 * 0.8 / 10), "nobody is censored yet: binomial"


def test_nothing_happens() -> None:
    cells = incidence([(900, "open", 0)] * 3, state="fm")
    assert {k[0] for k in cells} == {"sle_after_fm"}
    assert cells["sle_after_fm", "all", 1]["incidence"] == 0.0
    assert cells["sle_after_fm", "all", 1]["at_risk"] == 3
    assert cells["sle_after_fm", "all", 3]["at_risk"] == 0


def test_a_gap_shorter_than_the_limit_is_no_loss() -> None:
    at_limit, beyond = incidence([(2000, "lost", 2000 - LOST)]), incidence([(2000, "lost", 2000 - LOST - 1)])
    assert at_limit["fm_after_sle", "all", 10]["lost"] == 0
    assert beyond["fm_after_sle", "all", 10]["lost"] == 1


def test_everybody_ends_on_one_day() -> None:
    cells = incidence([(3000, "event", 50)] * 4)
    assert cells["fm_after_sle", "all", 1]["incidence"] == pytest.approx(1.0)
    assert cells["fm_after_sle", "all", 10]["incidence"] == pytest.approx(1.0)


def test_groups_are_parts_of_all() -> None:
    cells = incidence([(3000, "event", 50 * n) for n in range(1, 41)], sexes=("female", "male"))
    for year in (1, 5):
        parts = [cells["fm_after_sle", f"sex:{s}", year]["events"] for s in ("female", "male")]
        assert sum(parts) == cells["fm_after_sle", "all", year]["events"]
    assert {k[1] for k in cells if k[1].startswith("age:")} == {"age:20-39"}


@pytest.mark.parametrize("seed", range(3))
def test_equals_lifelines(seed: int) -> None:
    """Aalen and Johansen's estimate and its variance at every year, 400 persons with days all different (no ties broken)."""
    chance = random.Random(seed)
    people: list[Person] = []
    for days in chance.sample(range(1, 3000), 400):
        outcome = chance.choices(("event", "died", "lost", "open"), (3, 1, 2, 4))[0]
        people.append((days if outcome == "open" else 3000 + LOST + 1, outcome, days))
    cells = incidence(people)
    codes = {"event": 1, "died": 2, "lost": 3, "open": 0}
    fitted = AalenJohansenFitter(calculate_variance=True).fit(
        [days for _, _, days in people], [codes[outcome] for _, outcome, _ in people], event_of_interest=1
    )
    for year in range(1, 9):
        cell = cells["fm_after_sle", "all", year]
        upto = fitted.cumulative_density_.loc[: year * YEAR]
        assert cell["incidence"] == pytest.approx(float(upto.iloc[-1, 0])), year
        assert cell["variance"] == pytest.approx(float(fitted.variance_.loc[: year * YEAR].iloc[-1]), rel=1e-6), year
