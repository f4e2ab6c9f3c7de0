"""Treatment for review, as terminal and page say it: what does not fit, what it rests on, what would make it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tellapart.rendering import words
from tellapart.rendering.words import Document

TITLE = "Treatment, for review with the prescriber"
NOTE = "Guideline statements and checks, no advice to start, stop or change a drug."
RECIPROCAL = "Looked for the other of the two?"
WRONG_LABELS = "A code that the evidence on record does not bear out"
DISEASES = {"sle": "lupus", "fm": "fibromyalgia"}


@dataclass(frozen=True)
class Line:
    """One rule that speaks: severity, its sentence, what would make it wrong, what it rests on."""

    severity: str
    text: str
    wrong_if: str
    evidence: list[str]


def lines(doc: Document) -> list[Line]:
    """Every rule that fires, in the order of the document: the most severe first."""
    return [
        Line(
            words.SEVERITIES.get(t["severity"], words.spelled(t["severity"])),
            words.clean(t["text"]),
            f"Could be wrong through {words.inside(words.clean(t['wrong_if']))}." if t.get("wrong_if") else "",
            [_evidence(e) for e in words.evidence_lines(t.get("evidence") or ())],
        )
        for t in doc.get("treatment") or ()
    ]


def silent(doc: Document) -> list[str]:
    """What was not judged for want of data, by what is missing."""
    by_need: dict[str, list[str]] = {}
    for entry in doc.get("treatment_silent") or ():
        need = words.inside(words.listed(words.clean(n) for n in entry["needs"]))
        by_need.setdefault(need, []).append(words.inside(words.spelled(entry["rule"])))
    return [f"Needs {need}: {words.listed(rules)}" for need, rules in by_need.items()]


def excused(doc: Document) -> list[str]:
    """Rules that would speak but for a documented reason."""
    return [
        f"{words.spelled(entry['rule'])}: {words.listed(_evidence(e) for e in words.evidence_lines(entry['evidence']))}"
        for entry in doc.get("treatment_excused") or ()
    ]


def reciprocal(doc: Document) -> list[str]:
    """One line per question: what is on record and what is not."""
    out = []
    for entry in doc.get("reciprocal") or ():
        parts = [
            f"{name}: {words.listed(words.clean(i) for i in entry[key])}"
            for name, key in (("on record", "done"), ("not on record", "missing"))
            if entry[key]
        ]
        out.append(f"{words.clean(entry['question'])} {words.sentence_start('; '.join(parts))}.")
    return out


def wrong_labels(doc: Document) -> list[str]:
    """One line per label that the evidence does not bear out: how long it stood, and what was given meanwhile."""
    return [
        f"Coded as {DISEASES[label['label']]} from {label['from']} to {label['to']} ({words.counted(label['days'], 'day')}"
        f"{'' if label['corrected'] else ', not corrected'}). "
        + (
            f"Given meanwhile: {words.listed(_given(g) for g in label['given'])}."
            if label["given"]
            else "No drug that is given for it is on record."
        )
        for label in doc.get("wrong_labels") or ()
    ]


def _given(given: Mapping[str, Any]) -> str:
    more = []
    if given["prednisone_mg"] is not None:
        more.append(f"as {given['prednisone_mg']:,.0f} mg of prednisone")
    if given["unread_doses"]:
        more.append(f"{words.counted(given['unread_doses'], 'dose')} not read")
    if given["open_records"]:
        more.append(f"{words.counted(given['open_records'], 'record')} without an end, for longer than that")
    said = f"{given['label']} on at least {words.counted(given['days'], 'day')}"
    return said + (f" ({'; '.join(more)})" if more else "")


def _evidence(entry: dict[str, str]) -> str:
    """One record, or what is said of the whole record and so has neither date nor reference."""
    return words.evidence_words(entry) if entry["reference"] else entry["text"]
