"""A cohort and one person alone take the same path: everybody audited together equals everybody worked up alone."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import people
import pyarrow.parquet as pq
import pytest
import records
from cohort import HYPOTHESES, SETTING, Json, warm

from tellapart.tasks.audit import audit
from tellapart.tasks.session import Options
from tellapart.tasks.workup import workup

# After the last day of anybody: before it, undated statements count for those whose own record has ended (design §1).
OPTIONS = Options(as_of=people.LAST_DAY + timedelta(days=500), setting=SETTING)
SAMPLE = 30
SCORES = ("points", "points_attributed", "points_specific", "met", "met_attributed", "met_specific", "met_date")


def together(folder: Path, count: int, seed: int) -> tuple[list[list[records.Resource]], dict[str, Json], list[Json]]:
    """Generated persons, their rows of persons.parquet by id, and the rows of findings.parquet."""
    made = people.persons(count, seed)
    source = records.write(folder / "all.ndjson", *(row for person in made for row in person))
    audit(warm(), source, folder / "out", OPTIONS)
    rows = {r["person_id"]: r for r in pq.read_table(folder / "out" / "persons.parquet").to_pylist()}
    return made, rows, pq.read_table(folder / "out" / "findings.parquet").to_pylist()


def compared(row: Json, findings: list[Json], document: Json) -> list[str]:
    """What differs between a person's row of an audit and the same person's workup, in words.

    An audit leaves attribution, dates and intervals of persons who are not of interest open; a workup is of interest.
    """
    found: list[str] = []

    def same(what: str, one: Any, other: Any) -> None:
        if one != other:
            found.append(f"{row['person_id']}: {what}: {one!r} together, {other!r} alone")

    of_interest = row["p_sle_low"] is not None
    differential = document["differential"]
    same("age", row["age"], document["person"]["age"])
    for part in document["criteria"]:
        for score in SCORES if of_interest else ("points", "met"):
            one, other = row[f"{part['set']}_{score}"], part[score]
            if score == "met_date":
                one = one.isoformat() if one else None
            elif part["condition"] == "fm" and score.startswith("points"):
                one, other = one or 0, other or 0
            same(f"{part['set']} {score}", one, other)
    contested = any(f["contested_by"] for f in document["findings"])
    for h in HYPOTHESES:
        if of_interest or not contested:
            same(f"p_{h}", row[f"p_{h}"], differential["posterior"][h]["p"])
        if of_interest:
            same(f"p_{h}_low", row[f"p_{h}_low"], differential["posterior"][h]["low"])
            same(f"p_{h}_high", row[f"p_{h}_high"], differential["posterior"][h]["high"])
    if not of_interest:
        same("call", row["call"], "neither")
        return found
    same("call", row["call"], differential["call"])
    same("red flags", sorted(row["red_flags"]), sorted(f["flag"] for f in document["red_flags"]))
    own = {f["finding"]: f for f in findings}
    alone = {f["finding"]: f for f in document["findings"]}
    same("findings", sorted(own), sorted(alone))
    for name in own.keys() & alone.keys():
        one, other = own[name], alone[name]
        same(f"{name} state", one["state"], other["state"])
        same(f"{name} by", one["by"], other["by"])
        same(f"{name} days", one["present_days"] if one["state"] == "present" else one["absent_days"], other["days"])
        if not other["derived"]:
            same(f"{name} last date", one["last_date"] and one["last_date"].isoformat(), other["last_date"])
        same(f"{name} contested", bool(one["contested_by"]), bool(other["contested_by"]))
        same(f"{name} explained by FM", one["fm_explains"] or None, other["fm_explains"] or None)
    for finding, days in (("sle_dx", "sle_dx_days"), ("fm_dx", "fm_dx_days")):
        known = alone.get(finding)
        same(days, row[days], known["days"] if known and known["state"] == "present" else 0)
    return found


def assert_same(folder: Path, count: int, seed: int, sample: int) -> None:
    made, rows, findings = together(folder, count, seed)
    assert len(rows) == count
    by_person: dict[str, list[Json]] = {}
    for f in findings:
        by_person.setdefault(f["person_id"], []).append(f)
    chosen = random.Random(seed).sample(made, sample)
    differences: list[str] = []
    for person in chosen:
        source = records.write(folder / "one" / f"{person[0]['id']}.json", records.bundle(person))
        document = workup(warm(), source, OPTIONS)
        differences += compared(rows[person[0]["id"]], by_person.get(person[0]["id"], []), document)
    assert not differences, "\n".join(differences[:40])


def test_a_sample_alone_equals_the_cohort(tmp_path: Path) -> None:
    assert_same(tmp_path, 200, seed=11, sample=SAMPLE)


@pytest.mark.slow
def test_many_alone_equal_the_cohort(tmp_path: Path) -> None:
    assert_same(tmp_path, 10_000, seed=12, sample=500)


def test_one_of_many_equals_the_same_person_alone(tmp_path: Path) -> None:
    """`workup DIR --person ID` of a cohort prints what the person's own file prints."""
    made = people.persons(40, seed=13)
    source = records.write(tmp_path / "all.ndjson", *(row for person in made for row in person))
    for person in made[5:40:9]:
        alone = records.write(tmp_path / "one" / f"{person[0]['id']}.json", records.bundle(person))
        one = workup(warm(), source, OPTIONS, person[0]["id"]) | {"coverage": None}
        other = workup(warm(), alone, OPTIONS) | {"coverage": None}
        assert one == other


def test_who_else_is_in_the_source_changes_nothing(tmp_path: Path) -> None:
    """Rows of persons are the same in another company, whatever the order of persons."""
    made, rows, _ = together(tmp_path / "all", 120, seed=14)
    half = made[:60]
    random.Random(1).shuffle(half)
    source = records.write(tmp_path / "half.ndjson", *(row for person in half for row in person))
    audit(warm(), source, tmp_path / "half", OPTIONS)
    for row in pq.read_table(tmp_path / "half" / "persons.parquet").to_pylist():
        assert row == rows[row["person_id"]]
