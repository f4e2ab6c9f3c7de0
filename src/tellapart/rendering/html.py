"""A workup as one self-contained page: inline style and drawings, no script, nothing loaded from anywhere.

The page carries a content policy that forbids every request, so "opens offline" is enforced by the browser and not only
promised. Built for WCAG 2.2 AA: language, headings in order, row and column headers, text contrast of 4.5:1 and more in
light and dark, no meaning by color alone, reflow at 320 px, print.

Every text of the document is escaped by the template engine. An undefined name in a template is an error, not a blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tellapart.rendering import activity, charts, drug_induced, flares, treatment, words, worksheet
from tellapart.rendering.words import Document, Labels


@cache
def environment() -> Environment:
    """The template engine of this room: everything escaped, undefined names refused."""
    env = Environment(
        loader=PackageLoader("tellapart.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["anchor"] = anchor
    return env


def anchor(identifier: object) -> str:
    """An id that is safe as part of an HTML id and a link to it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(identifier))


def workup_page(doc: Document, labels: Labels, citations: Mapping[str, str] | None = None) -> str:
    """Render a finished `tellapart.workup/1` as one HTML page.

    `labels` maps ids (findings, sets, domains, items, tests) to wording. `citations` maps reference ids to the citation
    as text; a DOI in it (or an id that is a DOI) becomes the only kind of link that leaves the page. Keys the document
    does not have yet are passed over.
    """
    findings = [_finding(f, labels) for f in doc.get("findings") or ()]
    differential = doc["differential"]
    context = {
        "title": f"Work-up: {words.clean(doc['person']['id'])}",
        "synthetic": bool(doc.get("synthetic")),
        "synthetic_words": words.SYNTHETIC,
        "posture": words.POSTURE,
        "versions": words.versions(doc),
        "schema": words.clean(doc["schema"]),
        "red_flags": words.red_flags(doc, labels),
        "who": words.who(doc),
        "call": differential["call"],
        "headline": words.headline(doc),
        "sentence": words.call_sentence(doc),
        "reason": words.clean(differential["reason"]),
        "sensitivity": words.sensitivity_sentence(doc),
        "posterior": charts.posterior_chart(doc),
        "sle_sets": words.set_lines(doc, labels, "sle"),
        "fm_sets": words.set_lines(doc, labels, "fm"),
        "weights": charts.weights_chart(doc, labels),
        "bits_explained": words.BITS_EXPLAINED,
        "unused": [words.inside(words.weight_label(w, labels)) for w in words.unused_weights(doc)],
        "waterfall": charts.waterfall_chart(doc, labels),
        "timeline": charts.timeline_chart(doc, labels),
        "unknown": words.unknown_that_matters(doc, labels),
        "findings": findings,
        "finding_ids": {f["finding"] for f in findings},
        "conflicts": words.conflicts(doc, labels),
        "contested": words.contested(doc, labels),
        "drug_induced": drug_induced.lines(doc),
        "drug_induced_note": drug_induced.NOTE,
        "activity": activity.lines(doc, labels),
        "activity_caption": activity.caption(doc),
        "activity_course": activity.course(doc),
        "flares": flares,
        "flare_lines": flares.lines(doc),
        "all_sets": worksheet.side_by_side(doc, labels),
        "worksheets": worksheet.worksheets(doc, labels),
        "together": words.together_lines(doc),
        "together_title": words.TOGETHER,
        "next_tests": [_test(t, labels) for t in doc.get("next_tests") or ()],
        "treatment": treatment,
        "treatment_lines": treatment.lines(doc),
        "treatment_excused": treatment.excused(doc),
        "treatment_silent": treatment.silent(doc),
        "wrong_labels": treatment.wrong_labels(doc),
        "reciprocal": treatment.reciprocal(doc),
        "mimics": words.mimic_lines(doc),
        "mimics_title": words.MIMICS,
        "mimics_note": words.MIMICS_NOTE,
        "mimics_below": words.mimics_below(doc),
        "instruments": [_instrument(i, labels) for i in doc.get("instruments") or ()],
        "coverage": words.coverage_sentence(doc.get("coverage") or {}),
        "citations": [_citation(c, citations or {}) for c in words.citations_of(doc)],
    }
    return environment().get_template("workup.html.j2").render(context)


def _finding(finding: Document, labels: Labels) -> dict[str, Any]:
    marks = []
    if finding.get("conflict"):
        marks.append("conflict on one date")
    if finding.get("contested_by"):
        marks.append(f"likelier cause: {words.inside(words.cause_words(finding['contested_by'], labels))}")
    return {
        "finding": finding["finding"],
        "name": words.label(finding["finding"], labels),
        "state": words.state_words(finding["state"]),
        "dates": words.dates_words(finding),
        "by": words.SOURCES.get(finding.get("by") or "", words.NOT_KNOWN),
        "fm_explains": words.FM_EXPLAINS.get(finding.get("fm_explains") or "", words.NOT_KNOWN),
        "marks": marks,
        "evidence": words.evidence_lines(finding.get("evidence") or ()),
    }


def _test(test: Document, labels: Labels) -> dict[str, Any]:
    expected = test.get("expected_bits")
    return {
        "name": words.test_name(test, labels),
        "bits": words.bits(expected) if words.known(expected) else words.NOT_KNOWN,
        "terms": words.test_terms(test),
        "results": words.test_results(test),
        "why": words.clean(test.get("why")),
    }


def _instrument(entry: Document, labels: Labels) -> dict[str, str]:
    return {
        "name": words.label(entry["instrument"], labels),
        "date": words.clean(entry.get("date")) or "no date",
        "total": words.instrument_total(entry),
        "band": words.instrument_band(entry),
        "change": words.instrument_change(entry),
    }


def _citation(identifier: str, citations: Mapping[str, str]) -> dict[str, str]:
    before, doi, after = words.doi_parts(words.clean(citations.get(identifier) or identifier))
    return {"id": identifier, "before": before, "doi": doi, "after": after}
