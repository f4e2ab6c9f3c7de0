"""Flares of lupus from a record, the Duke groups and the course of Type 2: records small enough to judge by hand.

Rules: SLEDAI-2K up by more than 3; SELENA-SLEDAI (up by 3 or more, above 12, new manifestations, physician global); triage,
Duke groups (Rogers 2021, doi 10.1002/acr.24135; Eudy 2022; the version of 2023) and persistent Type 2 as in the clinical
reference, section 3. A change of medicine is never a flare (42 of 55 severe flares of the printed index rested on it).
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tellapart.tasks.workup import workup_document, workup_documents

pytestmark = pytest.mark.proves("treatment_read_as_flare", "rogers_2023", "eudy_2022")

Json = dict[str, Any]
BASES = json.loads((Path(__file__).parent / "activity" / "activity.json").read_text(encoding="utf-8"))["bases"]
QUIET = [
    f for f in BASES["nothing_active"] if f["finding"] != "sle_dx"
]  # every item of SLEDAI-2K looked for, none found
NUMBER = count(1)


def visit(day: str, *found: str, without: tuple[str, ...] = (), **values: float) -> list[Json]:
    """A complete assessment on a day: nothing active but what is named."""
    same = {"synovitis", "acute_cutaneous_lupus", *found, *without, *values}
    other = {"acute_cutaneous_lupus": "rash_unspecified", "low_c3": "c3", "pericardial_rub": "pericardial_pain"}
    taken = same & set(found) | set(without) | set(values) | {other[f] for f in found if f in other}
    rest = [{**f, "date": day} for f in QUIET if f["finding"] not in taken]
    new = [{"finding": f, "state": "present", "date": day, "by": "clinician"} for f in found]
    return [*rest, *new, *({"finding": f, "value": v, "date": day} for f, v in values.items())]


def record(*findings: list[Json], drugs: list[Json] | None = None, forms: list[Json] | None = None) -> Json:
    known = [{"finding": "sle_dx", "state": "present", "date": "2020-01-01"}]
    return {
        "schema": "tellapart.case/1", "person": {"id": f"flares-{next(NUMBER)}", "sex": "female", "age": 34}, "as_of": "2026-01-01",
        "setting": "lupus_clinic", "findings": known + [f for part in findings for f in part], "drugs": drugs or [],
        "instruments": forms or [],
    }  # fmt: skip


def distress(day: str, total: int) -> Json:
    return {"instrument": "fm_2011", "date": day, "wpi": min(total, 19), "sss": max(total - 19, 0)}


def test_new_arthritis_is_a_flare_with_onset_and_end() -> None:
    made = workup_document(record(visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-09-10")))
    (flare,) = made["flares"]
    assert {k: flare[k] for k in ("start", "peak", "end", "type", "basis", "severity", "certainty", "pattern")} == {
        "start": "2024-06-10", "peak": "2024-06-10", "end": "2024-09-10", "type": "type1", "basis": "examination",
        "severity": "moderate", "certainty": 1, "pattern": "possible_type1",
    }  # fmt: skip
    assert flare["signals"] == ["sfi_arthritis", "sfi_rise", "sledai_2k_rise"]
    assert made["not_flares"] == []


def test_a_medicine_alone_is_never_a_flare() -> None:
    prednisone = [
        {"drug": "prednisone", "dose": d, "unit": "mg/d", "start": s, "end": e}
        for d, s, e in ((5, "2024-01-10", "2024-06-09"), (40, "2024-06-10", "2024-07-10"))
    ]
    begun = [{"drug": "cyclophosphamide", "start": "2024-06-12"}, *prednisone]
    quiet = [visit("2024-01-10"), visit("2024-06-10"), visit("2024-12-10")]
    made = workup_documents([record(*quiet, drugs=prednisone), record(*quiet, drugs=begun)])
    for one in made:
        assert one["flares"] == []
        (change,) = one["not_flares"]
        assert (change["pattern"], change["treatment_only"], change["type"]) == ("treatment_only", True, "undetermined")
    ill = workup_document(
        record(visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-12-10"), drugs=prednisone)
    )
    assert [(f["type"], f["treatment_only"]) for f in ill["flares"]] == [("type1", False)]
    assert "sfi_steroid_up" in {s["rule"] for s in ill["flares"][0]["signs"]}
    assert "sfi_steroid_up" not in ill["flares"][0]["signals"]
    assert ill["not_flares"] == []


def test_a_lower_or_unknown_dose_is_no_rise() -> None:
    drugs = [
        {"drug": "prednisone", "dose": 40, "unit": "mg/d", "start": "2024-01-10", "end": "2024-03-01"},
        {"drug": "prednisone", "dose": 10, "unit": "mg/d", "start": "2024-03-02", "end": "2024-06-01"},
        {"drug": "prednisone", "start": "2024-06-02", "end": "2024-08-01"},
    ]
    made = workup_document(record(visit("2024-01-09"), visit("2024-06-10"), drugs=drugs))
    assert [s["rule"] for f in made["not_flares"] for s in f["signs"]] == ["sfi_glucocorticoid_begun"]


def test_serology_alone_is_no_flare() -> None:
    made = workup_document(
        record(visit("2024-01-10"), visit("2024-06-10", "anti_dsdna", "low_c3"), visit("2024-12-10"))
    )
    assert made["flares"] == []  # though SLEDAI-2K rose by 4
    assert [f["pattern"] for f in made["not_flares"]] == ["serological_only"]


def test_grave_manifestations_are_severe_and_urgent() -> None:
    made = workup_document(record(visit("2024-01-10"), visit("2024-06-10", "cellular_casts"), visit("2024-12-10")))
    (flare,) = made["flares"]
    assert (flare["type"], flare["severity"], flare["urgent"]) == ("type1", "severe", True)


def test_what_came_with_the_diagnosis_is_no_flare() -> None:
    first = record(visit("2024-06-10", "synovitis"), visit("2024-12-10"))
    earlier = record(visit("2019-01-10"), visit("2019-12-20", "synovitis"), visit("2024-12-10"))
    assert [d["flares"] for d in workup_documents([first, earlier])] == [[], []]


def test_a_sign_never_looked_for_before_makes_a_flare_less_certain() -> None:
    made = workup_document(record(visit("2024-01-10", without=("synovitis",)), visit("2024-06-10", "synovitis")))
    (flare,) = made["flares"]
    assert flare["certainty"] == 0
    assert flare["end"] is None
    assert flare["missing"] == []


def test_a_flare_names_what_was_not_looked_for() -> None:
    day = "2024-06-10"
    later = [
        {"finding": "synovitis", "state": "present", "date": day, "by": "clinician"},
        {"finding": "platelets", "value": 200, "unit": "10*9/L", "date": day},
    ]
    (flare,) = workup_document(record(visit("2024-01-10"), later))["flares"]
    assert {"urine protein", "complement", "examination of the skin"} <= set(flare["missing"])
    assert not {"platelets", "examination of the joints"} & set(flare["missing"])


def test_what_was_not_looked_for_ends_nothing_and_is_no_relapse() -> None:
    """Arthritis in June and December; nobody looked at the joints in September: one flare, not two, and no end."""
    made = workup_document(
        record(visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-09-10", without=("synovitis",)),
               visit("2024-12-10", "synovitis"))
    )  # fmt: skip
    assert [(f["start"], f["end"]) for f in made["flares"]] == [("2024-06-10", None)]


def test_signs_near_one_another_are_one_flare() -> None:
    near = record(
        visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-07-20", "synovitis", "oral_ulcers")
    )
    apart = record(
        visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-12-10", "synovitis", "oral_ulcers")
    )
    assert [len(d["flares"]) for d in workup_documents([near, apart])] == [1, 2]


def test_the_physician_s_global_makes_a_flare_by_its_rise_and_height() -> None:
    made = workup_document(
        record(visit("2024-01-10", physician_global=0.5), visit("2024-06-10", physician_global=1.4), visit("2024-12-10", physician_global=2.6))
    )  # fmt: skip
    (flare,) = made["flares"]
    assert (flare["start"], flare["severity"], set(flare["signals"])) == (
        "2024-12-10",
        "severe",
        {"sfi_global_rise", "sfi_global"},
    )


def test_a_total_scored_by_a_clinician_counts() -> None:
    totals = [
        {"finding": "sledai_2k_total", "value": v, "date": d}
        for v, d in ((2, "2024-01-10"), (14, "2024-06-10"), (2, "2024-12-10"))
    ]
    (flare,) = workup_document(record(totals))["flares"]
    assert (flare["start"], flare["severity"]) == ("2024-06-10", "severe")
    assert set(flare["signals"]) == {"sledai_2k_rise", "sfi_rise", "sfi_total"}


@pytest.mark.parametrize(
    ("later", "after", "pattern", "kind"),
    [
        (visit("2024-06-10"), 10, "type2", "type2"),
        (visit("2024-06-10"), 9, None, None),  # up by 3 only
        (visit("2024-06-10", "synovitis"), 12, "mixed", "mixed"),
        ([], 12, "not_looked", "undetermined"),
    ],
)
def test_more_distress_without_an_objective_sign_is_type_2_if_somebody_looked(
    later: list[Json], after: int, pattern: str | None, kind: str | None
) -> None:
    made = workup_document(
        record(visit("2024-01-10"), later, forms=[distress("2024-01-10", 6), distress("2024-06-10", after)])
    )
    assert [(f["pattern"], f["type"]) for f in made["flares"]] == ([(pattern, kind)] if pattern else [])


def groups(made: Json) -> dict[str, str | None]:
    return {g["version"]: g["group"] for g in made["duke_groups"]}


def test_duke_groups_as_in_the_reference() -> None:
    """Acceptance test 6: (SLEDAI 6, distress 3) type1; (clinical 4, distress 9) mixed; (2, no activity, distress 12) type2; no
    laboratory results and distress 14: Type 1 not known. Physician globals below 1 unless given."""
    low = {"type1_physician_global": 0.3, "type2_physician_global": 0.5}
    day = "2025-12-10"
    type1 = record(visit(day, "synovitis", "oral_ulcers", **low), forms=[distress(day, 3)])
    mixed = record(visit(day, "synovitis", **low), forms=[distress(day, 9)])
    type2 = record(visit(day, "low_c3", **low), forms=[distress(day, 12)])
    unknown = record([{"finding": "synovitis", "state": "absent", "date": day}], forms=[distress(day, 14)])
    made = [groups(d) for d in workup_documents([type1, mixed, type2, unknown])]
    assert [g["c_2023"] for g in made] == ["type1", "mixed", "type2", None]
    assert [g["b_2022"] for g in made] == ["type1", "type1", "minimal", None]


def test_duke_group_of_2021_asks_for_the_fibromyalgia_criteria() -> None:
    met = {**distress("2025-12-10", 19), "wpi": 12, "sss": 7, "regions": 5, "months": 6, "no_other_cause": True}
    made = workup_documents(
        [record(visit("2025-12-10"), forms=[met]), record(visit("2025-12-10"), forms=[{**met, "wpi": 1, "sss": 3}])]
    )
    assert [groups(d)["a_2021"] for d in made] == ["type2", "minimal"]


@pytest.mark.parametrize(
    ("visits", "course", "median", "rho"),
    [
        # distress and active joints: quiet visits have 10, 9, 8
        ([(10, 0), (9, 0), (14, 4), (8, 0)], "persistent", 9, 0.77),
        ([(3, 0), (12, 4), (2, 0), (13, 4)], "intermittent", 2.5, 0.89),
        ([(3, 0), (4, 4), (2, 0)], "low", 2.5, 0.87),
        ([(3, 0), (9, 0), (4, 4)], None, 6, 0.0),  # high once, without activity
        ([(12, 4), (13, 4), (14, 4)], None, None, None),  # never quiet, and no variance
        ([(12, 0), (13, 0)], None, 12.5, None),  # too few
    ],
)  # fmt: skip
def test_type_2_that_stays_when_type_1_is_quiet_is_persistent(
    visits: list[tuple[int, int]], course: str | None, median: float | None, rho: float | None
) -> None:
    days = [f"2024-{2 * n:02d}-10" for n in range(1, 7)]
    parts = [visit(d, *(["synovitis"] if active else [])) for d, (_, active) in zip(days, visits, strict=False)]
    made = workup_document(record(*parts, forms=[distress(d, psd) for d, (psd, _) in zip(days, visits, strict=False)]))
    found = made["type2_course"]
    assert (found["visits"], found["course"], found["quiet_median"], found["rho"]) == (len(visits), course, median, rho)


def test_nobody_without_lupus_has_flares() -> None:
    plain = record(visit("2024-01-10"), visit("2024-06-10", "synovitis"))
    plain = {
        **plain,
        "setting": "general_population",
        "findings": [f for f in plain["findings"] if f["finding"] != "sle_dx"],
    }
    made = workup_document(plain)
    assert made["activity"] == []
    assert (made["flares"], made["not_flares"], made["duke_groups"], made["type2_course"]) == ([], [], [], None)


AZATHIOPRINE = [{"drug": "azathioprine", "dose": 100, "unit": "mg/d", "start": "2023-01-01"}]


def hot(day: str, degrees: float = 38.6) -> list[Json]:
    return [{"finding": "body_temperature", "value": degrees, "unit": "Cel", "date": day}]


def test_fever_on_an_immunosuppressant_is_infection_first() -> None:
    """Triage table of the clinical reference, last row: whatever else changed; above 38 °C."""
    visits = [visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-12-10")]
    ill, cool, free, alone = workup_documents(
        [
            record(*visits, hot("2024-06-10"), drugs=AZATHIOPRINE),
            record(*visits, hot("2024-06-10", 38.0), drugs=AZATHIOPRINE),
            record(*visits, hot("2024-06-10")),
            record(
                visit("2024-01-10"), visit("2024-06-10"), visit("2024-12-10"), hot("2024-06-10"), drugs=AZATHIOPRINE
            ),
        ]
    )
    (flare,) = ill["flares"]
    assert (flare["pattern"], flare["urgent"], flare["type"]) == ("infection_first", True, "type1")
    assert "infection" in flare["label"] and "fever_on_immunosuppressant" in {s["rule"] for s in flare["signs"]}
    assert "fever_on_immunosuppressant" not in flare["signals"]  # no sign of lupus
    assert [f["pattern"] for d in (cool, free) for f in d["flares"]] == ["possible_type1"] * 2
    assert alone["flares"] == [] or alone["flares"][0]["signals"] == ["sfi_fever"]
    assert "infection_first" in {f["pattern"] for f in alone["flares"] + alone["not_flares"]}


def test_infection_comes_first_where_nothing_of_lupus_changed() -> None:
    made = workup_document(
        record(visit("2024-01-10"), visit("2024-06-10"), visit("2024-12-10"),
               [{"finding": "fever_unmeasured", "state": "present", "date": "2024-06-20", "by": "patient"}], drugs=AZATHIOPRINE)
    )  # fmt: skip
    assert made["flares"] == []
    (change,) = made["not_flares"]
    assert (change["pattern"], change["treatment_only"], change["start"]) == ("infection_first", False, "2024-06-20")
