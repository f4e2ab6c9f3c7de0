"""How active lupus is, as terminal and page say it: each index with what counted, what did not, and what is unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tellapart.rendering import words
from tellapart.rendering.words import Document, Labels

TITLE = "Activity of lupus"
NOTE = (
    "For persons with lupus only; it never tells lupus from fibromyalgia. What is not on record in the window is unknown "
    "and makes the total an interval."
)
_MOST_DAYS = 12


@dataclass(frozen=True)
class Line:
    """One index on the latest day.

    Attributes:
        verdict: the total and its band, or whether the target state is met.
        notes: what counted or fails, and what was left to a likelier cause.
        unknown: names of the items that are not on record.
        items: how many the index has.
        rows: (item, state, points, note, evidence) of what is known of each item.
    """

    name: str
    verdict: str
    notes: list[str]
    unknown: list[str]
    items: int
    rows: list[tuple[str, str, str, str, str]]


def caption(doc: Document) -> str:
    """The day and the window of the latest totals; empty if the document has none."""
    entries = doc.get("activity") or ()
    if not entries:
        return ""
    first = entries[0]
    return f"On {words.clean(first['date'])} and in the {words.counted(first['window_days'], 'day')} before it. {NOTE}"


def lines(doc: Document, labels: Labels) -> list[Line]:
    """Every index of the document on its latest day."""
    out: list[Line] = []
    told: set[str] = set()
    for entry in doc.get("activity") or ():
        items = {i["item"] for i in entry.get("items") or ()}
        line = _line(entry, labels)
        out.append(replace(line, rows=[]) if items <= told else line)  # items of a part stand with the whole
        told |= items
    return out


def course(doc: Document) -> tuple[list[str], list[list[str]]]:
    """Totals over time, latest first: the names of the indices, and rows of a day and its totals."""
    names = {entry["index"]: words.clean(entry["label"]) for entry in doc.get("activity") or ()}
    days: dict[str, dict[str, str]] = {}
    for entry in doc.get("activity_course") or ():
        days.setdefault(entry["date"], {})[entry["index"]] = _short(entry)
    rows = [[day, *(found.get(index, "") for index in names)] for day, found in sorted(days.items(), reverse=True)]
    return list(names.values()), rows[:_MOST_DAYS] if len(rows) > 1 else []


def _line(entry: Document, labels: Labels) -> Line:
    items = entry.get("items") or ()
    target = entry.get("kind") == "target"
    of_state = {s: [i for i in items if i["state"] == s] for s in ("present", "absent", "unknown")}
    notes = []
    if target:
        failed = [words.clean(i["label"]) for i in of_state["absent"]]
        if failed:
            notes.append(f"Not met: {'; '.join(failed)}")
    else:
        counted = [f"{words.inside(words.clean(i['label']))} {words.number(i['points'])}" for i in of_state["present"]]
        if counted:
            notes.append(f"Counted: {', '.join(counted)}")
    notes += [
        f"{words.clean(i['label'])}, likelier cause on record: {words.inside(words.cause_words(i['contested_by'], labels))}"
        for i in items
        if i.get("contested_by")
    ]
    unknown = [] if entry.get("stated") else [words.inside(words.clean(i["label"])) for i in of_state["unknown"]]
    return Line(
        words.clean(entry["label"]), _verdict(entry), notes, unknown, len(items),
        [_row(i, labels, target) for i in items if i["state"] != "unknown" or i.get("contested_by")],
    )  # fmt: skip


def _verdict(entry: Document) -> str:
    if entry.get("kind") == "target":
        return entry.get("category_text") or words.CANNOT_TELL
    if entry.get("stated"):
        return f"{words.number(entry['total'])} as scored by a clinician ({entry['category_text']})"
    if entry["low"] == entry["high"]:
        return f"{words.number(entry['total'])} ({entry['category_text']})"
    band = entry.get("category_text") or f"at least {entry['at_least_text']}" if entry["low"] else words.CANNOT_TELL
    return f"{words.number(entry['low'])} to {words.number(entry['high'])} ({band})"


def _short(entry: Document) -> str:
    if entry["category"] in ("met", "not_met"):
        return words.spelled(entry["category"]).lower()
    if entry["low"] == entry["high"]:
        return words.number(entry["low"])
    return (
        words.CANNOT_TELL
        if entry["at_least"] == "not_met"
        else f"{words.number(entry['low'])} to {words.number(entry['high'])}"
    )


def _row(item: Document, labels: Labels, target: bool) -> tuple[str, str, str, str, str]:
    cause = words.inside(words.cause_words(item.get("contested_by"), labels))
    state = {"present": "holds", "absent": "does not hold"}.get(item["state"]) if target else None
    evidence = words.evidence_lines(item.get("evidence") or ())
    return (
        words.clean(item["label"]),
        "not counted" if cause else state or words.state_words(item["state"]),
        "" if target else words.number(item["points"]),
        f"likelier cause on record: {cause}" if cause else "",
        "; ".join(words.evidence_words(e) for e in evidence[-2:]),
    )
