"""What would decide a set: the fewest unknown items that could still meet it, and the items without which it falls.

Worked by hand from the sets themselves: EULAR/ACR 2019 (Aringer 2019, doi 10.1136/annrheumdis-2018-214819; 10 points, ANA
entry), SLICC 2012 (Petri 2012, doi 10.1002/art.34473; 4 items, or a biopsy with ANA or anti-dsDNA), ACR 1997 (4 of 11),
SLERPI (Adamichou 2021; more than 7).
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from cases import case, state, value

from tellapart.knowledge.load import load
from tellapart.tasks.workup import workup_documents

pytestmark = pytest.mark.proves("unknown_as_absent")

Json = dict[str, Any]
NUMBER = count(1)
ANA = value("ana_titre", 320)
NO_ANA = state("ana_titre", "absent")


def sets(*records: list[Json]) -> list[dict[str, Json]]:
    made = workup_documents([case(f"decide-{next(NUMBER)}", findings) for findings in records])
    return [{c["set"]: c for c in document["criteria"]} for document in made]


def test_nothing_known_asks_for_the_heaviest_and_the_entry() -> None:
    (nothing,) = sets([])
    assert nothing["eular_acr_2019"]["fewest_to_meet"] == [["nephritis_class_iii_or_iv", "ana_titre"]]
    ways = nothing["slicc_2012"]["fewest_to_meet"]
    assert ways == [["ana", "nephritis_biopsy"], ["anti_dsdna", "nephritis_biopsy"]]
    assert all(len(way) == 4 for way in nothing["acr_1997"]["fewest_to_meet"])
    assert all(len(way) == 2 for way in nothing["slerpi"]["fewest_to_meet"])
    assert all(c["fragile"] is None and c["fragile_items"] == [] for c in nothing.values())


def test_what_is_known_absent_is_not_hoped_for() -> None:
    # class III and IV denied: 8 points of class II or V and 2 of another domain, beside the entry
    (record,) = sets(
        [
            ANA,
            state("nephritis_class_iii", "absent"),
            state("nephritis_class_iv", "absent"),
            state("nephritis_biopsy", "absent"),
        ]
    )
    assert all("nephritis_class_iii_or_iv" not in way for way in record["eular_acr_2019"]["fewest_to_meet"])
    assert all("nephritis_biopsy" not in way for way in record["slicc_2012"]["fewest_to_meet"])
    assert [len(way) for way in record["eular_acr_2019"]["fewest_to_meet"]] == [2, 2, 2]


def test_no_way_is_left_without_the_entry() -> None:
    (record,) = sets([NO_ANA, state("malar_rash")])
    assert record["eular_acr_2019"]["met"] is False
    assert record["eular_acr_2019"]["fewest_to_meet"] == []


def test_one_point_short_asks_for_one_item() -> None:
    # malar rash 6 + leukopenia 3 = 9 of 10, entry met
    (record,) = sets([ANA, state("malar_rash", by="clinician"), value("wbc", 3.2, "10*9/L")])
    part = record["eular_acr_2019"]
    assert (part["points"], part["met"]) == (9, None)
    assert [len(way) for way in part["fewest_to_meet"]] == [1, 1, 1]
    assert part["fewest_to_meet"][0] == ["nephritis_class_iii_or_iv"]


def test_exactly_met_falls_with_any_item_and_more_than_met_with_none() -> None:
    exact, ample = sets(
        # malar rash 6 + platelets below 100 4 = 10
        [ANA, state("malar_rash", by="clinician"), value("platelets", 80, "10*9/L")],
        # 6 + 4 + 6 (synovitis) + 6 (Sm): without any one of them 16 or more are left
        [
            ANA,
            state("malar_rash", by="clinician"),
            value("platelets", 80, "10*9/L"),
            state("synovitis", by="clinician"),
            state("anti_sm"),
        ],
    )
    part = exact["eular_acr_2019"]
    assert (part["points"], part["met"]) == (10, True)
    assert part["fragile_items"] == ["acute_cutaneous_lupus", "thrombocytopenia"]
    assert part["fragile"] == "acute_cutaneous_lupus"  # the one that costs most
    assert part["fewest_to_meet"] == []
    assert ample["eular_acr_2019"]["fragile"] is None


def test_a_biopsy_with_ana_stands_on_the_biopsy() -> None:
    (record,) = sets([ANA, state("nephritis_class_iv", by="clinician")])
    part = record["slicc_2012"]
    assert part["met"] is True
    assert part["fragile_items"] == ["ana"]


APPLIED = {
    # item of EULAR/ACR 2019 or SLICC 2012: a finding by hand that makes it present
    "nephritis_class_iii_or_iv": state("nephritis_class_iii", by="clinician"),
    "ana_titre": ANA, "ana": ANA, "nephritis_biopsy": state("nephritis_biopsy", by="clinician"),
    "anti_dsdna": value("anti_dsdna", 400, "[IU]/mL") | {"high": 10, "method": "elisa"},
    "acute_cutaneous_lupus": state("malar_rash", by="clinician"),
    "acute_pericarditis": state("acute_pericarditis", by="clinician"),
    "alopecia_nonscarring": state("alopecia_nonscarring", by="clinician"),
}  # fmt: skip


@pytest.mark.parametrize(
    "known",
    [[], [ANA], [NO_ANA], [ANA, state("leukopenia")], [ANA, state("oral_ulcers", by="clinician"), state("synovitis", "absent")]],
    ids=["nothing", "ana", "no-ana", "leukopenia", "ulcers"],
)  # fmt: skip
def test_the_way_named_does_meet_the_set_and_no_smaller_one_of_it_does(known: list[Json]) -> None:
    (before,) = sets(known)
    tried = 0
    for name in ("eular_acr_2019", "slicc_2012"):
        for way in before[name]["fewest_to_meet"]:
            if not all(item in APPLIED for item in way):
                continue
            tried += 1
            (after,) = sets(known + [APPLIED[item] for item in way])
            assert after[name]["met"] is True, (name, way)
            for left_out in way:
                (less,) = sets(known + [APPLIED[item] for item in way if item != left_out])
                assert less[name]["met"] is not True, (name, way, left_out)
    assert tried or known == [NO_ANA]


def test_no_more_ways_than_the_row_says_and_none_where_the_set_is_met() -> None:
    shown = int(load().limit("fewest_shown"))
    records = sets([], [ANA], [ANA, state("malar_rash", by="clinician"), state("synovitis", by="clinician")])
    for record in records:
        for part in record.values():
            assert len(part["fewest_to_meet"]) <= shown
            assert not (part["met"] and part["fewest_to_meet"])
