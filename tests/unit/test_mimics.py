"""Which `neither`: shares of named mimics, worked out from rows alone, explained by the findings that moved them."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from tellapart.knowledge.load import TABLES, load
from tellapart.tasks.demo import EXAMPLE
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_document

KNOWLEDGE = load()
SHARES = {r["mimic"]: float(r["share"]) for r in KNOWLEDGE["mimics"] if r["share"]}


def worked_up(*findings: dict[str, Any], session: Session | None = None) -> dict[str, Any]:
    person = {"id": "synthetic-mimic", "sex": "female", "age": 40}
    given = {"schema": "tellapart.case/1", "person": person, "findings": list(findings)}
    return workup_document(given, Options(), session)


def present(finding: str) -> dict[str, Any]:
    return {"finding": finding, "state": "present", "by": "clinician", "date": "2024-05-01"}


def shares(document: dict[str, Any]) -> dict[str, float]:
    return {m["mimic"]: m["p"] for m in document["mimics"]}


def test_with_nothing_on_record_the_shares_are_those_of_the_rows() -> None:
    found = shares(worked_up())
    assert found.pop("other") == pytest.approx(1 - sum(SHARES.values()), abs=1e-6)
    assert found == pytest.approx(SHARES, abs=1e-6)


@pytest.mark.parametrize(
    "findings",
    [
        (),
        ("rheumatoid_factor", "synovitis"),
        ("ana_titre_640", "anti_ro"),
        ("drug_induced_lupus_suspected",),
        ("sicca_symptoms",),
    ],
)
def test_shares_are_shares_with_intervals_and_come_from_the_printed_bits(findings: tuple[str, ...]) -> None:
    known = {r["finding"] for r in KNOWLEDGE["findings"] if r["kind"] == "state"}
    document = worked_up(*(present(f) for f in findings if f in known))
    listed = document["mimics"]
    assert sum(m["p"] for m in listed) == pytest.approx(1, abs=1e-5)
    assert all(0 <= m["low"] <= m["p"] <= m["high"] <= 1 for m in listed)
    assert [m["mimic"] for m in listed][-1] == "other"
    assert [m["p"] for m in listed[:-1]] == sorted((m["p"] for m in listed[:-1]), reverse=True)
    start = SHARES | {"other": 1 - sum(SHARES.values())}
    weighed = {m["mimic"]: start[m["mimic"]] * 2 ** math.fsum(w["bits"] for w in m["weights"]) for m in listed}
    for m in listed:
        assert m["p"] == pytest.approx(weighed[m["mimic"]] / sum(weighed.values()), abs=1e-5), m["mimic"]
        assert m["mimic"] == "other" or m["references"], m["mimic"]


def test_every_finding_with_a_weight_can_move_its_mimic() -> None:
    """Stated alone, what is commoner in a mimic than in `neither` makes the mimic likelier, and the other way round."""
    kinds = {r["finding"]: r["kind"] for r in KNOWLEDGE["findings"]}
    rows = [r for r in KNOWLEDGE["mimic_weights"] if kinds[r["finding"]] == "state" and abs(float(r["bits"])) > 1]
    assert len(rows) > 20
    moved = 0
    for row in rows:
        state = {"finding": row["finding"], "state": row["state"], "by": "clinician", "date": "2024-05-01"}
        mimic = next(m for m in worked_up(state)["mimics"] if m["mimic"] == row["mimic"])
        own = [w["bits"] for w in mimic["weights"] if w["finding"] == row["finding"]]
        if own:  # others are implied by a finding that counts instead
            moved += 1
            assert math.copysign(1, own[0]) == math.copysign(1, float(row["bits"])), row
    assert moved > len(rows) / 2


def test_mimics_without_counts_are_named_and_not_weighed() -> None:
    document = worked_up()
    named = {m["mimic"] for m in document["mimics_not_weighed"]}
    assert named == {r["mimic"] for r in KNOWLEDGE["mimics"] if not r["share"]} and named
    assert not named & set(shares(document))


def test_a_mimic_is_a_row_more(tmp_path: Path) -> None:
    """Nothing but rows: a share, and one count of a finding in it."""
    folder = tmp_path / "tables"
    shutil.copytree(TABLES, folder)
    for table, like, changed in (
        ("mimics", "rheumatoid_arthritis", {"mimic": "sarcoidosis", "label": "Sarcoidosis", "share": "0.01"}),
        ("mimic_weights", "rheumatoid_arthritis", {"mimic": "sarcoidosis"}),
    ):
        path = folder / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        rows.append(next(r for r in rows if r["mimic"] == like) | changed)
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    session = Session(load(folder))
    found = shares(worked_up(session=session))
    assert found["sarcoidosis"] == pytest.approx(0.01, abs=1e-6)


def test_the_shipped_drug_induced_case_names_it() -> None:
    """Once fibromyalgia led there with a half, because its contested ANA says nothing of lupus."""
    document = workup(Session(), EXAMPLE, Options(), "synthetic-drug-induced-lupus")
    assert document["differential"]["call"] == "neither"
    first = next(m for m in document["mimics"] if m["mimic"] != "other")
    assert first["mimic"] == "drug_induced_lupus" and first["p"] > 0.5
    assert "drug-induced lupus is the likeliest" in document["differential"]["reason"]
