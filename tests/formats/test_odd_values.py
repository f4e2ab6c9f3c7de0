"""Contradictions, falling titres, values on a threshold, and slips of a unit, from a FHIR record to the document.

All are used by the comparators of the rows, except what is implausible: it goes to `rejected` with the likely unit, and
nothing is divided by 1000 on a guess (design §2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import records
from cohort import warm

from tellapart.tasks.session import Options
from tellapart.tasks.workup import workup

Json = dict[str, Any]
ANA = "5048-4"


def read(folder: Path, *rows: Json) -> tuple[Json, list[Json]]:
    """The document of one person with these resources, and the rejected rows."""
    session = warm()
    source = records.write(folder / "record.json", records.bundle([records.patient("1"), *rows]))
    document = workup(session, source, Options(format="fhir"))
    return document, session.rejections()


def finding(document: Json, name: str) -> Json | None:
    return next((f for f in document["findings"] if f["finding"] == name), None)


def points(document: Json, name: str) -> Any:
    return next(c["points"] for c in document["criteria"] if c["set"] == name)


def test_platelets_of_three_million_per_liter_are_rejected_with_the_likely_unit(tmp_path: Path) -> None:
    document, rejected = read(
        tmp_path, records.observation("1", "slip", records.PLATELETS, **records.quantity(3_000_000, "10*9/L"))
    )
    (row,) = rejected
    assert row["reference"] == "Observation/slip"
    assert row["value"] == "3000000 10*9/L"
    assert "not a plausible value in 10*9/L" in row["reason"]
    assert "likely" in row["reason"] and "/uL" in row["reason"]
    assert row["what_to_do"]
    assert document["findings"] == []  # neither low nor normal
    assert document["coverage"]["rejected"] == 1


@pytest.mark.parametrize(
    ("number", "unit", "state"),
    [(3000, "10*9/L", "absent"), (3001, "10*9/L", None), (99, "10*9/L", "present"), (100, "10*9/L", "absent"),
     (99_000, "/uL", "present"), (100_000, "/uL", "absent"), (99, "/uL", None), (0.099, "10*12/L", "present")],
)  # fmt: skip
def test_no_value_is_divided_on_a_guess(tmp_path: Path, number: float, unit: str, state: str | None) -> None:
    document, rejected = read(
        tmp_path, records.observation("1", "a", records.PLATELETS, **records.quantity(number, unit))
    )
    found = finding(document, "thrombocytopenia")
    assert (found["state"] if found else None) == state
    assert len(rejected) == (state is None)


def test_present_and_absent_on_one_date_is_a_conflict_and_counts_as_present(tmp_path: Path) -> None:
    document, rejected = read(
        tmp_path,
        records.observation("1", "a", records.ANTI_DSDNA, valueString="Positive"),
        records.observation("1", "b", records.ANTI_DSDNA, valueString="Negative"),
    )
    found = finding(document, "anti_dsdna")
    assert found and (found["state"], found["conflict"]) == ("present", True)
    assert points(document, "eular_acr_2019") == 6
    assert rejected == []


def test_present_and_absent_on_two_dates_is_no_conflict(tmp_path: Path) -> None:
    document, _ = read(
        tmp_path,
        records.observation("1", "a", records.ANTI_DSDNA, "2024-03-04", valueString="Positive"),
        records.observation("1", "b", records.ANTI_DSDNA, "2024-03-05", valueString="Negative"),
    )
    found = finding(document, "anti_dsdna")
    assert found and (found["state"], found["conflict"]) == ("present", False)


@pytest.mark.parametrize("later", ["1:40", "Negative", "<1:40"])
def test_a_titre_below_80_after_one_above_takes_nothing_back(tmp_path: Path, later: str) -> None:
    document, rejected = read(
        tmp_path,
        records.observation("1", "a", ANA, "2022-03-04", valueString="1:320"),
        records.observation("1", "b", ANA, "2024-03-04", valueString=later),
    )
    found = finding(document, "ana_ge_320")
    assert found and (found["state"], found["last_date"], found["conflict"]) == ("present", "2022-03-04", False)
    (entry,) = (c["entry_met"] for c in document["criteria"] if c["set"] == "eular_acr_2019")
    assert entry is True
    assert rejected == []


@pytest.mark.parametrize(
    ("code", "number", "unit", "name", "state"),
    [
        # by the comparators as printed: fever > 38.3, WBC < 4.0, UPCR > 0.5 (SLICC: 500 mg counts)
        ("8310-5", 38.3, "Cel", "fever", "absent"),
        ("8310-5", 38.4, "Cel", "fever", "present"),
        ("8310-5", 100.94, "[degF]", "fever", "absent"),
        ("6690-2", 4.0, "10*9/L", "leukopenia", "absent"),
        ("6690-2", 3.99, "10*9/L", "leukopenia", "present"),
        ("6690-2", 3.0, "10*9/L", "wbc_lt_3", "absent"),
        ("2890-2", 0.5, "g/g", "proteinuria", "absent"),
        ("2890-2", 0.5, "g/g", "proteinuria_ge_500", "present"),
        ("2890-2", 500, "mg/g", "proteinuria", "absent"),
        ("2890-2", 501, "mg/g", "proteinuria", "present"),
    ],
)
def test_exactly_on_a_threshold(tmp_path: Path, code: str, number: float, unit: str, name: str, state: str) -> None:
    document, rejected = read(tmp_path, records.observation("1", "a", code, **records.quantity(number, unit)))
    found = finding(document, name)
    assert found and found["state"] == state
    assert rejected == []
