"""The simulation: rates kept, records that say what is true, an ideal observer whose probabilities add up."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from cohort import warm
from shell import run_cli

from tellapart.knowledge.load import load
from tellapart.simulate import model as models
from tellapart.simulate.cohort import Plan, simulate
from tellapart.simulate.model import HYPOTHESES, UNASKED, UNRECORDED, Model, model
from tellapart.simulate.recording import missed, record
from tellapart.simulate.structures import STRUCTURES, plackett
from tellapart.tasks.session import Options

EQUAL = {"sle": 0.25, "fm": 0.25, "both": 0.25}
CODED = sorted(STRUCTURES)


@cache
def whole() -> Model:
    return model(load())


def small() -> Model:
    """A ladder, a child of its second rung, a told complaint and a sign of the same mechanism, and one apart."""
    full = whole()
    wanted = ("ana_ge_80", "anti_dsdna", "photosensitivity", "malar_rash", "fatigue")
    nodes = [full.nodes[full.place[f][0]] for f in wanted]
    place = {rung: (i, r) for i, node in enumerate(nodes) for r, rung in enumerate(node.rungs, start=1)}
    kept = tuple(
        dataclasses.replace(node, parent=place.get(node.row["parent"]) if node.row["parent"] else None)
        for node in nodes
    )
    rates = full.rates[:, [full.place[f][0] for f in wanted]]
    return Model(full.knowledge, kept, place, rates, full.settings)


@pytest.mark.parametrize("structure", CODED)
def test_the_probabilities_of_all_records_add_up_to_one(structure: str) -> None:
    made = small()
    ways = [[*range(len(node.rungs) + 1), *([] if node.how == "test" else [UNRECORDED])] for node in made.nodes]
    everything = np.array(list(product(*ways)))
    lost = missed(made, 0.4)
    logs = STRUCTURES[structure](made).log_evidence(everything, lost)
    # that a known state was written down is the same under every hypothesis, and is left out there
    kept = np.where(everything >= 0, 1.0 - np.where(everything > 0, lost[:, 1], lost[:, 0]), 1.0).prod(axis=1)
    assert (np.exp(logs) * kept[:, None]).sum(axis=0) == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("structure", CODED)
def test_an_unordered_test_says_nothing(structure: str) -> None:
    made = STRUCTURES[structure](small())
    logs = made.log_evidence(np.full((1, 5), UNASKED), missed(small(), 0.4))
    assert np.exp(logs) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("structure", CODED)
def test_every_structure_keeps_every_rate(structure: str) -> None:
    made, people = whole(), 40_000
    for number in range(len(HYPOTHESES)):
        states, _ = STRUCTURES[structure](made).draw(np.random.default_rng(number), np.full(people, number))
        for finding, (node, rung) in made.place.items():
            rate = made.rates[number, node, rung - 1]
            error = np.sqrt(rate * (1.0 - rate) / people)
            assert (states[:, node] >= rung).mean() == pytest.approx(rate, abs=5 * error), (finding, number)


def test_structures_differ_in_what_goes_together() -> None:
    """Odds ratios of pairs of findings: coins have 1, the others do not; low complement follows anti-dsDNA."""
    made = whole()

    def odds_ratio(structure: str, one: str, other: str, hypothesis: str = "sle") -> float:
        h = np.full(40_000, HYPOTHESES.index(hypothesis))
        states, _ = STRUCTURES[structure](made).draw(np.random.default_rng(5), h)
        a, b = (states[:, made.place[f][0]] >= made.place[f][1] for f in (one, other))
        return float((a & b).sum() * (~a & ~b).sum() / ((a & ~b).sum() * (~a & b).sum()))

    assert odds_ratio("independent", "low_c3", "anti_dsdna") == pytest.approx(1.0, abs=0.1)
    assert odds_ratio("cascade", "low_c3", "anti_dsdna") == pytest.approx(5.0, rel=0.1)
    for structure in ("severity", "phenotypes"):
        assert odds_ratio(structure, "low_c3", "proteinuria") > 1.5
        assert odds_ratio(structure, "anxiety", "depression", "fm") > 1.1


def test_plackett_has_the_odds_ratio_asked_for() -> None:
    p, q = np.array([0.3]), np.array([0.6])
    both = plackett(p, q, 4.0)
    assert (both * (1 - p - q + both) / ((p - both) * (q - both))).item() == pytest.approx(4.0)
    assert plackett(p, q, 1.0).item() == pytest.approx(0.18)


def test_a_complete_record_holds_everything_and_a_thin_one_is_not_thin_at_random() -> None:
    made, people = whole(), 20_000
    h = np.repeat(np.arange(4), people // 4)
    states, _ = STRUCTURES["independent"](made).draw(np.random.default_rng(1), h)
    full = record(made, np.random.default_rng(2), h, states, 1.0)
    assert (full.known == states).all()
    thin = record(made, np.random.default_rng(2), h, states, 0.3)
    rash = made.place["malar_rash"][0]
    kept = thin.known[:, rash] >= 0
    assert kept[states[:, rash] > 0].mean() > 1.5 * kept[states[:, rash] == 0].mean()
    dsdna, ana = thin.ordered["anti_dsdna"], thin.known[:, made.place["ana_ge_80"][0]] > 0
    assert dsdna[ana].mean() > 1.5 * dsdna[~ana].mean()
    assert dsdna[h == 0].mean() > dsdna[h == 3].mean()


@pytest.mark.parametrize("structure", CODED)
def test_the_ideal_observer_is_right_on_average(structure: str, tmp_path: Path) -> None:
    """Its mean probability of a hypothesis is the share of it, and where it says a half, it is a half."""
    simulate(load(), Plan(6000, {"sle": 0.2, "fm": 0.3, "both": 0.1}, structure, 0.5, (), 3), tmp_path)
    truth = pq.read_table(tmp_path / "truth.parquet").to_pydict()
    p = ideal(truth)
    y = np.array([HYPOTHESES.index(h) for h in truth["hypothesis"]])
    for i in range(4):
        error = np.sqrt((p[:, i] * (1 - p[:, i])).sum()) / len(p)
        assert (y == i).mean() == pytest.approx(p[:, i].mean(), abs=4 * error)
        unsure = (p[:, i] > 0.2) & (p[:, i] < 0.8)
        error = np.sqrt((p[unsure, i] * (1 - p[unsure, i])).sum()) / unsure.sum()
        assert (y[unsure] == i).mean() == pytest.approx(p[unsure, i].mean(), abs=4 * error)


def test_silence_says_nothing_to_who_is_told_only_what_is_on_record(tmp_path: Path) -> None:
    for completeness, same in ((1.0, True), (0.5, False)):
        plan = Plan(300, {"sle": 0.2, "fm": 0.3, "both": 0.1}, "cascade", completeness, (), 3)
        simulate(load(), plan, tmp_path / str(completeness))
        truth = pq.read_table(tmp_path / str(completeness) / "truth.parquet")
        told, all_of = (
            np.array([truth[f"log_{part}_{h}"].to_numpy() for h in HYPOTHESES]) for part in ("stated", "evidence")
        )
        assert np.allclose(told - told[3], all_of - all_of[3], atol=1e-5) == same


def ideal(truth: dict[str, list[Any]]) -> np.ndarray[Any, Any]:
    logs = np.array(
        [
            [
                sum(x)
                for x in zip(*(truth[f"log_{part}_{h}"] for part in ("prior", "evidence", "ordering")), strict=True)
            ]
            for h in HYPOTHESES
        ]
    ).T
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    plan = Plan(120, EQUAL, "cascade", 0.6)
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        simulate(load(), dataclasses.replace(plan, seed=seed), tmp_path / name)
    a, b, c = (written(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys() and all(a[name] != c[name] for name in a)


@pytest.mark.parametrize("structure", ["severity", "cascade"])
def test_what_is_read_back_is_what_is_true(structure: str, tmp_path: Path) -> None:
    """The whole path: every finding on record is read in its true state, and nothing that is not on record."""
    simulate(load(), Plan(250, EQUAL, structure, 0.6), tmp_path)
    session = warm()
    session.read(tmp_path / "fhir", Options(setting="rheumatology_referral"))
    people = session.engine.one("select count(*) from persons")
    assert people == 250
    assert session.engine.rows("select reason from rejected") == []
    session.analyse(Options(setting="rheumatology_referral"), list(range(1, people + 1)))
    read = {
        (r["person_id"], r["finding"]): r["state"]
        for r in session.answers.rows(
            "select p.person_id, f.finding, f.state from findings as f inner join persons as p on p.person = f.person"
        )
    }
    truth = pq.read_table(tmp_path / "truth.parquet").to_pydict()
    for finding in whole().place:
        for i, person in enumerate(truth["person_id"]):
            state = "present" if truth[f"has_{finding}"][i] else "absent"
            expected = state if truth[f"known_{finding}"][i] else None
            assert read.get((person, finding)) == expected, (person, finding)


def test_lupus_comes_first_and_dates_are_in_order(tmp_path: Path) -> None:
    simulate(load(), Plan(3000, {"sle": 0.0, "fm": 0.0, "both": 1.0}, "independent", 0.5, ()), tmp_path)
    first, later, after = duckdb.sql(
        f"""select count(*) filter (where sle_onset < fm_onset), count(*) filter (where fm_onset < sle_onset),
              count(*) filter (where greatest(sle_onset, fm_onset) < work_up) from '{tmp_path / "truth.parquet"}'"""
    ).fetchall()[0]
    assert first + later == after == 3000
    assert first > 4 * later


def test_ids_and_order_say_nothing_of_the_truth(tmp_path: Path) -> None:
    simulate(load(), Plan(2000, EQUAL, "independent", 0.5, ()), tmp_path)
    truth = pq.read_table(tmp_path / "truth.parquet").to_pydict()
    assert truth["person_id"] == [f"synthetic-{i:07d}" for i in range(1, 2001)]
    halves = [Counter(truth["hypothesis"][:1000]), Counter(truth["hypothesis"][1000:])]
    assert all(abs(halves[0][h] - halves[1][h]) < 100 for h in HYPOTHESES)


def test_the_command_line(tmp_path: Path) -> None:
    done = run_cli("simulate", "-n", 30, "--out", tmp_path / "c", "--structure", "phenotypes", "--completeness", "0.5")
    assert done.code == 0 and "30 simulated persons" in done.said
    assert run_cli("audit", tmp_path / "c" / "fhir", "--out", tmp_path / "r", "--quiet").code == 0
    again = run_cli("simulate", "-n", 20, "--out", tmp_path / "c", "--prevalence", "sle=0.5,fm=0.2")
    assert again.code == 0 and pq.read_table(tmp_path / "c" / "truth.parquet").num_rows == 20


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--completeness", "0", "above 0"),
        ("--completeness", "1.5", "at most 1"),
        ("--prevalence", "sle=0.9,fm=0.9", "at most 1 together"),
        ("--prevalence", "sle=-0.1", "at most 1 together"),
        ("--prevalence", "the_moon", "not a setting"),
        ("--seed", "-3", "negative"),
        ("--structure", "chaos", "chaos"),
    ],
)
def test_an_impossible_plan_ends_with_2(option: str, value: str, says: str, tmp_path: Path) -> None:
    done = run_cli("simulate", "-n", 10, "--out", tmp_path / "c", option, value)
    assert done.code == 2 and says in done.said
    assert not (tmp_path / "c").exists()


def test_other_files_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run_cli("simulate", "-n", 10, "--out", tmp_path)
    assert done.code == 2 and "thesis.txt" in done.said
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    (tmp_path / "d" / "fhir").mkdir(parents=True)
    (tmp_path / "d" / "fhir" / "mine.ndjson").write_text("{}")
    assert run_cli("simulate", "-n", 10, "--out", tmp_path / "d").code == 2


def test_a_circle_of_parents_is_a_fault() -> None:
    with pytest.raises(ValueError, match="circle"):
        models._parents_first([("a",), ("b",)], {("a",): ("b",), ("b",): ("a",)})
