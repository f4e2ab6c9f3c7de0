"""Activity indices and target states: records small enough to score by hand, and the scores a hand gave them.

`activity/*.json` holds `bases` (lists of findings that cases share) and `cases`: `base` names a list, `leave_out` takes
findings out of it, `findings`, `drugs` and `conditions` are added; `expected` maps an index to the keys of its entry in
`tellapart.workup/1`, `items` to states, `causes` to rules of competing_causes. An empty `expected`: no index applies.
Expected values were worked out by hand from the named source.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tellapart.knowledge import check
from tellapart.knowledge.load import load
from tellapart.tasks.workup import workup_documents

pytestmark = pytest.mark.proves(
    "activity_from_symptoms", "gladman_2002", "touma_2010", "van_vollenhoven_2021", "franklyn_2016", "golder_2016"
)

FILES = sorted((Path(__file__).parent / "activity").glob("*.json"))
READ = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
CASES = {case["id"]: {**case, "bases": read["bases"]} for read in READ for case in read["cases"]}


def document(case: dict[str, Any]) -> dict[str, Any]:
    shared = [] if "base" not in case else case["bases"][case["base"]]
    findings = [f for f in shared if f["finding"] not in case.get("leave_out", ())] + case["findings"]
    if "base" not in case and case["findings"]:
        findings.append({"finding": "sle_dx", "state": "present", "date": "2020-01-01"})
    return {
        "schema": "tellapart.case/1", "person": {"id": case["id"], "sex": "female", "age": 34}, "as_of": case["as_of"],
        "setting": "lupus_clinic" if case.get("base") != "not_lupus" else "general_population", "findings": findings,
        "drugs": case.get("drugs", []), "conditions": case.get("conditions", []),
    }  # fmt: skip


@cache
def worked_up() -> dict[str, dict[str, Any]]:
    made = workup_documents([document(case) for case in CASES.values()])
    return dict(zip(CASES, made, strict=True))


@pytest.mark.parametrize("ident", CASES, ids=lambda i: f"{i}-{CASES[i]['title'][:60]}")
def test_activity_is_as_by_hand(ident: str) -> None:
    case = CASES[ident]
    found = {entry["index"]: entry for entry in worked_up()[ident]["activity"]}
    assert case["source"]
    if not case["expected"]:
        assert found == {}
    for index, expected in case["expected"].items():
        entry = found[index]
        items = {i["item"]: i for i in entry["items"]}
        flat = {k: v for k, v in expected.items() if k not in ("items", "causes")}
        states = expected.get("items", {})
        causes = expected.get("causes", {})
        assert {k: entry[k] for k in flat} == flat
        assert {k: items[k]["state"] for k in states} == states
        assert {k: items[k]["contested_by"]["rule"] for k in causes} == causes


def test_totals_are_the_sum_of_their_items() -> None:
    for made in worked_up().values():
        for entry in made["activity"]:
            if entry["stated"] or made["activity"][0]["stated"]:  # a whole that was scored bounds its parts
                continue
            unknown = sum(i["worth"] for i in entry["items"] if i["state"] == "unknown")
            assert entry["low"] == sum(i["points"] for i in entry["items"])
            assert entry["high"] == entry["low"] + unknown
            assert (entry["total"] is None) == bool(unknown)


def test_the_course_ends_with_the_latest_totals() -> None:
    """Every day of the course holds every index once, in order of time; the last day is that of `activity`."""
    for made in worked_up().values():
        days = [(c["date"], c["index"]) for c in made["activity_course"]]
        assert days == sorted(set(days))
        last = {c["index"]: (c["low"], c["high"]) for c in made["activity_course"] if c["date"] == days[-1][0]}
        assert last == {e["index"]: (e["low"], e["high"]) for e in made["activity"]}


def test_evidence_of_an_item_lies_in_the_window() -> None:
    made = worked_up()["activity-002"]
    seizure = made["activity"][0]["items"][0]
    assert [e["date"] for e in seizure["evidence"]] == ["2025-12-20"]


@pytest.mark.proves("knowledge_broken")
@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("activity_items", "weight", "7", "add up to"),
        ("activity_bands", "high", "3", "do not cover"),
        ("activity_conditions", "what", "nothing", "is nothing that"),
        ("activity_items", "item", "another", "has no clause and no condition"),
    ],
)
def test_faults_of_the_tables_are_found(table: str, column: str, value: str, says: str) -> None:
    tables = dict(load().tables)
    row = 1 if table == "activity_bands" else 0
    tables[table] = tuple({**r, column: value} if i == row else r for i, r in enumerate(tables[table]))
    assert any(says in fault for fault in check.faults(tables))
