"""Turns the rows that steer the findings room into the expressions its SQL files ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from tellapart.knowledge.encode import FLAGS, Encoding, encode
from tellapart.knowledge.load import Knowledge

DAY_SPAN = 1 << 20  # days since NO_DATE, source rows and parts of a row that one packed number can tell apart
ROW_SPAN = 1 << 32
PART_SPAN = 1 << 9
# marks that may say one thing twice: several codings of one statement, or a result looked up end by end
SHARED = "m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null"
SAYERS = ("measured", "clinician", "text", "patient")  # the best witness first
MARKS = {name: 1 << i for i, name in enumerate((*SAYERS, "vouched", "uncontested", "undated"))}
NO_DATE = "date '0001-01-01'"  # all undated entries together are one occasion


class Layer(NamedTuple):
    """Derived findings of one depth: SQL by word that yields their bits."""

    present: dict[int, str]
    absent: dict[int, str]


def _add(cases: Iterable[tuple[str, dict[int, int]]]) -> dict[int, str]:
    """SQL by word: the OR of `case when condition then bits`."""
    by_word: dict[int, list[str]] = defaultdict(list)
    for condition, bits in cases:
        for word, value in bits.items():
            by_word[word].append(f"case when {condition} then {value} else 0 end")
    return {word: "(" + " | ".join(parts) + ")" for word, parts in by_word.items()}


def _at_least(enc: Encoding, count: int, members: list[str], prefix: str) -> str:
    """SQL: are at least `count` of the members' bits set?"""
    if count <= 1:
        return enc.any_of(members, prefix)
    if count == len(members):
        return " and ".join(enc.test(m, prefix) for m in members)
    return " + ".join(f"(case when {enc.test(m, prefix)} then 1 else 0 end)" for m in members) + f" >= {count}"


def derived_layers(knowledge: Knowledge) -> list[Layer]:
    """Rows of finding_derived in layers, so that a finding is derived after its members."""
    enc = encode(knowledge)
    rows = [(r["finding"], int(r["at_least"]), r["members"].split(";"), r["absent_rule"] == "yes")
            for r in knowledge["finding_derived"]]  # fmt: skip
    depth: dict[str, int] = {}

    def deep(finding: str) -> int:
        if finding not in depth:
            depth[finding] = 0
            depth[finding] = max([1 + deep(m) for f, _, members, _ in rows if f == finding for m in members], default=0)
        return depth[finding]

    def gains(finding: str, members: list[str]) -> frozenset[str]:
        """The finding and what it implies, but for what every member implies by itself: that was said or contested there."""
        return enc.implied[finding] - frozenset.intersection(*(enc.implied[m] for m in members)) | {finding}

    layers = []
    for level in sorted({deep(f) for f, *_ in rows}):
        here = [row for row in rows if deep(row[0]) == level]
        layers.append(
            Layer(
                _add(
                    (_at_least(enc, k, members, "p"), enc.pack(gains(f, members)).by_word) for f, k, members, _ in here
                ),
                _add(
                    (_at_least(enc, len(members) - k + 1, members, "a"), enc.pack(enc.denied[f]).by_word)
                    for f, k, members, rule in here
                    if rule
                ),
            )
        )
    return layers


def flag_number(low: str, high: str) -> str:
    """SQL: the number of the flag of a result [low, high]: the laboratory's own, else what its limits say.

    Only one limit known and the value on its good side is a flag of its own: it says nothing of the other side.
    """
    given = " ".join(f"when '{f}' then {FLAGS.index(f)}" for f in ("L", "N", "H", "POS", "NEG"))
    number = {f: str(FLAGS.index(f)) for f in FLAGS}
    e = low.split(".", maxsplit=1)[0]
    return (
        f"case when {e}.interpretation is not null then case {e}.interpretation {given} else 0 end"
        f" when {high} < {e}.low then {number['L']} when {low} > {e}.high then {number['H']}"
        f" when {low} >= {e}.low and {high} <= {e}.high then {number['N']}"
        f" when {low} >= {e}.low and {e}.high is null then {number['NL']}"
        f" when {high} <= {e}.high and {e}.low is null then {number['NH']} else 0 end"
    )


def context(knowledge: Knowledge) -> dict[str, Any]:
    """Everything the SQL files of this room ask for beyond the common macros."""
    enc = encode(knowledge)
    twice = [f.removeprefix("twice:") for f in enc.place if f.startswith("twice:")]
    day = f"coalesce(date, {NO_DATE})"

    def occasion_bounds(_: str) -> str:
        return "".join(
            f", min(case when {enc.test(f)} then {day} end) as first_{i}"
            f", max(case when {enc.test(f)} then {day} end) as last_{i}"
            for i, f in enumerate(twice)
        )

    def occasion_bounds_over(window: str) -> str:
        return "".join(
            f", min(first_{i}) over {window} as first_{i}, max(last_{i}) over {window} as last_{i}"
            for i in range(len(twice))
        )

    occasions = _add((f"first_{i} < last_{i}", enc.pack([f"twice:{f}"]).by_word) for i, f in enumerate(twice))
    opening = enc.pack({r["entry"] for r in knowledge["criteria_sets"] if r["entry"]}).by_word
    entries = {word: f"(p{word} & {bits})" for word, bits in opening.items()}
    findings = knowledge["findings"]
    rescuers: dict[str, list[str]] = defaultdict(list)
    for row in knowledge["rescued_by"]:
        rescuers[row["finding"]].append(row["rescuer"])

    def cases() -> Iterable[tuple[str, dict[int, int]]]:
        for row in findings:
            f = row["finding"]
            if row["kind"] != "state" or "yes" not in (row["fm_explains"], row["fm_if_patient_only"]):
                continue
            conditions = []
            if row["fm_explains"] != "yes":
                conditions.append(f"not ({enc.test('seen:' + f)})")
            if f in rescuers:
                conditions.append(f"not ({enc.any_of(rescuers[f])})")
            own = [f] + [f"twice:{f}"] * (f in twice)
            yield " and ".join(conditions) or "true", enc.pack(own).by_word

    def partly() -> Iterable[tuple[str, dict[int, int]]]:
        """What fibromyalgia explains in part, unless a finding it does not explain implies it (ANA 1:640)."""
        explains = {r["finding"]: r["fm_explains"] for r in findings}
        for f, how in explains.items():
            if f not in enc.place or how != "partly":
                continue
            stronger = [g for g in enc.implied if g != f and f in enc.implied[g] and explains[g] == "no"]
            yield f"not ({enc.any_of(stronger)})" if stronger else "true", enc.pack([f]).by_word

    blocks: dict[str, list[str]] = defaultdict(list)
    for row in knowledge["blocks"]:
        if row["block"] != "none" and row["finding"] in enc.place:
            blocks[row["block"]].append(row["finding"])

    def state_bit(prefix: str) -> str:
        """SQL: is the bit of the joined row of finding_bits `f` set in the words of `m`?"""
        words = " ".join(f"when {w} then m.{prefix}{w}" for w in range(1, enc.words + 1))
        return f"(case f.word {words} end & f.bit) <> 0"

    return {
        "flags": str(len(FLAGS)),
        "day_span": str(DAY_SPAN),
        "no_date": NO_DATE,
        "shared": SHARED,
        "anything": lambda prefix: " or ".join(f"{prefix}{w} <> 0" for w in range(1, enc.words + 1)),
        "row_span": str(ROW_SPAN),
        "part_span": str(PART_SPAN),
        "states": (("p", ""), ("a", "not ")),
        "sayers": SAYERS,
        "mark": MARKS,
        "flag_number": flag_number,
        "silenced": _add((enc.any_of(members, "k"), enc.pack(members).by_word) for members in blocks.values()),
        "state_bit": state_bit,
        "derived_layers": derived_layers(knowledge),
        "any_occasion": enc.any_of(twice),
        "most_occasions": str(max(int(r["occasions"] or 1) for r in knowledge["criteria_clauses"])),
        "occasion_bounds": occasion_bounds,
        "scored_sets": [r["set"] for r in knowledge["criteria_sets"]],
        "some_derived": lambda prefix: enc.any_of([r["finding"] for r in knowledge["finding_derived"]], prefix),
        "any_derived": enc.any_of([r["finding"] for r in knowledge["finding_derived"] if r["at_least"] != "1"]),
        "occasion_bounds_over": occasion_bounds_over,
        "occasion_bits": occasions,
        "kept_bits": {w: " | ".join(by[w] for by in (occasions, entries) if w in by) for w in {*occasions, *entries}},
        "fm_explained": _add(cases()),
        "fm_partly": _add(partly()),
    }
