"""The report of an audit: one self-contained page that opens offline.

It shows what the summary holds and counts nothing by itself. It stays on the site that made it (it names persons in the
worklist); the one file that may leave is `aggregate.csv`, made elsewhere with disclosure control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from tellapart.rendering import charts, words
from tellapart.rendering.html import environment
from tellapart.rendering.plots import Line, Panel, figure
from tellapart.rendering.words import Document

WORKLIST_ROWS = 50

# The tables a report is expected to hold, in the order in which they stand; (id, heading when the table gives none).
SECTIONS = (
    ("population", "Population"),
    ("calls_by_group", "Calls by group"),
    ("agreement", "Agreement of codes with calls"),
    ("misdiagnosis", "Codes that the record does not bear out"),
    ("by_year", "Over the years"),
    ("to_code", "Time to the first code"),
    *(
        (f"{q}{part}", "The second disease")
        for q in ("fm_after_sle", "sle_after_fm")
        for part in ("", "_groups", "_published")
    ),
    ("sets", "Criteria sets"),
    ("set_agreement_specific", "Agreement between criteria sets"),
    ("set_agreement_points", "Agreement between criteria sets, at face value"),
    ("decisive_tests", "Are the decisive tests on record?"),
    ("neighboring_settings", "How much the setting matters"),
)
LIMITS = (
    "Calls support a decision, they are not diagnoses. A person without a decisive test is not one without disease.",
    "Verdicts on SLE sets use the specific score; the face-value total is printed beside and never called met.",
    "Probabilities rest on published rates and on the setting named above; in another setting they differ.",
    "This page names persons and stays on the site. The one file meant to leave is aggregate.csv.",
)


DIFFERENCING = (
    "aggregate.csv of runs on the same data, whatever the options, cannot be taken from one another to learn of few persons. "
    "Runs on changed data can: who has both learns of those who came or went. Let them leave the site far apart, or one alone."
)
SHAREABLE_LIMITS = (
    *LIMITS[:3],
    "Small counts are suppressed, whether 0 or not; all others are rounded, and shares and intervals come from rounded counts. "
    "Categories that must not be told apart are shown together.",
    "Runs on changed data can be taken from one another. Ask for one report, not for one every month.",
)


def audit_report(summary: Document) -> str:
    """Render a finished `tellapart.report/1` as one HTML page.

    Shape of `summary` (keys marked * are needed, all others may be missing or empty):

        schema* "tellapart.report/1"      software*, knowledge* text     as_of* text      synthetic bool
        source       {"name": text, "format": text}
        settings*    {setting id: persons}              the settings used, with how many persons each
        persons*     int                                persons read; the denominator of the calls
        persons_of_interest  int
        calls*       {"sle"|"fm"|"both"|"neither"|"undetermined": persons}
        tables       [{"id", "title", "columns", "rows", "note", "chart"}]
                     columns: texts, or {"label", "kind"} with kind text | count | share | probability | kappa;
                     rows: lists as long as columns; the first cell is the header of its row. A share or a probability
                     is a number from 0 to 1; None is printed as "not known", text as it is. Ids of `SECTIONS` stand in
                     that order, every other table after them. `sets` is to hold met_specific first, face value beside.
                     chart: {"lines": [{"name", "points": [[x, share]], "bars": [[low, high]]}], "right", "across", "up",
                     "described"}, drawn above the table that has its numbers; may be missing.
        accounting   [{"source_type", "read", "used", "unmapped", "not_needed", "withdrawn", "duplicate",
                       "after_as_of", "rejected"}]      one row per source type, in source rows
        worklist     [{"rank", "person_id", "reason", "urgency", "text", "evidence", "evidence_reference", "next_test"}]
                     columns of worklist.csv; the first 50 are shown
        worklist_total  int                             rows of worklist.csv, when more than are given here
        unmapped     {"codes": int, "most": [{"system", "code", "display", "n", "unit"}], "sheet": text}
                     codes that nothing knows; sheet: a file for --codes to fill in
        rejected     {"count": int, "reasons": [{"reason", "count", "what_to_do"}]}
        warnings     [text]
        shareable    bool                               leave out worklist and source rows: the page may leave the site
        files        [{"file", "what"}]                 printed by the terminal summary only
    """
    persons = int(summary["persons"])
    accounting = list(summary.get("accounting") or ())
    worklist = list(summary.get("worklist") or ())[:WORKLIST_ROWS]
    source = summary.get("source") or {}
    rejected = summary.get("rejected") or {}
    unmapped = summary.get("unmapped") or {}
    context: dict[str, Any] = {
        "title": "Audit report",
        "synthetic": bool(summary.get("synthetic")),
        "synthetic_words": words.SYNTHETIC,
        "posture": words.POSTURE,
        "versions": words.versions(summary),
        "schema": words.clean(summary["schema"]),
        "facts": _facts(summary, source),
        "settings": [
            {"name": words.spelled(name), "persons": words.number(count), "share": charts.share_words(count, persons)}
            for name, count in summary["settings"].items()
        ],
        "warnings": [words.clean(w) for w in summary.get("warnings") or ()],
        "calls": charts.shares_chart(_calls(summary["calls"]), persons),
        "persons": words.number(persons),
        "tables": _in_order([_table(t) for t in summary.get("tables") or ()]),
        "worklist": [_worklist(row) for row in worklist],
        "worklist_total": words.number(int(summary.get("worklist_total") or len(worklist))),
        "worklist_shown": words.number(len(worklist)),
        "accounting": _accounting(accounting),
        "rejected_count": words.number(int(rejected.get("count") or 0)),
        "rejected": [
            {
                "reason": words.clean(r["reason"]),
                "count": words.number(r["count"]),
                "what_to_do": words.clean(r.get("what_to_do")) or words.NOT_KNOWN,
            }
            for r in rejected.get("reasons") or ()
        ],
        "unmapped": [
            {
                "code": words.clean(r["code"]),
                "system": words.clean(r["system"]) or "no code system",
                "rows": words.number(r["n"]),
                "display": words.clean(r["display"]),
            }
            for r in unmapped.get("most") or ()
        ],
        "unmapped_total": words.counted(int(unmapped.get("codes") or 0), "code"),
        "sheet": "data:text/csv;charset=utf-8," + quote(unmapped.get("sheet") or ""),
        "shareable": bool(summary.get("shareable")),
        "limits": SHAREABLE_LIMITS if summary.get("shareable") else (*LIMITS, DIFFERENCING),
    }
    return environment().get_template("report.html.j2").render(context)


def _facts(summary: Document, source: Document) -> list[str]:
    facts = [words.counted(int(summary["persons"]), "person"), f"as of {words.clean(summary['as_of'])}"]
    if words.known(summary.get("persons_of_interest")):
        facts.insert(1, f"{words.number(summary['persons_of_interest'])} looked at closely")
    if source.get("name"):
        facts.append(f"source: {words.clean(source['name'])}")
    if source.get("format"):
        facts.append(f"format: {words.clean(source['format'])}")
    return facts


def _calls(calls: Mapping[str, int]) -> list[tuple[str, str, int]]:
    order = [call for call in words.CALL_HEADLINES if call in calls]
    order += [call for call in calls if call not in order]
    return [(call, words.CALL_HEADLINES.get(call, words.spelled(call)), int(calls[call])) for call in order]


def _table(table: Document) -> dict[str, Any]:
    columns = [c if isinstance(c, Mapping) else {"label": c} for c in table["columns"]]
    rows = [list(row) for row in table["rows"]]
    kinds = [c.get("kind") or _kind([row[i] for row in rows]) for i, c in enumerate(columns)]
    return {
        "id": str(table["id"]),
        "title": words.clean(table.get("title")) or dict(SECTIONS).get(table["id"], words.spelled(table["id"])),
        "note": words.clean(table.get("note")),
        "chart": _curves(table["chart"]) if table.get("chart") else None,
        "columns": [
            {"label": words.clean(c["label"]), "right": k != "text"} for c, k in zip(columns, kinds, strict=True)
        ],
        "rows": [[_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows],
    }


def _curves(chart: Document) -> Markup:
    """Lines from 0 up, on the smallest of a few scales that holds them."""
    lines = [Line(words.clean(line["name"]), line["points"], line["bars"]) for line in chart["lines"]]
    top = max(value for line in lines for pair in (*line.points, *line.bars) for value in pair[1:])
    high = next((h for h in (0.05, 0.1, 0.2, 0.4) if h >= top), 1.0)
    panel = Panel("", lines, high=high, right=float(chart["right"]))
    return Markup(figure([panel], 1, chart["across"], chart["up"], chart["described"]))  # `figure` escapes


def _kind(values: Sequence[object]) -> str:
    numbers = [v for v in values if v is not None]
    return "count" if numbers and all(isinstance(v, int | float) for v in numbers) else "text"


def _cell(value: object, kind: str) -> str:
    if not words.known(value):
        return words.NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if kind == "share":
            return f"{100 * value:.1f}%"
        if kind == "kappa":
            return f"{value:.2f}".replace("-", "−")
        return words.percent(value) if kind == "probability" else words.number(value)
    return words.clean(value)


def _in_order(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order = [identifier for identifier, _ in SECTIONS]
    return sorted(tables, key=lambda t: order.index(t["id"]) if t["id"] in order else len(order))


def _worklist(row: Document) -> dict[str, str]:
    keys = ("rank", "person_id", "text", "evidence", "evidence_reference")
    shown = {key: words.clean(row.get(key)) for key in keys}
    shown["reason"] = words.spelled(str(row.get("reason") or ""))
    urgency = str(row.get("urgency") or "")
    shown["urgency"] = words.URGENCIES.get(urgency, words.SEVERITIES.get(urgency, words.spelled(urgency)))
    shown["next_test"] = words.spelled(str(row.get("next_test") or ""))
    return shown


def _accounting(rows: Sequence[Document]) -> dict[str, Any]:
    def line(name: str, of: Sequence[Document]) -> dict[str, Any]:
        return {"name": name, "cells": [words.number(sum(int(r.get(k) or 0) for r in of)) for k in words.ACCOUNTING]}

    return {
        "columns": [words.sentence_start(key.replace("_", " ")) for key in words.ACCOUNTING],
        "rows": [line(words.clean(row.get("source_type")), [row]) for row in rows],
        "total": line("All", rows),
    }
