"""Drug-induced lupus: exposure first, an ANA, signs that began on the drug, what speaks against it, and what followed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tellapart.tasks.workup import workup_documents

pytestmark = pytest.mark.proves("drug_induced_missed", "rubin_2005")

Json = dict[str, Any]


def found(name: str, day: str = "2024-03-12", state: str = "present", by: str | None = "clinician") -> Json:
    return {"finding": name, "state": state, "date": day} | ({"by": by} if by else {})


ANA, NO_ANA = found("ana_positive"), found("ana_positive", state="absent")
EFFUSION, HISTONE = found("pleural_effusion"), found("anti_histone")
PAIN = found("arthralgia", by="patient")


def drug(name: str = "hydralazine", start: str = "2023-01-17", end: str | None = "2024-03-20") -> Json:
    return {"drug": name, "start": start, "end": end}


CASES: dict[str, tuple[list[Json], list[Json], Json | None]] = {
    # findings, drugs, expected keys of the entry (None: no entry)
    "effusion and ANA a year after the start": ([ANA, EFFUSION], [drug()], {"verdict": "suspected", "resolution": "unknown"}),
    "pain, ANA and anti-histone": ([ANA, PAIN, HISTONE], [drug()], {"verdict": "suspected"}),
    "pain and ANA alone": ([ANA, PAIN], [drug()], {"verdict": "possible"}),
    "ANA not on record": ([EFFUSION], [drug()], {"verdict": None}),
    "ANA negative": ([NO_ANA, EFFUSION], [drug()], {"verdict": "not_supported"}),
    "the pain came before the drug": ([ANA, found("arthralgia", "2022-05-01", by="patient")], [drug()], {"verdict": "not_supported"}),
    "pain before, effusion on the drug": (
        [ANA, found("arthralgia", "2022-05-01", by="patient"), EFFUSION], [drug()], {"verdict": "suspected"},
    ),
    "on the first day of the drug": ([ANA, found("pleural_effusion", "2023-01-17")], [drug()], {"verdict": "suspected"}),
    "the day before": ([ANA, found("pleural_effusion", "2023-01-16")], [drug()], {"verdict": "not_supported"}),
    "180 days after the last use": ([ANA, found("pleural_effusion", "2024-09-16")], [drug()], {"verdict": "suspected"}),
    "181 days after": ([ANA, found("pleural_effusion", "2024-09-17")], [drug()], None),
    "dsDNA speaks against the classic form": ([ANA, EFFUSION, found("anti_dsdna")], [drug()], {"verdict": "possible"}),
    "low C3 speaks against it": ([ANA, EFFUSION, found("low_c3")], [drug()], {"verdict": "possible"}),
    "nephritis speaks against it": ([ANA, EFFUSION, found("proteinuria")], [drug()], {"verdict": "possible"}),
    "no anti-histone speaks against hydralazine": (
        [ANA, EFFUSION, found("anti_histone", state="absent")], [drug()], {"verdict": "possible"},
    ),
    "no anti-histone says nothing with minocycline": (
        [ANA, EFFUSION, found("anti_histone", state="absent")], [drug("minocycline")], {"verdict": "suspected"},
    ),
    "dsDNA fits anti-TNF": ([ANA, PAIN, found("anti_dsdna")], [drug("infliximab")], {"verdict": "suspected", "kind": "biologic"}),
    "a drug of very low risk is possible at most": ([ANA, EFFUSION], [drug("phenytoin")], {"verdict": "possible"}),
    "skin on terbinafine": (
        [ANA, found("subacute_cutaneous_lupus")], [drug("terbinafine")], {"verdict": "suspected", "kind": "cutaneous"},
    ),
    "joint pain on terbinafine is not that": ([ANA, PAIN], [drug("terbinafine")], None),
    "a drug that is no culprit": ([ANA, EFFUSION], [drug("duloxetine")], None),
    "still taken": ([ANA, EFFUSION], [drug(end=None)], {"verdict": "suspected", "resolution": "not_stopped"}),
    "730 days after a drug without an end was last mentioned": (
        [ANA, found("pleural_effusion", "2024-03-12")], [drug(start="2022-03-13", end=None)], {"verdict": "suspected"},
    ),
    "731 days after": ([ANA, found("pleural_effusion", "2024-03-12")], [drug(start="2022-03-12", end=None)], None),
    "gone after it was stopped": (
        [ANA, EFFUSION, found("pleural_effusion", "2024-05-20", "absent")], [drug()],
        {"verdict": "suspected", "resolution": "resolved"},
    ),
    "there 180 days after it was stopped": (
        [ANA, EFFUSION, found("pleural_effusion", "2024-09-16")], [drug()], {"verdict": "suspected", "resolution": "unknown"},
    ),
    "there 181 days after it was stopped": (
        [ANA, EFFUSION, found("pleural_effusion", "2024-09-17")], [drug()], {"verdict": "possible", "resolution": "persists"},
    ),
    "no dates": ([ANA, {"finding": "pleural_effusion", "state": "present"}], [drug()], {"verdict": None}),
}  # fmt: skip


@cache
def made() -> dict[str, Json]:
    documents = [
        {"schema": "tellapart.case/1", "person": {"id": name, "sex": "male", "age": 60}, "as_of": "2024-12-31",
         "setting": "rheumatology_referral", "findings": findings, "drugs": drugs}
        for name, (findings, drugs, _) in CASES.items()
    ]  # fmt: skip
    return dict(zip(CASES, workup_documents(documents), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str) -> None:
    expected = CASES[name][2]
    entries = made()[name]["drug_induced"]
    if expected is None:
        assert entries == []
    else:
        (entry,) = entries
        assert {k: entry[k] for k in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_suspected_is_a_red_flag_and_nothing_else_is(name: str) -> None:
    flags = {f["flag"] for f in made()[name]["red_flags"]}
    suspected = any(e["verdict"] == "suspected" for e in made()[name]["drug_induced"])
    assert ("drug_induced_lupus" in flags) == suspected


def test_the_entry_says_what_it_rests_on() -> None:
    (entry,) = made()["dsDNA speaks against the classic form"]["drug_induced"]
    assert {f["finding"] for f in entry["for"]} == {"ana_positive", "pleural_effusion"}
    assert [f["finding"] for f in entry["against"]] == ["anti_dsdna"]
    assert "anti_histone" in {f["finding"] for f in entry["unknown"]}
    assert entry["reference"] and entry["references"]
    assert entry["first_sign_date"] == "2024-03-12"
