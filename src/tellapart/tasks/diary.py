"""The diary, start to end: write a day, import a file, look back, hand it out again."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tellapart import __version__
from tellapart.answers.flares import enough, flares_of_one
from tellapart.answers.triggers import triggers
from tellapart.errors import InputError, UsageError
from tellapart.events.readers.diary import csv_file, fhir_file, files
from tellapart.events.readers.diary.signals import Signals, Unfit, answers
from tellapart.events.readers.diary.store import Entry, Note, default_path, opened
from tellapart.knowledge.load import Knowledge, Row

__all__ = ["default_path"]

FLARES = "tellapart.flares/1"


def asked(knowledge: Knowledge) -> list[Row]:
    """The signals that `add` asks for, in order."""
    return [row for row in knowledge["diary_signals"] if row["asked"] == "yes"]


def questions(knowledge: Knowledge, form: str) -> list[Row]:
    """The questions of a questionnaire, in order.

    Raises:
        UsageError: there is none of that name, or it takes its total only.
    """
    known = {row["instrument"]: row for row in knowledge["instruments"]}
    if form not in known:
        raise UsageError(f"--form {form}: not a questionnaire. Known: {', '.join(known)}.")
    if known[form]["terms"] == "total":
        raise UsageError(
            f"--form {form}: takes its total only ({known[form]['terms_note']}). Write: --set {form}.total=12"
        )
    return [row for row in answers(knowledge, form).values() if row["asked"] == "yes"]


def entry(knowledge: Knowledge, day: dt.date, signal: str, value: str) -> Entry:
    """One entry as typed.

    Raises:
        UsageError: the signal or the value cannot be used, in words for the person who typed it.
    """
    try:
        return Entry(*Signals.of(knowledge, dt.date.today()).entry(day.isoformat(), signal, value))
    except Unfit as unfit:
        raise UsageError(str(unfit)) from None


def entries_of(knowledge: Knowledge, day: dt.date, settings: Iterable[str]) -> list[Entry]:
    """The entries of `pain=6 fatigue=7`.

    Raises:
        UsageError: a setting is not `signal=value`, names a signal twice, or cannot be used.
    """
    found: dict[str, Entry] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: write it as pain=6.")
        one = entry(knowledge, day, name, value)
        if one.signal in found:
            raise UsageError(f"--set {setting}: {one.signal} is named twice.")
        found[one.signal] = one
    return list(found.values())


def day_of(path: Path, given: dt.date | None) -> dt.date:
    """The day that an entry is for: the one given, else this computer's.

    Raises:
        InputError: the diary already holds a later day than this computer's, so its clock may have been set back.
        UsageError: the day given has not come yet.
    """
    today = dt.date.today()
    if given is not None:
        if given > today:
            raise UsageError(f"--date {given}: lies after today ({today}).")
        return given
    if path.exists():
        with opened(path) as store:
            last = store.last_day()
        if last and last > today:
            raise InputError(
                f"this computer says today is {today}, but the diary already has entries for {last}. Is the clock right? "
                f"If it is, name the day: --date {today}."
            )
    return today


def add(path: Path, entries: Iterable[Entry]) -> Counter[str]:
    """Write entries; makes the diary if there is none. Returns how many were `new`, `changed`, `same`."""
    with opened(path, create=True) as store:
        return store.write(entries)


def add_notes(path: Path, day: dt.date, notes: Iterable[tuple[str, str]]) -> None:
    """Write notes (kind, text) of a day; makes the diary if there is none."""
    with opened(path, create=True) as store:
        store.write_notes(Note(day.isoformat(), kind, " ".join(text.split())) for kind, text in notes if text.strip())


def import_file(knowledge: Knowledge, path: Path, file: Path) -> tuple[Counter[str], list[dict[str, object]]]:
    """Read a file into the diary, all its good rows or (if killed) none.

    Returns:
        how many entries were `new`, `changed`, `same`; the rows that could not be used, as rows of `rejected`.

    Raises:
        InputError: the file, or the diary, cannot be used.
    """
    good: list[Entry] = []
    bad: list[dict[str, object]] = []
    for row in files.read(file, knowledge, Signals.of(knowledge, dt.date.today())):
        if isinstance(row, Entry):
            good.append(row)
        else:
            bad.append(row)
    last_of_day = {entry[:2]: entry for entry in good}  # the file's own last word on a day
    return add(path, last_of_day.values()), bad


def export(path: Path) -> str:
    """The diary as the long CSV that `import` reads."""
    with opened(path) as store:
        rows = [(e.day, e.signal, number(e.value)) for e in store.entries()]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([csv_file.COLUMNS, *rows])
    return out.getvalue()


def export_fhir(knowledge: Knowledge, path: Path) -> str:
    """The diary as a FHIR Bundle: its Questionnaire and a QuestionnaireResponse a day; `import` reads it too."""
    with opened(path) as store:
        return fhir_file.bundle(store.entries(), knowledge).decode()


def number(value: float) -> str:
    """The shortest text that reads back as the same number, whole numbers without a point."""
    return repr(value).removesuffix(".0")


def history(knowledge: Knowledge, entries: Sequence[Entry], since: dt.date | None, days: int | None) -> dict[str, Any]:
    """What `show` draws: the days looked at and, for each signal with an entry in them, its values by day.

    Args:
        entries: every entry of a diary that has any, by day.
        since: first day; else the last `days` days up to the last entry; None for both: all.
    """
    last = dt.date.fromisoformat(max(e.day for e in entries))
    first = dt.date.fromisoformat(entries[0].day)
    start = max(first, since or (last - dt.timedelta(days - 1) if days else first))
    shown = [e for e in entries if e.day >= start.isoformat()]
    values: Mapping[str, list[list[Any]]] = {row["signal"]: [] for row in knowledge["diary_signals"]}
    for e in shown:
        if e.signal in values:
            values[e.signal].append([e.day, e.value])
    return {
        "software": __version__,
        "knowledge": knowledge.version,
        "from": start.isoformat(),
        "to": last.isoformat(),
        "days": (last - start).days + 1,
        "days_with_entry": len({e.day for e in shown}),
        "forms": [],
        "places": None,
        "signals": [
            {
                "signal": row["signal"], "label": row["label"], "unit": row["unit"], "kind": row["kind"],
                "low": float(row["low"]), "high": float(row["high"]), "values": values[row["signal"]],
            }
            for row in knowledge["diary_signals"]
            if values[row["signal"]]
        ],
    }  # fmt: skip


def words_of(knowledge: Knowledge, language: str) -> dict[str, str]:
    """The texts of the patient's pages and the names of the signals, by id, in a language (`en`, `es`)."""
    column = "label" if language == "en" else f"label_{language}"
    texts = {row["text"]: row[language] for row in knowledge["diary_texts"]}
    return texts | {row["signal"]: row[column] for row in knowledge["diary_signals"]}


def flares_document(knowledge: Knowledge, path: Path) -> dict[str, Any]:
    """The diary's flares as `tellapart.flares/1` (design §6).

    `enough_data` says whether there were enough days to know what is usual; without it, no flare found means nothing.

    Raises:
        InputError: there is no diary, or it is empty.
    """
    return flares_of(knowledge, entries_of_diary(path))


def flares_of(knowledge: Knowledge, entries: Sequence[Entry]) -> dict[str, Any]:
    """The same of entries already read."""
    days = {text: dt.date.fromisoformat(text) for text in sorted({e.day for e in entries})}
    first, last = min(days.values()), max(days.values())
    found = flares_of_one([(days[e.day], e.signal, e.value) for e in entries], knowledge)
    by_signal: dict[str, dict[dt.date, float]] = {}
    for e in entries:
        by_signal.setdefault(e.signal, {})[days[e.day]] = e.value
    return {
        "schema": FLARES,
        "software": __version__,
        "knowledge": knowledge.version,
        "days": (last - first).days + 1,
        "days_with_entry": len(days),
        "enough_data": enough(len(days), knowledge),
        "flares": found,
        "triggers": triggers(by_signal, found, knowledge),
    }


def entries_of_diary(path: Path) -> list[Entry]:
    """Every entry of a diary that has any.

    Raises:
        InputError: there is no diary, or it is empty.
    """
    with opened(path) as store:
        entries = store.entries()
    if not entries:
        raise InputError(f"{path}: the diary is empty. Write a day with: tellapart diary add")
    return entries
