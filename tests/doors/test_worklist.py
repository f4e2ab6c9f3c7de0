"""Every reason of the worklist: a record that gives it, one that just does not, and the order in which they stand."""

from __future__ import annotations

import csv
import json
from typing import Any

import cases
import pytest
from shell import run_cli

from tellapart.knowledge.load import load

pytestmark = pytest.mark.proves("urgent_far_down")

Json = dict[str, Any]
SLE, FM = ({"code": c, "system": "icd10cm"} for c in ("M32.9", "M79.7"))
HYDRALAZINE = {"drug": "hydralazine", "dose": 200, "unit": "mg/d", "start": "2023-01-17", "end": "2024-03-12"}


def coded(*codes: Json, days: int = 2) -> list[Json]:
    """Each code on so many days, a month apart."""
    return [code | {"date": f"2025-{month:02d}-01"} for code in codes for month in range(3, 3 + days)]


def on_hydralazine(person: str, **more: Any) -> Json:
    """Joint swelling, pleurisy and antibodies against histones after a year of hydralazine."""
    day = "2024-02-20"
    findings = [
        cases.value("ana_titre", 640, day=day), cases.state("anti_histone", day=day),
        cases.state("pleural_effusion", day=day, by="clinician"), cases.state("anti_dsdna", "absent", day=day),
        cases.value("swollen_joints", 3, day=day), cases.value("c3", 1.2, "g/L", day=day),
    ]  # fmt: skip
    return cases.case(person, findings, drugs=[HYDRALAZINE], **more)


LUPUS = [
    cases.value("ana_titre", 640), cases.state("anti_sm"), cases.state("malar_rash", by="clinician"),
    cases.value("wbc", 2.4, "10*9/L", "2025-06-01"), cases.value("wbc", 2.2, "10*9/L"), cases.value("c3", 0.4, "g/L"),
    cases.value("c4", 0.05, "g/L"), cases.value("upcr", 0.05, "g/g"),
    cases.value("swollen_joints", 4), cases.state("pleural_effusion", by="clinician"),
]  # fmt: skip
COMPLAINTS = (
    "widespread_pain", "fatigue", "unrefreshing_sleep", "cognitive_symptoms", "headache", "ibs_symptoms", "allodynia",
    "paresthesia", "myalgia", "depression",
)  # fmt: skip
KNOWN = [cases.value(*test) for test in cases.NORMAL_TESTS] + [cases.state("ana_positive", "absent")]


def treated() -> dict[str, tuple[Json, set[str], set[str]]]:
    """Records whose treatment fits neither disease, or harms."""

    def taken(name: str, *days: str, **more: Any) -> list[Json]:
        return [{"drug": name, "start": day, "end": None, **more} for day in days]

    long_steroid = taken("prednisone", "2025-05-01", "2025-09-01", "2025-12-01", dose=7.5, unit="mg/d")
    early = [
        {**f, "date": "2025-03-01"}
        for f in (*KNOWN, cases.state("anti_dsdna", "absent"), cases.state("anti_sm", "absent"))
    ]
    both = [*LUPUS, cases.value("tender_points", 16)] + [cases.state(s, by="clinician") for s in COMPLAINTS]
    nephritis = cases.state("nephritis_class_iv")
    return {
        "fm-drugs-but-lupus": (cases.case("p", LUPUS, drugs=taken("duloxetine", "2025-11-01")), {"treated_fm_evidence_lupus"}, set()),
        "nephritis": (
            cases.case("q", [*LUPUS, nephritis], drugs=taken("hydroxychloroquine", "2025-11-01")),
            {"nephritis_untreated"}, {"sle_no_antimalarial", "dose_or_eyes"},
        ),
        "nephritis-treated": (
            cases.case("r", [*LUPUS, nephritis], drugs=taken("mycophenolate_mofetil", "2025-11-01")),
            {"sle_no_antimalarial"}, {"nephritis_untreated"},
        ),
        "two-that-harm": (
            cases.case("s", LUPUS, drugs=[*taken("azathioprine", "2025-11-01"), *taken("allopurinol", "2025-11-01")]), {"drug_hazard"}, set(),
        ),
        "lupus-drugs-but-fm": (
            cases.clear_fm("t", (), extra=early) | {"drugs": long_steroid}, {"treated_lupus_evidence_fm"}, {"treatment_fits_neither"},
        ),
        "steroid-but-fm": (
            cases.clear_fm("u", (), extra=[{k: v for k, v in f.items() if k != "date"} for f in early]) | {"drugs": long_steroid},
            {"treatment_fits_neither"}, {"treated_lupus_evidence_fm"},
        ),
        "fm-with-lupus-untreated": (
            cases.case("v", both, instruments=[cases.fm_form()], drugs=taken("hydroxychloroquine", "2025-11-01", dose=400, unit="mg/d")),
            {"fm_in_sle_untreated"}, {"dose_or_eyes"},
        ),
        "dose-by-weight": (
            cases.case("w", [*LUPUS, cases.value("body_weight", 60, "kg")],
                       drugs=taken("hydroxychloroquine", "2025-11-01", dose=400, unit="mg/d")),
            {"dose_or_eyes"}, {"fm_in_sle_untreated"},
        ),
    }  # fmt: skip


def people() -> dict[str, tuple[Json, set[str], set[str]]]:
    """Person to record, reasons that must stand and reasons that must not."""
    return {
        "lupus-never-coded": (cases.case("a", LUPUS), {"sle_met_never_coded"}, {"sle_code_single_claim"}),
        "lupus-coded": (
            cases.case("b", LUPUS, conditions=coded(SLE)),
            set(), {"sle_met_never_coded", "sle_coded_evidence_fm", "sle_coded_not_supported", "fm_coded_evidence_sle"},
        ),
        "fm-coded-but-lupus": (cases.case("c", LUPUS, conditions=coded(FM)), {"fm_coded_evidence_sle"}, set()),
        "fm-coded-red-flag": (
            cases.case("d", [cases.value("upcr", 2.0, "g/g", "2025-12-20")], conditions=coded(FM)),
            {"fm_coded_red_flag"}, set(),
        ),
        "lupus-coded-but-fm": (
            cases.clear_fm("e") | {"conditions": coded(SLE)},
            {"sle_coded_evidence_fm", "sle_coded_fm_set_met"}, {"fm_met_never_coded", "sle_code_single_claim"},
        ),
        "fm-never-coded": (cases.clear_fm("f"), {"fm_met_never_coded"}, {"sle_coded_fm_set_met"}),
        "fm-coded": (cases.clear_fm("g") | {"conditions": coded(FM)}, set(), {"fm_met_never_coded"}),
        "both-fm-not-coded": (
            cases.case("h", [*LUPUS, cases.value("tender_points", 16)] + [cases.state(s, by="clinician") for s in COMPLAINTS],
                       instruments=[cases.fm_form()], conditions=coded(SLE)),
            {"sle_fm_unrecognized", "sle_coded_fm_set_met"}, {"fm_met_never_coded"},
        ),
        "one-claim": (cases.case("i", KNOWN, conditions=coded(SLE, days=1)), {"sle_code_single_claim"}, {"sle_coded_not_supported"}),
        "two-claims-nothing-else": (
            cases.case("j", KNOWN, conditions=coded(SLE)), {"sle_coded_not_supported"}, {"sle_code_single_claim", "sle_coded_test_missing"},
        ),
        "tests-never-done": (
            cases.case("k", [cases.state("fatigue", by="patient")], conditions=coded(SLE)), {"sle_coded_test_missing"}, set(),
        ),
        "fm-tests-never-done": (
            cases.case("l", [cases.state("fatigue", by="patient")], conditions=coded(FM)), {"fm_coded_test_missing"}, {"sle_coded_test_missing"},
        ),
        "on-hydralazine": (on_hydralazine("m", conditions=coded(SLE)), {"drug_induced_not_considered"}, set()),
        "hydralazine-considered": (
            on_hydralazine("n", conditions=[*coded(SLE), {"code": "M32.0", "system": "icd10cm", "date": "2024-03-12"}]),
            set(), {"drug_induced_not_considered"},
        ),
        "explained-by-fm": (
            cases.case("o", [cases.value("ana_titre", 80), *(cases.state(s, by="patient") for s in (
                "joint_tenderness", "morning_stiffness_30min", "alopecia_nonscarring", "oral_ulcers", "photosensitivity", "fever"))]),
            {"fm_explainable_only"}, {"sle_met_never_coded"},
        ),
        **treated(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def worklist(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("worklist")
    source = folder / "cases"
    source.mkdir()
    for name, (document, _, _) in people().items():
        document["person"]["id"] = name
        (source / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    run = run_cli("audit", source, "--out", folder / "out", "--quiet")
    assert run.code == 0, run.err
    with (folder / "out" / "worklist.csv").open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize("person", people())
def test_reasons_of_a_record(worklist: list[dict[str, str]], person: str) -> None:
    given = {row["reason"] for row in worklist if row["person_id"] == person}
    _, wanted, unwanted = people()[person]
    assert wanted <= given, f"missing {wanted - given}; given {given}"
    assert not unwanted & given, f"unwanted {unwanted & given}"


def test_every_reason_is_given_by_some_record(worklist: list[dict[str, str]]) -> None:
    assert {r["reason"] for r in load()["worklist_reasons"]} - {row["reason"] for row in worklist} == set()


def test_rows_stand_by_the_place_of_their_reason(worklist: list[dict[str, str]]) -> None:
    place = {r["reason"]: int(r["place"]) for r in load()["worklist_reasons"]}
    places = [place[row["reason"]] for row in worklist]
    assert places == sorted(places)
    assert [int(row["rank"]) for row in worklist] == list(range(1, len(worklist) + 1))
