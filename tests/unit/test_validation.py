"""The validation's figures against hand-computed ones, and the command as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cohort import warm
from shell import run_cli

from tellapart.simulate.cohort import Plan
from tellapart.tasks.validation import advice
from tellapart.tasks.validation.advice import OPEN
from tellapart.tasks.validation.metrics import Estimate, auc, brier, calibration, net_benefit, reliability, share

YES_NO = np.array([True, False])


def test_wilson_interval_of_a_textbook_example() -> None:
    found = share(8, 10, 1.959964)  # 0.8 (0.490 to 0.943)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert share(0, 10, 1.959964).low == 0.0 and np.isnan(share(0, 0, 1.959964).value)


def test_area_under_the_curve_by_hand() -> None:
    # pairs: (3 > 1), (3 > 2), (2 > 1), (2 = 2): three and a half of four
    assert auc(np.array([3.0, 2.0, 1.0, 2.0]), np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert np.isnan(auc(np.array([1.0, 2.0]), np.array([True, True])))


def test_brier_and_net_benefit_by_hand() -> None:
    assert brier(np.array([0.9, 0.4]), YES_NO) == pytest.approx((0.01 + 0.16) / 2)
    # one hit, one false alarm at odds 1:4 of four persons
    flagged, y = np.array([True, True, False, False]), np.array([True, False, False, True])
    assert net_benefit(flagged, y, 0.2) == pytest.approx((1 - 0.25) / 4)


def test_calibration_finds_a_known_distortion() -> None:
    rng = np.random.default_rng(1)
    at = rng.normal(0.0, 1.5, 200_000)
    y = rng.random(len(at)) < 1 / (1 + np.exp(-at))
    honest = calibration(1 / (1 + np.exp(-at)), y, 1e-6, 1.96)
    assert honest["slope"].low < 1.0 < honest["slope"].high and honest["intercept"].low < 0.0 < honest["intercept"].high
    bold = calibration(1 / (1 + np.exp(-2 * at)), y, 1e-6, 1.96)
    assert bold["slope"].value == pytest.approx(0.5, abs=0.02)
    shifted = calibration(1 / (1 + np.exp(-(at + 1))), y, 1e-6, 1.96)
    assert shifted["intercept"].value == pytest.approx(-1.0, abs=0.03)


def test_a_target_is_met_missed_or_unclear() -> None:
    assert Estimate(1.0, 0.95, 1.05).inside(0.9, 1.1) == "yes"
    assert Estimate(0.5, 0.4, 0.6).inside(0.9, 1.1) == "no"
    assert Estimate(1.0, 0.8, 1.2).inside(0.9, 1.1) == "unclear"


def test_reliability_counts_everybody_once() -> None:
    groups = reliability(np.array([0.0, 0.04, 0.95, 1.0]), np.array([False, True, True, True]), 10, 1.96)
    assert [g["persons"] for g in groups] == [2, 2] and [g["value"] for g in groups] == [0.5, 1.0]


def test_who_stops_at_the_first_call_keeps_it_and_has_no_more_tests() -> None:
    walk = [
        (np.array([0.0, 0.0, 0.0]), np.array(["fm", OPEN, OPEN])),
        (np.array([1.0, 1.0, 1.0]), np.array(["sle", "sle", OPEN])),
        (np.array([2.0, 1.0, 2.0]), np.array([OPEN, "both", "neither"])),
    ]
    tests, calls = advice._until(walk)[-1]
    assert tests.tolist() == [0.0, 1.0, 2.0] and calls.tolist() == ["fm", "sle", "neither"]


def test_advice_and_panel_begin_alike_and_end_where_nothing_is_left() -> None:
    plan = Plan(12, {"sle": 0.25, "fm": 0.25, "both": 0.25}, "cascade", 0.75, (), 3)
    found = advice.compared(warm(), plan, 1.959964)
    paths = found["paths"]
    assert len({tuple(path[0]["right"].values()) for path in paths.values()}) == 1
    assert paths["whole panel"][-1]["tests"] == found["panel_tests"] == len(paths["whole panel"]) - 1
    assert all(point["right"]["value"] + point["wrong"]["value"] <= 1 for path in paths.values() for point in path)
    for name, path in paths.items():
        done = [point["tests"] for point in path]
        assert done == sorted(done) and done[0] == 0, name
    # what was ordered showed the true state: following the advice, the next question is another one
    here = advice.clinic(warm(), plan)
    for test, nodes in here.shows.items():
        known = here.told.copy()
        known[:, nodes] = True
        _, first = advice._worked_up(warm(), here, known)
        assert test not in first


@pytest.mark.slow
def test_the_command_writes_page_document_and_charts(tmp_path: Path) -> None:
    done = run_cli("validate", "--quick", "--out", tmp_path)
    assert done.code == 0
    assert {p.name for p in tmp_path.iterdir()} == {
        "validation.md", "validation.json", "reliability.svg", "completeness.svg", "decision.svg",
        "next_test.svg",
    }  # fmt: skip
    document = json.loads((tmp_path / "validation.json").read_text())
    assert [e["who"] for e in document["comparison"][0]["everybody"]][:2] == ["tellapart", "ideal observer"]
    assert not any(c["forbidden"] for c in document["cases"])
    for row in document["published"]:
        if row["computed"]:
            for what in ("sensitivity", "specificity"):
                assert 100 * row["computed"][what]["value"] == pytest.approx(row["printed"][what], abs=0.6)
