#!/usr/bin/env python3
"""Flares found in simulated diaries, by the method of the package and by simpler ones: docs/guide/diary-flares.md.

pip install --group compare
python tools/compare_flares.py --persons 300            print the tables, write nothing
python tools/compare_flares.py --persons 300 --write    and put them into the page
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tellapart.answers import flares
from tellapart.knowledge.load import load
from tellapart.simulate.diary import Diary, Maker, Plan

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guide" / "diary-flares.md"
WITHIN = 3  # days between an onset found and the true one
MISSING = (0.0, 0.1, 0.2, 0.4)
SEED = 2026  # not the one that the rows of diary_limits were chosen with

Found = list[tuple[int, int, str]]
"""First day, last day and kind of each flare."""


def stretches(on: np.ndarray, least: int) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    for start, after in edges.reshape(-1, 2):
        if after - start >= least:
            yield int(start), int(after) - 1


def axes(x: np.ndarray, rules: flares.Rules) -> np.ndarray:
    """Mean of the signals of either axis per day, the last value carried over days without an entry."""
    out = np.stack([flares._mean(x[rules.axis == a], 0) for a in (0, 1)])
    for row in out:
        at = np.maximum.accumulate(np.where(np.isnan(row), 0, np.arange(len(row))))
        row[:] = np.nan_to_num(row[at], nan=float(np.nanmedian(row)))
    return out


def kinds(on: np.ndarray, least: int) -> Found:
    """Flares from days on which either axis is raised; the kind by which axis is raised on half of the days."""
    found = []
    for start, end in stretches(on.any(0), least):
        share = on[:, start : end + 1].mean(1) >= 0.5
        name = "mixed" if share.all() else "type1" if share[0] else "type2"
        found.append((start, end, name))
    return found


def threshold(x: np.ndarray, rules: flares.Rules) -> Found:
    """Mean of an axis two standard deviations above its mean over the whole diary, four days or longer."""
    level = axes(x, rules)
    on = level > level.mean(1, keepdims=True) + 2 * level.std(1, keepdims=True)
    return kinds(on, 4)


def smooth_threshold(x: np.ndarray, rules: flares.Rules) -> Found:
    """Five-day mean of an axis one and a half robust deviations above its median."""
    level = axes(x, rules)
    level = np.stack([np.convolve(np.pad(row, 2, mode="edge"), np.ones(5) / 5, mode="valid") for row in level])
    middle = np.median(level, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(level - middle), axis=1, keepdims=True)
    return kinds(level > middle + 3 * spread, 4)


def cusum(x: np.ndarray, rules: flares.Rules) -> Found:
    """One-sided CUSUM on the package's robust baseline: begins where the sum last was zero, ends at its highest."""
    quiet = np.ones((1, x.shape[1]), dtype=bool)
    _, score, _ = flares._raised(x[None], np.array([x.shape[1]]), quiet, rules, rules.limit["median"])
    on = np.zeros((2, x.shape[1]), dtype=bool)
    for a, row in enumerate(np.nan_to_num(score[0])):
        total, start, best, top = 0.0, 0, 0, 0.0
        for t, value in enumerate([*row, -np.inf]):
            total = max(0.0, total + min(value, 6) - 1.0)
            if total == 0.0:
                if top > 8:
                    on[a, start : best + 1] = True
                start, top = t + 1, 0.0
            elif total > top:
                best, top = t, total
    return kinds(on, 4)


def change_points(x: np.ndarray, rules: flares.Rules) -> Found:
    """Plain change points (ruptures, linear kernel, penalty chosen on other diaries), segments above the median."""
    import ruptures

    level = axes(x, rules)
    level = (level - np.median(level, axis=1, keepdims=True)) / np.maximum(level.std(axis=1, keepdims=True), 0.1)
    ends = ruptures.KernelCPD(kernel="linear", min_size=4).fit(level.T).predict(pen=8)
    on, start = np.zeros(level.shape, dtype=bool), 0
    for end in ends:
        on[:, start:end] = (level[:, start:end].mean(1) > 0.8)[:, None]
        start = end
    return kinds(on, 4)


def package(x: np.ndarray, rules: flares.Rules) -> Found:
    """The package."""
    found = flares.find(x[None], np.array([x.shape[1]]), rules)[0]
    return [(f["start"], x.shape[1] - 1 if f["end"] is None else f["end"], f["type"]) for f in found]


METHODS: dict[str, Callable[[np.ndarray, flares.Rules], Found]] = {
    "threshold: mean + 2 SD": threshold,
    "threshold: 5-day mean, robust": smooth_threshold,
    "plain change points (ruptures)": change_points,
    "CUSUM on the robust baseline": cusum,
    "**hidden Markov model (tellapart)**": package,
}


def measured(diaries: list[Diary], found: list[Found]) -> dict[str, float]:
    """Recall, precision and the rest; every true flare is paired with at most one found within three days."""
    hit = right = total = surplus = 0
    ends = []
    for diary, mine in zip(diaries, found, strict=True):
        left = list(mine)
        for start, end, kind in diary.flares:
            total += 1
            near = min(left, key=lambda f: abs(f[0] - start), default=None)
            if near is not None and abs(near[0] - start) <= WITHIN:
                left.remove(near)
                hit += 1
                right += near[2] == kind
                ends.append(abs(near[1] - end))
        surplus += len(left)
    years = sum(d.values.shape[1] for d in diaries) / 365
    return {
        "F1": 2 * hit / (hit + surplus + total), "precision": hit / max(hit + surplus, 1), "recall": hit / total,
        "false": surplus / years, "kind": right / max(hit, 1), "end": float(np.median(ends)) if ends else np.nan,
    }  # fmt: skip


def table(persons: int) -> str:
    knowledge = load()
    rules = flares.Rules.of(knowledge)
    lines = [
        "| method | missing days | F1 | precision | recall | false flares a person-year | kind right | end off by (median days) | ms a year |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    worked = []
    for missing in MISSING:
        maker = Maker(knowledge, Plan(persons, 365, missing, SEED))
        diaries = [maker.diary(n) for n in range(persons)]
        place = [maker.signals.index(s) if s in maker.signals else None for s in rules.signals]
        empty = np.full(365, np.nan)
        worked.append(
            (missing, diaries, [np.stack([empty if p is None else d.values[p] for p in place]) for d in diaries])
        )
    for name, method in METHODS.items():
        for missing, diaries, values in worked:
            began = time.process_time()
            m = measured(diaries, [method(x, rules) for x in values])
            each = (time.process_time() - began) / persons * 1000
            lines.append(
                f"| {name} | {missing:.0%} | {m['F1']:.2f} | {m['precision']:.2f} | {m['recall']:.2f} | {m['false']:.2f} "
                f"| {m['kind']:.0%} | {m['end']:.0f} | {each:.1f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=300)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    made = table(asked.persons)
    print(made)
    if asked.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            re.sub(r"(<!-- table -->\n).*?(\n<!-- end -->)", lambda m: m[1] + made + m[2], text, flags=re.S),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
