"""The criteria sets as worksheets: the paper form of each set, filled in from a finished document; nothing is worked out.

Each item stands with its state, the day it was first met, the records behind it, what else explains it, and its points;
each domain with its maximum; each set with its rule and every total beside the verdict that it gives.
"""

from __future__ import annotations

from typing import Any

from tellapart.rendering import words
from tellapart.rendering.words import Document, Labels

SHOWN = 2  # records named per item: the form stays a form; all of them stand under the findings
TOTALS = (
    ("At face value", "points", "met"),
    ("Without what has a likelier cause", "points_attributed", "met_attributed"),
    ("Specific: also without what FM explains just as well", "points_specific", "met_specific"),
    ("Also without what FM explains in part", "points_without_partly", "met_without_partly"),
)


def worksheets(doc: Document, labels: Labels) -> list[dict[str, Any]]:
    """One filled-in form per set of the document, in its order."""
    findings = {f["finding"]: f for f in doc.get("findings") or ()}
    return [_worksheet(c, findings, labels) for c in doc.get("criteria") or ()]


def side_by_side(doc: Document, labels: Labels) -> list[dict[str, Any]]:
    """One row per set: every total, what it needs, the verdict and since when."""
    rows = []
    for c in doc.get("criteria") or ():
        sle = c["condition"] == "sle"
        line = words.set_line(c, labels)
        rows.append(
            {
                "set": c["set"],
                "name": line.name,
                "verdict": line.verdict,
                "totals": [_total(c, points) if sle or points == "points" else "" for _, points, _ in TOTALS],
                "needs": words.needs(c).strip(" ()").removeprefix("needs ") or "its rule",
                "since": words.clean(c.get("met_specific_date")) if c.get("met_specific") else "",
                "known": words.clean(c.get("known_met_date")) if c.get("met_specific") else "",
            }
        )
    return rows


def _worksheet(criterion: Document, findings: dict[str, Document], labels: Labels) -> dict[str, Any]:
    sle = criterion["condition"] == "sle"
    totals = TOTALS if sle else (("Total", "points", "met"),)
    return {
        "set": criterion["set"],
        "line": words.set_line(criterion, labels),
        "label": words.clean(criterion.get("label")),
        "rule": words.clean(criterion.get("rule")),
        "domains": [_domain(d, findings, labels) for d in criterion.get("domains") or ()],
        "conditions": [(words.clean(c["label"]), _span(c)) for c in criterion.get("conditions") or ()],
        "totals": [
            {"name": name, "points": _total(criterion, points), "verdict": _verdict(criterion, met)}
            for name, points, met in totals
            if points in criterion
        ],
        "maximum": words.number(criterion["maximum"]) if words.known(criterion.get("maximum")) else "",
    }


def _total(criterion: Document, key: str) -> str:
    return words.number(criterion[key]) if words.known(criterion.get(key)) else words.NOT_KNOWN


def _verdict(criterion: Document, key: str) -> str:
    return words.verdict(criterion.get(key)) if criterion.get("applicable", True) else "not applicable"


def _span(condition: Document) -> str:
    low, high = condition["low"], condition["high"]
    return words.number(low) if low == high else words.NOT_KNOWN


def _domain(domain: Document, findings: dict[str, Document], labels: Labels) -> dict[str, Any]:
    name = words.clean(domain.get("label")) or words.label(domain["domain"], labels)
    items = [_item(i, domain, findings, labels) for i in domain.get("items") or ()]
    maximum = f" of {words.number(domain['maximum'])}" if words.known(domain.get("maximum")) else ""
    return {
        "name": name,
        "alone": [i["name"] for i in items] == [name],  # a domain that is its one item has no row of its own
        "points": f"{words.number(domain.get('points'))}{maximum}",
        "since": words.clean(domain.get("first_date")),
        "items": items,
    }


def _item(item: Document, domain: Document, findings: dict[str, Document], labels: Labels) -> dict[str, Any]:
    own = [findings[f] for f in item.get("findings") or () if f in findings]
    present = item["state"] == "present"
    records: list[dict[str, str]] = []
    for finding in own:
        records += [r for r in words.evidence_lines(finding.get("evidence") or ()) if r not in records]
    records.sort(key=lambda r: (not r["date"], r["date"]))
    return {
        "name": words.sentence_start(words.clean(item.get("label")) or words.label(item["item"], labels)),
        "state": words.state_words(item["state"]),
        "since": (words.clean(item.get("first_date")) or ("no date" if own else "")) if present else "",
        "records": records[:SHOWN],
        "more": max(0, len(records) - SHOWN),
        "explained": _explained(item, own, labels) if present else [],
        "points": words.number(item["points"]) if present else "",
        "worth": words.number(item["worth"]) if words.known(item.get("worth")) else "",
        "counted": domain.get("counted") == item["item"] and len(domain["items"]) > 1,
    }


def _explained(item: Document, own: list[Document], labels: Labels) -> list[str]:
    """What else explains an item that is present, with the source of the rule."""
    said = []
    for finding in own:
        if finding.get("contested_by") and not item.get("attributed", True):
            said.append(f"Likelier cause: {words.inside(words.cause_words(finding['contested_by'], labels))}.")
    by_fm = not item.get("specific", True) and item.get("attributed", True)
    partly = item.get("specific", True) and not item.get("strict", True)
    for finding in own if by_fm or partly else ():
        if finding.get("fm_reason") and finding.get("fm_explains") == ("yes" if by_fm else "partly"):
            how = "FM explains it" if by_fm else "FM explains it in part"
            sources = ", ".join(finding.get("fm_references") or ())
            said.append(f"{how}: {words.clean(finding['fm_reason'])} [{sources}].")
    return list(dict.fromkeys(said))
