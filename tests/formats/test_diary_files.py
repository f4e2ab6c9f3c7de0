"""Files that go into a diary beside CSV: wearables and FHIR."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from shell import run_cli

from tellapart.events.readers.diary import fhir_file
from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import load
from tellapart.tasks import diary as task

KNOWLEDGE = load()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary.sqlite"


def read(diary: Path, source: Path, code: int = 0) -> dict[tuple[str, str], str]:
    run = run_cli("diary", "import", source, "--diary", diary)
    assert run.code == code, run.err
    rows = run_cli("diary", "export", "--diary", diary).out.splitlines()[1:]
    return {(day, signal): value for day, signal, value in (row.split(",") for row in rows)}


def record(kind: str, start: str, end: str, value: object, source: str = "Watch", unit: str = "count") -> str:
    return f'<Record type="{kind}" sourceName="{source}" unit="{unit}" startDate="{start}" endDate="{end}" value="{value}"/>'


STEPS, SLEEP = "HKQuantityTypeIdentifierStepCount", "HKCategoryTypeIdentifierSleepAnalysis"
REST, TEMPERATURE = "HKQuantityTypeIdentifierRestingHeartRate", "HKQuantityTypeIdentifierBodyTemperature"
CORE = "HKCategoryValueSleepAnalysisAsleepCore"
APPLE = "\n".join((
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE HealthData [<!ELEMENT HealthData (Record*)>]><HealthData locale="en_US">',
    # telephone and watch count the same steps: the larger sum of a device is the day's
    record(STEPS, "2026-01-05 08:00:00 +0100", "2026-01-05 08:10:00 +0100", 1000),
    record(STEPS, "2026-01-05 23:50:00 +0100", "2026-01-06 00:10:00 +0100", 500),
    record(STEPS, "2026-01-05 08:00:00 +0100", "2026-01-05 08:10:00 +0100", 1200, source="Phone"),
    # the night in which clocks go forward in Berlin: 23:00 to 07:00 are seven hours, and two devices overlap
    record(SLEEP, "2026-03-28 23:00:00 +0100", "2026-03-29 07:00:00 +0200", CORE),
    record(SLEEP, "2026-03-29 01:00:00 +0100", "2026-03-29 06:00:00 +0200", CORE, source="Phone"),
    record(SLEEP, "2026-03-28 22:00:00 +0100", "2026-03-29 08:00:00 +0200", "HKCategoryValueSleepAnalysisInBed"),
    record(REST, "2026-01-05 00:00:00 +0100", "2026-01-05 23:59:00 +0100", 60, unit="count/min"),
    record(REST, "2026-01-05 12:00:00 +0100", "2026-01-05 23:59:00 +0100", 64, unit="count/min"),
    record(TEMPERATURE, "2026-01-05 08:00:00 +0100", "2026-01-05 08:00:00 +0100", 36.8, unit="degC"),
    record(TEMPERATURE, "2026-01-05 20:00:00 +0100", "2026-01-05 20:00:00 +0100", 38.4, unit="degC"),
    record(TEMPERATURE, "2026-01-06 20:00:00 +0100", "2026-01-06 20:00:00 +0100", 101.1, unit="degF"),
    "</HealthData>",
))  # fmt: skip
APPLE_DAYS = {
    ("2026-01-05", "steps"): "1500", ("2026-03-29", "sleep_hours"): "7", ("2026-01-05", "heart_rate"): "62",
    ("2026-01-05", "temperature"): "38.4",
}  # fmt: skip


@pytest.mark.parametrize("form", ["xml", "zip", "folder"])
def test_apple_health(diary: Path, tmp_path: Path, form: str) -> None:
    source = tmp_path / "source"
    if form == "folder":
        (source / "apple_health_export").mkdir(parents=True)
        (source / "apple_health_export" / "export.xml").write_text(APPLE)
    elif form == "zip":
        source = source.with_suffix(".zip")
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("apple_health_export/export.xml", APPLE)
    else:
        source = source.with_suffix(".xml")
        source.write_text(APPLE)
    assert read(diary, source) == APPLE_DAYS
    assert read(diary, source) == APPLE_DAYS


def test_fitbit(diary: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Takeout" / "Fitbit" / "Global Export Data"
    folder.mkdir(parents=True)
    (folder / "steps-2026-01-01.json").write_text(json.dumps(
        [{"dateTime": f"01/0{d}/26 08:0{m}:00", "value": "70"} for d in (1, 2) for m in range(3)]))  # fmt: skip
    (folder / "sleep-2026-01-01.json").write_text(json.dumps([
        {"dateOfSleep": "2026-01-01", "minutesAsleep": 400, "mainSleep": True},
        {"dateOfSleep": "2026-01-01", "minutesAsleep": 50, "mainSleep": False}]))  # fmt: skip
    (folder / "resting_heart_rate-2026-01-01.json").write_text(json.dumps([
        {"dateTime": "01/01/26 00:00:00", "value": {"date": "01/01/26", "value": 61.23, "error": 6.8}},
        {"dateTime": "01/02/26 00:00:00", "value": {"date": None, "value": 0.0, "error": 0.0}}]))  # fmt: skip
    (folder / "height-2026-01-01.json").write_text("[]")
    assert read(diary, tmp_path / "Takeout") == {
        ("2026-01-01", "steps"): "210", ("2026-01-02", "steps"): "210", ("2026-01-01", "sleep_hours"): "7.5",
        ("2026-01-01", "heart_rate"): "61.2",
    }  # fmt: skip


def observation(code: str, value: object, unit: str | None, day: str = "2026-01-05", **more: Any) -> dict[str, Any]:
    quantity = {"value": value} | ({"system": "http://unitsofmeasure.org", "code": unit} if unit else {})
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": f"{day}T22:15:00-05:00", "valueQuantity": quantity, **more,
    }  # fmt: skip


def test_fhir_observations(diary: Path, tmp_path: Path) -> None:
    """A unit that is not that of the table is not guessed at; a count or a score needs none."""
    resources = [
        observation("72514-3", 6, None),
        observation("41950-7", 8123, "{steps}"),
        observation("8310-5", 38.2, "Cel"),
        observation("8310-5", 100.4, "[degF]", day="2026-01-06"),
        observation("8310-5", 37, None, day="2026-01-07"),
        observation("93832-4", 7.5, "h") | {"status": "entered-in-error"},
        observation("718-7", 13, "g/dL"),
    ]
    file = tmp_path / "bundle.json"
    file.write_text(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]})
    )
    assert read(diary, file) == {
        ("2026-01-05", "pain"): "6", ("2026-01-05", "steps"): "8123", ("2026-01-05", "temperature"): "38.2",
    }  # fmt: skip


def test_out_as_fhir_and_in_again(diary: Path, tmp_path: Path) -> None:
    entries = [
        Entry("2026-01-01", "pain", 6.5),
        Entry("2026-01-01", "infection", 1.0),
        Entry("2026-01-02", "infection", 0.0),
    ]
    task.add(diary, entries)
    file, other = tmp_path / "out.json", tmp_path / "other.sqlite"
    assert run_cli("diary", "export", "--fhir", "--out", file, "--diary", diary).code == 0
    document = json.loads(file.read_text())
    responses = [e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == "QuestionnaireResponse"]
    assert [r["authored"] for r in responses] == ["2026-01-01", "2026-01-02"]
    asked = {i["linkId"] for e in document["entry"] if e["resource"]["resourceType"] == "Questionnaire" for i in e["resource"]["item"]}  # fmt: skip
    assert {i["linkId"] for r in responses for i in r["item"]} <= asked
    assert all(r["questionnaire"] == fhir_file.CANONICAL + "diary" for r in responses)
    read(other, file)
    assert task.export(other) == task.export(diary)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", "{"), ("x.json", "[]"), ("x.json", '{"resourceType": "Patient"}'), ("x.xml", "<a"), ("x.zip", "no"),
        ("steps-2026-01-01.json", '[{"dateTime": "yesterday", "value": "1"}]'),
        ("x.xml", f'<HealthData><Record type="{STEPS}" startDate="2026-01-01 00:00:00 +0000" value="many"/></HealthData>'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(diary: Path, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    run = run_cli("diary", "import", file, "--diary", diary)
    assert run.code == 1
    assert name in run.said
    assert not diary.exists()


def test_an_empty_folder_and_a_value_that_cannot_be(diary: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "neither export.xml" in run_cli("diary", "import", tmp_path / "empty", "--diary", diary).said
    file = tmp_path / "x.json"
    day = (dt.date.today() + dt.timedelta(30)).isoformat()
    entry = [{"resource": observation("72514-3", 17, None)}, {"resource": observation("41950-7", 5, None, day=day)}]
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}))
    run = run_cli("diary", "import", file, "--diary", diary)
    assert run.code == 3
    assert "outside the range" in run.said and "lies after today" in run.said
