"""The example data that ships: labeled, accounted for, and the hand-written persons come out as they were meant."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tellapart.tasks.audit import audit
from tellapart.tasks.demo import EXAMPLE, TRY_NEXT
from tellapart.tasks.session import Options, Session

CASES = Path(__file__).resolve().parents[2] / "examples" / "cases"
LIMIT = 15_000_000  # bytes
CLASSES = ("used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")  # design §5

# Calls that a clinician could accept. Where the record leaves it open, so does the list.
ACCEPTED = {
    "synthetic-clear-sle": {"sle"},
    "synthetic-clear-fm": {"fm"},
    "synthetic-fm-coded-as-sle": {"fm"},
    "synthetic-sle-with-fm": {"both", "undetermined"},
    "synthetic-drug-induced-lupus": {"neither", "undetermined"},
    "synthetic-too-little-known": {"neither", "undetermined"},
    "synthetic-fm-coded-red-flag": {"sle", "both", "undetermined"},
}
# EULAR/ACR 2019 without what FM explains, EULAR/ACR 2019 at face value (points), ACR 2016 fibromyalgia
EXPECTED = {
    "synthetic-clear-sle": (True, 29, False),
    "synthetic-clear-fm": (False, 6, True),
    "synthetic-fm-coded-as-sle": (None, 6, True),
    "synthetic-sle-with-fm": (True, 25, True),
    "synthetic-drug-induced-lupus": (None, 6, None),
    "synthetic-too-little-known": (None, 0, None),
    "synthetic-fm-coded-red-flag": (None, 8, True),
}


@dataclass
class Audited:
    """The outcome of one audit of the shipped folder."""

    persons: dict[str, dict[str, Any]]
    run: dict[str, Any]
    rejected: str
    reasons: set[tuple[str, str]]
    report: str


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    out = tmp_path_factory.mktemp("example")
    session = Session(threads=2)
    try:
        audit(session, EXAMPLE, out, Options())
    finally:
        session.close()
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(out / "persons.parquet"))
        persons = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        listed = connection.read_csv(str(out / "worklist.csv"), all_varchar=True).select("person_id, reason").fetchall()
    return Audited(
        {p["person_id"]: p for p in persons},
        json.loads((out / "run.json").read_bytes()),
        (out / "rejected.ndjson").read_text(),
        set(listed),
        (out / "report.html").read_text(),
    )


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    found = []
    for path in sorted(EXAMPLE.glob("*.ndjson.gz")):
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        assert {r["resourceType"] for r in rows} == {path.name.removesuffix(".ndjson.gz")}
        found += rows
    return found


def test_it_is_small_and_explains_itself() -> None:
    assert sum(path.stat().st_size for path in EXAMPLE.rglob("*")) <= LIMIT
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "Synthetic" in readme and "Apache-2.0" in readme and "make_example.py" in readme


def test_files_hold_no_time_and_no_name() -> None:
    for path in EXAMPLE.glob("*.ndjson.gz"):
        head = path.read_bytes()[:8]
        assert head[3] == 0, f"{path.name}: the gzip header names a file"
        assert head[4:8] == bytes(4), f"{path.name}: the gzip header holds a time"


def test_persons_are_labeled_and_nameless(resources: list[dict[str, Any]]) -> None:
    patients = [r for r in resources if r["resourceType"] == "Patient"]
    assert 60 <= len(patients) <= 80
    for patient in patients:
        assert patient["id"].startswith("synthetic-")
        assert patient["meta"]["security"][0]["code"] == "HTEST"
        assert set(patient) <= {"resourceType", "id", "meta", "gender", "birthDate", "deceasedDateTime"}


def test_every_resource_belongs_to_one_of_them_and_references_resolve(resources: list[dict[str, Any]]) -> None:
    known = {f"{r['resourceType']}/{r['id']}" for r in resources}
    assert len(known) == len(resources), "ids of one type repeat"
    referred = set(re.findall(r'"reference": ?"([^"]*)"', json.dumps(resources)))
    assert referred <= known
    for r in resources:
        if r["resourceType"] != "Patient":
            assert r.get("subject", r.get("patient"))["reference"].startswith("Patient/synthetic-")


def test_no_row_is_rejected_and_the_accounting_adds_up(audited: Audited, resources: list[dict[str, Any]]) -> None:
    assert audited.rejected == ""
    total, by_type = audited.run["accounting"], audited.run["accounting_by_source_type"]
    for row in (total, *by_type):
        assert row["read"] == sum(row[name] for name in CLASSES)
        assert row["rejected"] == row["duplicate"] == row["after_as_of"] == 0
    assert total["read"] == sum(row["read"] for row in by_type) == len(resources)


def test_everybody_is_read_and_the_outputs_say_synthetic(audited: Audited, resources: list[dict[str, Any]]) -> None:
    assert set(audited.persons) == {r["id"] for r in resources if r["resourceType"] == "Patient"}
    assert audited.run["synthetic"] is True
    assert "Synthetic data" in audited.report


@pytest.mark.parametrize("person", EXPECTED)
def test_the_hand_written_persons_come_out_as_meant(audited: Audited, person: str) -> None:
    row = audited.persons[person]
    specific, points, fm = EXPECTED[person]
    assert row["call"] in ACCEPTED[person]
    assert row["eular_acr_2019_points"] == points
    assert row["eular_acr_2019_met_specific"] is specific
    assert row["fm_2016_met"] is fm


def test_flags_and_worklist_name_who_needs_another_look(audited: Audited) -> None:
    flags = {person: set(row["red_flags"]) for person, row in audited.persons.items()}
    assert {"proteinuria", "platelets_low"} <= flags["synthetic-fm-coded-red-flag"]
    assert {"proteinuria", "anti_dsdna", "low_c3_and_c4"} <= flags["synthetic-clear-sle"]
    assert not flags["synthetic-clear-fm"] and not flags["synthetic-fm-coded-as-sle"]
    assert ("synthetic-fm-coded-as-sle", "sle_coded_evidence_fm") in audited.reasons
    assert ("synthetic-fm-coded-red-flag", "fm_coded_red_flag") in audited.reasons


def test_synthea_brings_coded_lupus_and_fibromyalgia(audited: Audited) -> None:
    generated = [row for person, row in audited.persons.items() if person not in EXPECTED]
    assert len(generated) == 60
    assert sum(row["sle_dx_days"] > 0 for row in generated) >= 5
    assert sum(row["fm_dx_days"] > 0 for row in generated) >= 5


def test_the_suggested_workups_exist(audited: Audited) -> None:
    assert len(TRY_NEXT) == 3
    assert {person for person, _ in TRY_NEXT} <= set(audited.persons)


def test_every_hand_written_person_has_a_case_file_that_says_the_same(audited: Audited, tmp_path: Path) -> None:
    """The shortened case files reach the same points as the FHIR records."""
    names = {tomllib.loads(path.read_text(encoding="utf-8"))["person"]["id"] for path in CASES.glob("*.toml")}
    assert names == set(EXPECTED)
    session = Session(threads=2)
    try:
        audit(session, CASES, tmp_path / "out", Options())
    finally:
        session.close()
    rows = duckdb.sql(
        f"select person_id, eular_acr_2019_points, eular_acr_2019_met_specific, fm_2016_met "
        f"from '{tmp_path / 'out' / 'persons.parquet'}'"
    ).fetchall()
    assert {person: (specific, points, fm) for person, points, specific, fm in rows} == EXPECTED
