"""What went before flares: a case-crossover analysis of one person's diary.

The days before an onset are compared with days of the same person that no flare was near, on the same weekday and within
a few weeks, so that neither the person nor the season nor the weekday can be the reason. The odds ratio is that of the
conditional likelihood, the interval its profile, widened for the number of candidates looked at (Bonferroni). It shows
what went together, not what caused what.

Which signals are candidates, and how far from the usual one has to be, are rows of `diary_signals`; the rest are rows of
`diary_limits`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist, median
from typing import Any

from tellapart.knowledge.load import Knowledge, Row

WEEK = 7
FARTHEST = 20.0  # of a log odds ratio that is looked for
HALVINGS = 60

Window = tuple[int, int]
"""First and last day, as ordinals."""
Matched = tuple[bool, int, int]
"""One flare: were the days before it exposed; windows compared, itself included; how many of them were exposed."""


def triggers(
    days: Mapping[str, Mapping[dt.date, float]], flares: Sequence[Mapping[str, Any]], knowledge: Knowledge
) -> list[dict[str, Any]]:
    """The candidates of one person, as `tellapart.flares/1` has them (design §6).

    Args:
        days: signal to its value by day.
        flares: with `start` and `end` as ISO days (`end` None: still going on).

    Returns:
        one dict per candidate with an entry, in the order of the table. `before` of `flares` counts the flares with the
        candidate in the days before, of those that could be judged. With too few flares that tell anything,
        `enough_data` is false and the numbers are None; a bound without end is None too.
    """
    limit = {r["limit"]: float(r["value"]) for r in knowledge["diary_limits"]}
    rows = [r for r in knowledge["diary_signals"] if r["trigger"] == "yes" and days.get(r["signal"])]
    sets = {r["signal"]: _matched(days[r["signal"]], r, flares, limit) for r in rows}
    telling = {s: [m for m in matched if 0 < m[2] < m[1]] for s, matched in sets.items()}
    enough = {s for s, matched in telling.items() if len(matched) >= limit["trigger_least_flares"]}
    level = 1 - (1 - limit["trigger_level"]) / max(len(enough), 1)
    out = []
    for name, matched in sets.items():
        known = odds_ratio(telling[name], level) if name in enough else (None, None, None)
        out.append(
            {
                "signal": name, "odds_ratio": known[0], "low": known[1], "high": known[2], "enough_data": name in enough,
                "flares": len(matched), "before": sum(exposed for exposed, _, _ in matched),
            }
        )  # fmt: skip
    return out


def _matched(
    values: Mapping[dt.date, float], row: Row, flares: Sequence[Mapping[str, Any]], limit: Mapping[str, float]
) -> list[Matched]:
    """Every flare whose days before, and at least one window to compare with, have an entry."""
    by_day = {day.toordinal(): value for day, value in values.items()}
    usual, least = median(by_day.values()), float(row["least_change"])
    length, weeks = int(limit["trigger_days"]), int(limit["trigger_weeks"])
    last = max(by_day)
    near = [
        (_ordinal(f["start"]) - length, _ordinal(f["end"]) if f["end"] else last) for f in flares
    ]  # days that belong to a flare or lead to one

    def exposed(window: Window) -> bool | None:
        seen = [by_day[d] - usual for d in range(window[0], window[1] + 1) if d in by_day]
        if not seen:
            return None
        far = {"higher": max(seen), "lower": -min(seen)}.get(row["worse"], max(map(abs, seen)))
        return far >= least

    out = []
    for flare in flares:
        start = _ordinal(flare["start"])
        before = exposed((start - length, start - 1))
        if before is None:
            continue
        others: list[bool] = []
        for week in (w for w in range(-weeks, weeks + 1) if w):
            window = (start - length + WEEK * week, start - 1 + WEEK * week)
            if any(window[0] <= b and a <= window[1] for a, b in near):
                continue
            if (other := exposed(window)) is not None:
                others.append(other)
        if others:
            out.append((before, 1 + len(others), before + sum(others)))
    return out


def _ordinal(day: str) -> int:
    return dt.date.fromisoformat(day).toordinal()


def odds_ratio(matched: Sequence[Matched], level: float) -> tuple[float | None, float | None, float | None]:
    """Conditional odds ratio with its profile interval at `level`; None where there is no end.

    A flare with `k` of `m` windows exposed has its own among them with probability k·ψ / (k·ψ + m - k).
    """

    def score(beta: float) -> float:
        return sum(e - k / (k + (m - k) * math.exp(-beta)) for e, m, k in matched)

    def likelihood(beta: float) -> float:
        return sum(
            math.log((k if e else m - k) / (k * math.exp(beta) + m - k)) + (beta if e else 0.0) for e, m, k in matched
        )

    hits = sum(e for e, _, _ in matched)
    best = _root(score) if 0 < hits < len(matched) else math.copysign(FARTHEST, hits - len(matched) / 2)
    drop = NormalDist().inv_cdf((1 + level) / 2) ** 2 / 2

    def below(beta: float) -> float:
        return likelihood(beta) - likelihood(best) + drop

    low = None if hits == 0 else math.exp(_root(lambda b: -below(b), -FARTHEST, best))
    high = None if hits == len(matched) else math.exp(_root(below, best, FARTHEST))
    middle = math.exp(best) if 0 < hits < len(matched) else None
    return tuple(None if v is None else round(v, 2) for v in (middle, low, high))  # type: ignore[return-value]


def _root(falling: Callable[[float], float], low: float = -FARTHEST, high: float = FARTHEST) -> float:
    """Where a falling function crosses zero."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
