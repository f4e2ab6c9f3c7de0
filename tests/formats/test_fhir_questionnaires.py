"""Questionnaires that are not ours: pain sites and symptoms by wording, body maps, totals by LOINC links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import records
from cohort import warm

from tellapart.tasks.session import Options
from tellapart.tasks.workup import workup

Json = dict[str, Any]
PLACES = [
    "Shoulder girdle, left", "Shoulder girdle, right", "Hip (buttock, trochanter), left", "Hip (buttock, trochanter), right",
    "Jaw, left", "Jaw, right", "Upper back", "Lower back", "Upper arm, left", "Upper arm, right", "Lower arm, left",
    "Lower arm, right", "Upper leg, left", "Upper leg, right", "Lower leg, left", "Lower leg, right", "Chest", "Abdomen", "Neck",
]  # fmt: skip


def answered(link: str, words: str | None, *answers: Json) -> Json:
    return {"linkId": link, "answer": list(answers)} | ({"text": words} if words else {})


def response(folder: Path, *items: Json, url: str = "http://clinic.example/pain") -> Json:
    """The document of one person with this QuestionnaireResponse."""
    form = {
        "resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "questionnaire": url,
        "subject": {"reference": "Patient/1"}, "authored": "2024-05-06", "item": list(items),
    }  # fmt: skip
    source = records.write(folder / "record.json", records.bundle([records.patient("1"), form]))
    return workup(warm(), source, Options(format="fhir"))


def yes(value: bool) -> Json:
    return {"valueBoolean": value}


def test_sites_and_symptoms_by_their_wording(tmp_path: Path) -> None:
    hurting = {*PLACES[:4], "Upper back", "Lower back", "Neck", "Chest"}  # 8 sites in five regions
    items = [answered(f"p{i}", place, yes(place in hurting)) for i, place in enumerate(PLACES)]
    items += [
        answered("s1", "Fatigue", {"valueInteger": 3}), answered("s2", "Waking up tired (unrefreshed)", {"valueInteger": 2}),
        answered("s3", "Trouble thinking or remembering", {"valueInteger": 1}),
        answered("s4", "Pain or cramps in lower abdomen", {"valueCoding": {"code": "LA33-6", "display": "Yes"}}),
        answered("s5", "Depression", {"valueCoding": {"code": "LA32-8", "display": "No"}}), answered("s6", "Headache", yes(True)),
    ]  # fmt: skip
    (form,) = response(tmp_path, *items)["instruments"]
    assert (form["instrument"], form["total"], form["date"]) == ("fm_2016", 8 + 3 + 2 + 1 + 1 + 0 + 1, "2024-05-06")
    assert form["by"] == "patient"


def test_symptoms_alone_are_not_taken_for_the_form(tmp_path: Path) -> None:
    document = response(
        tmp_path,
        answered("1", "Fatigue", {"valueInteger": 3}),
        answered("2", "Neck", yes(True)),
        answered("3", "Chest", yes(True)),
    )
    assert document["instruments"] == []


def test_a_body_map_asked_for_every_site(tmp_path: Path) -> None:
    ticked = ["Neck", "Left shoulder", "Low back", "Right hip"]
    answers = [
        {"valueCoding": {"system": "http://clinic.example", "code": str(i), "display": t}} for i, t in enumerate(ticked)
    ]
    (form,) = response(tmp_path, answered("map", "Where did you have pain in the last 7 days?", *answers))[
        "instruments"
    ]
    assert (form["instrument"], form["low"]) == ("fm_2016", 4)
    assert form["high"] == 4 + 12  # the other sites were asked, the symptoms were not


def test_a_question_that_is_not_about_pain_is_no_body_map(tmp_path: Path) -> None:
    assert response(tmp_path, answered("x", "Site of the operation", {"valueString": "Neck"}))["instruments"] == []


def test_an_answer_that_is_no_site_spoils_the_map(tmp_path: Path) -> None:
    asked = answered("x", "What hurts most?", {"valueString": "Neck"}, {"valueString": "My job"})
    assert response(tmp_path, asked)["instruments"] == []


def test_totals_by_the_links_of_loinc(tmp_path: Path) -> None:
    items = [
        answered("/44250-9", "Little interest", {"valueInteger": 2}),
        answered("/44261-6", None, {"valueInteger": 14}),
    ]
    _, form = response(tmp_path, *items, url="http://loinc.org/q/44249-1")["instruments"]
    assert (form["instrument"], form["total"], form["band"]) == ("phq_9", 14, "moderate")


def test_items_and_answers_by_the_codes_of_loinc(tmp_path: Path) -> None:
    codes = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    often = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]  # 0, 1, 2, 3
    items = [
        answered(f"/{c}", None, {"valueCoding": {"system": "http://loinc.org", "code": often[i % 4], "display": "x"}})
        for i, c in enumerate(codes)
    ]
    document = response(tmp_path, *items, url="http://loinc.org/q/44249-1")
    assert [(f["scale"], f["total"]) for f in document["instruments"]] == [("phq_2", 1), ("phq_9", 12)]
    assert not [f for f in document["red_flags"] if f["flag"] == "self_harm_thoughts"]
