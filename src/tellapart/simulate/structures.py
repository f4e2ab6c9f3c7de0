"""How findings hang together given the hypothesis. None of these is what the differential assumes.

Every structure keeps the rate of each finding under each hypothesis exactly and differs in what goes with what:

- `independent`: coins. Only to compare with.
- `severity`: one severity of the person and one of each mechanism push all their findings (a Gaussian copula).
- `phenotypes`: each disease comes in kinds (renal, mucocutaneous, ...; few or many symptoms) with rates of their own.
- `cascade`: findings follow from findings (anti-dsDNA, low complement, proteinuria), a forest of causes.

The mechanisms of `simulation_findings.csv` cross the blocks of the differential on purpose.

A structure also knows P(what is on record | hypothesis) exactly (by quadrature for `severity`), which makes the ideal
observer. What is on record of a node is its state, or `UNRECORDED` (which is likelier when there is nothing to
record), or `UNASKED` (which says nothing here; why a test was ordered is the business of `recording`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, ndtr, ndtri, roots_hermitenorm

from tellapart.simulate.model import HYPOTHESES, UNASKED, UNRECORDED, Floats, Ints, Model, states_of

NODES = 12  # of the quadrature over each severity: the posterior moves by less than 1e-3 with twice as many
BISECTIONS = 60  # halvings of [-30, 30]: beyond double precision

Draw = Callable[[np.random.Generator, Ints], tuple[Ints, NDArray[np.str_]]]
Evidence = Callable[[Ints, Floats], Floats]


@dataclass(frozen=True)
class Structure:
    """One way in which findings hang together.

    Attributes:
        draw: (generator, hypothesis number per person) to (state of every node, name of the person's kind).
        log_evidence: (what is on record per person and node, P(unrecorded | node, there or not)) to
            ln P(on record | hypothesis), one column per hypothesis, up to what is the same in all columns (that a
            known state was written down hangs on the state alone).
    """

    draw: Draw
    log_evidence: Evidence


def patterns(known: Ints, depth: int) -> Floats:
    """One column per node and pattern: state 0.. depth, unrecorded; an unasked node has none. Ones and zeros."""
    code = np.where(known == UNRECORDED, depth + 1, known)
    return np.asarray(code[:, :, None] == np.arange(depth + 2), dtype=float).reshape(len(known), -1)


def log_patterns(shares: Floats, missed: Floats) -> Floats:
    """ln P(pattern) in the columns of `patterns`, from P(state) [.., node, state] and P(unrecorded | node, there)."""
    absent, present = missed[:, 0], missed[:, 1]
    silent = shares[..., 0] * absent + shares[..., 1:].sum(axis=-1) * present
    all_shares = np.concatenate([shares, silent[..., None]], axis=-1)
    # a pattern that cannot be (a rung that a node has not, silence on a complete record) never comes up
    return np.log(np.where(all_shares > 0.0, all_shares, 1.0)).reshape(*shares.shape[:-2], -1)


def _reached(u: Floats, rates: Floats) -> Ints:
    """State from a uniform number per person and node: how many rungs have a rate above it."""
    return np.asarray((u[:, :, None] < rates).sum(axis=2))


def independent(model: Model) -> Structure:
    """Every finding a coin of its own."""

    def draw(rng: np.random.Generator, h: Ints) -> tuple[Ints, NDArray[np.str_]]:
        return _reached(rng.random((len(h), len(model.nodes))), model.rates[h]), np.full(len(h), "")

    def log_evidence(known: Ints, missed: Floats) -> Floats:
        return patterns(known, model.depth) @ log_patterns(states_of(model.rates), missed).T

    return Structure(draw, log_evidence)


def severity(model: Model) -> Structure:
    """Latent severities: of the person (`general_loading`) and of each mechanism (`loading`)."""
    general = model.settings["general_loading"]
    own = np.array([float(n.row["loading"]) for n in model.nodes])
    rest = np.sqrt(1.0 - general**2 - own**2)
    mechanisms = sorted({n.row["mechanism"] for n in model.nodes})
    of = np.array([mechanisms.index(n.row["mechanism"]) for n in model.nodes])
    cuts = -ndtri(model.rates)  # a rung is reached above its cut

    def draw(rng: np.random.Generator, h: Ints) -> tuple[Ints, NDArray[np.str_]]:
        person = rng.standard_normal((len(h), 1))
        mechanism = rng.standard_normal((len(h), len(mechanisms)))[:, of]
        height = general * person + own * mechanism + rest * rng.standard_normal((len(h), len(of)))
        return (height[:, :, None] > cuts[h]).sum(axis=2), np.full(len(h), "")

    points, weights = roots_hermitenorm(NODES)
    weights = weights / weights.sum()

    def log_evidence(known: Ints, missed: Floats) -> Floats:
        out = np.empty((len(known), len(HYPOTHESES)))
        seen = patterns(known, model.depth).reshape(len(known), len(of), -1)
        g, s = (p.ravel() for p in np.meshgrid(points, points, indexing="ij"))
        totals = np.tile(np.log(weights), (len(HYPOTHESES), len(known), 1))
        for m in range(len(mechanisms)):
            mine = np.flatnonzero(of == m)
            mean = general * g[:, None] + own[mine] * s[:, None]
            mine_seen = seen[:, mine].reshape(len(known), -1)
            for h in range(len(HYPOTHESES)):
                rates = ndtr((mean[:, :, None] - cuts[h, mine]) / rest[mine, None])
                at = mine_seen @ log_patterns(states_of(rates), missed[mine]).T
                # a handful of findings: far from the smallest number, so no maximum is taken out first
                totals[h] += np.log(np.exp(at).reshape(len(known), NODES, NODES) @ weights)
        for h in range(len(HYPOTHESES)):
            out[:, h] = logsumexp(totals[h], axis=1)
        return out

    return Structure(draw, log_evidence)


def phenotypes(model: Model) -> Structure:
    """Kinds of each disease; within a kind findings are independent. `both` has a kind of either."""
    rows = model.table("classes")
    kinds: dict[str, dict[str, tuple[float, dict[str, float]]]] = {}
    for r in rows:
        _, shifts = kinds.setdefault(r["hypothesis"], {}).setdefault(r["class"], (float(r["share"]), {}))
        shifts[r["mechanism"]] = float(r["shift"])

    def of(hypothesis: str) -> list[tuple[str, float, Floats]]:
        """Name, share and shift per node of every kind."""
        pick = [kinds[x].items() for x in (("sle", "fm") if hypothesis == "both" else (hypothesis,))]
        out = []
        for chosen in product(*pick):
            shift = [sum(k[1].get(n.row["mechanism"], 0.0) for _, k in chosen) for n in model.nodes]
            out.append(
                ("+".join(name for name, _ in chosen), float(np.prod([k[0] for _, k in chosen])), np.array(shift))
            )
        return out

    made = [of(h) for h in HYPOTHESES]
    names = [np.array([k[0] for k in kind]) for kind in made]
    shares = [np.array([k[1] for k in kind]) / sum(k[1] for k in kind) for kind in made]
    rates = [
        expit(
            _intercepts(model.rates[h], shares[h], np.array([k[2] for k in kind]))
            + np.array([k[2] for k in kind])[:, :, None]
        )
        for h, kind in enumerate(made)
    ]  # [hypothesis][kind, node, rung]
    for h in range(len(HYPOTHESES)):
        rates[h] = np.where(model.rates[h] > 0.0, rates[h], 0.0)

    def draw(rng: np.random.Generator, h: Ints) -> tuple[Ints, NDArray[np.str_]]:
        u, v = rng.random(len(h)), rng.random((len(h), len(model.nodes)))
        states = np.zeros(v.shape, dtype=np.int64)
        kind_of = np.full(len(h), "", dtype="<U40")
        for number in range(len(HYPOTHESES)):
            who = np.flatnonzero(h == number)
            kind = np.minimum(np.searchsorted(np.cumsum(shares[number]), u[who], side="right"), len(shares[number]) - 1)
            states[who] = _reached(v[who], rates[number][kind])
            kind_of[who] = names[number][kind]
        return states, kind_of

    def log_evidence(known: Ints, missed: Floats) -> Floats:
        seen = patterns(known, model.depth)
        return np.stack(
            [
                logsumexp(seen @ log_patterns(states_of(rates[h]), missed).T + np.log(shares[h]), axis=1)
                for h in range(len(HYPOTHESES))
            ],
            axis=1,
        )

    return Structure(draw, log_evidence)


def _intercepts(rates: Floats, shares: Floats, shifts: Floats) -> Floats:
    """Log-odds per node and rung that, shifted by kind, average to the rates. By bisection: the average rises."""
    low, high = np.full(rates.shape, -30.0), np.full(rates.shape, 30.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        average = np.einsum("k,knr->nr", shares, expit(middle + shifts[:, :, None]))
        low, high = np.where(average < rates, middle, low), np.where(average < rates, high, middle)
    return np.asarray((low + high) / 2.0)


def cascade(model: Model) -> Structure:
    """A forest: each finding depends on its parent by an odds ratio; the joint rate is Plackett's."""
    nodes = model.nodes
    given = np.zeros((len(HYPOTHESES), len(nodes), 2))  # P(child | parent's rung not reached, reached)
    for f, node in enumerate(nodes):
        if node.parent is None:
            continue
        if len(node.rungs) > 1:
            raise ValueError(f"simulation_findings.csv: {node.rungs[0]}: a ladder cannot have a parent")
        child, parent = model.rates[:, f, 0], model.rates[:, node.parent[0], node.parent[1] - 1]
        joint = plackett(child, parent, float(node.row["odds_ratio"]))
        given[:, f, 0], given[:, f, 1] = (child - joint) / (1.0 - parent), joint / parent

    def draw(rng: np.random.Generator, h: Ints) -> tuple[Ints, NDArray[np.str_]]:
        u = rng.random((len(h), len(nodes)))
        states = np.zeros(u.shape, dtype=np.int64)
        for f, node in enumerate(nodes):
            if node.parent is None:
                states[:, f] = (u[:, f, None] < model.rates[h, f]).sum(axis=1)
            else:
                reached = states[:, node.parent[0]] >= node.parent[1]
                states[:, f] = u[:, f] < given[h, f, reached.astype(int)]
        return states, np.full(len(h), "")

    def log_evidence(known: Ints, missed: Floats) -> Floats:
        state = np.arange(model.depth + 1)
        told = np.where(
            known[:, :, None] == UNASKED, 1.0, np.where(
                known[:, :, None] == UNRECORDED, np.where(state == 0, missed[:, :1], missed[:, 1:]), known[:, :, None] == state
            ),
        )  # fmt: skip
        out = np.zeros((len(known), len(HYPOTHESES)))
        for h in range(len(HYPOTHESES)):
            likely = told.copy()
            for f in reversed(range(len(nodes))):
                parent = nodes[f].parent
                if parent is None:
                    out[:, h] += np.log(likely[:, f] @ states_of(model.rates[h, f]))
                else:
                    off, on = (likely[:, f, 0] * (1.0 - q) + likely[:, f, 1] * q for q in given[h, f])
                    likely[:, parent[0]] *= np.where(state >= parent[1], on[:, None], off[:, None])
        return out

    return Structure(draw, log_evidence)


def plackett(p: Floats, q: Floats, odds_ratio: float) -> Floats:
    """P(both) of two findings with rates p and q and this odds ratio (Plackett 1965)."""
    if odds_ratio == 1.0:
        return p * q
    s = 1.0 + (p + q) * (odds_ratio - 1.0)
    root = np.sqrt(s * s - 4.0 * odds_ratio * (odds_ratio - 1.0) * p * q)
    return np.asarray((s - root) / (2.0 * (odds_ratio - 1.0)))


STRUCTURES: dict[str, Callable[[Model], Structure]] = {
    "severity": severity,
    "phenotypes": phenotypes,
    "cascade": cascade,
    "independent": independent,
}
