"""Each resource type, value type, status and date, as one small record each (FHIR R4, http://hl7.org/fhir/R4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fhir_world import (
    RXNORM,
    SNOMED,
    World,
    bundle,
    concept,
    observation,
    patient,
    resource,
    world,
    write_json,
    write_lines,
)

from tellapart.knowledge.load import load

QUANTITY = {"value": 3.2, "unit": "K/uL", "system": "http://unitsofmeasure.org", "code": "10*3/uL"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"valueQuantity": QUANTITY}, {"value": "3.2", "unit": "10*3/uL", "comparator": None}),
        (
            {"valueQuantity": {"value": 5, "comparator": "<", "unit": "IU/mL"}},
            {"value": "5", "comparator": "<", "unit": "IU/mL"},
        ),
        (
            {"valueQuantity": {"value": 5, "unit": "cells", "system": SNOMED, "code": "258797006"}},
            {"value": "5", "unit": "cells"},
        ),
        ({"valueString": "1:320 speckled"}, {"value": "1:320 speckled", "unit": None}),
        ({"valueString": ">1:1280"}, {"value": ">1:1280", "comparator": None}),
        ({"valueInteger": 320}, {"value": "320"}),
        ({"valueBoolean": True}, {"value": "true"}),
        (
            {"valueRange": {"low": {"value": 80}, "high": {"value": 160}}},
            {"value": "80", "value_to": "160", "comparator": None},
        ),
        ({"valueRange": {"high": {"value": 80}}}, {"value": "80", "value_to": None, "comparator": "<="}),
        ({"valueRange": {"low": {"value": 80, "unit": "mg"}}}, {"value": "80", "comparator": ">=", "unit": "mg"}),
        (
            {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 320.0}}},
            {"value": "1:320", "unit": None},
        ),
        (
            {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 1280, "comparator": ">"}}},
            {"value": "1:1280", "comparator": ">"},
        ),
        (
            {"valueRatio": {"numerator": {"value": 300, "unit": "mg"}, "denominator": {"value": 2, "unit": "g"}}},
            {"value": "150.0", "unit": "mg/g"},
        ),
        (
            {"valueCodeableConcept": concept("10828004", SNOMED, display="Positive (qualifier value)")},
            {"value": "Positive", "interpretation": "10828004"},
        ),
        (
            {"valueCodeableConcept": concept("X", "urn:local", text="homogeneous")},
            {"value": "homogeneous", "interpretation": None},
        ),
        ({"valueCodeableConcept": concept("POS", "urn:local")}, {"value": "POS"}),
        (
            {"valueCodeableConcept": concept("1", SNOMED, display="Urine protein test = ++ (finding)")},
            {"value": "++", "interpretation": "1"},
        ),
        ({"dataAbsentReason": concept("not-performed", "urn:x")}, {"value": None, "absent_reason": "not-performed"}),
        ({"interpretation": [concept("POS", "urn:x")]}, {"interpretation": "POS"}),
        ({"interpretation": [concept(text="High")]}, {"interpretation": "High"}),
    ],
)
def test_values_of_an_observation(tmp_path: Path, given: dict[str, Any], expected: dict[str, Any]) -> None:
    row = world(tmp_path, patient(), observation(**given)).statement
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{"low": {"value": 4}, "high": {"value": 11}}], {"low": "4", "high": "11", "range_text": None}),
        ([{"text": "<1:80"}], {"low": None, "high": None, "range_text": "<1:80"}),
        (
            [{"low": {"value": 4000, "unit": "/uL"}, "high": {"value": 11000, "unit": "/uL"}}],
            {"low": None, "high": None, "range_text": "4000 - 11000 /uL"},
        ),
        (
            [{"high": {"value": 5}, "type": concept("treatment", "urn:x")}, {"high": {"value": 11}}],
            {"high": "11"},
        ),
        (
            [
                {"high": {"value": 5}, "appliesTo": [concept("F", "urn:x")]},
                {"high": {"value": 6}, "appliesTo": [concept("M", "urn:x")]},
            ],
            {"low": None, "high": None, "range_text": None},
        ),
    ],
)
def test_only_the_usual_range_in_the_unit_of_the_value_counts(
    tmp_path: Path, ranges: list[Any], expected: dict[str, Any]
) -> None:
    row = world(tmp_path, patient(), observation(valueQuantity=QUANTITY, referenceRange=ranges)).statement
    assert {name: row[name] for name in expected} == expected


def test_a_value_without_unit_takes_the_unit_of_its_own_range(tmp_path: Path) -> None:
    limits = {"low": {"value": 4, "unit": "10*3/uL"}, "high": {"value": 11, "unit": "10*3/uL"}}
    row = world(tmp_path, patient(), observation(valueQuantity={"value": 3.2}, referenceRange=[limits])).statement
    assert (row["unit"], row["low"], row["high"]) == ("10*3/uL", "4", "11")


def test_components_are_parts_with_references_of_their_own(tmp_path: Path) -> None:
    parts = [
        {"code": concept("8480-6"), "valueQuantity": {"value": 120}},
        {"code": concept("8462-4"), "valueString": "80"},
    ]
    rows = world(tmp_path, patient(), observation(component=parts)).statements
    assert [(r["part"], r["reference"], r["code"], r["value"]) for r in rows] == [
        (0, "Observation/o", "5048-4", None),
        (1, "Observation/o#component/1", "8480-6", "120"),
        (2, "Observation/o#component/2", "8462-4", "80"),
    ]
    assert len({r["row_no"] for r in rows}) == 1


def test_one_row_per_coding_and_a_text_alone_is_a_row(tmp_path: Path) -> None:
    code = {"coding": [{"system": "a", "code": "1"}, {"system": "b", "code": "2", "display": "B"}], "text": "ANA"}
    rows = world(tmp_path, patient(), observation("a", code=code), observation("b", code={"text": "ANA"})).statements
    assert [(r["system"], r["code"], r["display"], r["coding_no"]) for r in rows] == [
        ("a", "1", "ANA", 0),
        ("b", "2", "B", 1),
        (None, None, "ANA", 0),
    ]


def test_the_evidence_text_names_test_value_and_note(tmp_path: Path) -> None:
    row = world(
        tmp_path,
        patient(),
        observation(code=concept("5048-4", text="ANA"), valueString="1:320", note=[{"text": "speckled"}]),
    ).statement
    assert row["text"] == "ANA 1:320; speckled"


@pytest.mark.parametrize(
    ("given", "date", "known"),
    [
        ({"effectiveDateTime": "2021"}, "2021", "2021"),
        ({"effectiveDateTime": "2021-03-04", "issued": "2021-03-06T10:00:00Z"}, "2021-03-04", "2021-03-06T10:00:00Z"),
        ({"effectivePeriod": {"start": "2021-03", "end": "2021-04"}}, "2021-03", "2021-03"),
        ({"effectiveInstant": "2021-03-04T23:30:00+02:00"}, "2021-03-04T23:30:00+02:00", "2021-03-04T23:30:00+02:00"),
        ({"issued": "2021-03-06T10:00:00Z"}, "2021-03-06T10:00:00Z", "2021-03-06T10:00:00Z"),
        ({}, None, None),
    ],
)
def test_dates_of_an_observation(tmp_path: Path, given: dict[str, Any], date: str | None, known: str | None) -> None:
    without = {k: v for k, v in observation(id="o").items() if k != "effectiveDateTime"}
    row = world(tmp_path, patient(), without | given).statement
    assert (row["date"], row["known_date"]) == (date, known)


@pytest.mark.parametrize(
    ("given", "by"),
    [
        ({"category": [concept("survey", "urn:x")]}, "patient"),
        ({"category": [concept("laboratory", "urn:x")]}, "measured"),
        ({"category": [concept("vital-signs", "urn:x")]}, "measured"),
        ({"category": [concept("exam", "urn:x")]}, "clinician"),
        ({"category": [concept("imaging", "urn:x")]}, None),
        ({"performer": [{"reference": "Practitioner/1"}]}, None),
        ({"performer": [{"reference": "http://x/Patient/1"}]}, "patient"),
        ({"performer": [{"reference": "urn:uuid:1"}], "subject": "urn:uuid:1"}, "patient"),
    ],
)
def test_who_says_an_observation(tmp_path: Path, given: dict[str, Any], by: str | None) -> None:
    assert world(tmp_path, patient(), observation(**given)).statement["by"] == by


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (observation(status="entered-in-error"), "withdrawn"),
        (observation(status="cancelled"), "withdrawn"),
        (observation(status="preliminary"), "asserted"),
        (resource("Condition", verificationStatus=concept("refuted", "urn:x"), code=concept("M32.9")), "refuted"),
        (
            resource("Condition", verificationStatus=concept("entered-in-error", "urn:x"), code=concept("M32.9")),
            "withdrawn",
        ),
        (resource("Condition", clinicalStatus=concept("resolved", "urn:x"), code=concept("M32.9")), "asserted"),
        (resource("Procedure", status="not-done", code=concept("1")), "withdrawn"),
        (resource("Encounter", status="planned", type=[concept("1")]), "withdrawn"),
        (resource("Immunization", status="not-done", vaccineCode=concept("1")), "withdrawn"),
        (resource("AllergyIntolerance", verificationStatus=concept("refuted", "urn:x"), code=concept("1")), "refuted"),
        (resource("MedicationStatement", status="not-taken", medicationCodeableConcept=concept("1")), "refuted"),
        (resource("MedicationRequest", status="draft", medicationCodeableConcept=concept("1")), "withdrawn"),
        (
            resource("MedicationRequest", status="active", doNotPerform=True, medicationCodeableConcept=concept("1")),
            "refuted",
        ),
        (resource("MedicationRequest", status="stopped", medicationCodeableConcept=concept("1")), "asserted"),
        (resource("MedicationDispense", status="declined", medicationCodeableConcept=concept("1")), "withdrawn"),
    ],
)
def test_status(tmp_path: Path, made: dict[str, Any], status: str) -> None:
    read = world(tmp_path, patient(), made)
    assert read.statement["status"] == status
    assert read.classes[f"{made['resourceType']}/{made['id']}"] == ("withdrawn" if status == "withdrawn" else None)
    assert read.rejected == []


def test_condition_onset_before_recorded_and_asserter(tmp_path: Path) -> None:
    made = resource(
        "Condition",
        code=concept("M79.7"),
        onsetPeriod={"start": "2019-05"},
        recordedDate="2021-01-02",
        abatementDateTime="2022",
        asserter={"reference": "Patient/1"},
    )
    row = world(tmp_path, patient(), made).statement
    assert (row["kind"], row["date"], row["known_date"], row["end_date"]) == (
        "condition",
        "2019-05",
        "2021-01-02",
        "2022",
    )
    assert row["by"] == "patient"


def test_condition_with_an_age_at_onset_takes_the_recorded_date(tmp_path: Path) -> None:
    made = resource("Condition", code=concept("M79.7"), onsetAge={"value": 30}, recordedDate="2021-01-02")
    row = world(tmp_path, patient(), made).statement
    assert (row["date"], row["by"]) == ("2021-01-02", "clinician")


def test_a_condition_that_only_may_be_says_so(tmp_path: Path) -> None:
    made = resource("Condition", code=concept("M32.9", text="SLE"), verificationStatus=concept("differential", "urn:x"))
    assert world(tmp_path, patient(), made).statement["text"] == "SLE; differential"


def test_conclusion_codes_of_a_report(tmp_path: Path) -> None:
    made = resource(
        "DiagnosticReport",
        status="final",
        code=concept("x"),
        issued="2021-02-03",
        conclusionCode=[concept("1", SNOMED), concept("2", SNOMED)],
    )
    rows = world(tmp_path, patient(), made).statements
    assert [(r["kind"], r["code"], r["part"], r["by"], r["date"]) for r in rows] == [
        ("observation", "1", 1, "clinician", "2021-02-03"),
        ("observation", "2", 2, "clinician", "2021-02-03"),
    ]


MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept("979092", RXNORM, text="hydroxychloroquine")}


@pytest.mark.parametrize(
    "reference", ["Medication/m", "http://x/fhir/Medication/m", "Medication/m/_history/3", "urn:uuid:m", "#c"]
)
def test_medication_by_reference(tmp_path: Path, reference: str) -> None:
    made = resource(
        "MedicationRequest",
        status="active",
        medicationReference={"reference": reference},
        authoredOn="2021-05-06",
        contained=[MEDICATION | {"id": "c"}],
    )
    read = world(tmp_path, patient(), MEDICATION, made)
    assert (read.statement["code"], read.statement["display"]) == ("979092", "hydroxychloroquine")
    assert read.classes["Medication/m"] == ("unmapped" if reference == "#c" else "used")


def test_medication_without_code_is_named_by_its_ingredients(tmp_path: Path) -> None:
    mixture = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"itemCodeableConcept": concept("5521", RXNORM)}],
    }
    made = resource("MedicationStatement", status="active", medicationReference={"reference": "Medication/m"})
    assert world(tmp_path, patient(), mixture, made).statement["code"] == "5521"


def test_medication_that_is_nowhere(tmp_path: Path) -> None:
    lost = resource("MedicationRequest", "lost", status="active", medicationReference={"reference": "Medication/9"})
    named = resource(
        "MedicationRequest",
        "named",
        status="active",
        medicationReference={"reference": "Medication/9", "display": "MTX"},
    )
    read = world(tmp_path, patient(), lost, named)
    assert read.statement["display"] == "MTX"
    assert read.classes["MedicationRequest/lost"] == "rejected"
    (row,) = read.rejected
    assert (row["field"], row["value"]) == ("medication", "Medication/9")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            resource(
                "MedicationRequest",
                status="active",
                medicationCodeableConcept=concept("1"),
                authoredOn="2021-05-06",
                dosageInstruction=[
                    {"text": "1 daily", "doseAndRate": [{"doseQuantity": {"value": 400, "unit": "mg"}}]}
                ],
                dispenseRequest={"validityPeriod": {"end": "2021-08-06"}},
            ),
            ("2021-05-06", "2021-08-06", "400", "mg", "1 daily"),
        ),
        (
            resource(
                "MedicationStatement",
                status="active",
                medicationCodeableConcept=concept("1"),
                effectivePeriod={"start": "2020", "end": "2021"},
                dateAsserted="2022-01-01",
                dosage=[{"text": "2 daily"}],
            ),
            ("2020", "2021", None, None, "2 daily"),
        ),
        (
            resource(
                "MedicationAdministration",
                status="completed",
                medicationCodeableConcept=concept("1"),
                effectiveDateTime="2021-01-02T03:04:05Z",
                dosage={"text": "iv", "dose": {"value": 500, "unit": "mg"}},
            ),
            ("2021-01-02T03:04:05Z", None, "500", "mg", "iv"),
        ),
        (
            resource(
                "MedicationDispense",
                status="completed",
                medicationCodeableConcept=concept("1"),
                whenHandedOver="2021-02-03",
            ),
            ("2021-02-03", None, None, None, None),
        ),
    ],
)
def test_dates_and_doses_of_the_medication_resources(
    tmp_path: Path, made: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    row = world(tmp_path, patient(), made).statement
    text = row["text"].removeprefix("1").removeprefix("; ") or None
    assert (row["date"], row["end_date"], row["value"], row["unit"], text) == expected
    assert row["kind"] == "drug"


def test_a_visit_has_the_specialty_of_who_took_part(tmp_path: Path) -> None:
    role = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/p"},
        "specialty": [concept("394810000", SNOMED, text="Rheumatology")],
    }
    visit = resource(
        "Encounter",
        status="finished",
        type=[concept("185349003", SNOMED)],
        period={"start": "2021-01-02"},
        participant=[{"individual": {"reference": "Practitioner/p"}}],
    )
    read = world(tmp_path, patient(), role, visit)
    assert [(r["kind"], r["code"], r["date"]) for r in read.statements] == [
        ("encounter", "185349003", "2021-01-02"),
        ("encounter", "394810000", "2021-01-02"),
    ]
    assert read.classes["PractitionerRole/role"] == "unmapped"


def test_procedure_immunization_allergy_family_history(tmp_path: Path) -> None:
    read = world(
        tmp_path,
        patient(),
        resource("Procedure", "p", status="completed", code=concept("1"), performedPeriod={"start": "2021-01-01"}),
        resource("Immunization", "i", status="completed", vaccineCode=concept("2"), occurrenceDateTime="2021-01-02"),
        resource("AllergyIntolerance", "a", code=concept("3"), recordedDate="2021-01-03"),
        resource(
            "FamilyMemberHistory",
            "f",
            status="completed",
            date="2021-01-04",
            relationship=concept(text="mother"),
            condition=[{"code": concept("4", text="lupus")}],
        ),
    )
    assert [(r["kind"], r["code"], r["date"], r["reference"]) for r in read.statements] == [
        ("allergy", "3", "2021-01-03", "AllergyIntolerance/a"),
        ("family_history", "4", "2021-01-04", "FamilyMemberHistory/f"),
        ("immunization", "2", "2021-01-02", "Immunization/i"),
        ("procedure", "1", "2021-01-01", "Procedure/p"),
    ]
    assert [r["text"] for r in read.statements if r["kind"] == "family_history"] == ["lupus; mother"]


def test_questionnaire_items_of_our_instruments_three_levels_deep(tmp_path: Path) -> None:
    def item(link: str, *answers: dict[str, Any], inside: list[Any] | None = None) -> dict[str, Any]:
        return {"linkId": link} | ({"answer": list(answers)} if answers else {}) | ({"item": inside} if inside else {})

    form = resource(
        "QuestionnaireResponse",
        "q",
        status="completed",
        authored="2021-06-07",
        questionnaire="http://x/Questionnaire/fm-2016|1.0",
        item=[
            item("fm_2016.fatigue", {"valueInteger": 2}),
            item(
                "group",
                inside=[
                    item("cognitive", {"valueDecimal": 1.0}),
                    item("deep", inside=[item("headache", {"valueBoolean": True})]),
                ],
            ),
            item("pain_sites", {"valueCoding": {"code": "neck"}}, {"valueString": "hip_l"}),
            item("months", {"valueInteger": 6, "item": [item("depression", {"valueBoolean": False})]}),
        ],
    )
    other = resource(
        "QuestionnaireResponse",
        "other",
        status="completed",
        questionnaire="http://x/phq-9",
        item=[item("1", {"valueInteger": 2})],
    )
    rows = world(tmp_path, patient(), form, other, sites=["neck", "hip_l", "hip_r"]).statements
    assert {r["code"]: r["value"] for r in rows} == {
        "fm_2016.fatigue": "2",
        "fm_2016.cognitive": "1.0",
        "fm_2016.headache": "1",
        "fm_2016.depression": "0",
        "fm_2016.months": "6",
        "fm_2016.site.neck": "1",
        "fm_2016.site.hip_l": "1",
        "fm_2016.site.hip_r": "0",
    }
    assert {(r["kind"], r["system"], r["by"], r["group_key"], r["date"]) for r in rows} == {
        ("instrument", "instrument", "patient", "QuestionnaireResponse/q", "2021-06-07")
    }
    assert len({r["part"] for r in rows}) == len(rows)


def test_patients(tmp_path: Path) -> None:
    read = world(
        tmp_path,
        patient("a", deceasedDateTime="2020-01-01"),
        {"resourceType": "Patient", "id": "b", "gender": "x", "birthDate": "1980"},
    )
    assert [{k: v for k, v in row.items() if k != "row_no"} for row in read.rows("patients")] == [
        {"person_id": "a", "sex": "female", "birth_date": "1980-02-01", "death_date": "2020-01-01"},
        {"person_id": "b", "sex": "unknown", "birth_date": "1980", "death_date": None},
    ]
    assert read.classes == {"Patient/a": "used", "Patient/b": "used"}


def test_other_types_are_counted(tmp_path: Path) -> None:
    claim, plan = resource("Claim", "c"), resource("CarePlan", "p")
    read = world(tmp_path, patient(), claim, plan, not_needed_types={"Claim"})
    assert read.classes == {"Patient/1": "used", "Claim/c": "not_needed", "CarePlan/p": "unmapped"}
    assert world(tmp_path, patient(), claim).classes["Claim/c"] == "unmapped"


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "http://server/fhir/Patient/1",
        "https://server/Patient/1/_history/2",
        "Patient/1/_history/2",
        "urn:uuid:1",
        "Patient?identifier=http://mrn|77",
        "Patient?active=true&identifier=77",
    ],
)
def test_references_to_a_person(tmp_path: Path, reference: str) -> None:
    person = patient(identifier=[{"system": "http://mrn", "value": "77"}])
    assert world(tmp_path, person, observation(subject=reference)).statement["person_id"] == "1"


def test_a_full_url_that_is_not_the_id(tmp_path: Path) -> None:
    content = bundle(patient(), observation(subject="urn:uuid:aa"))
    content["entry"][0]["fullUrl"] = "urn:uuid:aa"
    assert World(write_json(tmp_path / "b.json", content)).statement["person_id"] == "1"


def test_the_full_url_gives_the_id_that_a_resource_lacks(tmp_path: Path) -> None:
    content = bundle({k: v for k, v in patient().items() if k != "id"}, observation(subject="urn:uuid:aa"))
    content["entry"][0]["fullUrl"] = "urn:uuid:aa"
    read = World(write_json(tmp_path / "b.json", content))
    assert read.persons == ["aa"]
    assert read.statement["person_id"] == "aa"


def test_equal_urns_of_two_bundles_mean_the_person_of_their_own_bundle(tmp_path: Path) -> None:
    for id in ("1", "2"):
        content = bundle(patient(id), observation(f"o{id}", subject="urn:uuid:aa"))
        content["entry"][0]["fullUrl"] = "urn:uuid:aa"
        write_json(tmp_path / f"{id}.json", content)
    rows = World(tmp_path).statements
    assert [(r["reference"], r["person_id"]) for r in rows] == [("Observation/o1", "1"), ("Observation/o2", "2")]


def test_a_logical_reference_by_identifier(tmp_path: Path) -> None:
    person = patient(identifier=[{"system": "http://mrn", "value": "77"}])
    made = observation(subject=None) | {"subject": {"identifier": {"system": "http://mrn", "value": "77"}}}
    assert world(tmp_path, person, made).statement["person_id"] == "1"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("Patient/9", "No Patient"),
        ("urn:uuid:9", "No Patient"),
        ("Patient?identifier=http://mrn|9", "No Patient"),
        ("#p", "contained"),
        ("Group/1", "not a Patient"),
        (None, "does not say"),
    ],
)
def test_a_subject_that_is_nobody_is_rejected(tmp_path: Path, reference: str | None, reason: str) -> None:
    read = world(tmp_path, patient(), observation(subject=reference))
    assert read.statements == []
    assert read.classes["Observation/o"] == "rejected"
    (row,) = read.rejected
    assert (row["reference"], row["field"], row["value"]) == ("Observation/o", "subject", reference)
    assert reason in row["reason"]
    assert row["what_to_do"]


def test_lines_are_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.ndjson", patient(), observation("a", subject="Patient/9"), observation("b"))
    read = World(path)
    assert {row["reference"]: row["line"] for row in read.rows("source_rows")} == {
        "Patient/1": 1,
        "Observation/a": 2,
        "Observation/b": 3,
    }
    assert [(row["file"], row["line"]) for row in read.rejected] == [("x.ndjson", 2)]


@pytest.mark.parametrize(
    "name", ["all.ndjson", "all.ndjson.gz", "all.jsonl", "all.json", "all.json.gz", "Claim.ndjson"]
)
def test_the_type_comes_from_the_line_not_from_the_name(tmp_path: Path, name: str) -> None:
    read = World(write_lines(tmp_path / name, patient(), observation(valueInteger=1)))
    assert (read.persons, read.statement["value"]) == (["1"], "1")


@pytest.mark.parametrize("kind", ["transaction", "collection", "searchset", "batch", "history"])
@pytest.mark.parametrize("indent", [None, 2])
def test_every_kind_of_bundle(tmp_path: Path, kind: str, indent: int | None) -> None:
    read = World(write_json(tmp_path / "b.json", bundle(patient(), observation(), kind=kind), indent))
    assert read.statement["person_id"] == "1"


def test_bundles_inside_a_bundle_bundles_as_lines_and_a_list_of_resources(tmp_path: Path) -> None:
    inner = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation()}]}
    expected = {"Patient/1": "used", "Observation/o": None}
    outer = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"resource": patient()}, {"resource": inner}],
    }
    assert World(write_json(tmp_path / "a.json", outer)).classes == expected
    assert World(write_lines(tmp_path / "b.ndjson", bundle(patient()), inner)).classes == expected
    assert World(write_json(tmp_path / "c.json", [patient(), observation()])).classes == expected


def test_an_entry_without_resource_is_counted(tmp_path: Path) -> None:
    content = bundle(patient())
    content["entry"].append({"request": {"method": "DELETE", "url": "Patient/2"}})
    read = World(write_json(tmp_path / "b.json", content))
    assert sorted(map(str, read.classes.values())) == ["not_needed", "used"]


def test_nothing_temporary_stays_and_settings_are_kept(tmp_path: Path) -> None:
    con = world(tmp_path, patient(), observation()).con
    assert con.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)
    assert con.execute(
        "select count(*) from duckdb_functions() where starts_with(function_name, 'fhir_')"
    ).fetchone() == (0,)
    assert con.execute("select current_setting('preserve_insertion_order')").fetchone() == (False,)


IV, III, V, II = "36402006", "76521009", "52042003", "4676006"


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("Lupus nephritis, ISN/RPS class IV-G (A/C).", [IV]),
        ("ISN/RPS 2003 class III (A/C) and V lupus nephritis", [III, V]),
        ("Lupus nephritis classes III + V", [III, V]),
        ("lupus glomerulonephritis class 2", [II]),
        ("Kidney, needle core. Lupus nephritis class IV-S (A). No crescents in 14 glomeruli.", [IV]),
        # not read: open, denied, of the past, of something else, without a class
        ("No evidence of lupus nephritis class IV", []),
        ("Lupus nephritis class IV cannot be excluded", []),
        ("Suspected class IV lupus nephritis", []),
        ("Lupus nephritis class III or IV", []),
        ("Lupus nephritis, class IV?", []),
        ("Known lupus nephritis class IV; now unchanged", []),
        ("Lupus nephritis. Obesity class II.", []),
        ("Heart failure NYHA class III", []),
        ("Lupus nephritis", []),
        (None, []),
    ],
)
def test_the_class_of_a_nephritis_in_the_words_of_a_report(tmp_path: Path, words: str | None, codes: list[str]) -> None:
    rows = [(r["kind"], r["key"], r["code"]) for r in load()["report_words"]]
    made = resource("DiagnosticReport", status="final", code=concept("x"), issued="2021-02-03", conclusion=words)
    read = world(tmp_path, patient(), made, report_words=rows).statements
    assert [r["code"] for r in read] == codes
    assert {(r["by"], r["date"], r["display"]) for r in read} == (
        {("clinician", "2021-02-03", words)} if codes else set()
    )
