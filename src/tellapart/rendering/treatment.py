"""Treatment for review, as terminal and page say it: what does not fit, what it rests on, what would make it wrong."""

from __future__ import annotations

from dataclasses import dataclass

from tellapart.rendering import words
from tellapart.rendering.words import Document

TITLE = "Treatment, for review with the prescriber"
NOTE = "Guideline statements and checks, no advice to start, stop or change a drug."
RECIPROCAL = "Looked for the other of the two?"


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


def _evidence(entry: dict[str, str]) -> str:
    """One record, or what is said of the whole record and so has neither date nor reference."""
    return words.evidence_words(entry) if entry["reference"] else entry["text"]
