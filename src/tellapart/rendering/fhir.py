"""A workup as FHIR R4, for a record that takes answers back: one Bundle of type `collection`.

- `RiskAssessment`: the four hypotheses with their probability (FHIR has it in percent) and what it rests on;
- `Flag`: a red flag in force;
- `DetectedIssue`: a treatment rule that speaks (issue, severity, the drug records implicated, the evidence);
- `Observation`: the points of every criteria set, the totals of instruments and of activity;
- `Device` and `Provenance`: which software and which knowledge base said so.

Ids are made from the content, so the same workup gives the same Bundle; only `Provenance.recorded` is the caller's clock.
Whatever the source calls a record is referred to by its own reference; what is no FHIR reference is named in words.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tellapart.rendering.words import CALL_HEADLINES, HYPOTHESIS_NAMES, POSTURE, SYNTHETIC, URGENCIES, interval

Json = dict[str, Any]
NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "tellapart")
SEVERITIES = {"urgent": "high", "review": "moderate", "info": "low"}
"""Severity of a treatment rule to the code of FHIR's detectedissue-severity."""

REFERENCE = re.compile(r"(?:https?://\S+/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}|urn:uuid:[0-9a-fA-F-]{36}")
DERIVED_FROM = frozenset({"Observation", "QuestionnaireResponse", "DocumentReference"})
DRUG_RECORDS = frozenset({"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"})


def bundle(document: Mapping[str, Any], citations: Mapping[str, str], recorded: dt.datetime) -> Json:
    """The Bundle of one `tellapart.workup/1` document.

    Args:
        citations: id of a reference to its citation.
        recorded: when it is made, with its zone.
    """
    maker = _Maker(document, citations)
    resources = [maker.device, maker.risk(), *maker.flags(), *maker.issues(), *maker.observations()]
    targets = [{"reference": maker.name(r)} for r in resources if r["resourceType"] != "Device"]
    resources.append(
        {
            "resourceType": "Provenance",
            "target": targets,
            "recorded": recorded.isoformat(timespec="seconds"),
            "activity": {"text": POSTURE},
            "agent": [{"who": {"reference": maker.name(maker.device)}}],
        }
    )
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": maker.name(r), "resource": r} for r in resources],
    }


class _Maker:
    """The resources of one document, of one person on one day."""

    def __init__(self, document: Mapping[str, Any], citations: Mapping[str, str]) -> None:
        self.document, self.citations = document, citations
        self.as_of: str | None = document["as_of"]
        self.subject = _reference(f"Patient/{document['person']['id']}", document["person"]["id"])
        self.device: Json = {
            "resourceType": "Device",
            "deviceName": [{"name": "tellapart", "type": "model-name"}],
            "version": [
                {"type": {"text": "software"}, "value": document["software"]},
                {"type": {"text": "knowledge"}, "value": document["knowledge"]},
            ],
        }
        if document["synthetic"]:
            self.device["note"] = [{"text": SYNTHETIC}]

    def name(self, resource: Json) -> str:
        """The resource's name in the Bundle, made from what it says of whom."""
        said = repr((self.document["person"]["id"], self.as_of, sorted(resource.items())))
        return f"urn:uuid:{uuid.uuid5(NAMES, said)}"

    def risk(self) -> Json:
        differential = self.document["differential"]
        made: Json = {
            "resourceType": "RiskAssessment",
            "status": "preliminary",
            "method": {"text": f"tellapart differential, setting {self.document['setting']}"},
            "subject": self.subject,
            "performer": {"reference": self.name(self.device)},
            "basis": _references(w.get("reference") for w in differential["weights"] if w["used"]),
            "prediction": [
                {
                    "outcome": {"text": HYPOTHESIS_NAMES[hypothesis]},
                    "probabilityDecimal": round(100 * of["p"], 4),
                    "rationale": f"interval {interval(of)}",
                }
                for hypothesis, of in differential["posterior"].items()
            ],
            "note": [{"text": f"{CALL_HEADLINES[differential['call']]}. {differential['reason']}"}, {"text": POSTURE}],
        }
        return self._dated(made, "occurrenceDateTime")

    def flags(self) -> list[Json]:
        return [
            _full(
                {
                    "resourceType": "Flag",
                    "status": "active",
                    "category": [{"text": URGENCIES[flag["urgency"]]}],
                    "code": {"text": flag["text"]},
                    "subject": self.subject,
                    "period": {"start": flag["date"]} if flag["date"] else None,
                    "author": {"reference": self.name(self.device)},
                }
            )
            for flag in self.document["red_flags"]
        ]

    def issues(self) -> list[Json]:
        return [self._issue(issue) for issue in self.document["treatment"]]

    def _issue(self, issue: Mapping[str, Any]) -> Json:
        drugs = [e for e in issue["evidence"] if (e["reference"] or "").split("/")[0] in DRUG_RECORDS]
        made: Json = {
            "resourceType": "DetectedIssue",
            "identifier": [{"value": issue["rule"]}],
            "status": "preliminary",
            "code": {"text": issue["label"]},
            "severity": SEVERITIES[issue["severity"]],
            "patient": self.subject,
            "author": {"reference": self.name(self.device)},
            "implicated": _references(e["reference"] for e in drugs),
            "evidence": [
                _full({"code": [{"text": _worded(e)}], "detail": _references([e["reference"]])})
                for e in issue["evidence"]
            ],
            "detail": f"{issue['text']} What would make this wrong: {issue['wrong_if']}."
            + "".join(f" [{self.citations.get(r, r)}]" for r in issue["references"]),
        }
        return self._dated(made, "identifiedDateTime")

    def observations(self) -> list[Json]:
        """Points of sets, totals of instruments and of activity; a total that is not known has its reason in words."""
        sets = [
            self._observation(
                s["label"], self.as_of, s["points"],
                [e["reference"] for d in s["domains"] for i in d["items"] for e in _evidence(self.document, i)],
                f"met: {_word(s['met'])}; attributed: {_word(s['met_attributed'])}; specific: {_word(s['met_specific'])}",
                [(f"points, {kind}", s[f"points_{kind}"]) for kind in ("attributed", "specific")],
            )
            for s in self.document["criteria"]
            if s["applicable"]
        ]  # fmt: skip
        totals = [
            self._observation(
                i["label"], i["date"], i["total"], [i["reference"]], _between(i), (),
            )
            for i in self.document["instruments"]
        ]  # fmt: skip
        activity = [
            self._observation(
                a["label"], a["date"], a["total"], [e["reference"] for i in a["items"] for e in i["evidence"]], _between(a), (),
            )
            for a in self.document["activity"]
        ]  # fmt: skip
        return [*sets, *totals, *activity]

    def _observation(
        self,
        label: str,
        date: str | None,
        total: float | None,
        references: Sequence[str | None],
        note: str | None,
        components: Sequence[tuple[str, float | None]],
    ) -> Json:
        return _full(
            {
                "resourceType": "Observation",
                "status": "preliminary",
                "code": {"text": label},
                "subject": self.subject,
                "effectiveDateTime": date,
                "device": {"reference": self.name(self.device)},
                **_value(total),
                "note": [{"text": note}] if note else None,
                "derivedFrom": [r for r in _references(references) if _type(r) in DERIVED_FROM],
                "component": [{"code": {"text": text}, **_value(value)} for text, value in components],
            }
        )

    def _dated(self, resource: Json, field: str) -> Json:
        return _full({**resource, field: self.as_of})


def _value(total: float | None) -> Json:
    """A total as a quantity without unit; one that is not known says so."""
    if total is None:
        return {"dataAbsentReason": {"text": "cannot be told from what is on record"}}
    return {"valueQuantity": {"value": total, "unit": "points", "system": "http://unitsofmeasure.org", "code": "1"}}


def _evidence(document: Mapping[str, Any], item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What an item of a set rests on: the evidence of its findings that are present."""
    found = {f["finding"]: f for f in document["findings"] if f["state"] == "present"}
    return [e for name in item.get("findings", ()) if name in found for e in found[name]["evidence"]]


def _worded(evidence: Mapping[str, Any]) -> str:
    return f"{evidence['text']} ({evidence['date']})" if evidence["date"] else str(evidence["text"])


def _word(met: bool | None) -> str:
    return "unknown" if met is None else "yes" if met else "no"


def _between(of: Mapping[str, Any]) -> str | None:
    """Where a total that is not known lies."""
    return None if of["total"] is not None else f"between {of['low']:g} and {of['high']:g}"


def _reference(text: str, words: str | None = None) -> Json:
    """A reference to a record of the source; what FHIR cannot refer to is named."""
    return {"reference": text} if REFERENCE.fullmatch(text) else {"display": words or text}


def _references(texts: Any) -> list[Json]:
    """References in their order, each once."""
    return [_reference(text) for text in dict.fromkeys(text for text in texts if text)]


def _type(reference: Json) -> str | None:
    found = REFERENCE.fullmatch(reference.get("reference", ""))
    return found["type"] if found else None


def _full(resource: Json) -> Json:
    """The resource without what is empty: FHIR has no empty element."""
    return {key: value for key, value in resource.items() if value is not None and value != []}
