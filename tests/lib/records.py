"""Builders of FHIR records: the fewest fields that make a row, and the forms in which a source is written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

WBC, ANA, ANTI_DSDNA, PLATELETS, URINE_PROTEIN_RATIO = "6690-2", "8061-4", "5130-0", "777-3", "2890-2"
SLE, FM = "M32.9", "M79.7"


def concept(code: str, system: str, text: str | None = None) -> Resource:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def patient(person: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": person, "gender": "female", "birthDate": "1980-02-01"} | more


def observation(person: str, id: str, code: str, date: str | None = "2024-03-04", **value: Any) -> Resource:
    """An Observation with a LOINC code; `value` holds valueQuantity, valueString, issued, ..."""
    made: Resource = {
        "resourceType": "Observation", "id": id, "status": "final", "code": concept(code, LOINC),
        "subject": {"reference": f"Patient/{person}"},
    }  # fmt: skip
    return made | ({"effectiveDateTime": date} if date else {}) | value


def quantity(value: Any, unit: str | None = None, comparator: str | None = None) -> Resource:
    made: Resource = {"value": value}
    if unit is not None:
        made |= {"unit": unit, "system": UCUM, "code": unit}
    return {"valueQuantity": made | ({"comparator": comparator} if comparator else {})}


def condition(
    person: str, id: str, code: str, system: str = ICD10CM, verification: str = "confirmed",
    onset: str | None = "2023-05-06", **more: Any,
) -> Resource:  # fmt: skip
    made: Resource = {
        "resourceType": "Condition", "id": id, "code": concept(code, system),
        "subject": {"reference": f"Patient/{person}"},
        "verificationStatus": concept(verification, VERIFICATION),
    }  # fmt: skip
    return made | ({"onsetDateTime": onset} if onset else {}) | more


def prescription(person: str, id: str, code: str, date: str | None = "2023-01-01", **more: Any) -> Resource:
    made: Resource = {
        "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order",
        "medicationCodeableConcept": concept(code, RXNORM), "subject": {"reference": f"Patient/{person}"},
    }  # fmt: skip
    return made | ({"authoredOn": date} if date else {}) | more


def fm_form(person: str, id: str, sites: Iterable[str], answers: dict[str, Any], date: str = "2024-06-01") -> Resource:
    """A filled ACR 2016 form."""
    items = [{"linkId": "pain_sites", "answer": [{"valueCoding": {"code": s}} for s in sites]}]
    items += [
        {"linkId": k, "answer": [{"valueBoolean" if isinstance(v, bool) else "valueInteger": v}]}
        for k, v in answers.items()
    ]
    return {
        "resourceType": "QuestionnaireResponse", "id": id, "status": "completed", "authored": date,
        "questionnaire": "http://example.org/Questionnaire/fm_2016", "subject": {"reference": f"Patient/{person}"},
        "item": [i for i in items if i["answer"]],
    }  # fmt: skip


def bundle(resources: Iterable[Resource], kind: str = "collection") -> Resource:
    """A Bundle; a transaction has urn:uuid addresses and references to them, as Synthea writes it."""
    entries = []
    for r in resources:
        entry: Resource = {"resource": r}
        if kind == "transaction":
            entry = {
                "fullUrl": f"urn:uuid:{r['id']}",
                "resource": _by_urn(r),
                "request": {"method": "POST", "url": "x"},
            }
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _by_urn(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: f"urn:uuid:{v.split('/')[1]}" if k == "reference" and isinstance(v, str) and "/" in v else _by_urn(v)
            for k, v in value.items()
        }
    return [_by_urn(v) for v in value] if isinstance(value, list) else value


def write(path: Path, *content: Any) -> Path:
    """Write a source by the name of the file: `.ndjson` one row per value, `.json` one value; `.gz` compressed.

    Text and bytes are written as they are, to make bad rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        c if isinstance(c, bytes) else c.encode() if isinstance(c, str) else json.dumps(c).encode() for c in content
    ]
    raw = b"".join(row + b"\n" for row in rows)
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
    return path


def write_bulk(folder: Path, resources: Iterable[Resource], packed: bool = False) -> Path:
    """Write a bulk export: one NDJSON file per resource type."""
    by_type: dict[str, list[Resource]] = {}
    for r in resources:
        by_type.setdefault(r["resourceType"], []).append(r)
    for kind, rows in by_type.items():
        write(folder / f"{kind}.ndjson{'.gz' if packed else ''}", *rows)
    return folder
