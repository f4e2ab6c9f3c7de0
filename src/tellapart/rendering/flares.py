"""Flares of lupus on record, as terminal and page say them: the pattern of each, its signs, and what is no flare."""

from __future__ import annotations

from tellapart.rendering import words
from tellapart.rendering.words import Document

TITLE = "Flares on record"
NOTE = (
    "From visits, laboratory results and forms, by the flare rules of SLEDAI-2K and SELENA-SLEDAI. A medicine that was begun or "
    "raised is never a flare by itself. Type 1 is inflammation; Type 2 is fatigue, widespread pain, sleep and cognition."
)
_MOST = 6
_GROUPS = {"minimal": "minimal", "type1": "Type 1", "type2": "Type 2", "mixed": "mixed", None: "indeterminate"}
_VERSIONS = {"a_2021": "2021", "b_2022": "2022", "c_2023": "2023"}
_COURSES = {
    "persistent": "persistent: it stays when no clinical activity is found",
    "intermittent": "intermittent: it rises and falls with clinical activity",
    "low": "low at every visit",
    None: words.CANNOT_TELL,
}


def lines(doc: Document) -> list[tuple[str, str, list[str]]]:
    """Each flare and each change that is none, latest first; the Duke groups; the course of Type 2: name, verdict, notes."""
    entries = [*(doc.get("flares") or ()), *(doc.get("not_flares") or ())]
    out = [_line(e) for e in sorted(entries, key=lambda e: str(e["start"]), reverse=True)[:_MOST]]
    if groups := doc.get("duke_groups"):
        said = [f"{_VERSIONS.get(g['version'], g['version'])}: {_GROUPS[g['group']]}" for g in groups]
        known = [n for n in (_axes(g) for g in groups if g["group"] is None) if n]
        out.append((f"Duke groups on {words.clean(groups[0]['date'])}, by published version", "; ".join(said), known))
    if course := doc.get("type2_course"):
        out.append(("Type 2 over time", _COURSES[course["course"]], [_visits(course)]))
    return out


def _line(entry: Document) -> tuple[str, str, list[str]]:
    start, end = words.clean(entry["start"]), words.clean(entry["end"] or "")
    open_end = ", no end on record" if entry["type"] != "undetermined" else ""
    when = f"{start} to {end}" if end else f"{start}{open_end}"
    urgent = ", urgent" if entry["urgent"] and not end else ""
    grade = "" if entry["type"] == "undetermined" else f", {entry['severity']}"
    signs = dict.fromkeys(f"{words.inside(words.clean(s['label']))} ({words.clean(s['date'])})" for s in entry["signs"])
    notes = [words.clean(entry["text"]), f"Signs: {', '.join(signs)}"]
    if entry["missing"]:
        notes.append(
            f"Not on record within the window of the day: {', '.join(words.inside(words.clean(m)) for m in entry['missing'])}"
        )
    if entry["certainty"] < 1 and entry["type"] != "undetermined":
        notes.append(
            f"{entry['certainty']:.0%} of its signs were looked for before and not there; the others were never looked for"
        )
    return when, f"{words.clean(entry['label'])}{grade}{urgent}", notes


def _axes(group: Document) -> str:
    said = {True: "high", False: "not high", None: "not known"}
    version = _VERSIONS.get(group["version"], group["version"])
    return f"{version}: Type 1 {said[group['type1']]}, Type 2 {said[group['type2']]}"


def _visits(course: Document) -> str:
    text = f"{words.counted(course['visits'], 'visit')} with distress and a clinical SLEDAI-2K total, {course['quiet_visits']} of them quiet"
    if course["quiet_median"] is not None and course["quiet_visits"]:
        text += f"; median distress when quiet {course['quiet_median']:g}"
    return text + (f"; rank correlation {course['rho']:g}" if course["rho"] is not None else "")
