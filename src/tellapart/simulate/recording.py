"""What of a person gets on record: complaints and signs that were asked about, tests that somebody ordered.

Missing is not at random, in three ways: what is there is written down more often than what is not; tests are ordered
because of what is on record already (signs, a positive ANA); and because of a worry of the clinician that no record
shows, which is commoner in people who have lupus. `completeness` c turns all of it: every share is c to some power, so
that 1 is a complete record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.simulate.model import UNASKED, UNRECORDED, Floats, Ints, Model


@dataclass(frozen=True)
class Recorded:
    """What is on record.

    Attributes:
        known: state per person and node, `UNRECORDED` or `UNASKED`.
        told: was the complaint or sign written down by itself (and not only on a form)?
        ordered: test to who had it.
        log_ordering: ln P(which tests were ordered | what was on record by then, hypothesis), a column per hypothesis.
    """

    known: Ints
    told: NDArray[np.bool_]
    ordered: dict[str, NDArray[np.bool_]]
    log_ordering: Floats


def missed(model: Model, completeness: float) -> Floats:
    """P(unrecorded) per node, of what is not there (column 0) and of what is (column 1). Tests: 0."""
    out = np.zeros((len(model.nodes), 2))
    for f, node in enumerate(model.nodes):
        if node.how != "test":
            for column, there in enumerate(("absent", "present")):
                out[f, column] = 1.0 - completeness ** model.settings[f"{node.how}_{there}_exponent"]
    return out


def record(model: Model, rng: np.random.Generator, h: Ints, states: Ints, completeness: float) -> Recorded:
    """Decide what gets on record.

    Args:
        h: hypothesis number per person.
        states: true state per person and node.
        completeness: above 0, up to 1.
    """
    people = len(h)
    unrecorded = missed(model, completeness)
    known = np.full(states.shape, UNASKED, dtype=np.int64)
    by_itself = np.array([node.how != "test" for node in model.nodes])
    there = (states > 0).astype(int)
    lost = rng.random(states.shape) < unrecorded[np.arange(len(model.nodes)), there]
    known[:, by_itself] = np.where(lost, UNRECORDED, states)[:, by_itself]
    told = known >= 0

    worry = model.hypothesis("worry")
    worried = rng.random(people) < worry[h]
    log_worried, log_calm = np.zeros(people), np.zeros(people)
    prompts = {p: np.array([n.row["prompts"] in ((p,) if p != "any" else ("lupus", "pain")) for n in model.nodes])
               for p in ("lupus", "pain", "any")}  # fmt: skip
    ordered: dict[str, NDArray[np.bool_]] = {}
    tests = model.table("tests")
    for stage in sorted({r["stage"] for r in tests}):
        counts = {
            p: np.minimum((known[:, which] > 0).sum(axis=1), model.settings["prompts_most"])
            for p, which in prompts.items()
        }
        before = known.copy()
        for r in tests:
            if r["stage"] != stage:
                continue
            reluctance = float(r["base"]) - float(r["per_prompt"]) * counts[r["prompted_by"]]
            if r["needs"]:
                node, rung = model.place[r["needs"]]
                reluctance = reluctance + float(r["unless"]) * (before[:, node] < rung)
            calm, eager = (completeness ** np.exp(reluctance - w) for w in (0.0, float(r["worry"])))
            had = rng.random(people) < np.where(worried, eager, calm)
            ordered[r["test"]] = had
            log_worried += _log(eager, had)
            log_calm += _log(calm, had)
            for f, node_ in enumerate(model.nodes):
                if node_.row["test"] == r["test"]:
                    known[had, f] = states[had, f]
    # the worry itself is on no record: both ways it can have been
    log_ordering = np.logaddexp(np.log(worry) + log_worried[:, None], np.log1p(-worry) + log_calm[:, None])
    return Recorded(known, told, ordered, log_ordering)


def _log(share: Floats, had: NDArray[np.bool_]) -> Floats:
    """ln P(had or had not)."""
    likely = np.where(had, share, 1.0 - share)
    return np.log(np.maximum(likely, np.finfo(float).tiny))
