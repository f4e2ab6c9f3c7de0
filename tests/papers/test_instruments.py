"""Totals of filled-in forms: polysymptomatic distress 0 to 31 with its bands, other totals, and changes that matter.

FIQR (Bennett 2009, doi 10.1186/ar2783): function sum / 3, impact sum, symptoms sum / 2, 0 to 100; one missing function answer
weighs the rest by 9/8, more than that or any other missing answer leaves no total. PHQ-9 and GAD-7: up to two missing answers
take the mean of the others.

Bands of WPI + SSS: Wolfe 2015 (doi 10.3899/jrheum.141519) 0-3 none, 4-7 mild, 8-11 moderate, 12-19 severe, 20-31 very
severe; for people diagnosed with fibromyalgia the Italian registry: 0-5 remission, 6-15 mild, 16-20 moderate, 21-25 severe,
above 25 very severe.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tellapart.errors import InputError
from tellapart.knowledge.load import load
from tellapart.tasks.workup import workup_document, workup_documents

pytestmark = pytest.mark.proves("self_harm_unseen", "wolfe_2015", "bennett_2009", "phq_manual")

Json = dict[str, Any]
SITES = [
    "neck", "upper_back", "lower_back", "chest", "abdomen", "jaw_l", "jaw_r", "shoulder_girdle_l", "shoulder_girdle_r",
    "upper_arm_l", "upper_arm_r", "lower_arm_l", "lower_arm_r", "hip_l", "hip_r", "upper_leg_l", "upper_leg_r", "lower_leg_l",
    "lower_leg_r",
]  # fmt: skip
NUMBER = count(1)


def record(*instruments: Json, findings: list[Json] | None = None) -> Json:
    return {
        "schema": "tellapart.case/1", "person": {"id": f"forms-{next(NUMBER)}", "sex": "female", "age": 44},
        "as_of": "2026-01-01", "setting": "rheumatology_referral", "findings": findings or [], "instruments": list(instruments),
    }  # fmt: skip


def form(wpi: int, sss: int, **more: Any) -> Json:
    """WPI by that many sites, SSS filled up item by item."""
    answers, left = {}, sss
    for item, most in (("fatigue", 3), ("waking_unrefreshed", 3), ("cognitive", 3), ("headache", 1), ("lower_abdominal_pain", 1), ("depression", 1)):  # fmt: skip
        answers[item] = min(left, most)
        left -= answers[item]
    return {"instrument": "fm_2016", "date": "2025-06-01", "pain_sites": SITES[:wpi], "months": 6, **answers, **more}


def totals(*documents: Json) -> list[Json]:
    return [made["instruments"][0] for made in workup_documents(list(documents))]


BANDS = [
    # WPI, SSS, Wolfe 2015, registry
    (0, 0, "none", "remission"), (3, 0, "none", "remission"), (4, 0, "mild", "remission"), (5, 0, "mild", "remission"),
    (6, 0, "mild", "mild"), (7, 0, "mild", "mild"), (8, 0, "moderate", "mild"), (8, 3, "moderate", "mild"),
    (8, 4, "severe", "mild"), (10, 5, "severe", "mild"), (10, 6, "severe", "moderate"), (14, 5, "severe", "moderate"),
    (14, 6, "very severe", "moderate"), (14, 7, "very severe", "severe"), (15, 10, "very severe", "severe"),
    (15, 11, "very severe", "very severe"), (19, 12, "very severe", "very severe"),
]  # fmt: skip


def test_distress_is_wpi_plus_sss_with_the_band_of_who_it_is_for() -> None:
    fm = [{"finding": "fm_dx", "state": "present", "date": "2024-01-01"}]
    plain = totals(*(record(form(w, s)) for w, s, _, _ in BANDS))
    coded = totals(*(record(form(w, s), findings=fm) for w, s, _, _ in BANDS))
    for (wpi, sss, wolfe, registry), one, other in zip(BANDS, plain, coded, strict=True):
        assert (one["scale"], one["total"], one["low"], one["high"], one["maximum"]) == (
            "psd",
            wpi + sss,
            wpi + sss,
            wpi + sss,
            31,
        )
        assert (one["band"], one["band_table"]) == (wolfe, "Wolfe 2015"), (wpi, sss)
        assert (other["band"], other["band_table"]) == (registry, "Italian registry"), (wpi, sss)


def test_open_items_make_an_interval_and_a_band_only_within_it() -> None:
    some, wide = form(14, 7), form(4, 0)
    del some["depression"], wide["fatigue"], wide["cognitive"]
    one, other = totals(record(some), record(wide))
    assert (one["total"], one["low"], one["high"], one["band"]) == (None, 21, 22, "very severe")
    assert (other["low"], other["high"], other["band"]) == (4, 10, None)


def test_totals_without_their_parts_are_enough_for_the_total_and_leave_regions_open() -> None:
    given = {"instrument": "fm_2016", "date": "2025-06-01", "wpi": 12, "sss": 9, "months": 6}
    with_regions = {**given, "regions": 5}
    without, made = workup_documents([record(given), record(with_regions)])
    assert (without["instruments"][0]["total"], without["instruments"][0]["band"]) == (21, "very severe")
    sets = [{c["set"]: c["met"] for c in d["criteria"]} for d in (without, made)]
    assert (sets[0]["fm_2016"], sets[1]["fm_2016"]) == (None, True)


def test_sites_win_over_a_total_that_contradicts_them() -> None:
    (one,) = totals(record({**form(7, 5), "wpi": 12}))
    assert one["total"] == 12  # 7 + 5


def test_criteria_are_never_met_below_a_distress_of_12() -> None:
    made = workup_documents([record(form(w, s)) for w in (0, 3, 4, 6, 7, 10, 19) for s in (0, 4, 5, 8, 9, 12)])
    met = [d for d in made for c in d["criteria"] if c["set"] in ("fm_2016", "fm_2011") and c["met"]]
    assert met
    assert all(d["instruments"][0]["total"] >= 12 for d in met)


@pytest.mark.parametrize(
    ("name", "total", "band"),
    [
        ("fiqr", 23, "remission"), ("fiqr", 23.5, "remission"), ("fiqr", 24, "mild"), ("fiqr", 40, "mild"), ("fiqr", 41, "moderate"),
        ("fiqr", 64, "severe"), ("fiqr", 83, "very severe"), ("isi", 7, "none"), ("isi", 8, "below threshold"), ("isi", 22, "severe"),
        ("psqi", 5, "good sleep"), ("psqi", 6, "poor sleep"), ("phq_9", 9, "mild"), ("phq_9", 10, "moderate"), ("phq_9", 27, "severe"),
        ("gad_7", 15, "severe"), ("phq_2", 2, "negative"), ("phq_2", 3, "positive"), ("first", 4, "negative"), ("first", 5, "positive"),
        ("facit_fatigue", 52, None),
    ],
)  # fmt: skip
def test_bands_of_other_totals(name: str, total: float, band: str | None) -> None:
    (one,) = totals(record({"instrument": name, "date": "2025-06-01", "total": total}))
    assert (one["total"], one["band"]) == (total, band)


@pytest.mark.parametrize(
    ("name", "before", "after", "changed"),
    [
        ("facit_fatigue", 20, 23, "better"), ("facit_fatigue", 20, 22, "unchanged"), ("facit_fatigue", 23, 20, "worse"),
        ("isi", 20, 14, "better"), ("isi", 20, 15, "unchanged"), ("phq_9", 10, 15, "worse"), ("phq_9", 10, 14, "unchanged"),
        # 14 % of a FIQR of at least 39: of 50 that is 7
        ("fiqr", 50, 43, "better"), ("fiqr", 50, 44, "unchanged"), ("fiqr", 50, 57, "worse"), ("fiqr", 38, 10, None),
        ("slaq", 10, 20, None),
    ],
)  # fmt: skip
def test_a_change_matters_from_the_minimal_change_on(name: str, before: int, after: int, changed: str | None) -> None:
    made = workup_document(
        record(
            {"instrument": name, "date": "2025-01-01", "total": before},
            {"instrument": name, "date": "2025-06-01", "total": after},
        )
    )
    first, second = made["instruments"]
    assert (first["change"], first["changed"]) == (None, None)
    assert (second["change"], second["changed"]) == (after - before, changed)


def test_no_other_total_is_taken_for_a_screen_of_fibromyalgia() -> None:
    made = workup_document(record({"instrument": "phq_9", "date": "2025-06-01", "total": 20}))
    assert "first" not in {c["set"] for c in made["criteria"]}
    assert all(c["met"] is not True for c in made["criteria"])


FIQR = {
    "function": ["brush_hair", "walk_20_minutes", "prepare_meal", "clean_floors", "carry_groceries", "climb_stairs", "change_sheets", "sit_45_minutes", "shop_groceries"],
    "impact": ["prevented_goals", "overwhelmed"],
    "symptoms": ["pain", "energy", "stiffness", "sleep", "depression", "memory", "anxiety", "tenderness", "balance", "sensitivity"],
}  # fmt: skip
PHQ = ["interest", "mood", "sleep", "energy", "appetite", "worth", "concentration", "slowness", "self_harm"]
GAD = ["nervous", "control", "worry", "relax", "restless", "irritable", "afraid"]


def fiqr(function: int, impact: int, symptoms: int, *missing: str) -> Json:
    level = {"function": function, "impact": impact, "symptoms": symptoms}
    answers = {i: level[d] for d, items in FIQR.items() for i in items if i not in missing}
    return {"instrument": "fiqr", "date": "2025-06-01", **answers}


def answers(instrument: str, items: list[str], values: list[int | None]) -> Json:
    given = {i: v for i, v in zip(items, values, strict=True) if v is not None}
    return {"instrument": instrument, "date": "2025-06-01", **given}


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        (fiqr(10, 10, 10), 100, 100), (fiqr(5, 5, 5), 50, 50), (fiqr(0, 0, 0), 0, 0), (fiqr(3, 0, 0), 9, 9), (fiqr(0, 7, 0), 14, 14),
        (fiqr(0, 0, 4), 20, 20),
        # one of nine function answers missing: 8 x 6 = 48, times 9/8 = 54, / 3 = 18; impact 2 x 2 = 4; symptoms 10 x 1 / 2 = 5
        (fiqr(6, 2, 1, "climb_stairs"), 27, 27),
        # two: no total; 7 x 6 = 42 to 62, / 3 = 14 to 20.67
        (fiqr(6, 2, 1, "climb_stairs", "shop_groceries"), 23, 29.666667),
        (fiqr(6, 2, 1, "overwhelmed"), 25, 35), (fiqr(6, 2, 1, "balance"), 26.5, 31.5),
        # nine 3, four missing none: (1+2+3+0+1+2+3+0+1) = 13
        (answers("phq_9", PHQ, [1, 2, 3, 0, 1, 2, 3, 0, 1]), 13, 13),
        # two missing: seven answers of 2 are 14, times 9/7 = 18
        (answers("phq_9", PHQ, [2, 2, 2, 2, 2, 2, 2, None, None]), 18, 18),
        (answers("phq_9", PHQ, [2, 2, 2, 2, 2, 2, None, None, None]), 12, 21),
        (answers("gad_7", GAD, [3, 3, 3, 3, 3, 3, 3]), 21, 21), (answers("gad_7", GAD, [1, 1, 1, 1, 1, None, None]), 7, 7),
        (answers("gad_7", GAD, [1, 1, 1, 1, None, None, None]), 4, 13),
        (answers("phq_2", PHQ[:2], [1, None]), 1, 4),
    ],
)  # fmt: skip
def test_answers_make_the_total_by_the_rule_of_the_instrument(form: Json, low: float, high: float) -> None:
    (one,) = [i for i in workup_document(record(form))["instruments"] if i["scale"] == form["instrument"]]
    assert (one["low"], one["high"]) == (low, high)
    assert one["total"] == (low if low == high else None)


def test_a_total_beside_its_answers_stands_only_where_they_leave_it_open() -> None:
    whole = answers("phq_9", PHQ, [1] * 9)
    part = answers("phq_9", PHQ, [1, 1, 1, *[None] * 6])
    made = workup_documents(
        [record({**whole, "total": 20}), record({**part, "total": 11}), record({**part, "total": 2})]
    )
    totals = [next((i["low"], i["high"]) for i in d["instruments"] if i["scale"] == "phq_9") for d in made]
    assert totals == [(9, 9), (11, 11), (3, 21)]


def test_a_phq_9_shows_its_core_of_mood_beside_the_total() -> None:
    made = workup_document(record(answers("phq_9", PHQ, [3, 2, 0, 0, 0, 0, 0, 0, 0])))
    assert {i["scale"]: (i["total"], i["band"]) for i in made["instruments"]} == {
        "phq_9": (5, "mild"), "phq_2": (5, "positive")
    }  # fmt: skip


def test_slaq_items_never_pass_for_the_published_total() -> None:
    lupus = ["raynaud", "cheek_rash", "other_rash", "sun_rash", "fever", "hair_loss"]
    other = ["headache", "abdominal_pain", "numbness", "stroke", "fatigue", "forgetfulness", "muscle_pain", "muscle_weakness",
             "weight_loss", "mouth_sores", "skin_spots", "swollen_glands", "breathlessness", "chest_pain", "seizures", "low_mood",
             "joint_pain", "joint_swelling"]  # fmt: skip
    form = answers("slaq_items", lupus + other, [1] * 6 + [3] * 8 + [0] * 10)
    made = {i["scale"]: i["total"] for i in workup_document(record(form))["instruments"]}
    assert made == {"slaq_items_unweighted": 30, "slaq_lupus_leaning": 0.333333, "slaq_fm_leaning": 1}


@pytest.mark.parametrize(
    ("name", "before", "after", "changed"),
    [
        # lupus: 9.1 of 100 is worse, 13.9 better (Colangelo 2009); HAQ-DI 0.14 worse, 0.08 better
        ("fatigue_vas", 40, 49, "unchanged"), ("fatigue_vas", 40, 50, "worse"), ("fatigue_vas", 40, 27, "unchanged"), ("fatigue_vas", 40, 26, "better"),
        ("haq_di", 1.0, 0.9, "better"), ("haq_di", 1.0, 1.1, "unchanged"), ("haq_di", 1.0, 1.15, "worse"),
        ("sf_36_mcs", 40, 42, "unchanged"), ("sf_36_mcs", 40, 38, "worse"), ("pain_nrs", 5, 7, "worse"), ("pain_nrs", 5, 4, "unchanged"),
    ],
)  # fmt: skip
def test_a_change_for_the_better_may_need_another_size(name: str, before: float, after: float, changed: str) -> None:
    dated = [{"instrument": name, "date": d, "total": t} for d, t in (("2025-01-01", before), ("2025-06-01", after))]
    assert workup_document(record(*dated))["instruments"][1]["changed"] == changed


def test_thoughts_of_self_harm_are_the_first_thing_said_at_any_total() -> None:
    recent = [
        {**answers("phq_9", PHQ, [n] * 8 + [last]), "date": "2025-12-20"} for n, last in ((0, 1), (3, 0), (3, None))
    ]
    low, none, unknown = workup_documents([record(form) for form in recent])
    assert low["red_flags"][0]["flag"] == "self_harm_thoughts"
    assert low["red_flags"][0]["urgency"] == "emergency"
    assert not [f for d in (none, unknown) for f in d["red_flags"] if f["flag"] == "self_harm_thoughts"]


@pytest.mark.parametrize(
    "name",
    ["first", "facit_fatigue", "promis_fatigue", "psqi", "isi", "mdhaq", "fast_3", "fast_4", "sf_36_pcs", "haq_di"],
)
def test_licensed_instruments_take_their_total_only_and_say_why(name: str) -> None:
    (row,) = [r for r in load()["instruments"] if r["instrument"] == name]
    assert row["terms"] == "total"
    assert row["terms_note"]
    with pytest.raises(InputError, match="no answer"):
        workup_document(record({"instrument": name, "date": "2025-06-01", "item_1": 1}))


@pytest.mark.parametrize(
    ("name", "total", "band"),
    [("fast_3", 0, "negative"), ("fast_3", 1, "negative"), ("fast_3", 2, "positive"), ("fast_3", 3, "positive"),
     ("fast_4", 2, "negative"), ("fast_4", 3, "positive"), ("fast_4", 4, "positive")],
)  # fmt: skip
def test_fast_is_positive_from_two_of_three_and_three_of_four(name: str, total: int, band: str) -> None:
    """J Rheumatol 2020;47:761."""
    [made] = totals(record({"instrument": name, "date": "2025-06-01", "total": total}))
    assert (made["total"], made["band"]) == (total, band)


def test_fast_beyond_its_range_is_refused() -> None:
    with pytest.raises(InputError, match="total"):
        workup_document(record({"instrument": "fast_3", "date": "2025-06-01", "total": 4}))
