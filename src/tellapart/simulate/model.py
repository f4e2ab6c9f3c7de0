"""The simulation's tables as arrays: which findings there are, how often each hypothesis has them, what is asked when.

A *node* is one finding that a person has or has not, or a ladder of findings (the ANA titre), whose state is the number
of rungs reached. Rates are the means of `knowledge.synthesis`, the same rows that the differential rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tellapart.knowledge import synthesis
from tellapart.knowledge.load import Knowledge, Row

HYPOTHESES = ("sle", "fm", "both", "neither")
UNASKED = -2  # a test that was not ordered: what it would have shown plays no part
UNRECORDED = -1  # a complaint or sign of which the record says nothing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Node:
    """One finding or ladder of findings.

    Attributes:
        rungs: finding ids, lowest first; a node without a ladder has one.
        row: the row of `simulation_findings.csv` (of the lowest rung).
        parent: node and rung (1 = lowest) that the cascade hangs it on, or None.
    """

    rungs: tuple[str, ...]
    row: Row
    parent: tuple[int, int] | None

    @property
    def how(self) -> str:
        """`told`, `seen`, or `test`."""
        return self.row["how"]


@dataclass(frozen=True)
class Model:
    """Everything the simulation draws from.

    Attributes:
        knowledge: the tables it was made of.
        nodes: parents before children.
        place: finding id to (node, rung from 1).
        rates: P(state of node >= rung | hypothesis): [hypothesis, node, rung], 0 above a node's highest rung.
        settings: `simulation_settings.csv` by name.
    """

    knowledge: Knowledge
    nodes: tuple[Node, ...]
    place: Mapping[str, tuple[int, int]]
    rates: Floats
    settings: Mapping[str, float]

    def table(self, name: str) -> tuple[Row, ...]:
        """Rows of `simulation_<name>.csv`."""
        return self.knowledge[f"simulation_{name}"]

    def hypothesis(self, column: str) -> Floats:
        """A column of `simulation_hypotheses.csv`, in the order of `HYPOTHESES`."""
        rows = {r["hypothesis"]: r for r in self.table("hypotheses")}
        return np.array([float(rows[h][column]) for h in HYPOTHESES])

    @property
    def depth(self) -> int:
        """The most rungs a node has."""
        return int(self.rates.shape[2])


@lru_cache(maxsize=2)
def model(knowledge: Knowledge) -> Model:
    """The model of these tables.

    Raises:
        KeyError: a simulated finding has no rate of its own in the evidence.
    """
    rows = {r["finding"]: r for r in knowledge["simulation_findings"]}
    blocks = {r["finding"]: r for r in knowledge["blocks"]}
    ladders: dict[str, list[str]] = {}
    for finding in rows:
        block = blocks[finding]
        ladders.setdefault(block["block"] if block["rung"] else finding, []).append(finding)
    groups = [tuple(sorted(g, key=lambda f: int(blocks[f]["rung"] or 0))) for g in ladders.values()]
    group_of = {finding: group for group in groups for finding in group}
    ordered = _parents_first(groups, {g: group_of[rows[g[0]]["parent"]] for g in groups if rows[g[0]]["parent"]})
    number = {group: i for i, group in enumerate(ordered)}
    place = {f: (number[g], rung) for g in ordered for rung, f in enumerate(g, start=1)}
    nodes = tuple(Node(g, rows[g[0]], place[rows[g[0]]["parent"]] if rows[g[0]]["parent"] else None) for g in ordered)
    evidence = synthesis.rates_of(knowledge.tables)
    rates = np.zeros((len(HYPOTHESES), len(nodes), max(len(g) for g in ordered)))
    for finding, (node, rung) in place.items():
        terms = synthesis.terms(evidence[finding], blocks[finding]["both_from"], "present")
        rates[:, node, rung - 1] = [2.0 ** terms[h].log2 for h in HYPOTHESES]
    settings = {r["setting"]: float(r["value"]) for r in knowledge["simulation_settings"]}
    return Model(knowledge, nodes, place, rates, settings)


def _parents_first(
    groups: list[tuple[str, ...]], parent: Mapping[tuple[str, ...], tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """The groups in an order in which a parent comes before its children.

    Raises:
        ValueError: the parents run in a circle.
    """
    done: list[tuple[str, ...]] = []
    left = list(groups)
    while left:
        ready = [g for g in left if g not in parent or parent[g] in done]
        if not ready:
            raise ValueError(f"simulation_findings.csv: parents run in a circle among {[g[0] for g in left]}")
        done += ready
        left = [g for g in left if g not in ready]
    return done


def states_of(rates: Floats) -> Floats:
    """P(state = 0, 1, ..) of P(state >= 1, 2, ..), along the last axis."""
    least = np.concatenate([np.ones((*rates.shape[:-1], 1)), rates, np.zeros((*rates.shape[:-1], 1))], axis=-1)
    return np.asarray(least[..., :-1] - least[..., 1:])
