"""Questionnaires in the diary: asked, written, scored as any record's are, handed out and read again as FHIR and CSV."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from shell import run_cli

from tellapart.knowledge.load import load
from tellapart.rendering import body_map
from tellapart.tasks import diary as task
from tellapart.tasks.forms import totals
from tellapart.tasks.workup import workup_document

pytestmark = pytest.mark.proves("self_harm_unseen", "entry_lost")

KNOWLEDGE = load()
TODAY = dt.date.today()
PHQ = ["interest", "mood", "sleep", "energy", "appetite", "worth", "concentration", "slowness", "self_harm"]


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary.sqlite"


def add(diary: Path, *settings: str, day: dt.date = TODAY) -> str:
    run = run_cli("diary", "add", "--diary", diary, "--date", day, "--set", *settings)
    assert run.code == 0, run.err
    return run.said


def phq(*values: int) -> list[str]:
    return [f"phq_9.{item}={value}" for item, value in zip(PHQ, values, strict=True)]


def scored(diary: Path) -> dict[str, Any]:
    return {f["scale"]: f for f in totals(KNOWLEDGE, task.entries_of_diary(diary))}


def test_a_questionnaire_is_asked_question_by_question(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--form", "gad_7", stdin=b"1\n4\n2\n\n0\n0\n0\n0\n")
    assert run.code == 0, run.err
    assert "Feeling nervous, anxious or on edge" in run.said and "3 nearly every day" in run.said
    assert "outside the range" in run.said  # 4 is asked again
    form = scored(diary)["gad_7"]
    assert (form["total"], form["low"]) == (3.5, 3.5)  # six answers, 3 in all, the seventh takes their mean


def test_thoughts_of_self_harm_show_crisis_lines_at_once_at_any_total(diary: Path) -> None:
    run = run_cli("diary", "add", "--diary", diary, "--country", "US", "--set", *phq(0, 0, 0, 0, 0, 0, 0, 0, 1))
    assert run.said.startswith("You are not alone") and "988" in run.said
    run_cli("diary", "brief", "--diary", diary, "--country", "US", "--html", diary.with_suffix(".html"))
    page = diary.with_suffix(".html").read_text(encoding="utf-8")
    assert page.index("988") < page.index("What changed")
    none = run_cli("diary", "add", "--diary", diary.with_name("x.sqlite"), "--set", *phq(3, 3, 3, 3, 3, 3, 3, 3, 0))
    assert "alone" not in none.said


def test_scores_are_those_of_a_workup(diary: Path) -> None:
    sites = {r["site"] for r in KNOWLEDGE["pain_sites"] if r["wpi"] == "yes"}
    hurt = {"neck", "hip_l", "hip_r", "jaw_l"}
    settings = [f"fm_2016.site.{s}={int(s in hurt)}" for s in sites]
    add(diary, *settings, "fm_2016.fatigue=2", "fm_2016.cognitive=1", "fm_2016.headache=yes", *phq(*[1] * 9), "pain=6")
    day = TODAY.isoformat()
    case = {
        "schema": "tellapart.case/1", "person": {"id": "x", "sex": "unknown"},
        "instruments": [
            {"instrument": "fm_2016", "date": day, "pain_sites": sorted(hurt), "fatigue": 2, "cognitive": 1, "headache": 1},
            {"instrument": "phq_9", "date": day, **dict.fromkeys(PHQ, 1)},
        ],
    }  # fmt: skip
    expected = {i["scale"]: (i["low"], i["high"], i["band"]) for i in workup_document(case)["instruments"]}
    assert {s: (f["low"], f["high"], f["band"]) for s, f in scored(diary).items()} == expected
    assert expected["psd"][0] == 8


def test_places_not_all_asked_for_stay_unknown(diary: Path) -> None:
    add(diary, "fm_2016.site.neck=1", "fm_2016.fatigue=2")
    form = scored(diary)["psd"]
    assert (form["low"], form["total"]) == (2, None)


def test_a_diary_without_questionnaires_is_scored_at_no_cost(diary: Path) -> None:
    add(diary, "pain=6")
    assert totals(KNOWLEDGE, task.entries_of_diary(diary)) == []


@pytest.mark.parametrize("form", ["fhir", "csv"])
def test_handed_out_and_read_again(diary: Path, tmp_path: Path, form: str) -> None:
    add(diary, *phq(0, 1, 2, 3, 0, 1, 2, 3, 0), "pain=6", "pain_nrs.total=4", "fm_2016.site.neck=1")
    out = tmp_path / ("d.json" if form == "fhir" else "d.csv")
    run_cli("diary", "export", "--diary", diary, "--out", out, *(["--fhir"] if form == "fhir" else []))
    again = tmp_path / "again.sqlite"
    assert run_cli("diary", "import", out, "--diary", again).code == 0
    pairs = [sorted(e[:3] for e in task.entries_of_diary(d)) for d in (diary, again)]
    assert pairs[0] == pairs[1]


def test_what_is_handed_out_is_a_record_that_a_workup_reads(diary: Path, tmp_path: Path) -> None:
    add(diary, *phq(0, 1, 2, 3, 0, 1, 2, 3, 0))
    bundle = json.loads(task.export_fhir(KNOWLEDGE, diary))
    forms = {e["resource"]["id"]: e["resource"] for e in bundle["entry"]}
    assert set(forms) == {"diary", "phq-9", f"phq-9-{TODAY}"}
    assert [i["linkId"] for i in forms["phq-9"]["item"]][:2] == ["phq_9.interest", "phq_9.mood"]
    response = {**forms[f"phq-9-{TODAY}"], "subject": {"reference": "Patient/p"}}
    resources = [{"resourceType": "Patient", "id": "p", "gender": "female"}, response]
    file = tmp_path / "bundle.json"
    file.write_text(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]})
    )
    made = json.loads(run_cli("workup", file, "--json").out)
    assert {i["scale"]: i["total"] for i in made["instruments"]} == {"phq_9": 12, "phq_2": 1}


def test_a_response_by_the_codes_of_loinc_is_read(diary: Path, tmp_path: Path) -> None:
    items = [
        {"linkId": "/44250-9", "answer": [{"valueCoding": {"system": "http://loinc.org", "code": "LA6569-3"}}]},
        {"linkId": "/44260-8", "answer": [{"valueCoding": {"system": "http://loinc.org", "code": "LA6568-5"}}]},
    ]
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"resourceType": "QuestionnaireResponse", "authored": "2026-01-31", "item": items}))
    assert run_cli("diary", "import", file, "--diary", diary).code == 0
    assert [e[:3] for e in task.entries_of_diary(diary)] == [
        ("2026-01-31", "phq_9.interest", 1.0), ("2026-01-31", "phq_9.self_harm", 0.0)
    ]  # fmt: skip


def test_licensed_and_unknown_questionnaires_say_what_to_do(diary: Path) -> None:
    licensed = run_cli("diary", "add", "--diary", diary, "--form", "psqi")
    assert (licensed.code, "University of Pittsburgh" in licensed.said, "--set psqi.total" in licensed.said) == (
        2,
        True,
        True,
    )
    unknown = run_cli("diary", "add", "--diary", diary, "--form", "phq9")
    assert (unknown.code, "phq_9" in unknown.said) == (2, True)
    assert "1 new" in add(diary, "psqi.total=9")
    wrong = run_cli("diary", "add", "--diary", diary, "--set", "phq_9.mood=4")
    assert (wrong.code, "0 to 3" in wrong.said) == (2, True)


def test_the_visit_page_says_what_changed_in_either_language(diary: Path) -> None:
    add(diary, *phq(*[1] * 9), day=TODAY - dt.timedelta(30))
    add(diary, *phq(*[2] * 8, 0))
    for lang, words in (("en", f"Mood (PHQ-9): 16 of 27 ({TODAY}), 9 the time before (worse)"),
                        ("es", f"Ánimo (PHQ-9): 16 de 27 ({TODAY}), 9 la vez anterior (peor)")):  # fmt: skip
        run_cli("diary", "brief", "--diary", diary, "--html", diary.with_suffix(".html"), "--lang", lang)
        assert words in diary.with_suffix(".html").read_text(encoding="utf-8")
    assert "Mood (PHQ-9): 16 of 27" in run_cli("diary", "show", "--diary", diary).out


def test_the_body_map_shows_where_it_hurt_and_what_was_not_asked(diary: Path) -> None:
    sites = [r["site"] for r in KNOWLEDGE["pain_sites"] if r["wpi"] == "yes"]
    add(diary, *[f"fm_2016.site.{s}=1" for s in sites], day=TODAY - dt.timedelta(9))
    add(diary, "fm_2016.site.hip_l=1", "fm_2016.site.neck=0", "pain=3")
    run_cli("diary", "show", "--diary", diary, "--html", diary.with_suffix(".html"))
    page = diary.with_suffix(".html").read_text(encoding="utf-8")
    assert "1 of 19 places hurt: left hip." in page
    assert [page.count(f'<rect class="{state}"') for state in ("hurt", "free", "open")] == [1, 1, 17]


def test_the_body_map_has_every_place_once() -> None:
    assert sorted(body_map.PLACES) == sorted(r["site"] for r in KNOWLEDGE["pain_sites"] if r["wpi"] == "yes")
