"""Likelier causes on record: an item so contested is shown with its cause, counts in `points` and not in `points_attributed`.

Each row: what is found and its points by the papers, the cause, and the last and first day that lie in and out of its
window. Days are counted from the finding's, which is day 0; the windows are those a clinician would read in the rows.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from tellapart.tasks.workup import workup_documents

pytestmark = pytest.mark.proves("likelier_cause_counted", "cause_hides_lupus")

Json = dict[str, Any]
DAY = date(2025, 6, 1)
ANA: Json = {"finding": "ana_titre", "value": 320, "date": "2020-01-10"}


def dated(offset: int) -> str:
    return (DAY + timedelta(days=offset)).isoformat()


def value(name: str, number: float, unit: str) -> Json:
    return {"finding": name, "value": number, "unit": unit}


def seen(name: str) -> Json:
    return {"finding": name, "state": "present", "by": "clinician"}


WBC, PLATELETS = value("wbc", 3.2, "10*9/L"), value("platelets", 80, "10*9/L")
ROWS: dict[str, tuple[list[Json], str, int, int, str, str, int, int]] = {
    # finding, set, points, points attributed, kind of cause, cause, offset just inside, offset just outside
    "clozapine": ([WBC], "eular_acr_2019", 3, 0, "drug", "clozapine", -90, -91),
    "azathioprine": ([WBC], "eular_acr_2019", 3, 0, "drug", "azathioprine", -180, -181),
    "rituximab": ([WBC], "eular_acr_2019", 3, 0, "drug", "rituximab", -365, -366),
    "started after": ([WBC], "eular_acr_2019", 3, 0, "drug", "carbamazepine", 0, 1),
    "heparin": ([PLATELETS], "eular_acr_2019", 4, 0, "drug", "heparin", -30, -31),
    "enoxaparin": ([PLATELETS], "eular_acr_2019", 4, 0, "drug", "enoxaparin", -30, -31),
    "pregnancy": ([PLATELETS], "eular_acr_2019", 4, 0, "finding", "pregnancy_dx", -270, -271),
    "pregnancy found later": ([PLATELETS], "eular_acr_2019", 4, 0, "finding", "pregnancy_dx", 30, 31),
    "bupropion": ([seen("seizure")], "eular_acr_2019", 5, 0, "drug", "bupropion", -30, -31),
    "clozapine and seizure": ([seen("seizure")], "eular_acr_2019", 5, 0, "drug", "clozapine", -30, -31),
    "tricyclic": ([seen("seizure")], "eular_acr_2019", 5, 0, "drug", "amitriptyline", -30, -31),
    "tramadol": ([seen("seizure")], "eular_acr_2019", 5, 0, "drug", "tramadol", -14, -15),
    "dialysis and protein": ([value("upcr", 0.9, "g/g")], "eular_acr_2019", 4, 0, "finding", "dialysis_dx", 30, 31),
    "dialysis and effusion": (
        [seen("pleural_effusion")], "eular_acr_2019", 5, 0, "finding", "dialysis_dx", 30, 31,
    ),
    "infection and fever": (
        [value("body_temperature", 38.6, "Cel")], "eular_acr_2019", 2, 0, "finding", "infection_dx", 14, 15,
    ),
    "infection and delirium": ([seen("delirium")], "eular_acr_2019", 2, 0, "finding", "infection_dx", -14, -15),
    "rosacea": ([seen("malar_rash")], "eular_acr_2019", 6, 0, "finding", "rosacea_dx", 30, 31),
    "primary psychosis": ([seen("psychosis")], "eular_acr_2019", 3, 0, "finding", "primary_psychosis_dx", 30, 31),
    "steroid and psychosis": ([seen("psychosis")], "eular_acr_2019", 3, 0, "drug", "prednisone", -60, -61),
    "rheumatoid arthritis": ([seen("synovitis")], "eular_acr_2019", 6, 0, "finding", "rheumatoid_arthritis_dx", 30, 31),
    "gout": ([seen("synovitis")], "eular_acr_2019", 6, 0, "finding", "gout_dx", -365, -366),
    "herpes": ([seen("oral_ulcers")], "eular_acr_2019", 2, 0, "finding", "herpes_dx", -30, -31),
    "crohn": ([seen("oral_ulcers")], "eular_acr_2019", 2, 0, "finding", "bowel_inflammation_dx", 30, 31),
    "alopecia areata": ([seen("alopecia_nonscarring")], "eular_acr_2019", 2, 0, "finding", "hair_disease_dx", 90, 91),
    "isotretinoin": ([seen("alopecia_nonscarring")], "eular_acr_2019", 2, 0, "drug", "isotretinoin", -180, -181),
    "iron": ([seen("alopecia_nonscarring")], "eular_acr_2019", 2, 0, "finding", "iron_deficiency_dx", -365, -366),
    "infarction": ([seen("pericardial_effusion")], "eular_acr_2019", 5, 0, "finding", "myocardial_infarction_dx", -90, -91),
    "malignancy": ([seen("pleural_effusion")], "eular_acr_2019", 5, 0, "finding", "malignancy_dx", 180, 181),
    "microangiopathy": ([PLATELETS], "eular_acr_2019", 4, 0, "finding", "thrombotic_microangiopathy_dx", -90, -91),
    # ACR 1997 counts an ANA only without drugs that induce it: seizure 1 + ANA 1
    "hydralazine and ANA": (
        [seen("seizure"), {"finding": "ana_titre", "value": 320}], "acr_1997", 2, 1, "drug", "hydralazine", -730, -731,
    ),
}  # fmt: skip


def document(name: str, offset: int) -> Json:
    findings, _, _, _, kind, cause, _, _ = ROWS[name]
    own = [{**f, "date": dated(0)} for f in findings]
    with_ana = any(f["finding"] == "ana_titre" for f in findings)
    document: Json = {
        "schema": "tellapart.case/1", "person": {"id": f"{name}/{offset}", "sex": "female", "age": 34},
        "as_of": "2026-12-01", "setting": "lupus_clinic", "findings": own + ([] if with_ana else [ANA]),
    }  # fmt: skip
    if kind == "drug":
        document["drugs"] = [{"drug": cause, "start": dated(offset)}]
    else:
        document["findings"].append({"finding": cause, "state": "present", "date": dated(offset)})
    return document


@cache
def made() -> dict[tuple[str, str], Json]:
    keys = [(name, side) for name in ROWS for side in ("in", "out")]
    documents = [document(name, ROWS[name][6 if side == "in" else 7]) for name, side in keys]
    return dict(zip(keys, workup_documents(documents), strict=True))


def scores(name: str, side: str) -> tuple[Any, Any]:
    (part,) = (c for c in made()[(name, side)]["criteria"] if c["set"] == ROWS[name][1])
    return part["points"], part["points_attributed"]


@pytest.mark.parametrize("name", ROWS)
def test_contested_in_the_window_and_not_outside(name: str) -> None:
    _, _, points, attributed, *_ = ROWS[name]
    assert scores(name, "in") == (points, attributed)
    assert scores(name, "out") == (points, points)


@pytest.mark.parametrize("name", ROWS)
def test_a_contested_finding_names_its_cause_and_its_record(name: str) -> None:
    causes = [f["contested_by"] for f in made()[(name, "in")]["findings"] if f["contested_by"]]
    assert causes
    held = "drugs[0]" if ROWS[name][4] == "drug" else "findings["
    assert all(c["cause"] and c["rule"] and held in c["reference"] for c in causes)
    assert not any(f["contested_by"] for f in made()[(name, "out")]["findings"])


def test_a_drug_that_induces_antibodies_does_not_close_the_entry_of_2019() -> None:
    """Nephritis, dsDNA and low complement on hydralazine: the ANA has a likelier cause, but it was never negative.

    ACR 1997 counts an ANA only without such drugs (Tan 1982); EULAR/ACR 2019 asks for an ANA at 1:80 ever.
    """
    findings = [
        {"finding": "ana_titre", "value": 1280, "method": "iif"}, seen("nephritis_class_iii"), seen("anti_dsdna"),
        value("c3", 0.4, "g/L"), value("c4", 0.03, "g/L"),
    ]  # fmt: skip
    drugs = [{"drug": "hydralazine", "start": dated(-60)}]
    base = {
        **document("hydralazine and ANA", 0),
        "findings": [{**f, "date": dated(0)} for f in findings],
        "drugs": drugs,
    }
    (one,) = workup_documents([base])
    sets = {c["set"]: c for c in one["criteria"]}
    assert [sets["eular_acr_2019"][k] for k in ("points", "points_specific", "met_specific")] == [20, 20, True]
    assert [sets["acr_1997"][k] for k in ("points", "points_attributed")] == [2, 1]


def test_one_occurrence_outside_the_window_is_enough() -> None:
    base = document("azathioprine", -10)
    early = {**WBC, "date": dated(-400)}
    (one,) = workup_documents([{**base, "findings": [*base["findings"], early]}])
    (part,) = (c for c in one["criteria"] if c["set"] == "eular_acr_2019")
    assert (part["points"], part["points_attributed"]) == (3, 3)
    assert not next(f for f in one["findings"] if f["finding"] == "leukopenia")["contested_by"]
