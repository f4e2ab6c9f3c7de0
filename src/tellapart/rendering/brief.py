"""The visit page as HTML: one page, plain words, no probability of a disease and no type of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tellapart.rendering import words
from tellapart.rendering.diary import amount, flare_dates, flare_lines, trigger_lines
from tellapart.rendering.html import environment

_MOST_CHANGES = 6
_MOST_FLARES = 5
_MOST_NOTES = 8


def brief_page(document: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Render what `tasks.brief.brief` made, in the language of `texts`."""
    notes = {kind: [words.clean(n) for n in lines][-_MOST_NOTES:] for kind, lines in document["notes"].items()}
    nothing = [texts["brief_nothing"]]
    medicine = notes["medicine"] or list(nothing)
    if document["missed"]:
        medicine.append(texts["brief_missed"].format(days=document["missed"]))
    return (
        environment()
        .get_template("brief.html.j2")
        .render(
            t=texts,
            language=document["language"],
            span=texts["brief_span"].format(
                start=document["from"], end=document["to"], entries=document["span_entries"], days=document["span_days"]
            ),
            urgent=document["urgent"],
            changes=_changes(document, texts),
            forms=form_lines(document["forms"], texts),
            flares=[
                {"dates": flare_dates(f, texts), "lines": flare_lines(f, texts)}
                for f in document["flares"][-_MOST_FLARES:]
            ],
            no_flare=texts["no_flare" if document["enough_data"] else "too_few_days"],
            before=trigger_lines(document, texts),
            helped=notes["helped"] or nothing,
            medicine=medicine,
            test=notes["test"] or nothing,
            question=notes["question"],
            versions=words.versions(document),
        )
    )


def form_lines(forms: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> list[str]:
    """`Mood (PHQ-9): 12 of 27 (2026-01-31), 7 the time before (worse)`."""
    return [
        texts["brief_form"].format(
            form=texts[f"scale_{f['scale']}"],
            total=_span(f, texts),
            maximum=f"{f['maximum']:g}",
            day=f["date"],
            change=texts["brief_form_change"].format(
                before=f"{f['total'] - f['change']:g}", how=texts[f["changed"] or "unchanged"]
            )
            if f["change"] is not None and f["changed"]
            else "",
        )
        for f in forms
    ]


def _span(form: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return f"{form['low']:g}" if form["low"] == form["high"] else f"{form['low']:g} {texts['to']} {form['high']:g}"


def _changes(document: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    if document["changes"] is None:
        return [texts["brief_change_unknown"]]
    return [
        texts["brief_change"].format(
            signal=texts[c["signal"]],
            after=amount(c["after"]),
            before=amount(c["before"]),
            span=document["change_days"],
            how=texts[c["how"]],
        )
        for c in document["changes"][:_MOST_CHANGES]
    ] or [texts["brief_no_change"]]
