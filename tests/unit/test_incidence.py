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
from tellapart.tasks.incidence import rate_interval, rate_ratio

AS_OF = date(2020, 1, 1)
YEAR = 365.25
LOST = int(load().limit("incidence_lost_days"))
Person = tuple[int, str, int]  # days from the first disease to the as-of day; what ended it; days until then


def followed(people: list[Person], state: str = "sle", sexes: tuple[str, ...] = ("female",)) -> DuckDB:
    """An engine with what is followed of these persons; who gets the second disease has a row of its own from then on."""
    engine = DuckDB()
    course, persons, events, horizons = [], [], [], []
    for number, (ago, outcome, days) in enumerate(people, 1):
        start = AS_OF - timedelta(ago)
        end = start + timedelta(days)
        last = {"lost": end, "died": end, "observed": start}.get(outcome, AS_OF)
        course.append((number, state, start, end if outcome == "event" else None, "coded"))
        if outcome == "event":
            course.append((number, "both", end, None, "coded"))
        died, observed = (end if outcome == word else None for word in ("died", "observed"))
        persons.append((number, sexes[number % len(sexes)], date(1980, 1, 1), died, observed))
        events.append((number, last))
        horizons.append((number, AS_OF))
    whole, text, day = "BIGINT", "VARCHAR", "DATE"
    engine.load(
        "disease_course", {"person": whole, "state": text, "from_date": day, "to_date": day, "basis": text}, course
    )
    engine.load(
        "persons", {"person": whole, "sex": text, "birth_date": day, "death_date": day, "observed_to": day}, persons
    )
    engine.load("interest_events", {"person": whole, "date": day}, events)
    engine.load("horizons", {"person": whole, "as_of": day}, horizons)
    for name in ("follow_up", "incidence", "transitions"):
        engine.make(name, pipeline.statements(load())[name])
    return engine


def incidence(
    people: list[Person], state: str = "sle", sexes: tuple[str, ...] = ("female",)
) -> dict[tuple[str, str, int], Any]:
    engine = followed(people, state, sexes)
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


# ---- rates from one state to the next ------------------------------------------------------------------------------------------------


def ways(engine: DuckDB) -> dict[tuple[str, str], Any]:
    return {(r["from_state"], r["to_state"]): r for r in engine.rows("select * from transitions")}


def test_rates_by_hand() -> None:
    """Lupus: 1,461 days to fibromyalgia, 731 to death, 1,461 followed: 3,653 days are 10.0 years. Then both, for 1,000 days."""
    people: list[Person] = [(2461, "event", 1461), (3000, "died", 731), (1461, "open", 0)]
    found = ways(followed(people))
    assert {way: (r["persons"], r["events"]) for way, r in found.items()} == {
        ("sle", "both"): (3, 1), ("sle", "died"): (3, 1), ("fm", "both"): (0, 0), ("fm", "died"): (0, 0), ("both", "died"): (1, 0),
    }  # fmt: skip
    assert found["sle", "both"]["years"] == pytest.approx(3653 / YEAR) and found["both", "died"][
        "years"
    ] == pytest.approx(1000 / YEAR)
    assert found["fm", "both"]["years"] == 0


def test_who_is_lost_counts_until_last_seen() -> None:
    assert ways(followed([(3000, "lost", 1000)]))["sle", "both"]["years"] == pytest.approx(1000 / YEAR)


def test_who_was_observed_without_an_event_was_not_lost() -> None:
    """Nothing is on record after the first day, but the source would have heard of it for 1000, or all 3000 days, or beyond today."""
    assert ways(followed([(3000, "observed", 1000)]))["sle", "both"]["years"] == pytest.approx(1000 / YEAR)
    for days in (3000, 3100):
        assert ways(followed([(3000, "observed", days)]))["sle", "both"]["years"] == pytest.approx(3000 / YEAR)
    assert incidence([(3000, "observed", 1000)])["fm_after_sle", "all", 10]["lost"] == 1
    assert incidence([(3000, "observed", 3000)])["fm_after_sle", "all", 10]["lost"] == 0


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0, 3.689), (5, 1.623, 11.668), (20, 12.217, 30.888), (100, 81.364, 121.627)]
)
def test_the_interval_of_a_rate_is_near_the_exact_one(events: int, low: float, high: float) -> None:
    """The exact limits of Poisson (Garwood 1936), as tables print them."""
    assert rate_interval(events, 1) == (pytest.approx(low, rel=0.05), pytest.approx(high, rel=0.01))


def test_asymmetry_needs_events_on_both_sides() -> None:
    often, seldom, never = {"events": 40, "years": 100.0}, {"events": 10, "years": 100.0}, {"events": 0, "years": 100.0}
    ratio = rate_ratio(often, seldom)
    assert ratio == (
        pytest.approx(4.0),
        pytest.approx(4 / 2.0, rel=0.01),
        pytest.approx(4 * 2.0, rel=0.01),
    )  # exp(1.96 sqrt(1/8)) = 2.0
    assert rate_ratio(often, never) is None and rate_ratio(never, often) is None


@pytest.mark.slow
def test_known_rates_are_found_again() -> None:
    """500 cohorts of 300 persons: fibromyalgia follows lupus with 0.06 a year, lupus fibromyalgia with 0.01; death competes (0.03);
    follow-up is cut anywhere. 95 % intervals hold the true rate in 92 to 98 % of the cohorts, and so does that of their ratio."""
    chance = random.Random(20)
    rates = {("sle", "both"): 0.06, ("fm", "both"): 0.01, ("sle", "died"): 0.03, ("fm", "died"): 0.03}
    held, ratios, told_apart, cohorts = dict.fromkeys(rates, 0), 0, 0, 500
    for _ in range(cohorts):
        found: dict[tuple[str, str], Any] = {}
        for state in ("sle", "fm"):
            people: list[Person] = []
            for _ in range(300):
                ago = chance.randrange(1000, 9000)
                second = round(chance.expovariate(rates[state, "both"]) * YEAR)
                death = round(chance.expovariate(rates[state, "died"]) * YEAR)
                ends = min(second, death)
                people.append((ago, "open", 0) if ends > ago else (ago, "event" if second <= death else "died", ends))
            found |= {way: r for way, r in ways(followed(people, state)).items() if way[0] == state}
        for way, true in rates.items():
            low, high = rate_interval(found[way]["events"], found[way]["years"])
            held[way] += low <= true <= high
        ratio = rate_ratio(found["sle", "both"], found["fm", "both"])
        assert ratio is not None
        ratios += ratio[1] <= 6 <= ratio[2]
        told_apart += ratio[1] > 1
    shares = {way: count / cohorts for way, count in held.items()} | {("sle", "fm"): ratios / cohorts}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
    assert told_apart == cohorts
