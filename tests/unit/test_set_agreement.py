"""Agreement between criteria sets: the relation `set_agreement` on verdicts written out, against scikit-learn."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import cohen_kappa_score

from tellapart import pipeline
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import load
from tellapart.tasks.aggregate import disclosure, set_cells

SETS = [r["set"] for r in (*load()["criteria_sets"], *load()["fm_sets"])]
Verdicts = dict[str, bool | None]


def made(engine: DuckDB, people: list[tuple[Verdicts, Verdicts]]) -> None:
    """The relation, from (specific, face value) verdicts of each person."""
    names = [f"{s}_{column}" for s in SETS for column in ("met_specific", "met")]
    rows = [tuple(v.get(s) for s in SETS for v in person) for person in people]
    engine.load("persons_out", dict.fromkeys(names, "BOOLEAN"), rows)
    engine.make("set_agreement", pipeline.statements(load())["set_agreement"])


def agreement(people: list[tuple[Verdicts, Verdicts]]) -> dict[tuple[str, str, str], dict[str, float | None]]:
    """The relation's rows by basis and pair."""
    engine = DuckDB()
    made(engine, people)
    return {(r.pop("basis"), r.pop("set_a"), r.pop("set_b")): r for r in engine.rows("select * from set_agreement")}


def test_by_hand() -> None:
    """40 both, 9 and 6 one alone, 45 neither: 0.85 observed, 0.5008 by chance, kappa 0.70 (Cohen 1960, Educ Psychol Meas 20:37)."""
    a, b = SETS[:2]
    kinds = [(40, True, True), (9, True, False), (6, None, True), (45, False, None)]
    people = [({a: one, b: two}, {}) for n, one, two in kinds for _ in range(n)]
    cells = agreement(people)
    assert cells["specific", a, b] == {
        "met_both": 40, "only_a": 9, "only_b": 6, "met_neither": 45, "open_a": 6, "kappa": pytest.approx((0.85 - 0.5008) / 0.4992),
    }  # fmt: skip
    assert cells["specific", b, a]["open_a"] == 45, "unknown is shown as unknown, beside what is met on record"
    assert cells["points", a, b]["kappa"] is None, "everybody on one side: no agreement beyond chance to speak of"


def test_all_pairs_equal_scikit_learn() -> None:
    chance = random.Random(6)
    people = [tuple({s: chance.choice((True, False, None)) for s in SETS} for _ in range(2)) for _ in range(300)]
    cells = agreement(people)  # type: ignore[arg-type]
    for at, basis in enumerate(("specific", "points")):
        for one in SETS:
            for two in SETS:
                met = [[p[at][s] is True for p in people] for s in (one, two)]
                assert cells[basis, one, two]["kappa"] == pytest.approx(cohen_kappa_score(*met)), (basis, one, two)
    assert len(cells) == 2 * len(SETS) ** 2


def test_what_leaves_is_each_set_against_the_first_one_within_its_rounding() -> None:
    chance = random.Random(7)
    people = [({s: chance.random() < 0.1 + at / 20 for at, s in enumerate(SETS)}, {}) for _ in range(900)]
    engine = DuckDB()
    made(engine, people)  # type: ignore[arg-type]
    cells = [c for c in set_cells(engine, load(), disclosure(load())) if c.table == "set_agreement"]
    assert len(cells) == 4 * (len(SETS) - 1), "no fourfold table is small here"
    for cell in cells:
        (one, met_one), (first, met_first) = cell.row.split(":"), cell.column.split(":")
        assert first == SETS[0], "pairs that share both sets bound one another (decision 22)"
        inside = [p for p, _ in people if p[one] == (met_one == "met")]
        true = sum(p[first] == (met_first == "met") for p in inside)
        assert abs(cell.denominator - len(inside)) <= 2
        assert cell.count is None or abs(cell.count - true) <= 2
