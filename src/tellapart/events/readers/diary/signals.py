"""What may stand in a diary: signals with their range, and the answers of questionnaires, read from text as people write it.

An answer is a signal too: `phq_9.mood`, `fm_2016.site.neck`; its range is that of its item.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from dataclasses import dataclass

from tellapart.knowledge.load import Knowledge, Row

WORDS = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "sí": 1.0, "si": 1.0}
"""How the answer to a yes-or-no signal may be written beside 0 and 1."""

DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")


class Unfit(ValueError):
    """A cell that cannot be used: `reason` says why, `what_to_do` how to mend it."""

    def __init__(self, field: str, value: str, reason: str, what_to_do: str) -> None:
        super().__init__(f"{field} {value}: {reason}. {what_to_do}")
        self.field, self.value, self.reason, self.what_to_do = field, value, reason, what_to_do


def answers(knowledge: Knowledge, instrument: str | None = None) -> dict[str, Row]:
    """The answers of all questionnaires (or one) that a diary can hold, as signals: places first, then items in order."""
    out: dict[str, Row] = {}
    for form in knowledge["instruments"]:
        name = form["instrument"]
        if instrument not in (None, name):
            continue
        places = knowledge["pain_sites"] if form["sites"] == "yes" else ()
        rows = [(f"site.{p['site']}", p["site"].replace("_", " "), "0", "1", "") for p in places if p["wpi"] == "yes"]
        rows += [
            (r["item"], r["text"] or r["item"], r["low"], r["high"], r["note"])
            for r in knowledge["instrument_items"]
            if r["instrument"] == name
        ]
        for item, label, low, high, note in sorted(rows, key=lambda row: row[0] == row[1]):  # what is asked comes first
            kind = "flag" if (low, high) == ("0", "1") else "scale"
            signal = f"{name}.{item}"
            out[signal] = {
                "signal": signal, "label": label, "kind": kind, "unit": "", "low": low, "high": high, "note": note,
                "asked": "yes" if label != item else "no",
            }  # fmt: skip
    return out


def form_of(signal: str) -> str:
    """The questionnaire that an answer belongs to; '' for a signal of the day."""
    return signal.partition(".")[0] if "." in signal else ""


@dataclass(frozen=True)
class Signals:
    """The signals of the knowledge base by id, and the day after which no entry can be."""

    rows: dict[str, Row]
    today: dt.date

    @staticmethod
    def of(knowledge: Knowledge, today: dt.date) -> Signals:
        return Signals({row["signal"]: row for row in knowledge["diary_signals"]} | answers(knowledge), today)

    def entry(self, day: str, signal: str, value: str) -> tuple[str, str, float]:
        """(ISO day, signal, value in its unit) of one entry as written.

        Raises:
            Unfit: the day, the signal or the value cannot be used.
        """
        return self.day(day), self.signal(signal), self.value(signal.strip(), value)

    def day(self, text: str) -> str:
        """The local calendar day: the date as written, whatever zone a time after it is in.

        Raises:
            Unfit: not a date, or a day that has not come yet.
        """
        found = DAY.fullmatch(text.strip())
        try:
            day = dt.date.fromisoformat(found[1] if found else text.strip())
        except ValueError:
            raise Unfit("date", text, "is not a date", "Write it as 2026-01-31.") from None
        if day > self.today:
            raise Unfit("date", text, f"lies after today ({self.today})", "Correct the date, or this computer's clock.")
        return day.isoformat()

    def signal(self, text: str) -> str:
        """A signal's id.

        Raises:
            Unfit: there is none of that name.
        """
        if (name := text.strip()) in self.rows:
            return name
        near = difflib.get_close_matches(name, self.rows, n=3)
        hint = f"Nearest: {', '.join(near)}." if near else "See: tellapart knowledge show diary_signals."
        raise Unfit("signal", text, "is not a signal of the diary", hint)

    def value(self, signal: str, text: str) -> float:
        """A value inside the signal's range; a decimal comma is read as a point, no unit is guessed.

        Raises:
            Unfit: not a number, or outside the range.
        """
        row, written = self.rows[signal], text.strip().lower()
        low, high = float(row["low"]), float(row["high"])
        span = f"Write a number from {row['low']} to {row['high']}{' ' + row['unit'] if row['unit'] else ''}."
        if row["kind"] == "flag":
            span = "Write 1 (yes) or 0 (no)."
            if written in WORDS:
                return WORDS[written]
        try:
            value = float(written.replace(",", "."))
        except ValueError:
            raise Unfit(signal, text, "is not a number", span) from None
        if not math.isfinite(value) or not low <= value <= high:
            raise Unfit(signal, text, "is outside the range", span)
        if row["kind"] == "flag" and value not in (low, high):
            raise Unfit(signal, text, "is neither yes nor no", span)
        return value
