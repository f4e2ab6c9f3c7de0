"""Drugs in time as other systems record them: stated without an end, completed, stopped for a reason (FHIR and OMOP).

Hazard: a drug that is taken counts as given up, or one that was given up as taken; a stated reason is not heard.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from fhir_world import bundle
from omop_world import concept, drug, parquet, person

from tellapart.events import normalize
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup

Json = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
HCQ = {"coding": [{"system": RXNORM, "code": "5521", "display": "hydroxychloroquine"}]}
ASPIRIN = {"coding": [{"system": RXNORM, "code": "1191", "display": "aspirin"}]}


def weight(day: str = "2025-12-01") -> Json:
    return {"resourceType": "Observation", "id": "w", "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": day,
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}, "valueQuantity": {"value": 60, "code": "kg", "system": "http://unitsofmeasure.org"}}  # fmt: skip


def statement(kind: str = "MedicationStatement", status: str = "active", what: Json = HCQ, **more: Any) -> Json:
    """400 mg a day: 6.67 mg/kg of 60 kg, above what the rule asks for."""
    dosage = [{"text": "400 mg daily", "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
               "doseAndRate": [{"doseQuantity": {"value": 400, "code": "mg", "unit": "mg"}}]}]  # fmt: skip
    instructions = "dosage" if kind == "MedicationStatement" else "dosageInstruction"
    return {"resourceType": kind, "id": "m", "status": status, "subject": {"reference": "Patient/p"},
            "medicationCodeableConcept": what, instructions: dosage, **({"intent": "order"} if kind == "MedicationRequest" else {})} | more  # fmt: skip


def told(tmp_path: Path, *resources: Json, as_of: str = "2026-01-01") -> Json:
    path = tmp_path / "bundle.json"
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-05-06"}
    path.write_text(json.dumps(bundle(patient, *resources)))
    return workup(Session(), path, Options(as_of=dt.date.fromisoformat(as_of)))


def over(document: Json) -> bool:
    return any(t["rule"] == "hcq_over_6" for t in document["treatment"])


@pytest.mark.parametrize(
    ("more", "as_of", "taken"),
    [
        # begun ten years ago, said to be taken a month before
        ({"effectivePeriod": {"start": "2015-03-01"}, "dateAsserted": "2025-12-01"}, "2026-01-01", True),
        # the same, but nobody has said so for more than 180 days (limit dose_without_end_days)
        ({"effectivePeriod": {"start": "2015-03-01"}, "dateAsserted": "2025-07-04"}, "2026-01-01", False),
        ({"effectivePeriod": {"start": "2015-03-01"}, "dateAsserted": "2025-07-05"}, "2026-01-01", True),
        # nobody said when
        ({"effectivePeriod": {"start": "2015-03-01"}}, "2026-01-01", False),
        # an end beats the day on which it was said
        ({"effectivePeriod": {"start": "2015-03-01", "end": "2020-01-01"}, "dateAsserted": "2025-12-01"}, "2026-01-01", False),
        # what was said later is not known yet
        ({"effectivePeriod": {"start": "2015-03-01"}, "dateAsserted": "2025-12-01"}, "2025-11-30", False),
    ],
)  # fmt: skip
def test_a_statement_without_an_end_counts_from_the_day_on_which_it_was_said(
    tmp_path: Path, more: Json, as_of: str, taken: bool
) -> None:
    assert over(told(tmp_path, weight("2025-06-01"), statement(**more), as_of=as_of)) is taken


@pytest.mark.parametrize("status", ["completed", "stopped"])
def test_what_was_said_to_be_over_is_over(tmp_path: Path, status: str) -> None:
    more = {"effectivePeriod": {"start": "2025-03-01"}, "dateAsserted": "2025-12-01"}
    assert over(told(tmp_path, weight(), statement(**more)))
    assert not over(told(tmp_path, weight(), statement(status=status, **more)))


def reasons(document: Json) -> list[str]:
    return [
        e["text"] for f in document["findings"] if f["finding"] == "antimalarial_reason_against" and f["state"] == "present"
        for e in f["evidence"]
    ]  # fmt: skip


RETINA = {"text": "retinal toxicity"}


@pytest.mark.parametrize(
    ("resource", "heard"),
    [
        (statement("MedicationRequest", "stopped", authoredOn="2025-02-01", statusReason=RETINA), ["hydroxychloroquine; stopped: retinal toxicity"]),
        (statement("MedicationRequest", "on-hold", authoredOn="2025-02-01", statusReason={"coding": [{"code": "SALG", "display": "allergy"}]}),
         ["hydroxychloroquine; on-hold: allergy"]),
        (statement(status="not-taken", dateAsserted="2025-02-01", statusReason=[RETINA]), ["hydroxychloroquine; not-taken: retinal toxicity"]),
        (statement(status="stopped", dateAsserted="2025-02-01", statusReason=[{"coding": [{"code": "x"}]}]), ["hydroxychloroquine; stopped: x"]),
        # no reason, a reason for taking it, a drug of another class
        (statement("MedicationRequest", "stopped", authoredOn="2025-02-01"), []),
        (statement("MedicationRequest", "active", authoredOn="2025-02-01", statusReason=RETINA), []),
        (statement("MedicationRequest", "stopped", ASPIRIN, authoredOn="2025-02-01", statusReason=RETINA), []),
    ],
)  # fmt: skip
def test_a_reason_to_stop_an_antimalarial_is_heard(tmp_path: Path, resource: Json, heard: list[str]) -> None:
    document = told(tmp_path, resource)
    assert reasons(document) == heard
    assert document["coverage"]["read"] == 2  # a part is no row of its own


def test_the_reason_to_stop_excuses_lupus_without_an_antimalarial(tmp_path: Path) -> None:
    signs = [
        {"resourceType": "Observation", "id": f"o{n}", "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2025-12-15",
         "code": {"coding": [{"system": "urn:tellapart:finding", "code": name}]}, "valueString": "Positive"}
        for n, name in enumerate(("ana_ge_80", "anti_dsdna", "acute_cutaneous_lupus", "synovitis"))
    ]  # fmt: skip
    other = statement("MedicationRequest", what=ASPIRIN, authoredOn="2025-12-01") | {"id": "a"}
    without = told(tmp_path, *signs, other)
    assert [t["rule"] for t in without["treatment"]].count("sle_no_hcq") == 1
    stopped = statement("MedicationRequest", "stopped", authoredOn="2024-02-01", statusReason=RETINA)
    with_reason = told(tmp_path, *signs, other, stopped)
    assert "sle_no_hcq" not in [t["rule"] for t in with_reason["treatment"]]
    (excused,) = [t for t in with_reason["treatment_excused"] if t["rule"] == "sle_no_hcq"]
    assert any(e["reference"] == "MedicationRequest/m" for e in excused["evidence"])


@pytest.mark.parametrize(
    ("reason", "heard"), [("retinopathy", ["hydroxychloroquine; stopped: retinopathy"]), (" ", []), (None, [])]
)
def test_the_stop_reason_of_omop_is_heard(tmp_path: Path, reason: str | None, heard: list[str]) -> None:
    cdm = {
        "person": [person()], "concept": [concept(1777087, "RxNorm", "5521", "hydroxychloroquine")],
        "drug_exposure": [drug(1, 1777087, stop_reason=reason)],
    }  # fmt: skip
    assert reasons(workup(Session(), parquet(tmp_path / "cdm", cdm), Options())) == heard


def test_a_drug_that_nobody_knows_is_counted_once_with_its_reason(tmp_path: Path) -> None:
    unknown = {"coding": [{"system": RXNORM, "code": "999999999", "display": "unheard-of"}]}
    path = tmp_path / "bundle.json"
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-05-06"}
    path.write_text(
        json.dumps(
            bundle(
                patient,
                statement("MedicationRequest", "stopped", unknown, authoredOn="2025-02-01", statusReason=RETINA),
            )
        )
    )
    session = Session()
    session.read(path, Options())
    normalize.rank_unmapped(session.engine)
    assert [(r["code"], r["n"]) for r in session.engine.rows("select * from unmapped")] == [("999999999", 1)]
