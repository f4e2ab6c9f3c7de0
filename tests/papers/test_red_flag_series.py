"""Red flags that need two values or an order: creatinine rising, hemoglobin falling, fever on immunosuppressants.

Source: the red flags of the project's reference (sle-criteria, section 7): creatinine 1.5 times the baseline or up by
0.3 mg/dL (26 µmol/L) in 48 h; hemoglobin down by 2 g/dL or more; fever on steroids or immunosuppressants.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tellapart.tasks.workup import workup_document, workup_documents

pytestmark = pytest.mark.proves("fm_over_red_flag")

Json = dict[str, Any]
AS_OF = "2025-12-31"


def value(name: str, number: float, unit: str, day: str, **more: Any) -> Json:
    return {"finding": name, "value": number, "unit": unit, "date": day, **more}


def creatinine(number: float, day: str, unit: str = "mg/dL") -> Json:
    return value("creatinine", number, unit, day)


def hemoglobin(number: float, day: str, unit: str = "g/dL") -> Json:
    return value("hemoglobin", number, unit, day)


def fever(day: str, celsius: float = 38.5) -> Json:
    return value("body_temperature", celsius, "Cel", day)


def drug(name: str, start: str, end: str | None = None) -> Json:
    return {"drug": name, "start": start, "end": end}


CASES: dict[str, tuple[str, bool, list[Json], list[Json]]] = {
    # flag, in force, findings, drugs
    "creatinine up by 0.3 in two days": ("creatinine_rising", True, [creatinine(0.9, "2025-12-18"), creatinine(1.2, "2025-12-20")], []),
    "by 0.29": ("creatinine_rising", False, [creatinine(0.9, "2025-12-18"), creatinine(1.19, "2025-12-20")], []),
    "by 0.3 in three days": ("creatinine_rising", False, [creatinine(0.9, "2025-12-17"), creatinine(1.2, "2025-12-20")], []),
    "in micromoles, 80 to 107": ("creatinine_rising", True, [creatinine(80, "2025-12-18", "umol/L"), creatinine(107, "2025-12-20", "umol/L")], []),
    "1.5 times in 90 days": ("creatinine_rising", True, [creatinine(0.6, "2025-09-21"), creatinine(0.9, "2025-12-20")], []),
    "1.49 times": ("creatinine_rising", False, [creatinine(0.6, "2025-09-21"), creatinine(0.89, "2025-12-20")], []),
    "1.5 times in 91 days": ("creatinine_rising", False, [creatinine(0.6, "2025-09-20"), creatinine(0.9, "2025-12-20")], []),
    "falling": ("creatinine_rising", False, [creatinine(1.2, "2025-12-18"), creatinine(0.8, "2025-12-20")], []),
    "two values of one day": ("creatinine_rising", False, [creatinine(0.8, "2025-12-20"), creatinine(1.4, "2025-12-20")], []),
    "one value": ("creatinine_rising", False, [creatinine(1.4, "2025-12-20")], []),
    "normal again on a later day": (
        "creatinine_rising", False,
        [creatinine(0.7, "2025-12-10"), creatinine(1.1, "2025-12-12"), creatinine(0.7, "2025-12-28")], [],
    ),
    "a rise long ago": ("creatinine_rising", False, [creatinine(0.9, "2025-11-28"), creatinine(1.3, "2025-11-30")], []),
    "hemoglobin down by 2": ("hemoglobin_falling", True, [hemoglobin(12.5, "2025-12-10"), hemoglobin(10.5, "2025-12-24")], []),
    "down by 20 g/L": ("hemoglobin_falling", True, [hemoglobin(125, "2025-12-10", "g/L"), hemoglobin(105, "2025-12-20", "g/L")], []),
    "down by 1.9": ("hemoglobin_falling", False, [hemoglobin(12.5, "2025-12-10"), hemoglobin(10.6, "2025-12-24")], []),
    "down by 2 in 15 days": ("hemoglobin_falling", False, [hemoglobin(12.5, "2025-12-09"), hemoglobin(10.5, "2025-12-24")], []),
    "fever on prednisone": ("fever_on_immunosuppressants", True, [fever("2025-12-28")], [drug("prednisone", "2025-11-01")]),
    "fever on azathioprine": ("fever_on_immunosuppressants", True, [fever("2025-12-28")], [drug("azathioprine", "2025-11-01")]),
    "fever on adalimumab": ("fever_on_immunosuppressants", True, [fever("2025-12-28")], [drug("adalimumab", "2025-11-01")]),
    "fever on rituximab": ("fever_on_immunosuppressants", True, [fever("2025-12-28")], [drug("rituximab", "2025-11-01")]),
    "fever on ibuprofen": ("fever_on_immunosuppressants", False, [fever("2025-12-28")], [drug("ibuprofen", "2025-11-01")]),
    "no fever on prednisone": ("fever_on_immunosuppressants", False, [fever("2025-12-28", 37.5)], [drug("prednisone", "2025-11-01")]),
    "fever before prednisone": ("fever_on_immunosuppressants", False, [fever("2025-12-28")], [drug("prednisone", "2025-12-29")]),
    "fever after prednisone was stopped": (
        "fever_on_immunosuppressants", False, [fever("2025-12-28")], [drug("prednisone", "2025-11-01", "2025-12-20")],
    ),
    "an infection on record does not take it away": (
        "fever_on_immunosuppressants", True,
        [fever("2025-12-28"), {"finding": "infection_dx", "state": "present", "date": "2025-12-28"}],
        [drug("prednisone", "2025-11-01")],
    ),
    "fever on prednisone three weeks ago": (
        "fever_on_immunosuppressants", False, [fever("2025-12-10")], [drug("prednisone", "2025-11-01")],
    ),
}  # fmt: skip


@cache
def made() -> dict[str, Json]:
    documents = [
        {"schema": "tellapart.case/1", "person": {"id": name, "sex": "female", "age": 40}, "as_of": AS_OF,
         "setting": "rheumatology_referral", "findings": findings, "drugs": drugs}
        for name, (_, _, findings, drugs) in CASES.items()
    ]  # fmt: skip
    return dict(zip(CASES, workup_documents(documents), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_flag_is_in_force_or_not(name: str) -> None:
    flag, expected, _, _ = CASES[name]
    assert (flag in {f["flag"] for f in made()[name]["red_flags"]}) == expected


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c[1]])
def test_a_flag_in_force_forbids_fibromyalgia_and_shows_its_record(name: str) -> None:
    (flag,) = (f for f in made()[name]["red_flags"] if f["flag"] == CASES[name][0])
    assert flag["urgency"] == "same_day"
    assert flag["forbids_fm"] is True
    assert all(e["reference"] and e["date"] for e in flag["evidence"])


@pytest.mark.parametrize(("end", "raised"), [(None, True), ("2024-06-01", False)])
def test_a_drug_whose_end_is_left_open_is_still_taken_years_later(end: str | None, raised: bool) -> None:
    """A case without `end` says that the drug is still taken (design §6): fever on it is a red flag however long ago it was begun."""
    drug = {"drug": "azathioprine", "dose": 100, "unit": "mg/d", "start": "2023-01-01"} | ({"end": end} if end else {})
    fever = {"finding": "body_temperature", "value": 38.6, "unit": "Cel", "date": "2025-12-28"}
    made = workup_document(
        {"schema": "tellapart.case/1", "as_of": "2026-01-01", "person": {"id": "synthetic-fever", "sex": "female", "age": 40},
         "findings": [fever], "drugs": [drug]}
    )  # fmt: skip
    assert ("fever_on_immunosuppressants" in {f["flag"] for f in made["red_flags"]}) is raised
