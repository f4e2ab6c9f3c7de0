"""The visit page: what a person wants to say and ask in ten minutes, on one page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tellapart.events.readers.diary.store import Entry, Note, opened
from tellapart.knowledge.load import Knowledge
from tellapart.tasks.diary import entries_of_diary, flares_of
from tellapart.tasks.forms import totals

LANGUAGES = ("en", "es")


def advice(knowledge: Knowledge, entries: Iterable[Entry], language: str, country: str | None) -> list[dict[str, str]]:
    """What to do the same day about these entries: the crisis text before anything else.

    Returns:
        `urgency` (`crisis`, `same_day`), `text`, and `since`, the last day that gave it.
    """
    found: dict[str, dict[str, str]] = {}
    for row in knowledge["diary_advice"]:
        days = [
            e.day for e in entries if e.signal in (row["signal"], row["answer"]) and e.value >= float(row["at_least"])
        ]
        if days:
            text = row[language]
            if row["urgency"] == "crisis":
                lines = {r["country"]: r[language] for r in knowledge["crisis_lines"]}
                text = f"{text} {lines.get((country or '').upper(), lines['any'])}"
            found[row["advice"]] = {"urgency": row["urgency"], "text": text, "since": max(days)}
    return sorted(found.values(), key=lambda a: a["urgency"] != "crisis")


def brief(
    knowledge: Knowledge, path: Path, language: str, country: str | None, days: int, today: dt.date
) -> dict[str, Any]:
    """What the page shows, in the words of `language`: numbers and dates of the diary, no probability, no disease type.

    Args:
        days: how far back flares are listed, up to the last entry.
        today: until when advice for the same day is recent.

    Raises:
        InputError: there is no diary, or it is empty.
    """
    limit = {r["limit"]: float(r["value"]) for r in knowledge["diary_limits"]}
    entries = entries_of_diary(path)
    with opened(path) as store:
        notes = store.notes()
    last = dt.date.fromisoformat(max(e.day for e in entries))
    start = max(last - dt.timedelta(days - 1), dt.date.fromisoformat(entries[0].day))
    recent = (today - dt.timedelta(limit["advice_days"])).isoformat()
    document = flares_of(knowledge, entries)
    missed = [e.value for e in entries if e.signal == "missed_medicine" and e.day >= start.isoformat()]
    return document | {
        "language": language,
        "from": start.isoformat(),
        "to": last.isoformat(),
        "span_days": (last - start).days + 1,
        "span_entries": len({e.day for e in entries if e.day >= start.isoformat()}),
        "urgent": advice(knowledge, [e for e in entries if e.day > recent], language, country),
        "flares": [f for f in document["flares"] if (f["end"] or document["to"]) >= start.isoformat()],
        "changes": _changes(knowledge, entries, last, limit),
        "change_days": int(limit["brief_days"]),
        "missed": f"{sum(v > 0 for v in missed)}/{len(missed)}" if any(missed) else None,
        "forms": latest_forms(knowledge, entries, start),
        "notes": {kind: _texts(notes, kind) for kind in ("medicine", "helped", "test", "question")},
    }


def latest_forms(knowledge: Knowledge, entries: Iterable[Entry], start: dt.date) -> list[dict[str, Any]]:
    """The last filled-in form of each scale that has a name for the page, not before `start`, with its total as an interval."""
    named = {row["text"] for row in knowledge["diary_texts"]}
    latest = {f["scale"]: f for f in totals(knowledge, entries)}
    return [f for f in latest.values() if f["date"] >= start.isoformat() and f"scale_{f['scale']}" in named]


def _texts(notes: list[Note], kind: str) -> list[str]:
    """The texts of a kind with their day, latest last; a medicine noted as stopped later is left out."""
    latest = {n.text: n.day for n in notes if n.kind == kind}
    stopped = {n.text: n.day for n in notes if n.kind == "stopped"} if kind == "medicine" else {}
    return [f"{text} ({day})" for text, day in latest.items() if stopped.get(text, "") < day]


def _changes(
    knowledge: Knowledge, entries: list[Entry], last: dt.date, limit: dict[str, float]
) -> list[dict[str, Any]] | None:
    """Signals whose mean over the last days differs from that of as many before, most first; None: too few days."""
    days, least = int(limit["brief_days"]), limit["brief_least_days"]
    middle = (last - dt.timedelta(days - 1)).isoformat()
    first = (last - dt.timedelta(2 * days - 1)).isoformat()
    known, found = False, []
    for row in knowledge["diary_signals"]:
        after = [e.value for e in entries if e.signal == row["signal"] and e.day >= middle]
        before = [e.value for e in entries if e.signal == row["signal"] and first <= e.day < middle]
        if row["kind"] == "flag" or min(len(after), len(before)) < least:
            continue
        known = True
        old, new = sum(before) / len(before), sum(after) / len(after)
        size = abs(new - old) / float(row["least_change"])
        if size >= limit["brief_change_share"]:
            up = "higher" if new > old else "lower"
            how = up if not row["worse"] else "worse" if up == row["worse"] else "better"
            found.append({"signal": row["signal"], "before": old, "after": new, "how": how, "size": size})
    return sorted(found, key=lambda c: -c["size"]) if known else None
