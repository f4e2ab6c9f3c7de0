"""Which tables and columns of the OMOP Common Data Model are read (https://ohdsi.github.io/CommonDataModel/cdm54.html).

A column is named as in CDM 5.4; of several names the first that is filled counts. What a table does not have is
unknown. Only what `NEEDED` lists must be there.
"""

from __future__ import annotations

from dataclasses import dataclass

Names = tuple[str, ...]

NEEDED = ("person", "concept", "date")
IDS = ("visit", "type", "value_concept", "operator", "unit_concept")
"""Columns that hold an id of another table."""
WORDS = (
    "id", "person", "date", "end_date", "status", "number", "value_text", "unit_text", "low", "high", "note", "form",
    "stop_reason", "quantity", "days",
)  # fmt: skip

VISIT, EXPOSURE, ERA = "visit_occurrence", "drug_exposure", "drug_era"
STRENGTH = "drug_strength"
STRENGTH_NEEDS = frozenset({"drug_concept_id", "amount_value", "amount_unit_concept_id"})
OBSERVED, OBSERVED_TO = "observation_period", "observation_period_end_date"


@dataclass(frozen=True)
class Table:
    """One table of clinical rows.

    Attributes:
        name: in the CDM; also the source type in the accounting, and the beginning of a reference (`measurement:991`).
        kind: kind of its statements.
        by: who says it, where the type of the row does not tell.
        columns: ours (`concept`, `source_concept`, `source_value`, `IDS`, `WORDS`) to theirs.
    """

    name: str
    kind: str
    by: str | None
    columns: dict[str, Names]


def _table(name: str, kind: str, by: str | None, stem: str, date: str, **more: Names) -> Table:
    """A table whose columns are named in the way of the CDM."""
    own: dict[str, Names] = {
        "id": (f"{name}_id",),
        "person": ("person_id",),
        "concept": (f"{stem}_concept_id",),
        "source_concept": (f"{stem}_source_concept_id",),
        "source_value": (f"{stem}_source_value",),
        "date": (f"{date}_date", f"{date}_datetime"),
        "visit": ("visit_occurrence_id",),
        "type": (f"{stem}_type_concept_id",),
    }
    return Table(name, kind, by, own | more)


_RESULT: dict[str, Names] = {
    "number": ("value_as_number",), "value_concept": ("value_as_concept_id",), "unit_concept": ("unit_concept_id",),
    "unit_text": ("unit_source_value",),
}  # fmt: skip

TABLES = (
    _table("condition_occurrence", "condition", "clinician", "condition", "condition_start",
           end_date=("condition_end_date",), status=("condition_status_source_value",)),
    _table("measurement", "observation", "measured", "measurement", "measurement", **_RESULT,
           operator=("operator_concept_id",), value_text=("value_source_value",), low=("range_low",),
           high=("range_high",)),
    _table("observation", "observation", None, "observation", "observation", **_RESULT,
           value_text=("value_as_string", "value_source_value"), form=("observation_event_id",)),
    _table("procedure_occurrence", "procedure", "clinician", "procedure", "procedure",
           end_date=("procedure_end_date",)),
    _table("device_exposure", "procedure", "clinician", "device", "device_exposure_start",
           end_date=("device_exposure_end_date",)),
    _table(EXPOSURE, "drug", "clinician", "drug", "drug_exposure_start",
           end_date=("verbatim_end_date", "drug_exposure_end_date"), note=("sig",), stop_reason=("stop_reason",),
           quantity=("quantity",), days=("days_supply",)),
    _table(ERA, "drug", "clinician", "drug", "drug_era_start", end_date=("drug_era_end_date",)),
    _table(VISIT, "encounter", "clinician", "visit", "visit_start", end_date=("visit_end_date",)),
)  # fmt: skip

COUNTED = (
    OBSERVED, "visit_detail", "note", "note_nlp", "specimen", "episode", "episode_event", "condition_era",
    "dose_era", "survey_conduct", "payer_plan_period", "cost", "fact_relationship",
)  # fmt: skip
"""Tables about persons of which no row is a statement: they are counted (of one the end is read, see `OBSERVED`)."""

NAMES = {"person", "death", "provider", "concept", "concept_ancestor", STRENGTH, *COUNTED, *(t.name for t in TABLES)}
"""Every table that is looked for."""
