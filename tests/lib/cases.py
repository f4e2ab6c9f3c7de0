"""Builders of `tellapart.case/1` documents, and hypothesis strategies that draw them from the findings the package knows."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tellapart.knowledge.load import load

Json = dict[str, Any]
AS_OF = date(2026, 1, 1)
FM_ANSWERS: Json = {
    "pain_sites": ["neck", "hip_l", "hip_r", "upper_back", "lower_back", "shoulder_girdle_l", "shoulder_girdle_r",
                   "upper_leg_l", "upper_leg_r", "lower_arm_l", "lower_arm_r", "chest"],
    "fatigue": 3, "waking_unrefreshed": 3, "cognitive": 2, "headache": True, "lower_abdominal_pain": True,
    "depression": True, "months": 12, "by": "clinician",
}  # fmt: skip
NORMAL_TESTS: tuple[tuple[str, float, str], ...] = (
    ("wbc", 6.5, "10*9/L"), ("platelets", 250, "10*9/L"), ("lymphocytes", 2.1, "10*9/L"), ("upcr", 0.05, "g/g"),
    ("creatinine", 0.8, "mg/dL"), ("c3", 1.2, "g/L"), ("c4", 0.25, "g/L"), ("crp", 1, "mg/L"), ("esr", 8, "mm/h"),
    ("tsh", 1.8, "m[IU]/L"), ("ck", 90, "U/L"), ("hemoglobin", 13.5, "g/dL"),
)  # fmt: skip


def case(person: str, findings: list[Json] | None = None, /, **more: Any) -> Json:
    """A document of one person, as of a fixed day."""
    who = {"id": person, "sex": "female", "age": 34}
    return {
        "schema": "tellapart.case/1", "person": who, "as_of": AS_OF.isoformat(),
        "setting": "rheumatology_referral", "findings": findings or [],
    } | more  # fmt: skip


def state(finding: str, value: str = "present", day: str | None = "2025-12-01", by: str | None = None) -> Json:
    """A finding stated to be present or absent."""
    return {"finding": finding, "state": value} | ({"date": day} if day else {}) | ({"by": by} if by else {})


def value(finding: str, number: float, unit: str | None = None, day: str | None = "2025-12-01") -> Json:
    """A measured value."""
    return {"finding": finding, "value": number} | ({"unit": unit} if unit else {}) | ({"date": day} if day else {})


def fm_form(**changed: Any) -> Json:
    """A filled ACR 2016 form that meets the criteria, with some answers changed (None leaves one out)."""
    form = {"instrument": "fm_2016", "date": "2025-11-15"} | FM_ANSWERS | changed
    return {k: v for k, v in form.items() if v is not None}


def clear_fm(
    person: str, tests: tuple[tuple[str, float, str], ...] = NORMAL_TESTS, extra: list[Json] | None = None
) -> Json:
    """Fibromyalgia as clear as a record can show it: form, examination, negative ANA, normal tests."""
    complaints = ["widespread_pain", "fatigue", "unrefreshing_sleep", "cognitive_symptoms", "headache", "ibs_symptoms",
                  "allodynia", "paresthesia", "myalgia", "depression"]  # fmt: skip
    findings = [state(c, by="clinician") for c in complaints]
    findings += [state(f, "absent") for f in ("malar_rash", "synovitis", "oral_ulcers", "pleural_effusion")]
    findings += [state(f, "absent") for f in ("ana_positive", "anti_dsdna", "anti_sm")]
    findings += [value(*test) for test in tests]
    return case(person, findings + (extra or []), instruments=[fm_form()])


@cache
def stated_findings() -> list[str]:
    """Every finding that can be stated in a case file."""
    return sorted(r["finding"] for r in load()["findings"] if r["kind"] == "state")


@cache
def weighty_findings() -> list[str]:
    """Findings that criteria, weights, flags or derivations rest on."""
    knowledge = load()
    named = {r["finding"] for r in knowledge["criteria_clauses"]} | {r["finding"] for r in knowledge["blocks"]}
    named |= {r["finding"] for r in knowledge["red_flag_clauses"]} | {
        r["finding"] for r in knowledge["finding_implies"]
    }
    named |= {m for r in knowledge["finding_derived"] for m in r["members"].split(";")}
    return sorted(named & set(stated_findings()))


days = st.one_of(
    st.none(),
    st.integers(0, 3000).map(lambda n: (AS_OF - timedelta(days=n)).isoformat()),
    st.integers(2015, 2025).map(str),
    st.sampled_from(["2024-02", "2025-11"]),
)
names = st.one_of(st.sampled_from(weighty_findings()), st.sampled_from(stated_findings()))


def statements(states: tuple[str, ...] = ("present", "present", "absent")) -> st.SearchStrategy[Json]:
    """One stated finding."""
    return st.builds(
        state, names, st.sampled_from(states), days, st.sampled_from([None, None, "clinician", "patient", "measured"])
    )


@st.composite
def values(draw: st.DrawFn) -> Json:
    """One value of a finding that is measured, on either side of what the rules ask for."""
    knowledge = load()
    cuts = [
        (r["source"], float(r["threshold"])) for r in knowledge["value_rules"] if r["test"] in ("lt", "le", "gt", "ge")
    ]
    kinds = {r["finding"]: r for r in knowledge["findings"]}
    limits = {r["finding"]: r for r in knowledge["units"]}
    finding, cut = draw(st.sampled_from(sorted((f, c) for f, c in cuts if kinds[f]["kind"] == "value" and f in limits)))
    number = cut * draw(st.sampled_from([0.5, 0.95, 1, 1.05, 2]))
    number = min(max(number, float(limits[finding]["plausible_low"])), float(limits[finding]["plausible_high"]))
    return value(finding, round(number, 3), kinds[finding]["unit"], draw(days))


forms = st.builds(
    fm_form,
    pain_sites=st.lists(st.sampled_from(FM_ANSWERS["pain_sites"]), unique=True, max_size=12),
    fatigue=st.sampled_from([None, 0, 1, 2, 3]),
    waking_unrefreshed=st.sampled_from([None, 0, 2, 3]),
    headache=st.sampled_from([None, True, False]),
    months=st.sampled_from([None, 1, 3, 12]),
    date=st.sampled_from(["2025-11-15", "2024-01-01", None]),
)


def histories(most: int = 12) -> st.SearchStrategy[Json]:
    """A document without person id: findings, forms, drugs."""
    drugs = sorted({r["what"] for r in load()["competing_causes"] if r["kind"] == "drug"})
    return st.fixed_dictionaries(
        {
            "findings": st.lists(st.one_of(statements(), statements(), values()), max_size=most),
            "instruments": st.lists(forms, max_size=2),
            "drugs": st.lists(
                st.builds(lambda d, s: {"drug": d} | ({"start": s} if s else {}), st.sampled_from(drugs), days),
                max_size=2,
            ),
        }
    )


def named(person: str, history: Json) -> Json:
    """The history as the document of a person."""
    return case(person, **history)
