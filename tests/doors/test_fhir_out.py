"""`workup --fhir`: an R4 Bundle that another implementation (fhir.resources) reads, and that says what the document says."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import case, fm_form, state, value
from fhir.resources.R4B.bundle import Bundle
from shell import run_cli

from tellapart.doors.cli import citations
from tellapart.knowledge.load import load
from tellapart.rendering.fhir import bundle
from tellapart.tasks.demo import EXAMPLE
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_document

pytestmark = pytest.mark.proves("changed_in_exchange")

Json = dict[str, Any]
NOW = dt.datetime(2026, 1, 2, 9, 30, tzinfo=dt.UTC)
SHIPPED = ("synthetic-clear-sle", "synthetic-clear-fm", "synthetic-fm-coded-as-sle", "synthetic-sle-with-fm",
           "synthetic-drug-induced-lupus", "synthetic-too-little-known")  # fmt: skip
# too much hydroxychloroquine for 66 kg (400 / 66 = 6.06 mg/kg): a rule that speaks, about a case file's own rows
TOO_MUCH = case(
    "synthetic-dose", [value("body_weight", 66, "kg", "2025-12-15"), state("fever")],
    drugs=[{"drug": "hydroxychloroquine", "dose": 400, "unit": "mg/d", "start": "2025-11-15", "end": None}],
    instruments=[fm_form()],
)  # fmt: skip


@cache
def session() -> Session:
    return Session()


@cache
def document(person: str) -> Json:
    if person == "case":
        return workup_document(TOO_MUCH, Options(), session())
    return workup(session(), EXAMPLE, Options(), person)


@cache
def made(person: str) -> Json:
    return bundle(document(person), citations(load()), NOW)


def of(person: str, kind: str) -> list[Json]:
    return [e["resource"] for e in made(person)["entry"] if e["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("person", [*SHIPPED, "case"])
def test_another_implementation_reads_it_and_writes_the_same(person: str) -> None:
    text = json.dumps(made(person))
    read = json.loads(Bundle.model_validate_json(text).model_dump_json())
    assert [e["resource"]["resourceType"] for e in read["entry"]] == [
        e["resource"]["resourceType"] for e in made(person)["entry"]
    ]
    assert read["entry"][1]["resource"]["prediction"] == made(person)["entry"][1]["resource"]["prediction"]


@pytest.mark.parametrize("person", [*SHIPPED, "case"])
def test_it_says_what_the_document_says(person: str) -> None:
    told = document(person)
    (risk,) = of(person, "RiskAssessment")
    percents = [p["probabilityDecimal"] for p in risk["prediction"]]
    assert percents == [
        pytest.approx(100 * told["differential"]["posterior"][h]["p"], abs=1e-4)
        for h in ("sle", "fm", "both", "neither")
    ]
    assert sum(percents) == pytest.approx(100, abs=1e-2) and told["differential"]["reason"] in risk["note"][0]["text"]
    assert [f["code"]["text"] for f in of(person, "Flag")] == [f["text"] for f in told["red_flags"]]
    assert [i["identifier"][0]["value"] for i in of(person, "DetectedIssue")] == [t["rule"] for t in told["treatment"]]
    for issue, rule in zip(of(person, "DetectedIssue"), told["treatment"], strict=True):
        assert (
            rule["text"] in issue["detail"]
            and rule["wrong_if"] in issue["detail"]
            and len(issue["evidence"]) == len(rule["evidence"])
        )
    points = {o["code"]["text"]: o.get("valueQuantity", {}).get("value") for o in of(person, "Observation")}
    for criteria in told["criteria"]:
        assert not criteria["applicable"] or points[criteria["label"]] == criteria["points"]


def test_an_issue_about_a_drug_has_severity_and_names_the_record() -> None:
    issues = {i["identifier"][0]["value"]: i for i in of("case", "DetectedIssue")}
    dose = issues["hcq_over_6"]
    assert dose["severity"] == "moderate" and dose["status"] == "preliminary"
    assert dose["code"]["text"].startswith("Hydroxychloroquine above") and any(
        "6.06 mg/kg" in e["code"][0]["text"] for e in dose["evidence"]
    )
    assert all(
        "reference" not in d for e in dose["evidence"] for d in e["detail"]
    )  # rows of a case file are no FHIR references


def test_records_of_the_source_are_referred_to_as_the_source_does() -> None:
    (risk,) = of("synthetic-sle-with-fm", "RiskAssessment")
    assert {"reference": "Observation/synthetic-sle-with-fm-7"} in risk["basis"]
    assert risk["subject"] == {"reference": "Patient/synthetic-sle-with-fm"}
    (eular,) = [o for o in of("synthetic-sle-with-fm", "Observation") if "EULAR" in o["code"]["text"]]
    assert {"reference": "Observation/synthetic-sle-with-fm-7"} in eular["derivedFrom"]
    assert all(r["reference"].split("/")[0] != "Condition" for r in eular["derivedFrom"])  # FHIR does not allow it


def test_every_name_in_it_is_in_it_and_unlike_any_other() -> None:
    for person in (*SHIPPED, "case"):
        names = [e["fullUrl"] for e in made(person)["entry"]]
        assert len(set(names)) == len(names)
        (provenance,) = of(person, "Provenance")
        assert {t["reference"] for t in provenance["target"]} < set(names)
        assert provenance["recorded"] == "2026-01-02T09:30:00+00:00"
        assert {r["performer"]["reference"] for r in of(person, "RiskAssessment")} < set(names)


def test_the_same_workup_gives_the_same_bundle_but_for_the_clock() -> None:
    again = bundle(document("case"), {}, NOW + dt.timedelta(days=1))
    first = bundle(document("case"), {}, NOW)
    assert again["entry"][:-1] == first["entry"][:-1] and again["entry"][-1] != first["entry"][-1]


def test_the_command_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "answer.json"
    run = run_cli("workup", EXAMPLE, "--person", "synthetic-sle-with-fm", "--fhir", out)
    assert run.code == 0 and "Written" in run.err and not run.out, run
    said = json.loads(out.read_text())
    assert said["entry"][:-1] == json.loads(json.dumps(made("synthetic-sle-with-fm")))["entry"][:-1]
    refused = run_cli("workup", EXAMPLE, "--person", "synthetic-sle-with-fm", "--json", "--fhir", out)
    assert refused.code == 2 and "--fhir" in refused.err
    unwritable = run_cli(
        "workup", EXAMPLE, "--person", "synthetic-sle-with-fm", "--fhir", tmp_path / "no" / "answer.json"
    )
    assert unwritable.code == 1 and "answer.json" in unwritable.err and "Traceback" not in unwritable.err
