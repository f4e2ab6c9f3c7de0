"""What went before flares: the conditional odds ratio, its interval, and when it says nothing."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest

from tellapart.answers.triggers import Matched, odds_ratio, triggers
from tellapart.knowledge.load import load

KNOWLEDGE = load()
START = dt.date(2020, 1, 1)
LIMIT = {r["limit"]: float(r["value"]) for r in KNOWLEDGE["diary_limits"]}


def day(n: int) -> dt.date:
    return START + dt.timedelta(n)


def flare(start: int, days: int = 10) -> dict[str, Any]:
    return {"start": day(start).isoformat(), "end": day(start + days - 1).isoformat()}


def test_one_window_each_is_the_ratio_of_the_discordant_pairs() -> None:
    """McNemar: with one comparison per case, the conditional odds ratio is b / c (Breslow and Day 1980)."""
    matched: list[Matched] = [(True, 2, 1)] * 12 + [(False, 2, 1)] * 4
    ratio, low, high = odds_ratio(matched, 0.95)
    assert ratio == 3.0
    # profile interval of a binomial share of 12 in 16, as odds
    for bound in (low, high):
        share = bound / (1 + bound)  # type: ignore[operator]
        deviance = 2 * (12 * math.log(0.75 / share) + 4 * math.log(0.25 / (1 - share)))
        assert deviance == pytest.approx(3.8415, abs=0.05)


def test_a_bound_without_end_is_none() -> None:
    ratio, low, high = odds_ratio([(True, 5, 2)] * 6, 0.95)
    assert (ratio, high) == (None, None) and low is not None and low > 1
    ratio, low, high = odds_ratio([(False, 5, 2)] * 6, 0.95)
    assert (ratio, low) == (None, None) and high is not None and high < 1


def diary(seed: int, onsets: list[int], days: int, chance: float, before: float) -> dict[dt.date, float]:
    """A yes-or-no signal: `before` is the chance on each of the days before an onset, `chance` on every other."""
    rng = np.random.default_rng(seed)
    leading = {o - k for o in onsets for k in range(1, int(LIMIT["trigger_days"]) + 1)}
    return {day(t): float(rng.random() < (before if t in leading else chance)) for t in range(days)}


ONSETS = list(range(60, 1400, 45))


def test_a_trigger_is_found_and_the_others_are_not() -> None:
    days = {
        "infection": diary(1, ONSETS, 1450, 0.1, 0.6),
        "missed_medicine": diary(2, ONSETS, 1450, 0.1, 0.1),
        "menstruation": diary(3, ONSETS, 1450, 0.2, 0.2),
    }
    found = {t["signal"]: t for t in triggers(days, [flare(o) for o in ONSETS], KNOWLEDGE)}
    assert found["infection"]["low"] > 1 and found["infection"]["odds_ratio"] > 3
    for name in ("missed_medicine", "menstruation"):
        assert found[name]["enough_data"] and found[name]["low"] < 1 < found[name]["high"]


def test_more_candidates_widen_every_interval() -> None:
    one = {"infection": diary(1, ONSETS, 1450, 0.1, 0.6)}
    many = one | {"menstruation": diary(4, ONSETS, 1450, 0.2, 0.2), "missed_medicine": diary(2, ONSETS, 1450, 0.1, 0.1)}
    flares = [flare(o) for o in ONSETS]
    alone, among = (next(t for t in triggers(d, flares, KNOWLEDGE) if t["signal"] == "infection") for d in (one, many))
    assert alone["odds_ratio"] == among["odds_ratio"]
    assert among["low"] < alone["low"] and among["high"] > alone["high"]


def test_chance_alone_is_rarely_called_a_trigger() -> None:
    """Of 200 diaries with three candidates that mean nothing, at most about 5 % name one."""
    named = 0
    for seed in range(200):
        days = {s: diary(1000 * n + seed, ONSETS[:15], 750, 0.15, 0.15)
                for n, s in enumerate(("infection", "missed_medicine", "menstruation"))}  # fmt: skip
        found = triggers(days, [flare(o) for o in ONSETS[:15]], KNOWLEDGE)
        named += any(t["low"] is not None and t["low"] > 1 for t in found)
    assert named <= 14


def test_too_few_flares_say_nothing() -> None:
    few = ONSETS[: int(LIMIT["trigger_least_flares"]) - 1]
    [found] = triggers({"infection": diary(1, few, 400, 0.1, 1.0)}, [flare(o) for o in few], KNOWLEDGE)
    assert found["enough_data"] is False
    assert (found["odds_ratio"], found["low"], found["high"]) == (None, None, None)
    assert triggers({"infection": diary(1, few, 400, 0.1, 1.0)}, [], KNOWLEDGE)[0]["enough_data"] is False
    assert triggers({}, [flare(o) for o in few], KNOWLEDGE) == []


def test_days_without_an_entry_are_not_days_without_the_trigger() -> None:
    """A flare whose days before have no entry is not judged."""
    days = diary(1, ONSETS, 1450, 0.1, 0.6)
    [whole] = triggers({"infection": days}, [flare(o) for o in ONSETS], KNOWLEDGE)
    for k in range(1, int(LIMIT["trigger_days"]) + 1):
        days.pop(day(ONSETS[0] - k))
    [less] = triggers({"infection": days}, [flare(o) for o in ONSETS], KNOWLEDGE)
    assert less["flares"] == whole["flares"] - 1


def test_less_sleep_than_usual_counts_and_more_does_not() -> None:
    short, long = ({day(t): 7.0 for t in range(1450)} for _ in range(2))
    for o in ONSETS:
        short[day(o - 1)], long[day(o - 1)] = 4.0, 10.0
    for values, before in ((short, len(ONSETS)), (long, 0)):
        [found] = triggers({"sleep_hours": values}, [flare(o) for o in ONSETS], KNOWLEDGE)
        assert found["before"] == before
