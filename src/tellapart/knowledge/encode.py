"""Finding states as bits: the knowledge base turned into the relations that the engines join.

A person's finding states are two rows of machine words, `p1..pN` (present) and `a1..aN` (absent); a bit that is in
neither is unknown. A source row maps to words by a lookup, and a person's words are the OR of its rows. Measured
on two cores, this is how states of a million persons cost about two scans of their events; a long table of person and
finding costs five times that. Why and what was given up: docs/decisions/0001-states-as-bits.md.

What one source row says is an *outcome*: a set of (finding, state). Outcomes exist in two shapes made here from the
same rows: as words (`*_marks`, for everybody) and as rows (`outcomes`, for persons of interest).

The last word holds twins: `seen:<finding>` (someone other than the patient reports it) and `twice:<finding>` (present
on two dates), for the rules that ask for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from tellapart.knowledge.load import Knowledge

BITS = 62  # of a signed 64-bit word, the top two stay free, so that every engine agrees on the sign
EVERYWHERE = 1e300
GRID = 1e-6  # canonical values are rounded to six decimals, so half a step separates "equal" from "above"

NO_NUMBER = 1.5e300  # where a result without a number is looked up: beyond every band
FLAGS = ("", "L", "NL", "N", "NH", "H", "POS", "NEG")  # numbered in this order; 0: no flag
SHAPES = ("quantity", "no_limit", "titre", "ordinal", "word")  # no_limit: a quantity without an upper limit to it


@dataclass(frozen=True)
class Words:
    """A set of findings as words, keyed by word number (1-based)."""

    by_word: dict[int, int]

    def __getitem__(self, word: int) -> int:
        return self.by_word.get(word, 0)


@dataclass(frozen=True, eq=False)  # hashed by identity, so that what is made of it can be cached
class Encoding:
    """The shipped findings as bits, and the relations made of it.

    Attributes:
        place: finding (or `seen:x`, `twice:x`) to (word, bit value).
        words: number of words, the last one for the twins.
        implied: finding to all findings that its presence implies, itself included.
        denied: finding to all findings that its absence denies, itself included.
        relations: table name to (columns, rows) for the engine.
    """

    place: dict[str, tuple[int, int]]
    words: int
    implied: dict[str, frozenset[str]]
    denied: dict[str, frozenset[str]]
    relations: dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]]

    def pack(self, findings: Iterable[str]) -> Words:
        """The words in which exactly these findings are set."""
        by_word: dict[int, int] = defaultdict(int)
        for finding in findings:
            word, bit = self.place[finding]
            by_word[word] |= bit
        return Words(dict(by_word))

    def test(self, finding: str, prefix: str = "p") -> str:
        """SQL: is the bit of this finding set? The prefix names the columns (`p` present, `a` absent)."""
        word, bit = self.place[finding]
        return f"({prefix}{word} & {bit}) <> 0"

    def any_of(self, findings: Iterable[str], prefix: str = "p") -> str:
        """SQL: is any of these bits set?"""
        packed = self.pack(findings)
        return (
            " or ".join(f"({prefix}{word} & {bits}) <> 0" for word, bits in sorted(packed.by_word.items())) or "false"
        )


def _closure(edges: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    def reach(start: str) -> frozenset[str]:
        seen, todo = {start}, [start]
        while todo:
            for other in edges.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return frozenset(seen)

    return {node: reach(node) for node in edges}


def _holds(test: str, threshold: float, low: float, high: float) -> bool | None:
    """Is `value test threshold` true for all values in [low, high], for none (False), or for some (None)?"""
    if test == "lt":
        return True if high < threshold else False if low >= threshold else None
    if test == "le":
        return True if high <= threshold else False if low > threshold else None
    if test == "gt":
        return True if low > threshold else False if high <= threshold else None
    return True if low >= threshold else False if high < threshold else None


FLAG_MEANS = {
    # what a flag says about each kind of test; a flag not listed says nothing
    # (NL and NH: only the lower or only the upper limit is known, and the value is on the good side of it)
    "below_range": {"L": True, "N": False, "NL": False, "H": False},
    "above_range": {"H": True, "POS": True, "N": False, "NH": False, "L": False, "NEG": False},
    "positive": {"POS": True, "H": True, "NEG": False, "N": False, "NH": False, "L": False},
}
COMPARED = {"lt": "value", "le": "value", "gt": "value", "ge": "value", "ratio_gt": "ratio", "ratio_ge": "ratio"}


def named_methods(knowledge: Knowledge) -> list[str]:
    """The assay methods that some value rule tells apart (an event's method is one of them, `other` or `unknown`)."""
    return sorted({m.lstrip("!") for r in knowledge["value_rules"] for m in r["method"].split(";") if m})


def _applies(condition: str, actual: str) -> bool:
    """Does a `method` or `shape` condition (`` any, `a;b` one of, `!a;!b` none of) hold?"""
    names = [c for c in condition.split(";") if c]
    if not names:
        return True
    if any(n.startswith("!") for n in names):
        return actual not in {n[1:] for n in names}
    return actual in names


@lru_cache(maxsize=4)
def encode(knowledge: Knowledge) -> Encoding:
    """Give every finding its bit, and make the relations `codes`, `results`, `bands`, `outcomes`, `finding_bits`, ….

    Source of the rules: finding_codes, value_rules, finding_implies, findings (all with citations of their own).
    """
    states = [r["finding"] for r in knowledge["findings"] if r["kind"] == "state"]
    twice = sorted({r["finding"] for r in knowledge["criteria_clauses"] if int(r["occasions"] or 1) > 1})
    seen = [r["finding"] for r in knowledge["findings"] if r["kind"] == "state" and r["fm_if_patient_only"] == "yes"]
    real_words = -(-len(states) // BITS)
    place = {f: (i // BITS + 1, 1 << (i % BITS)) for i, f in enumerate(states)}
    twins = [f"seen:{f}" for f in seen] + [f"twice:{f}" for f in twice]
    place |= {f: (real_words + 1 + i // BITS, 1 << (i % BITS)) for i, f in enumerate(twins)}
    words = real_words + -(-len(twins) // BITS)

    forward: dict[str, set[str]] = {f: set() for f in states}
    backward: dict[str, set[str]] = {f: set() for f in states}
    for row in knowledge["finding_implies"]:
        forward[row["finding"]].add(row["implies"])
        if row["direction"] == "both":
            backward[row["implies"]].add(row["finding"])
    implied, denied = _closure(forward), _closure(backward)

    finding_no = {f: i for i, f in enumerate(place, start=1)}

    encoding = Encoding(place, words, implied, denied, {})
    outcome_rows: list[tuple[Any, ...]] = []
    outcome_ids: dict[tuple[frozenset[str], frozenset[str]], int] = {}

    def outcome(present: Iterable[str], absent: Iterable[str]) -> tuple[int | None, list[int]]:
        """The id of an outcome and its words (p1..pN, a1..aN); stated findings keep `implied` = false."""
        stated_present, stated_absent = frozenset(present), frozenset(absent)
        all_present = frozenset(x for f in stated_present for x in implied[f])
        all_absent = frozenset(x for f in stated_absent for x in denied[f]) - all_present
        if not all_present and not all_absent:
            return None, [0] * (2 * words)
        key = (stated_present, stated_absent)
        if key not in outcome_ids:
            number = outcome_ids[key] = len(outcome_ids) + 1
            outcome_rows.extend(
                [(number, f, finding_no[f], "present", f not in stated_present) for f in sorted(all_present)]
                + [(number, f, finding_no[f], "absent", f not in stated_absent) for f in sorted(all_absent)]
            )
        p = encoding.pack([*all_present, *(f"seen:{f}" for f in all_present if f"seen:{f}" in place)])
        a = encoding.pack(all_absent)
        return outcome_ids[key], [*(p[w + 1] for w in range(words)), *(a[w + 1] for w in range(words))]

    word_columns = {f"{k}{w + 1}": "BIGINT" for k in "pa" for w in range(words)}
    rules: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in knowledge["value_rules"]:
        rules[row["source"]].append(row)
    value_findings = {r["finding"] for r in knowledge["findings"] if r["kind"] == "value"}
    sources = sorted(set(rules) | value_findings)
    source_id = {s: i + 1 for i, s in enumerate(sources)}

    # scales: what a number or flag of one source says, once per assay method and shape where the rules tell them apart
    scales: dict[tuple[str, str], int] = {}
    result_rows: list[tuple[Any, ...]] = []
    band_rows: list[tuple[Any, ...]] = []
    keyed = {s: any(r["method"] or r["shape"] for r in rules[s]) for s in sources}
    by_flag = {s: any(r["test"] in FLAG_MEANS for r in rules[s]) for s in sources}
    by_ratio = {s: any(r["test"].startswith("ratio_") for r in rules[s]) for s in sources}
    for source in sources:
        own = rules[source]
        methods = list(dict.fromkeys([*named_methods(knowledge), "other", "unknown"])) if keyed[source] else [""]
        for method in methods:
            for shape in SHAPES if keyed[source] else ("",):
                variant = f"{method}/{shape}" if keyed[source] else ""
                scale = scales[(source, variant)] = len(scales) + 1
                fitting = [r for r in own if _applies(r["method"], method) and _applies(r["shape"], shape)]
                result_rows += _results(scale, fitting, by_flag[source], outcome)
                for measure in ("value", "ratio"):
                    band_rows += _bands(
                        scale, measure, [r for r in fitting if COMPARED.get(r["test"]) == measure], outcome
                    )

    # codes: what a code alone states, or the scale on which its result is read
    code_rows: list[tuple[Any, ...]] = []
    mark_rows: list[tuple[Any, ...]] = []
    grouped: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in knowledge["finding_codes"]:
        grouped[(row["system"], code_key(row["system"], row["code"]))].append(row)
    for number, ((system, key), rows) in enumerate(sorted(grouped.items()), start=1):
        stated = [r["finding"] for r in rows if r["rule"] == "state"]
        read = [r["finding"] for r in rows if r["rule"] == "result"]
        read_from = read[0] if read else ""
        strength = "states" if any(r["strength"] == "states" for r in rows) else "suggests"
        code_rows.append(
            (number, system, key, rows[0]["code"], read_from or stated[0], "result" if read else "state",
             strength, rows[0].get("method", "") or None, rows[0]["descendants"] == "true", rows[0]["display"])
        )  # fmt: skip
        keyed_source = source_id[read_from] if keyed.get(read_from) else None
        for refuted in (0, 1):
            code_scale = scales.get((read_from, ""))
            if not read_from:  # a code that states: a scale of its own, looked up without number or flag
                own_scale = code_scale = scales[(system, f"{key}/{refuted}")] = len(scales) + 1
                present, absent = ([], stated) if refuted else (stated, [])
                ident, packed = outcome(present, absent)
                if strength == "suggests":  # a suggesting code alone is no better witness than the patient
                    packed = [0 if real_words <= w < words else bits for w, bits in enumerate(packed)]
                if ident is not None:
                    result_rows.append((own_scale * len(FLAGS), NO_NUMBER, math.inf, ident, *packed))
            mark_rows.append(
                (2 * number + refuted, code_scale, keyed_source, by_ratio.get(read_from, False),
                 by_flag.get(read_from, False), not read_from, strength == "suggests")
            )  # fmt: skip
    drug_number = len(grouped)
    drug_rows: list[tuple[Any, ...]] = []
    for row in knowledge["drug_codes"]:
        drug_number += 1
        code_rows.append(
            (drug_number, row["system"], code_key(row["system"], row["code"]), row["code"], row["drug"], "drug",
             "states", None, row["descendants"] == "true", row["display"])
        )  # fmt: skip
    for row in knowledge["drugs"]:
        drug_number += 1
        code_rows.append(
            (drug_number, "drug", row["drug"], row["drug"], row["drug"], "drug", "states", None, False, row["label"])
        )
        factor = float(row["prednisone_factor"]) if row["prednisone_factor"] else None
        drug_rows.append((row["drug"], row["class"], factor, row["dil_tier"] or None))

    form_rows: list[tuple[Any, ...]] = []
    form_rules = [(r["instrument"], r["variable"], r) for r in knowledge["instrument_findings"]]
    form_rules += [(r["instrument"], f"item:{r['item']}", r) for r in knowledge["instrument_items"] if r["finding"]]
    for instrument, variable, row in form_rules:
        yes, packed_yes = outcome([row["finding"]], [])
        no, packed_no = outcome([], [row["finding"]])
        form_rows.append(
            (instrument, variable, float(row["present_at"]), float(row["absent_at"]), yes, no,
             *packed_yes[:words], *packed_no[words:])
        )  # fmt: skip

    edge = {f"{k}_{e}{w + 1}": "BIGINT" for e in ("lo", "hi") for k in "pa" for w in range(words)}
    encoding.relations.update(
        {
            "codes": (
                {"code_id": "INTEGER", "system": "VARCHAR", "code_key": "VARCHAR", "code": "VARCHAR",
                 "source": "VARCHAR", "rule": "VARCHAR", "strength": "VARCHAR", "method": "VARCHAR",
                 "descendants": "BOOLEAN", "display": "VARCHAR"},
                code_rows,
            ),
            "code_marks": (
                {"code_key": "INTEGER", "scale": "INTEGER", "keyed_source": "INTEGER", "by_ratio": "BOOLEAN",
                 "by_flag": "BOOLEAN", "states": "BOOLEAN", "suggests": "BOOLEAN"},
                mark_rows,
            ),
            "variants": (
                {"source_id": "INTEGER", "variant": "VARCHAR", "scale": "INTEGER"},
                [(source_id[s], v, n) for (s, v), n in scales.items() if v and keyed.get(s)],
            ),
            "results": (
                {"flag_key": "INTEGER", "lo": "DOUBLE", "hi": "DOUBLE", "outcome": "INTEGER",
                 **word_columns},
                result_rows,
            ),
            "bands": (
                {"scale": "INTEGER", "measure": "VARCHAR", "lo": "DOUBLE", "hi": "DOUBLE",
                 "outcome_lo": "INTEGER", "outcome_hi": "INTEGER", **edge},
                band_rows,
            ),
            "form_findings": (
                {"instrument": "VARCHAR", "variable": "VARCHAR", "present_at": "DOUBLE", "absent_at": "DOUBLE",
                 "outcome_present": "INTEGER", "outcome_absent": "INTEGER", **word_columns},
                form_rows,
            ),
            "outcomes": (
                {"outcome": "INTEGER", "finding": "VARCHAR", "finding_no": "INTEGER", "state": "VARCHAR",
                 "implied": "BOOLEAN"},
                outcome_rows,
            ),
            "finding_bits": (
                {"finding": "VARCHAR", "finding_no": "INTEGER", "word": "INTEGER", "bit": "BIGINT"},
                [(f, finding_no[f], w, b) for f, (w, b) in place.items()],
            ),
            "drugs": (
                {"drug": "VARCHAR", "class": "VARCHAR", "prednisone_factor": "DOUBLE", "dil_tier": "VARCHAR"},
                drug_rows,
            ),
        }
    )  # fmt: skip
    return encoding


def _results(scale: int, rules: list[dict[str, str]], by_flag: bool, outcome: Any) -> list[tuple[Any, ...]]:
    """What a plain number together with a flag says: every band of the value line times every flag, and no number.

    Args:
        by_flag: whether flags tell anything here; if not, the bands stand under the first flag alone.
    """
    compared = [r for r in rules if COMPARED.get(r["test"]) == "value"]
    spans: list[tuple[float, float, float | None]] = [(NO_NUMBER, math.inf, None)]
    spans += [(low, high, inside) for low, high, inside in _spans(compared)]
    rows: list[tuple[Any, ...]] = []
    for number, flag in enumerate(FLAGS if by_flag else FLAGS[:1]):
        said: list[tuple[Any, ...]] = []
        for low, high, inside in spans:
            present, absent = [], []
            for r in rules:
                if r["test"] in FLAG_MEANS:
                    holds = FLAG_MEANS[r["test"]].get(flag)
                elif inside is not None and COMPARED[r["test"]] == "value":
                    holds = _holds(r["test"], _threshold(r, inside), inside, inside)
                else:
                    holds = None
                if holds is True and r["effect"] != "absent_only":
                    present.append(r["finding"])
                if holds is False and r["effect"] != "present_only":
                    absent.append(r["finding"])
            ident, packed = outcome(present, absent)
            said.append((scale * len(FLAGS) + number, low, high, ident, *packed))
        rows += [r for r in _merged(said, 1) if r[3] is not None]
    return rows


def _merged(rows: list[tuple[Any, ...]], edge: int) -> list[tuple[Any, ...]]:
    """Bands [low, high) in order, those that meet and say the same as one; `edge`: the place of `low` in a row."""
    out: list[tuple[Any, ...]] = []
    for row in rows:
        before = out[-1] if out else None
        alike = before and (before[:edge], before[edge + 1], before[edge + 2 :]) == (
            row[:edge],
            row[edge],
            row[edge + 2 :],
        )
        if before and alike:
            out[-1] = (*before[: edge + 1], *row[edge + 1 :])
        else:
            out.append(row)
    return out


def _spans(rules: list[dict[str, str]]) -> list[tuple[float, float, float]]:
    """The value line cut at every threshold: (low edge, high edge, a value inside); a threshold is a band of its own."""
    cuts = sorted({float(r["threshold"]) for r in rules})
    edges = [-EVERYWHERE, *(e for c in cuts for e in (c - GRID / 2, c + GRID / 2)), EVERYWHERE]
    if not cuts:
        return [(-EVERYWHERE, EVERYWHERE, 0.0)]
    return [(low, high, low + GRID / 2 if low > -EVERYWHERE else high - GRID / 2) for low, high in pairwise(edges)]


def _threshold(rule: dict[str, str], inside: float) -> float:
    """The rule's threshold, made equal to a value that stands for its own band (free of rounding)."""
    threshold = float(rule["threshold"])
    return inside if abs(inside - threshold) < GRID / 4 else threshold


def _bands(scale: int, measure: str, rules: list[dict[str, str]], outcome: Any) -> list[tuple[Any, ...]]:
    """The value line of one scale, with what each end of a reported interval decides.

    A result is an interval [lo, hi] (equal ends for a plain number). `value < t` is present when hi lies below t and
    absent when lo does not; `value > t` the other way round. So the band of `lo` decides one half, that of `hi` the
    other.
    """
    if not rules:
        return []
    rows = []
    for low, high, inside in _spans(rules):
        sides: list[Any] = []
        for end in ("lo", "hi"):
            present, absent = [], []
            for r in rules:
                span = (inside, EVERYWHERE) if end == "lo" else (-EVERYWHERE, inside)
                holds = _holds(r["test"].replace("ratio_", ""), _threshold(r, inside), *span)
                if holds is True and r["effect"] != "absent_only":
                    present.append(r["finding"])
                if holds is False and r["effect"] != "present_only":
                    absent.append(r["finding"])
            sides.append(outcome(present, absent))
        rows.append((scale, measure, low, high, sides[0][0], sides[1][0], *sides[0][1], *sides[1][1]))
    return _merged(rows, 2)


def code_key(system: str, code: str) -> str:
    """A code as it is joined: ICD codes without their dot and in capitals, others unchanged."""
    return code.replace(".", "").upper() if system.startswith("icd") else code
