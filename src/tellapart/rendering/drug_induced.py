"""Lupus induced by a drug, as terminal and page say it: each culprit drug with what speaks for and against it."""

from __future__ import annotations

from tellapart.rendering import words
from tellapart.rendering.words import Document

TITLE = "Drug-induced lupus"
NOTE = "Drugs known to induce lupus that were taken. Whether to change one is for its prescriber to decide with the patient."
_VERDICTS = {
    "suspected": "suspected",
    "possible": "possible",
    "not_supported": "not supported",
    None: words.CANNOT_TELL,
}
_RESOLUTIONS = {
    "not_stopped": "not known to be stopped, so whether the signs go away without it is open",
    "persists": "the signs went on long after it was stopped",
    "resolved": "the signs were gone after it was stopped",
    "unknown": "stopped; whether the signs went away is not on record",
}


def lines(doc: Document) -> list[tuple[str, str, list[str]]]:
    """Each culprit drug: its name and time, the verdict, and what it rests on."""
    return [_line(entry) for entry in doc.get("drug_induced") or ()]


def _line(entry: Document) -> tuple[str, str, list[str]]:
    start, last = words.clean(entry["start_date"]), words.clean(entry["last_date"])
    when = f"from {start} to {last}" if start and last > start else f"from {start}" if start else "no date"
    notes = [
        f"{title}: {words.listed(_said(one) for one in entry[key])}"
        for key, title in (("for", "For"), ("against", "Against"), ("before", "Began before the drug"))
        if entry[key]
    ]
    notes.append(f"After the drug: {_RESOLUTIONS[entry['resolution']]}")
    if entry["unknown"]:
        notes.append(f"Not on record: {', '.join(dict.fromkeys(words.inside(u['label']) for u in entry['unknown']))}")
    return (
        f"{words.sentence_start(words.clean(entry['label']))} ({words.clean(entry['tier_label'])}), {when}",
        _VERDICTS[entry["verdict"]],
        notes,
    )


def _said(one: Document) -> str:
    """`anti-histone positive (2024-03-12)`; what counts by being absent says so."""
    date = f" ({words.clean(one['date'])})" if one["date"] else ""
    return f"{words.inside(one['label'])}{': absent' if one['state'] == 'absent' else ''}{date}"
