"""Diaries with known flares: baseline, trend, weekly rhythm, noise, missing days, flares of both kinds and mixed.

Levels are rows of `simulation_diary`, the rest rows of `simulation_settings` named `diary_*`.
"""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from scipy.signal import lfilter

from tellapart import __version__
from tellapart.errors import InputError, UsageError
from tellapart.knowledge.load import Knowledge
from tellapart.simulate.model import Floats

FOLDER = "diaries"
TRUTH = "flares.csv"
ABOUT = "simulation.json"
KINDS = ("type1", "type2", "mixed")
WEEK = 7


@dataclass(frozen=True)
class Plan:
    """What to simulate: persons, days of each diary, share of missing days, and the seed that gives the same bytes."""

    persons: int
    days: int
    missing: float
    seed: int = 1

    def check(self) -> None:
        """Raise a UsageError if the plan cannot be carried out."""
        if not 0.0 <= self.missing < 1.0:
            raise UsageError(f"--missing {self.missing:g}: must be at least 0 and below 1.")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: must not be negative.")


@dataclass(frozen=True)
class Diary:
    """One simulated diary.

    Attributes:
        first: its first day.
        values: (signals, days); not a number where nothing was entered.
        flares: first day, last day (as index) and kind of each flare.
    """

    first: dt.date
    values: Floats
    flares: Sequence[tuple[int, int, str]]


class Maker:
    """Draws diaries."""

    def __init__(self, knowledge: Knowledge, plan: Plan) -> None:
        rows = knowledge["simulation_diary"]
        signals = {r["signal"]: r for r in knowledge["diary_signals"]}
        self.plan = plan
        self.signals = [r["signal"] for r in rows]
        self.rows = {name: np.array([float(r[name]) for r in rows]) for name in
                     ("mean", "spread", "noise", "trend", "weekly", "common", "rise")}  # fmt: skip
        self.axis = np.array([signals[s]["axis"] for s in self.signals])
        self.low = np.array([float(signals[s]["low"]) for s in self.signals])
        self.high = np.array([float(signals[s]["high"]) for s in self.signals])
        self.setting = {r["setting"].removeprefix("diary_"): float(r["value"]) for r in knowledge["simulation_settings"]
                        if r["setting"].startswith("diary_")}  # fmt: skip

    def diary(self, number: int) -> Diary:
        """The diary of person `number`: the same whoever else is drawn."""
        rng, s, days = np.random.default_rng((self.plan.seed, number)), self.setting, self.plan.days
        count, rows, t = len(self.signals), self.rows, np.arange(days)
        base = rows["mean"] + rng.normal(size=count) * rows["spread"]
        trend = (rng.uniform(-1, 1, count) * rows["trend"])[:, None] * t / days
        period = rng.uniform(s["wave_shortest"], s["wave_longest"])
        wave = rng.uniform(0, s["wave_highest"], count)[:, None] * np.sin(2 * np.pi * (t / period + rng.random()))
        week = rng.normal(size=WEEK)[(t + int(rng.integers(WEEK))) % WEEK] * rows["weekly"][:, None]
        common = self._noise(rng, 1) * rows["common"][:, None]
        x = base[:, None] + trend + wave + week + common + self._noise(rng, count) * rows["noise"][:, None]
        flares = list(self._flares(rng))
        for start, height, decay, kind in flares:
            x += self._shape(rng, start, height, decay) * self._share(rng, kind)[:, None]
        x = np.clip(np.rint(x), self.low[:, None], self.high[:, None])
        x[:, self._missing(rng)] = np.nan
        x[rng.random(x.shape) < s["left_out"]] = np.nan
        last = dt.date(int(s["last_year"]), 12, 31)
        return Diary(
            last - dt.timedelta(days - 1), x, [(start, min(h + d, days) - 1, kind) for start, h, d, kind in flares]
        )

    def _noise(self, rng: np.random.Generator, count: int) -> Floats:
        """Noise of spread 1 whose neighboring days are correlated: (count, days)."""
        r = self.setting["neighbors"]
        drawn = rng.normal(size=(count, self.plan.days))
        drawn[:, 1:] *= np.sqrt(1 - r**2)
        return np.asarray(lfilter([1], [1, -r], drawn, axis=1), dtype=np.float64)

    def _flares(self, rng: np.random.Generator) -> Iterator[tuple[int, int, int, str]]:
        """(onset, day after the height, days of decay, kind) of each flare."""
        s = self.setting
        length = s["flare_days"] + s["decay_longest"] + s["quiet_least"]
        pause = max(365 / s["flares"] - length, 1.0)
        at = int(s["quiet_first"] + rng.exponential(pause))
        while at + s["flare_shortest"] < self.plan.days:
            days = np.exp(rng.normal(np.log(s["flare_days"]), s["flare_log_spread"]))
            days = int(np.clip(days, s["flare_shortest"], s["flare_longest"]))
            decay = int(rng.integers(int(s["decay_shortest"]), int(s["decay_longest"]) + 1))
            yield at, at + days, decay, str(rng.choice(KINDS))
            at += days + decay + int(s["quiet_least"] + rng.exponential(pause))

    def _shape(self, rng: np.random.Generator, start: int, height: int, decay: int) -> Floats:
        """Course of a flare from 0 to its height: a ramp, a level, a decay."""
        t = np.arange(self.plan.days)
        ramp = int(rng.integers(1, int(self.setting["ramp_longest"]) + 1))
        level = rng.uniform(self.setting["height_low"], self.setting["height_high"])
        return np.asarray(level * np.clip((t - start + 1) / ramp, 0, 1) * np.clip(1 - (t - height + 1) / decay, 0, 1))

    def _share(self, rng: np.random.Generator, kind: str) -> Floats:
        """How far each signal rises at the height of a flare of this kind."""
        part = np.where(rng.random(len(self.axis)) < self.setting["takes_part"], 1.0, self.setting["bystander"])
        spill = self.setting["spill"] if kind == "type1" else 0.0
        mine = (self.axis == kind) | ((kind == "mixed") & (self.axis != ""))
        return np.asarray(self.rows["rise"] * np.where(mine, part, np.where(self.axis == "type2", spill, 0.0)))

    def _missing(self, rng: np.random.Generator) -> Any:
        """The days without an entry: in runs, of the asked share in all."""
        days, missing = self.plan.days, np.zeros(self.plan.days, dtype=bool)
        while missing.sum() < round(self.plan.missing * days):
            start = int(rng.integers(days))
            missing[start : start + rng.geometric(1 / self.setting["gap_mean"])] = True
        return missing


def simulate(knowledge: Knowledge, plan: Plan, out: Path) -> None:
    """Write OUT/diaries/<id>.csv (what `diary import` reads), OUT/flares.csv (the truth) and OUT/simulation.json.

    Raises:
        UsageError: the plan cannot be carried out.
        InputError: OUT holds anything but an earlier simulation of diaries.
    """
    plan.check()
    if out.exists() and {p.name for p in out.iterdir()} - {FOLDER, TRUTH, ABOUT}:
        raise InputError(f"{out}: holds something other than simulated diaries. Name a new or empty folder.")
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    (out / FOLDER).mkdir(parents=True)
    maker = Maker(knowledge, plan)
    with (out / TRUTH).open("w", encoding="utf-8", newline="") as truth:
        told = csv.writer(truth, lineterminator="\n")
        told.writerow(("person_id", "start", "end", "type"))
        for number in range(1, plan.persons + 1):
            name, diary = f"synthetic-{number}", maker.diary(number)
            (out / FOLDER / f"{name}.csv").write_text(_csv(diary, maker.signals), encoding="utf-8")
            told.writerows((name, diary.first + dt.timedelta(a), diary.first + dt.timedelta(b), kind)
                           for a, b, kind in diary.flares)  # fmt: skip
    about = {"software": __version__, "knowledge": knowledge.version, "synthetic": True, **plan.__dict__}
    (out / ABOUT).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2) + b"\n")


def _csv(diary: Diary, signals: Sequence[str]) -> str:
    lines = ["date,signal,value"]
    for at in range(diary.values.shape[1]):
        day = diary.first + dt.timedelta(at)
        lines += [f"{day},{s},{v:g}" for s, v in zip(signals, diary.values[:, at], strict=True) if not np.isnan(v)]
    return "\n".join(lines) + "\n"
