"""Flares in a diary: when symptoms rose above the person's own usual, and of which kind.

A library over Arrow batches, the one rule that need not run on Spark (a walk through days is no portable SQL). Two steps:

1. What is usual for this person (`_raised`): per signal the running median of weekly medians (a trend is followed, the
   rhythm of the week and single bad days are not), the effect of the weekday, and the spread of quiet days. Days found
   to be a flare are left out and the usual is worked out again.
2. Which days are a flare (`_walk`): a hidden Markov model of four states (quiet, `type1`, `type2`, both raised) over the
   mean rise of the signals of either axis, read forward and backward. A missing day says nothing and costs nothing.

Everything that could be disputed is a row: signals with axis and least change in `diary_signals`, the rest in
`diary_limits`. docs/guide/diary-flares.md compares with simpler methods.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tellapart.knowledge.load import Knowledge

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

AXES = ("type1", "type2")
KINDS = ("type1", "type2", "mixed")
BATCH = 256  # persons worked on at once; changes no result
WEEK = 7
TO_SD = 1.4826  # the median deviation of a normal distribution, as its standard deviation
EPOCH = dt.date(1970, 1, 1).toordinal()

Flare = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """The rows that steer the search: signals with an axis, and `diary_limits` by name."""

    signals: tuple[str, ...]
    axis: npt.NDArray[np.int64]  # index into AXES, per signal
    least: Floats  # least change that matters, per signal
    scale: Flags  # is it a scale from 0 to 10, per signal
    limit: Mapping[str, float]

    @staticmethod
    def of(knowledge: Knowledge) -> Rules:
        rows = [r for r in knowledge["diary_signals"] if r["axis"]]
        return Rules(
            tuple(r["signal"] for r in rows),
            np.array([AXES.index(r["axis"]) for r in rows]),
            np.array([float(r["least_change"]) for r in rows]),
            np.array([r["kind"] == "scale" for r in rows]),
            {r["limit"]: float(r["value"]) for r in knowledge["diary_limits"]},
        )


def flares(entries: pa.Table, knowledge: Knowledge) -> Iterator[tuple[str, list[Flare]]]:
    """The flares of every person.

    Args:
        entries: columns `person_id` (text), `day` (date32), `signal` (text), `value` (number in the signal's unit); one
            row per person, day and signal, in any order.

    Yields:
        (person_id, flares by onset), persons in order of their id. A flare is as `tellapart.flares/1` has it (design §6)
        and holds `days` and, when it has ended, `recovery_days` (from its peak to its end) beside. Fewer days with an
        entry than `least_history`: no flares.
    """
    import pyarrow as pa  # one diary is looked through without it, in a third of a second less

    rules = Rules.of(knowledge)
    persons = entries["person_id"].combine_chunks().dictionary_encode()
    order = np.argsort(np.array(persons.dictionary.to_pylist(), dtype=object), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    person = rank[persons.indices.to_numpy(zero_copy_only=False)] if len(order) else np.empty(0, np.int64)
    names = pa.array(rules.signals)
    signal = pa.compute.index_in(entries["signal"], value_set=names).fill_null(-1).to_numpy()
    day = entries["day"].cast(pa.int32()).to_numpy().astype(np.int64)
    value = entries["value"].cast(pa.float64()).to_numpy()
    by_person = np.argsort(person, kind="stable")
    edges = np.searchsorted(person[by_person], np.arange(len(order) + 1))
    for start in range(0, len(order), BATCH):
        chosen = by_person[edges[start] : edges[min(start + BATCH, len(order))]]
        p, s, d, v = person[chosen] - start, signal[chosen], day[chosen], value[chosen]
        size = min(BATCH, len(order) - start)
        first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, 0)
        np.minimum.at(first, p, d)
        np.maximum.at(last, p, d)
        x = np.full((size, len(rules.signals), int((last - first).max()) + 1), np.nan)
        used = s >= 0
        x[p[used], s[used], (d - first[p])[used]] = v[used]
        for i, found in enumerate(find(x, last - first + 1, rules)):
            name = persons.dictionary[int(order[start + i])].as_py()
            yield name, [_dated(flare, int(first[i])) for flare in found]


def flares_of_one(entries: Sequence[tuple[dt.date, str, float]], knowledge: Knowledge) -> list[Flare]:
    """The flares of one person, as `flares` yields them.

    Args:
        entries: day, signal and value in its unit; one of every day and signal, in any order; not empty.
    """
    rules = Rules.of(knowledge)
    place = {signal: i for i, signal in enumerate(rules.signals)}
    first, last = (edge(day for day, _, _ in entries) for edge in (min, max))
    length = (last - first).days + 1
    x = np.full((1, len(rules.signals), length), np.nan)
    for day, signal, value in entries:
        if signal in place:
            x[0, place[signal], (day - first).days] = value
    [found] = find(x, np.array([length]), rules)
    return [_dated(flare, first.toordinal() - EPOCH) for flare in found]


def enough(days: int, knowledge: Knowledge) -> bool:
    """Are so many days with an entry enough to know what is usual for a person?"""
    return days >= Rules.of(knowledge).limit["least_history"]


def _dated(flare: Flare, first: int) -> Flare:
    def day(at: int | None) -> str | None:
        return None if at is None else dt.date.fromordinal(EPOCH + first + at).isoformat()

    return flare | {name: day(flare[name]) for name in ("start", "peak", "end")}


def find(x: Floats, lengths: npt.NDArray[np.int64], rules: Rules) -> list[list[Flare]]:
    """The flares of persons whose values stand in an array.

    Args:
        x: (persons, signals of `rules`, days); not a number where nothing was entered.
        lengths: days of each person's diary; what stands after them is empty.

    Returns:
        per person its flares, `start`, `peak` and `end` as index of the day.
    """
    limit = rules.limit
    quiet = np.ones((len(x), x.shape[2]), dtype=bool)
    for turn in range(int(limit["flare_turns"])):
        share = limit["flare_first_quantile"] if turn == 0 else limit["median"]
        rise, score, evidence = _raised(x, lengths, quiet, rules, share)
        states = _walk(evidence, limit)
        quiet = states[:, :, 0] > limit["flare_cut"]
    entered = ~np.isnan(x)
    known = entered.any(1).sum(1) >= limit["least_history"]
    return [
        list(_flares_of(x[i, :, :n], rise[i, :, :n], score[i, :, :n], states[i, :n], rules)) if known[i] else []
        for i, n in enumerate(lengths)
    ]


# what is usual, and how far above it a day lies


def _quantile(x: Floats, share: float) -> Floats:
    """Quantile along the last axis over what is there; not a number where nothing is."""
    ordered, count = np.sort(x, axis=-1), np.sum(~np.isnan(x), axis=-1)
    place = (np.maximum(count, 1) - 1) * share
    low, high = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    pair = np.take_along_axis(ordered, np.stack([low, high], axis=-1), axis=-1)
    return np.where(count > 0, pair[..., 0] + (pair[..., 1] - pair[..., 0]) * (place - low), np.nan)


def _usual(x: Floats, lengths: npt.NDArray[np.int64], weeks: int, share: float) -> Floats:
    """Per day: the running quantile of weekly medians, from week to week along a line, level after the last week."""
    days = x.shape[-1]
    count = -(-days // WEEK)
    padded = np.concatenate([x, np.full((*x.shape[:-1], count * WEEK - days), np.nan)], axis=-1)
    weekly = _quantile(padded.reshape(*x.shape[:-1], count, WEEK), 1 / 2)
    edge = np.full((*x.shape[:-1], weeks // 2), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, weekly, edge], -1), weeks, axis=-1)
    level = _quantile(windows, share)
    level = np.where(np.isnan(level), _quantile(weekly, share)[..., None], level)
    final = (lengths[:, None, None] - 1) // WEEK
    place = np.clip((np.arange(days) - WEEK // 2) / WEEK, 0, final)
    low = np.floor(place).astype(np.int64)
    before = np.take_along_axis(level, low, axis=-1)
    after = np.take_along_axis(level, np.minimum(low + 1, final), axis=-1)
    return np.asarray(before + (after - before) * (place - low))


def _mean(x: Floats, axis: int) -> Floats:
    """Mean over what is there; not a number where nothing is."""
    count = np.sum(~np.isnan(x), axis=axis)
    return np.where(count > 0, np.nansum(x, axis=axis) / np.maximum(count, 1), np.nan)


def _raised(
    x: Floats, lengths: npt.NDArray[np.int64], quiet: Flags, rules: Rules, share: float
) -> tuple[Floats, Floats, Floats]:
    """How far every day lies above the usual.

    Returns:
        rise per signal in its unit; score per axis in standard deviations of quiet days; evidence per axis, the log
        likelihood of the day if the axis is raised against if it is not (0 where nothing was entered).
    """
    limit, days = rules.limit, x.shape[2]
    rise = x - _usual(np.where(quiet[:, None], x, np.nan), lengths, int(limit["flare_weeks"]), share)
    calm = np.where(quiet[:, None], rise, np.nan)
    for weekday in range(min(WEEK, days)):
        effect = np.nan_to_num(_quantile(calm[..., weekday::WEEK], 1 / 2)) * limit["weekday_share"]
        rise[..., weekday::WEEK] -= effect[..., None]
    calm = np.where(quiet[:, None], rise, np.nan)
    spread = TO_SD * np.nan_to_num(_quantile(np.abs(calm), 1 / 2))
    spread = np.maximum(spread, rules.least * limit["flare_least_spread"])
    z = np.clip(rise / spread[..., None], -limit["flare_most_fall"], limit["flare_most_rise"])
    score = np.stack([_mean(z[:, rules.axis == a], 1) for a in range(len(AXES))], axis=1)
    calm = np.where(quiet[:, None], score, np.nan)
    center = np.nan_to_num(_quantile(calm, 1 / 2))[..., None]
    spread = TO_SD * np.nan_to_num(_quantile(np.abs(calm - center), 1 / 2))
    score = (score - center) / np.maximum(spread, limit["flare_least_score_spread"])[..., None]
    levels = np.array([limit[f"flare_level_{size}"] for size in ("small", "middle", "large")])
    likelier = _mean(np.exp(score[..., None] * levels - levels**2 / 2), -1)
    outlier = limit["flare_outlier_share"]
    evidence = np.log((1 - outlier) * likelier + outlier)
    evidence = np.clip(evidence, -limit["flare_most_against"], limit["flare_most_for"])
    weight = _independence(np.where(quiet[:, None], score, np.nan)) ** limit["flare_tempering"]
    return rise, score, np.nan_to_num(evidence * weight[..., None])


def _independence(calm: Floats) -> Floats:
    """What a day adds when quiet days resemble their neighbors: (1 - r) / (1 + r) of their correlation r."""
    together = np.nansum(calm[..., 1:] * calm[..., :-1], axis=-1)
    alone = np.nansum(calm[..., 1:] ** 2 * ~np.isnan(calm[..., :-1]), axis=-1)
    r = np.clip(together / np.maximum(alone, 1), 0, 1 - np.finfo(float).eps)
    return np.asarray((1 - r) / (1 + r))


# the walk through the days


def _walk(evidence: Floats, limit: Mapping[str, float]) -> Floats:
    """Probability of quiet, type1, type2 and mixed on every day, given the whole diary: (persons, days, 4)."""
    persons, _, days = evidence.shape
    one, two = evidence[:, 0], evidence[:, 1]
    density = np.stack([np.zeros_like(one), one, two, one + two], axis=-1)
    density = np.exp(density - density.max(axis=-1, keepdims=True)).transpose(1, 0, 2).copy()
    begin, stop = limit["flare_days_a_year"] / limit["days_a_year"], 1 / limit["flare_mean_days"]
    move = np.diag([1 - begin, *(1 - stop for _ in KINDS)])
    move[0, 1:], move[1:, 0] = begin / len(KINDS), stop
    share = begin / (begin + stop)
    state = np.tile([1 - share, *(share / len(KINDS) for _ in KINDS)], (persons, 1))
    forward = np.empty((days, persons, len(KINDS) + 1))
    for t in range(days):
        state = state * density[t]
        state /= state.sum(axis=1, keepdims=True)
        forward[t] = state
        state = state @ move
    back = np.ones((persons, len(KINDS) + 1))
    for t in range(days - 1, -1, -1):
        forward[t] *= back
        forward[t] /= forward[t].sum(axis=1, keepdims=True)
        back = (back * density[t]) @ move.T
        back /= back.sum(axis=1, keepdims=True)
    return forward.transpose(1, 0, 2)


def _flares_of(x: Floats, rise: Floats, score: Floats, states: Floats, rules: Rules) -> Iterator[Flare]:
    """The flares of one person: stretches of days more likely a flare than not, with enough entries and rise."""
    limit = rules.limit
    entered = ~np.isnan(x)
    last = len(states) - 1
    for start, end in _stretches(states[:, 0] <= limit["flare_cut"]):
        span = slice(start, end + 1)
        days = int(entered[:, span].any(0).sum())
        kind = int(states[span, 1:].sum(0).argmax())
        mine = np.isin(rules.axis, (kind,) if kind < len(AXES) else tuple(range(len(AXES))))
        mean = np.where(mine, np.nan_to_num(_mean(rise[:, span], 1)) / rules.least, -np.inf)
        if days < limit["flare_least_days"] or mean.max() < limit["flare_least_rise"]:
            continue
        raised = [int(i) for i in np.argsort(-mean, kind="stable") if mean[i] >= limit["flare_signal_share"]]
        total = np.nansum(score[list(range(len(AXES))) if kind == len(AXES) else [kind], span], axis=0)
        peak = start + int(np.argmax(np.where(entered[:, span].any(0), total, -np.inf)))
        asked = [
            entered[rules.axis == a, span].any(0).sum() >= limit["flare_asked_share"] * days for a in range(len(AXES))
        ]
        ended = end < last
        yield {
            "start": start,
            "peak": peak,
            "end": end if ended else None,
            "type": KINDS[kind] if all(asked) else "undetermined",
            "basis": "symptoms",
            "severity": _severity([float(np.nanmean(x[i, span])) for i in raised if rules.scale[i]], limit),
            "certainty": round(float(np.mean(states[span, 1 + kind])), 2),
            "signals": [rules.signals[i] for i in raised],
            "days": end - start + 1,
            "recovery_days": end - peak + 1 if ended else None,
        }


def _stretches(on: Flags) -> Iterator[tuple[int, int]]:
    """First and last index of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    for start, after in edges.reshape(-1, 2):
        yield int(start), int(after) - 1


def _severity(levels: Sequence[float], limit: Mapping[str, float]) -> str:
    """By the highest mean level among the raised scales; without a scale among them, mild."""
    worst = max(levels, default=0.0)
    if worst >= limit["severe_from"]:
        return "severe"
    return "moderate" if worst >= limit["moderate_from"] else "mild"
