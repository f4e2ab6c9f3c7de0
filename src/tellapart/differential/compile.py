"""Turns weights, blocks and priors into the expressions that the differential's SQL files ask for.

Findings of one mechanism are not multiplied: in a block every finding keeps a share of its bits, or, where the block is
one observation told in several ways, one finding counts in full (the table `dependence`; why: `knowledge.synthesis`).
What is implied adds nothing: a state counts only if no finding that implies it stands in the same state, and the rungs
of the ANA ladder read as intervals.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tellapart.knowledge.encode import Encoding, encode
from tellapart.knowledge.load import Knowledge, Row

MICRO = Decimal("0.000001")
HYPOTHESES = ("sle", "fm", "both", "neither")


@dataclass(frozen=True)
class Weight:
    """One row of `weights`, and the SQL test that it applies to a person's words."""

    number: int
    finding: str
    state: str
    block: str
    row: Row
    applies: str
    below: str | None = None  # the next rung of a ladder, known not to be reached


def _strength(row: Row) -> float:
    bits = [float(row[f"{h}_bits"]) for h in HYPOTHESES[:3]] + [0.0]
    return max(bits) - min(bits)


def added(row: Row) -> dict[str, Decimal]:
    """The bits that a row of `weights` adds for every hypothesis: those it has alone, less what its block shares."""
    share = Decimal(row["share"])
    return {h: (Decimal(row[f"{h}_bits"]) * share).quantize(MICRO) for h in HYPOTHESES[:3]}


@lru_cache(maxsize=4)
def readings(knowledge: Knowledge) -> dict[str, list[list[Weight]]]:
    """For every block its readings: weights of which the first that applies counts, in the order asked for.

    A reading is one finding, present or absent, or a whole block that is one observation.
    """
    enc: Encoding = encode(knowledge)
    block_of = {r["finding"]: r["block"] for r in knowledge["blocks"]}
    rule = {r["block"]: r["rule"] for r in knowledge["dependence"]}
    explains = {r["finding"]: r["fm_explains"] for r in knowledge["findings"]}
    rungs = {(r["block"], int(r["rung"])): r["finding"] for r in knowledge["blocks"] if r["rung"]}
    next_rung = {f: rungs.get((block, rung + 1)) for (block, rung), f in rungs.items()}
    weighed = {r["finding"] for r in knowledge["weights"]}
    by_reading: dict[str, dict[str, list[Weight]]] = defaultdict(lambda: defaultdict(list))
    for number, row in enumerate(knowledge["weights"], start=1):
        finding, state = row["finding"], row["state"]
        block, once = block_of[finding], rule[block_of[finding]] == "one"
        prefix = "p" if state == "present" else "a"
        applies = enc.test(finding, prefix)
        if state == "present" and f"seen:{finding}" in enc.place and explains[finding] != "yes":
            # a sign told by the patient alone has not the weight of the sign seen; a symptom of FM has
            applies = f"{applies} and {enc.test('seen:' + finding)}"
        above = next_rung.get(finding)
        if state == "present" and above:  # a rung weighs as an interval: reached, and the next one known not to be
            applies = f"{applies} and {enc.test(above, 'a')}"
        sources = [other for other in weighed - {finding} if block_of[other] == block and finding in enc.implied[other]]
        if sources and not once:
            applies = f"{applies} and not ({enc.any_of(sources, prefix)})"
        by_reading[block][block if once else finding].append(Weight(number, finding, state, block, row, applies, above))
    return {
        block: [_ordered(enc, weights) for _, weights in sorted(own.items())]
        for block, own in sorted(by_reading.items())
    }


def _ordered(enc: Encoding, weights: list[Weight]) -> list[Weight]:
    """Present before absent, the stronger first; but what implies before what it implies (for absence: after it)."""
    ordered: list[Weight] = []
    for weight in sorted(weights, key=lambda w: (w.state != "present", -_strength(w.row), w.finding)):
        reach = enc.implied if weight.state == "present" else enc.denied
        at = next(
            (i for i, other in enumerate(ordered)
             if other.state == weight.state and other.finding in reach[weight.finding]),
            len(ordered),
        )  # fmt: skip
        ordered.insert(at, weight)
    return ordered


def rate_groups(knowledge: Knowledge) -> list[tuple[str, ...]]:
    """All sets of hypotheses that share a rate in some weight."""
    return sorted({g for w in knowledge["weights"] for g in _groups(w)})


def weight_rows(knowledge: Knowledge) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """The weights as a relation: number, bits that every hypothesis gets, what each shared rate adds to the variance, and
    how often every hypothesis has the finding in this state (the rates of the bits alone, before its block shares).
    """
    groups = rate_groups(knowledge)
    columns = {"number": "INTEGER", "finding": "VARCHAR", "state": "VARCHAR"} | {
        f"bits_{h}": "DECIMAL" for h in HYPOTHESES[:3]
    }
    columns |= {"v_" + "_".join(g): "DECIMAL" for g in groups}
    columns |= {f"rate_{h}": "DOUBLE" for h in HYPOTHESES}
    return columns, [
        (
            number,
            row["finding"],
            row["state"],
            *added(row).values(),
            *(Decimal(repr(_groups(row).get(g, 0.0))).quantize(MICRO) for g in groups),
            *(float(row["neither_rate"]) * 2.0 ** float(row.get(f"{h}_bits", 0)) for h in HYPOTHESES),
        )
        for number, row in enumerate(knowledge["weights"], start=1)
    ]


def mimic_weights(knowledge: Knowledge) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """What a weight that counts (its number) says of a mimic against `neither`: bits as added, and their variance in bits."""
    numbers = {(r["finding"], r["state"]): i for i, r in enumerate(knowledge["weights"], start=1)}
    return {"mimic": "VARCHAR", "number": "INTEGER", "bits": "DECIMAL", "variance": "DOUBLE"}, [
        (
            row["mimic"],
            numbers[row["finding"], row["state"]],
            (Decimal(row["bits"]) * Decimal(row["share"])).quantize(MICRO),
            (float(row["sd"]) * float(row["share"])) ** 2,
        )
        for row in knowledge["mimic_weights"]
    ]


def mimic_shares(knowledge: Knowledge) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """What `neither` is made of: the share of every mimic with counts, the rest as `other`, and the variance of its log2.

    A share counted once varies as a rate counted once does (`knowledge.synthesis.pool`); one that is a judgement is worth
    one observed case. `other` is whoever the rates of `neither` were counted in, so it has no error against them.
    """
    spread = knowledge.limit("between_study_sd")
    rows: list[tuple[Any, ...]] = []
    for row in knowledge["mimics"]:
        if row["share"]:
            n, of = (float(row[c]) if row[c] else 1.0 for c in ("n", "N"))
            counted = 1.0 / n - (1.0 / of if row["N"] else 0.0)
            rows.append((row["mimic"], float(row["share"]), (counted + 2.0 * spread**2) / math.log(2.0) ** 2))
    rows.append(("other", 1.0 - sum(share for _, share, _ in rows), 0.0))
    return {"mimic": "VARCHAR", "share": "DOUBLE", "variance": "DOUBLE"}, rows


def relations(knowledge: Knowledge) -> dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]]:
    """The relations of weights, for `Engine.load`."""
    return {
        "weight_rows": weight_rows(knowledge),
        "mimic_weights": mimic_weights(knowledge),
        "mimic_shares": mimic_shares(knowledge),
    }


def _groups(row: Row) -> dict[tuple[str, ...], float]:
    """Hypotheses whose rate for one finding is one and the same unknown, and its variance in bits squared, as added.

    A hypothesis that takes its rate from another one (`*_shares`) is uncertain together with it.
    """
    leader = {h: row.get(f"{h}_shares") or h for h in HYPOTHESES}
    out: dict[tuple[str, ...], float] = {}
    for head in HYPOTHESES:
        members = tuple(h for h in HYPOTHESES if leader[h] == head)
        if members:
            out[members] = (float(row[f"{head}_sd"]) * float(row["share"])) ** 2
    return out


def context(knowledge: Knowledge) -> dict[str, Any]:
    """Everything the SQL files of this room ask for beyond the common macros."""
    enc = encode(knowledge)

    groups = ["_".join(g) for g in rate_groups(knowledge)]
    flags: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in knowledge["red_flag_clauses"]:
        flags[row["flag"]][row["alternative"]].append(row["finding"])
    ever = sorted(
        {" and ".join(enc.test(f) for f in findings) for ways in flags.values() for findings in ways.values()}
    )
    return {
        "hypotheses": HYPOTHESES,
        "rate_groups": groups,
        "variance_columns": [f"v_{g}" for g in groups],
        "used": [
            # SQL of one reading: the number of the weight that counts, NULL if none
            "case " + " ".join(f"when {w.applies} then {w.number}" for w in reading) + " end"
            for own in readings(knowledge).values()
            for reading in own
        ],
        "red_flag_ever": " or ".join(f"({w})" for w in ever) or "false",
        "coded": enc.any_of(["sle_dx", "fm_dx"]),
        "asked": " or ".join(
            enc.any_of([f], prefix)
            for f in sorted({r["finding"] for r in knowledge["default_settings"]})
            for prefix in "pa"
        ),
        "sle_sets": [(r["set"], r["threshold"]) for r in knowledge["criteria_sets"] if r["condition"] == "sle"],
    }
