"""Which fields of which FHIR R4 resources are read, and their shape (http://hl7.org/fhir/R4/resourcelist.html).

A shape is written as `json_transform` wants it: `TEXT` for a leaf, a dict for an object, a list of one shape for an
array. Every leaf is text: a number or a wrong type is judged later, where it can be rejected by name. A part declared
`TEXT` that is an object or an array in the resource arrives as its JSON text (used where shapes differ by type).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXT = "VARCHAR"
Shape = Any  # TEXT, dict[str, Shape] or [Shape]

CODING: Shape = {"system": TEXT, "code": TEXT, "display": TEXT}
CONCEPT: Shape = {"coding": [CODING], "text": TEXT}
QUANTITY: Shape = {"value": TEXT, "comparator": TEXT, "unit": TEXT, "system": TEXT, "code": TEXT}
PERIOD: Shape = {"start": TEXT, "end": TEXT}
REFERENCE: Shape = {"reference": TEXT, "display": TEXT}
SUBJECT: Shape = {"reference": TEXT, "identifier": {"system": TEXT, "value": TEXT}}
RANGE: Shape = {"low": QUANTITY, "high": QUANTITY}
REFERENCE_RANGE: Shape = {"low": QUANTITY, "high": QUANTITY, "type": CONCEPT, "appliesTo": [CONCEPT], "text": TEXT}
NOTE: Shape = [{"text": TEXT}]

RESULT: dict[str, Shape] = {
    "code": CONCEPT,
    "valueQuantity": QUANTITY,
    "valueCodeableConcept": CONCEPT,
    "valueString": TEXT,
    "valueInteger": TEXT,
    "valueBoolean": TEXT,
    "valueRange": RANGE,
    "valueRatio": {"numerator": QUANTITY, "denominator": QUANTITY},
    "interpretation": [CONCEPT],
    "referenceRange": [REFERENCE_RANGE],
    "dataAbsentReason": CONCEPT,
}

ANSWER: dict[str, Shape] = {
    "valueBoolean": TEXT,
    "valueDecimal": TEXT,
    "valueInteger": TEXT,
    "valueString": TEXT,
    "valueDate": TEXT,
    "valueCoding": CODING,
    "valueQuantity": QUANTITY,
}


def _item(depth: int) -> Shape:
    """Shape of QuestionnaireResponse.item with `depth` further levels inside."""
    item: dict[str, Shape] = {"linkId": TEXT, "text": TEXT, "answer": [dict(ANSWER)]}
    if depth:
        item["item"] = [_item(depth - 1)]
        item["answer"] = [ANSWER | {"item": [_item(depth - 1)]}]
    return item


@dataclass(frozen=True)
class Family:
    """Resource types that are read into one typed table `fhir_<name>` and by one file `fhir_<name>.sql`.

    Attributes:
        name: name of the family.
        types: FHIR resource types.
        subject: field that names the person; '' where the resource is not about a person.
        status: call (macro of fhir_macros.sql) that says `asserted`, `refuted` or `withdrawn` from columns of `r`.
        fields: field name to shape, beside `resourceType`, `id` and `meta`.
    """

    name: str
    types: tuple[str, ...]
    subject: str
    status: str
    fields: dict[str, Shape]

    @property
    def shape(self) -> dict[str, Shape]:
        """Shape of the whole resource, as far as it is read."""
        common: dict[str, Shape] = {
            "resourceType": TEXT,
            "id": TEXT,
            "meta": {"lastUpdated": TEXT, "versionId": TEXT},
        }
        return common | self.fields


PATIENT = Family(
    "patient",
    ("Patient",),
    "",
    "'asserted'",
    {
        "identifier": [{"system": TEXT, "value": TEXT}],
        "gender": TEXT,
        "birthDate": TEXT,
        "deceasedBoolean": TEXT,
        "deceasedDateTime": TEXT,
    },
)

MEDICATION = Family(
    "medication",
    ("Medication",),
    "",
    "fhir_record_status(r.status)",
    {"status": TEXT, "code": CONCEPT, "ingredient": [{"itemCodeableConcept": CONCEPT}]},
)

ROLE = Family(
    "role",
    ("PractitionerRole",),
    "",
    "'asserted'",
    {"practitioner": {"reference": TEXT}, "specialty": [CONCEPT]},
)

CONDITION = Family(
    "condition",
    ("Condition",),
    "subject",
    "fhir_verified(r.verificationStatus)",
    {
        "verificationStatus": CONCEPT,
        "code": CONCEPT,
        "subject": SUBJECT,
        "onsetDateTime": TEXT,
        "onsetPeriod": PERIOD,
        "abatementDateTime": TEXT,
        "abatementPeriod": PERIOD,
        "recordedDate": TEXT,
        "asserter": {"reference": TEXT},
        "note": NOTE,
    },
)

OBSERVATION = Family(
    "observation",
    ("Observation",),
    "subject",
    "fhir_record_status(r.status)",
    {
        "status": TEXT,
        "category": [CONCEPT],
        "subject": SUBJECT,
        "effectiveDateTime": TEXT,
        "effectivePeriod": PERIOD,
        "effectiveInstant": TEXT,
        "issued": TEXT,
        "performer": [{"reference": TEXT}],
        "method": CONCEPT,
        "note": NOTE,
        "component": [RESULT],
    }
    | RESULT,
)

REPORT = Family(
    "report",
    ("DiagnosticReport",),
    "subject",
    "fhir_record_status(r.status)",
    {
        "status": TEXT,
        "subject": SUBJECT,
        "effectiveDateTime": TEXT,
        "effectivePeriod": PERIOD,
        "issued": TEXT,
        "conclusion": TEXT,
        "conclusionCode": [CONCEPT],
    },
)

DRUG = Family(
    "drug",
    ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"),
    "subject",
    "fhir_drug_status(r.resourceType, r.status, r.intent, r.doNotPerform)",
    {
        "status": TEXT,
        "intent": TEXT,
        "doNotPerform": TEXT,
        "statusReason": TEXT,
        "statusReasonCodeableConcept": TEXT,
        "medicationCodeableConcept": CONCEPT,
        "medicationReference": REFERENCE,
        "contained": TEXT,
        "subject": SUBJECT,
        "authoredOn": TEXT,
        "dateAsserted": TEXT,
        "effectiveDateTime": TEXT,
        "effectivePeriod": PERIOD,
        "whenHandedOver": TEXT,
        "whenPrepared": TEXT,
        "dispenseRequest": {"validityPeriod": PERIOD},
        "dosageInstruction": TEXT,
        "dosage": TEXT,
        "informationSource": {"reference": TEXT},
    },
)

PROCEDURE = Family(
    "procedure",
    ("Procedure",),
    "subject",
    "fhir_done(r.status)",
    {
        "status": TEXT,
        "code": CONCEPT,
        "subject": SUBJECT,
        "performedDateTime": TEXT,
        "performedPeriod": PERIOD,
        "note": NOTE,
    },
)

ENCOUNTER = Family(
    "encounter",
    ("Encounter",),
    "subject",
    "fhir_done(r.status)",
    {
        "status": TEXT,
        "type": [CONCEPT],
        "serviceType": CONCEPT,
        "subject": SUBJECT,
        "participant": [{"individual": {"reference": TEXT}}],
        "period": PERIOD,
    },
)

QUESTIONNAIRE = Family(
    "questionnaire",
    ("QuestionnaireResponse",),
    "subject",
    "fhir_record_status(r.status)",
    {
        "questionnaire": TEXT,
        "status": TEXT,
        "subject": SUBJECT,
        "authored": TEXT,
        "author": {"reference": TEXT},
        "item": [_item(2)],
    },
)

ALLERGY = Family(
    "allergy",
    ("AllergyIntolerance",),
    "patient",
    "fhir_verified(r.verificationStatus)",
    {
        "verificationStatus": CONCEPT,
        "code": CONCEPT,
        "patient": SUBJECT,
        "onsetDateTime": TEXT,
        "onsetPeriod": PERIOD,
        "recordedDate": TEXT,
        "asserter": {"reference": TEXT},
    },
)

IMMUNIZATION = Family(
    "immunization",
    ("Immunization",),
    "patient",
    "fhir_done(r.status)",
    {"status": TEXT, "vaccineCode": CONCEPT, "patient": SUBJECT, "occurrenceDateTime": TEXT, "recorded": TEXT},
)

FAMILY_HISTORY = Family(
    "family_history",
    ("FamilyMemberHistory",),
    "patient",
    "fhir_record_status(r.status)",
    {
        "status": TEXT,
        "patient": SUBJECT,
        "date": TEXT,
        "relationship": CONCEPT,
        "condition": [{"code": CONCEPT}],
    },
)

# In this order: persons, medications and roles are looked up by the families after them.
FAMILIES = (
    PATIENT,
    MEDICATION,
    ROLE,
    CONDITION,
    OBSERVATION,
    REPORT,
    DRUG,
    PROCEDURE,
    ENCOUNTER,
    QUESTIONNAIRE,
    ALLERGY,
    IMMUNIZATION,
    FAMILY_HISTORY,
)
FAMILY_OF = {kind: family for family in FAMILIES for kind in family.types}


def duckdb_type(shape: Shape) -> str:
    """The DuckDB type of a shape, all leaves VARCHAR."""
    if isinstance(shape, dict):
        inside = ", ".join(f'"{name}" {duckdb_type(part)}' for name, part in shape.items())
        return f"STRUCT({inside})"
    if isinstance(shape, list):
        return duckdb_type(shape[0]) + "[]"
    return TEXT


def misfits(structure: Any, shape: Shape, path: str = "") -> list[str]:
    """Paths of a JSON structure (DuckDB's `json_structure`, parsed) whose container differs from the shape.

    A leaf of any kind fits `TEXT`; null and an absent key fit everything.
    """
    if structure == "NULL" or structure is None or shape == TEXT:
        return []
    if isinstance(shape, dict):
        if not isinstance(structure, dict):
            return [path or "resource"]
        return [
            fault
            for name, part in shape.items()
            if name in structure
            for fault in misfits(structure[name], part, f"{path}.{name}" if path else name)
        ]
    if not isinstance(structure, list):
        return [path or "resource"]
    return misfits(structure[0], shape[0], path) if structure else []
