"""The geometry of the charts: where a bar, a dot or a tick goes, in percent of the width.

Every chart is a table whose first cell also holds a drawing: the data table *is* the chart, so nothing is said by the
picture alone. Drawings use percent across and pixels down; text is HTML, never scaled. That is what lets a page reflow
at 320 px and print. No clinical arithmetic happens here: only positions of numbers that the document already holds.

Positions are rounded to 2 decimals so that the same document gives the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tellapart.rendering import words
from tellapart.rendering.words import Document, Labels

_EDGE = 2.0  # percent kept free on either side, so that dots and ticks are not cut off
_STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120, 240)  # months between ticks of the timeline
_MOST_TICKS = 5
_BIT_STEPS = (1, 2, 5, 10, 20, 50, 100, 1000)
_MOST_BIT_TICKS = 7
_PARTIAL = re.compile(r"^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@dataclass(frozen=True)
class Scale:
    """A number line from `low` to `high`, drawn between the two edges."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Position of a value in percent of the width; values outside stand at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_EDGE + share * (100 - 2 * _EDGE), 2)

    def bar(self, start: float, end: float) -> dict[str, float]:
        """A bar between two values: `x` and `width`, in percent."""
        left, right = sorted((self.at(start), self.at(end)))
        return {"x": left, "width": round(right - left, 2)}


def posterior_chart(doc: Document) -> dict[str, Any]:
    """Rows of the four answers: prior (tick), posterior (dot), interval (line), on 0 to 100%."""
    scale, differential, rows = Scale(0.0, 1.0), doc["differential"], []
    for hypothesis in words.HYPOTHESES:
        entry = differential["posterior"].get(hypothesis)
        if entry is None or not words.known(entry.get("p")):
            continue
        prior = differential["prior"].get(hypothesis)
        ends = words.known(entry.get("low")) and words.known(entry.get("high"))
        rows.append(
            {
                "id": hypothesis,
                "name": words.HYPOTHESIS_NAMES[hypothesis],
                "called": hypothesis == differential["call"],
                "prior": words.percent(prior),
                "now": words.percent(entry["p"]),
                "interval": words.interval(entry),
                "dot": scale.at(entry["p"]),
                "tick": scale.at(prior) if words.known(prior) else None,
                "line": scale.bar(entry["low"], entry["high"]) if ends else None,
            }
        )
    ticks = [{"x": scale.at(p), "label": f"{p:.0%}", "minor": p in (0.25, 0.75)} for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return {"rows": rows, "ticks": ticks}


def _bits_scale(values: Iterable[float]) -> tuple[Scale, list[dict[str, Any]]]:
    """A scale in whole bits that holds zero and all values, and its ticks (at most seven)."""
    held = [0.0, *values]
    for step in _BIT_STEPS:
        first, last = math.floor(min(held) / step), math.ceil(max(held) / step)
        if last - first < _MOST_BIT_TICKS:
            break
    scale = Scale(float(first * step), float(max(last, first + 1) * step))
    span = range(first, last + 1)
    return scale, [{"x": scale.at(k * step), "label": _tick(k * step), "minor": len(span) > 5 and k % 2} for k in span]


def _tick(value: int) -> str:
    return "0" if value == 0 else f"{value:+d}".replace("-", "−")


def weights_chart(doc: Document, labels: Labels) -> dict[str, Any] | None:
    """Diverging bars: bits for SLE (above) and for FM (below) per added finding; None when nothing was added."""
    used = words.used_weights(doc)
    if not used:
        return None
    reach = max(abs(words.bit(w, h)) for w in used for h in ("sle", "fm"))
    scale, ticks = _bits_scale([-reach, reach])
    rows = [
        {
            "finding": w["finding"],
            "name": words.label(w["finding"], labels),
            "state": words.state_words(w["state"]),
            "marks": words.weight_marks(w),
            "said": words.weight_words(w),
            "bits": {h: _bits(w["bits"].get(h)) for h in ("sle", "fm", "both")},
            "sle": scale.bar(0.0, words.bit(w, "sle")),
            "fm": scale.bar(0.0, words.bit(w, "fm")),
        }
        for w in used
    ]
    return {"rows": rows, "ticks": ticks, "zero": scale.at(0.0)}


def _bits(value: float | None) -> dict[str, Any]:
    return {"text": words.bits(value), "value": value if words.known(value) else None}


def waterfall_chart(doc: Document, labels: Labels) -> dict[str, Any] | None:
    """Steps from the prior odds of SLE against FM to the posterior odds, in bits.

    The start is the document's prior, each step the lean of one weight, the end their sum: the posterior odds to all
    digits, where the printed probabilities are rounded. None when there is nothing to step through or no prior odds.
    """
    used, differential = words.used_weights(doc), doc["differential"]
    start = _log_odds(differential["prior"].get("sle"), differential["prior"].get("fm"))
    if not used or start is None:
        return None
    levels = [start]
    for weight in used:
        levels.append(levels[-1] + words.lean(weight))
    scale, ticks = _bits_scale(levels)
    rows = [_step("Prior odds", None, scale.bar(0.0, start), start, "level", None)]
    for weight, before, after in zip(used, levels, levels[1:], strict=False):
        name = f"{words.weight_label(weight, labels)}: {words.state_words(weight['state'])}"
        kind = "up" if after >= before else "down"
        rows.append(_step(name, words.lean(weight), scale.bar(before, after), after, kind, weight["finding"]))
    rows.append(_step("Posterior odds", None, scale.bar(0.0, levels[-1]), levels[-1], "level", None))
    return {"rows": rows, "ticks": ticks, "zero": scale.at(0.0)}


def _log_odds(one: float | None, other: float | None) -> float | None:
    return math.log2(one / other) if one and other and words.known(one) and words.known(other) else None


def _step(
    name: str, change: float | None, bar: dict[str, float], level: float, kind: str, finding: str | None
) -> dict[str, Any]:
    return {
        "name": name,
        "finding": finding,
        "change": "" if change is None else words.bits(change),
        "level": words.bits(level),
        "exact_change": "" if change is None else words.exact_bits(change),
        "exact_level": words.exact_bits(level),
        "bar": bar,
        "kind": kind,
    }


# -- time ---------------------------------------------------------------------------------------------------------


def day(text: object) -> date | None:
    """First day of a date that may be partial (`2021`, `2021-03`); None when it is not a date."""
    found = _PARTIAL.match(str(text or ""))
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None


def timeline_chart(doc: Document, labels: Labels) -> dict[str, Any] | None:
    """When what was on record: course, criteria first met, then present findings by first date.

    None when no row has a date. Undated and absent findings are counted in `left_out`, never drawn.
    """
    last_day = day(doc["as_of"])
    rows: list[dict[str, Any]] = []
    for state in doc.get("course") or ():
        start = day(state.get("from"))
        if start:
            text = f"{words.clean(state['from'])} to {words.clean(state.get('to')) or 'now'}"
            name = f"Course: {words.inside(words.course_words(state['state']))}"
            row = _span("course", name, text, start, day(state.get("to")) or last_day)
            rows.append({**row, "id": state["state"]})
    for criterion in doc.get("criteria") or ():
        met = day(criterion.get("met_specific_date")) if criterion.get("met_specific") else None
        if met:
            name = f"{words.label(criterion['set'], labels)}: first met"
            row = _span("met", name, words.clean(criterion["met_specific_date"]), met, met)
            rows.append({**row, "id": criterion.get("condition")})
    present = [f for f in doc.get("findings") or () if f["state"] == "present"]
    dated = [f for f in present if day(f.get("first_date") or f.get("last_date"))]
    for finding in sorted(dated, key=lambda f: (str(day(f.get("first_date") or f.get("last_date"))), f["finding"])):
        first = day(finding.get("first_date") or finding.get("last_date"))
        last = day(finding.get("last_date")) or first
        row = _span("finding", words.label(finding["finding"], labels), words.dates_words(finding), first, last)
        rows.append({**row, "finding": finding["finding"]})
    if not rows:
        return None
    days = [d.toordinal() for row in rows for d in (row["from"], row["to"])]
    first_day, final_day = min(days), max([*days, last_day.toordinal() if last_day else 0])
    scale = Scale(float(first_day), float(max(final_day, first_day + 1)))
    for row in rows:
        row["bar"] = scale.bar(row["from"].toordinal(), row["to"].toordinal())
        row["dots"] = sorted({scale.at(row["from"].toordinal()), scale.at(row["to"].toordinal())})
    return {
        "rows": rows,
        "ticks": _date_ticks(date.fromordinal(first_day), date.fromordinal(int(scale.high)), scale),
        "left_out": len(present) - len(dated),
    }


def _span(kind: str, name: str, text: str, start: date | None, end: date | None) -> dict[str, Any]:
    start = start or end or date.min
    return {"kind": kind, "name": name, "text": text, "from": start, "to": max(start, end or start), "finding": None}


def date_ticks(first: str, last: str) -> Sequence[dict[str, Any]]:
    """Ticks of a chart whose left edge is the first day and whose right edge is the last."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return _date_ticks(start, end, Scale(float(start.toordinal()), float(max(end, start + timedelta(1)).toordinal())))


def _date_ticks(first: date, last: date, scale: Scale) -> Sequence[dict[str, Any]]:
    """At most five ticks on first days of months; years alone when the steps are whole years.

    `minor` ticks lose their label (not their line) on a narrow page.
    """
    months_first, months_last = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    ticks: list[dict[str, Any]] = []
    for step in _STEPS:
        whole = range(-(-months_first // step) * step, months_last + 1, step)
        days = [d for d in (date(m // 12, m % 12 + 1, 1) for m in whole) if first <= d <= last]
        if len(days) <= _MOST_TICKS:
            form = "%Y" if step >= 12 else "%Y-%m"
            ends = (0, len(days) - 1)
            ticks = [
                {"x": scale.at(d.toordinal()), "label": d.strftime(form), "minor": step < 12 and i not in ends}
                for i, d in enumerate(days)
            ]
            break
    return ticks


# -- audit --------------------------------------------------------------------------------------------------------


def shares_chart(counts: Sequence[tuple[str, str, int]], total: int) -> list[dict[str, Any]]:
    """Bars of (id, name, count) as shares of a total; `share` is text, `width` percent of the whole width."""
    whole = max(total, 1)
    return [
        {
            "id": identifier,
            "name": name,
            "count": words.number(count),
            "share": share_words(count, total),
            "width": round(100 * count / whole, 2),
        }
        for identifier, name, count in counts
    ]


def share_words(count: int, total: int) -> str:
    """A share as percent with one decimal; unlike a probability, an exact 0% or 100% is said."""
    return f"{100 * count / total:.1f}%" if total else words.NOT_KNOWN
