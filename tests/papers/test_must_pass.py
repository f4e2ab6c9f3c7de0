"""Where each thing that must be shown is shown: `must_pass.csv`, a row for each, and the proofs that no case file can hold.

A row says in short what must hold, names the papers it rests on, and names its proofs: ids of case files, or tests.
"""

from __future__ import annotations

import copy
import csv
import itertools
import json
import math
from pathlib import Path
from typing import Any

import proofs
import pytest
import records
import test_activity
import test_cases
from cases import case, fm_form, state, value
from cohort import warm

from tellapart.errors import InputError
from tellapart.knowledge.load import load
from tellapart.tasks.session import Options
from tellapart.tasks.workup import workup, workup_documents

pytestmark = pytest.mark.proves("wrong_weight", "lupus_from_complaints", "medicine_stopped")

Json = dict[str, Any]
HERE = Path(__file__).parent
ROWS = list(csv.DictReader((HERE / "must_pass.csv").read_text(encoding="utf-8").splitlines()))


def fault(proof: str) -> str:
    """What is wrong with a proof; empty if nothing is."""
    if "::" in proof:
        return proofs.fault(proof)
    if proof in test_cases.CASES:
        expected = test_cases.CASES[proof]["expected"]
        return "" if expected and all(expected.values()) else f"{proof} expects nothing"
    return "" if proof in test_activity.CASES else f"there is no case {proof}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_what_must_hold_is_proven_and_cited(row: dict[str, str]) -> None:
    assert row["says"]
    assert [f for f in map(fault, row["proven_by"].split(";")) if f] == []
    assert set(row["citation"].split(";")) <= {r["id"] for r in load()["references"]}


def test_the_list_is_whole() -> None:
    """Nine vectors of the 2016 set, ten acceptance tests, four kinds of odd input, and no id twice."""
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids))
    kinds = {kind: sum(i.startswith(kind + "_") for i in ids) for kind in ("vector", "accept", "input")}
    assert kinds == {"vector": 9, "accept": 10, "input": 4}


def test_a_proof_that_is_not_there_is_noticed() -> None:
    assert fault("eular-000") == "there is no case eular-000"
    assert "has no test" in fault("tests/papers/test_must_pass.py::test_that_never_was")
    assert "no file" in fault("tests/papers/test_none.py::test_a")
    assert "does not run everywhere" in fault("tests/unit/test_same_rows.py::test_many_alone_equal_the_cohort")


def sets(made: Json) -> dict[str, Json]:
    return {part["set"]: part for part in made["criteria"]}


def test_fibromyalgia_in_quiet_lupus_is_flagged_and_lupus_stays() -> None:
    quiet = test_activity.document(test_activity.CASES["activity-100"])
    lupus = [state("nephritis_class_iii", day="2020-01-01"), value("ana_titre", 320, None, "2020-01-01")]
    few = fm_form(date="2025-12-20", pain_sites=["neck"], fatigue=1, waking_unrefreshed=0, cognitive=0)
    with_fm, without = workup_documents(
        [
            {**quiet, "person": {"id": name}, "findings": quiet["findings"] + lupus, "instruments": [form]}
            for name, form in (("with", fm_form(date="2025-12-20")), ("without", few))
        ]
    )
    for made in (with_fm, without):
        assert {a["index"]: a["category"] for a in made["activity"]}["lldas"] == "met"
        assert sets(made)["eular_acr_2019"]["met"] is True
        assert made["differential"]["call"] not in ("fm", "neither")
    assert sets(with_fm)["fm_2016"]["met"] is True
    assert sets(without)["fm_2016"]["met"] is False
    flagged = [{t["rule"] for t in made["treatment"]} & {"fm_in_sle_untreated"} for made in (with_fm, without)]
    assert flagged == [{"fm_in_sle_untreated"}, set()]


def test_smooth_muscle_is_not_sm(tmp_path: Path) -> None:
    """Neither by a code nor by a name: the antibody against smooth muscle is another antibody."""
    session = warm()
    smooth = [
        records.observation("1", "a", "5359-7", valueString="Positive"),
        {
            **records.observation("1", "b", "none", valueString="Positive"),
            "code": {"text": "Anti-smooth muscle antibody (Sm)"},
        },
        {
            **records.observation("1", "c", "none", valueString="Positive"),
            "code": {"coding": [{"system": "urn:local", "code": "ASMA", "display": "Sm muscle Ab"}]},
        },
    ]
    source = records.write(tmp_path / "record.json", records.bundle([records.patient("1"), *smooth]))
    made = workup(session, source, Options(format="fhir"))
    assert [f["finding"] for f in made["findings"] if f["finding"] == "anti_sm"] == []
    assert sets(made)["eular_acr_2019"]["points"] == 0


@pytest.mark.parametrize(("number", "used"), [(300, True), (301, False), (3900, False)])
def test_white_cells_above_300_are_a_slip_of_the_unit(tmp_path: Path, number: float, used: bool) -> None:
    session = warm()
    count = records.observation("1", "a", records.WBC, **records.quantity(number, "10*9/L"))
    source = records.write(tmp_path / "record.json", records.bundle([records.patient("1"), count]))
    made = workup(session, source, Options(format="fhir"))
    assert {f["finding"]: f["state"] for f in made["findings"]}.get("leukopenia") == ("absent" if used else None)
    assert [("likely" in r["reason"], "/uL" in r["reason"]) for r in session.rejections()] == [(True, True)] * (
        not used
    )


def test_a_class_of_nephritis_is_read_from_the_words_of_a_biopsy(tmp_path: Path) -> None:
    """Class IV and ANA 1:160: EULAR/ACR 10 and SLICC by the biopsy rule; what is left open in words says nothing."""
    ana = records.observation("1", "ana", "5048-4", valueString="1:160")

    def scored(words: str) -> tuple[Any, Any, Any]:
        report = {
            "resourceType": "DiagnosticReport", "id": "kidney", "status": "final", "code": {"text": "Kidney biopsy"},
            "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2024-05-06", "conclusion": words,
        }  # fmt: skip
        source = records.write(tmp_path / "record.json", records.bundle([records.patient("1"), ana, report]))
        made = sets(workup(warm(), source, Options(format="fhir")))
        return made["eular_acr_2019"]["points"], made["eular_acr_2019"]["met"], made["slicc_2012"]["met"]

    assert scored("Lupus nephritis, ISN/RPS class IV-G (A/C).") == (10, True, True)
    assert scored("Lupus nephritis classes III + V.") == (10, True, True)
    assert scored("ISN/RPS class V lupus nephritis.") == (8, None, True)
    assert scored("No lupus nephritis class IV.") == (0, None, None)
    assert scored("Lupus nephritis suspected, class IV?") == (0, None, None)


BOUNDS = [
    (r, bound, float(r[f"plausible_{bound}"]))
    for r in load()["units"]
    if any(v["source"] == r["finding"] for v in load()["value_rules"])
    for bound in ("low", "high")
    if float(r[f"plausible_{bound}"]) > 0
]


@pytest.mark.proves("unit_slip")
def test_beyond_the_plausible_bounds_nothing_is_used_in_any_unit() -> None:
    """A hundredth beyond a bound, whatever the unit: a case is refused by name, or the row is rejected and says nothing."""
    session = warm()
    for number, (row, bound, limit) in enumerate(BOUNDS):
        beyond = limit * (1.01 if bound == "high" else 0.99)
        written = round((beyond - float(row["offset"])) / float(row["factor"]), 9)
        if row["finding"] == "ana_titre":  # a titre is a whole number
            written = math.ceil(written)
        try:
            made = workup_documents(
                [case(f"b{number}", [value(row["finding"], written, row["unit_seen"])])], None, session
            )[0]
        except InputError as refused:
            assert "is not a plausible" in str(refused) and "Allowed: " in str(refused), row
        else:
            assert made["findings"] == [], row
            assert "not a plausible value" in session.rejections()[0]["reason"], row


@pytest.mark.proves("unit_slip")
@pytest.mark.parametrize(
    ("finding", "number", "unit", "likely"),
    [
        ("platelets", 3_000_000, "10*9/L", "/uL"), ("platelets", 250_000, "10*9/L", "/uL"), ("wbc", 6500, "10*9/L", "/uL"),
        ("lymphocytes", 1200, "10*9/L", "/uL"), ("body_temperature", 101, "Cel", "[degF]"), ("upcr", 600, "g/g", "mg/g"),
    ],
)  # fmt: skip
def test_a_slip_of_the_unit_is_refused_with_the_unit_it_was_likely_written_in(
    finding: str, number: float, unit: str, likely: str
) -> None:
    with pytest.raises(InputError) as refused:
        workup_documents([case("slip", [value(finding, number, unit)])])
    said = str(refused.value)
    assert f"{number} {unit}" in said
    assert f"Likely unit: {likely}" in said


@pytest.mark.proves("one_disease_hides_the_other")
def test_adding_lupus_never_changes_the_2016_set() -> None:
    """Every case of the fibromyalgia sets, with lupus coded, proven by biopsy, and active beside it."""
    lupus = [
        state("sle_dx"), state("nephritis_class_iv"), state("anti_dsdna"), value("ana_titre", 640), state("synovitis"), state("low_c3"),
    ]  # fmt: skip
    plain = [
        {k: copy.deepcopy(v) for k, v in c.items() if k not in test_cases.OWN_KEYS}
        for c in json.loads((HERE / "fm_criteria.json").read_text(encoding="utf-8"))["cases"]
    ]
    alone = workup_documents(plain)
    beside = workup_documents([{**d, "findings": [*d["findings"], *lupus]} for d in plain])
    kept = ("points", "points_possible", "met", "met_date")
    for one, both in zip(alone, beside, strict=True):
        assert [sets(both)["fm_2016"][k] for k in kept] == [sets(one)["fm_2016"][k] for k in kept], one["person"]
    assert {sets(one)["fm_2016"]["met"] for one in alone} == {True, False, None}


def test_jaw_chest_and_abdomen_change_the_index_and_never_the_regions() -> None:
    """Three regions and every choice of the sites that build none: the total follows, the set stays unmet."""
    three_regions = ["shoulder_girdle_l", "shoulder_girdle_r", "neck", "upper_back", "lower_back", "upper_arm_l", "upper_arm_r"]  # fmt: skip
    more = ("jaw_l", "jaw_r", "chest", "abdomen")
    chosen = [pick for size in range(5) for pick in itertools.combinations(more, size)]
    forms = [
        fm_form(pain_sites=sites + list(pick))
        for sites in (three_regions, [*three_regions, "hip_l"])
        for pick in chosen
    ]
    made = [sets(d)["fm_2016"] for d in workup_documents([case(f"p{n}", instruments=[f]) for n, f in enumerate(forms)])]
    severity = 3 + 3 + 2 + 3
    assert [m["points"] for m in made] == [
        len(sites) + len(pick) + severity for sites in (three_regions, [*three_regions, "hip_l"]) for pick in chosen
    ]
    assert [m["met"] for m in made] == [False] * len(chosen) + [True] * len(chosen)


def test_hydroxychloroquine_at_70_and_at_80_kg() -> None:
    def flag(weight: float) -> list[str]:
        drug = {"drug": "hydroxychloroquine", "dose": 400, "unit": "mg/d", "start": "2025-12-01"}
        made = workup_documents([case("one", [value("body_weight", weight, "kg", "2025-12-01")], drugs=[drug])])[0]
        return [t["text"] for t in made["treatment"] if t["rule"] == "hcq_over_5"]

    (text,) = flag(70)
    assert "5.71 mg/kg/day" in text
    assert flag(80) == []


def test_the_flag_of_treatment_without_evidence_is_blocked_by_anti_dsdna_at_any_time() -> None:
    denied = [
        state(f, "absent", "2025-05-01")
        for f in ("ana_ge_320", "anti_dsdna", "anti_sm", "low_c3", "low_c4", "synovitis", "serositis", "malar_rash")
    ]
    steroid = [{"drug": "prednisone", "start": day} for day in ("2025-06-01", "2025-11-01")]
    records_ = [
        case(f"p{n}", [*denied, *more], drugs=steroid, instruments=[fm_form()])
        for n, more in enumerate(([], [state("anti_dsdna", day="2009-03-04")], [state("anti_dsdna", day=None)]))
    ]
    plain, long_ago, undated = (
        [t["text"] for t in made["treatment"] if t["rule"] == "tx_lupus_evidence_fm"]
        for made in workup_documents(records_)
    )
    (text,) = plain
    assert "Do not stop medicines on your own" in text
    assert "This does not say that there is no lupus" in text
    assert long_ago == undated == []
