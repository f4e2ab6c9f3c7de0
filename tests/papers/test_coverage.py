"""No row of the criteria without a case: items on both sides, each way to an item, each limit and each unit at and past it.

A row that is added to the tables fails here until somebody has written its cases by hand.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

import pytest
import test_activity
import test_cases
from ways import leads_to

from tellapart.knowledge.load import load

pytestmark = pytest.mark.proves(
    "wrong_weight", "aringer_2019", "petri_2012", "hochberg_1997", "adamichou_2021", "gladman_2002"
)

Json = dict[str, Any]
Row = dict[str, str]
KNOWLEDGE = load()
SCORED = [*test_cases.CASES.values()]
FOLLOWED = [{**test_activity.document(case), "expected": case["expected"]} for case in test_activity.CASES.values()]
NOT_SHOWN = {"lldas_other", "sledai_major_organs"}  # parts of LLDAS, seen in its items
NEXT_TITRE = 2  # the dilution below or above
ROUNDED = 1e-6  # what a change of unit leaves
NEAR = 0.06  # of a limit: near enough to show on which side of it a value is


class Reading(NamedTuple):
    """A value of a case, in the unit of its finding; `low` and `high` of the laboratory too."""

    unit: str
    value: float
    low: float | None
    high: float | None


@cache
def scales() -> dict[tuple[str, str], tuple[float, float]]:
    return {(r["finding"], r["unit_seen"]): (float(r["factor"]), float(r["offset"])) for r in KNOWLEDGE["units"]}


def reading(entry: Json) -> Reading | None:
    """The value of an entry of a case, if it has one that is a number or a titre."""
    name, given = entry["finding"], entry.get("value")
    if isinstance(given, str):
        head, _, tail = given.partition("1:")
        plus = given.rstrip("+")
        given = float(tail) if not head and tail.isdigit() else float(plus) if plus.isdigit() else None
    if given is None:
        return None
    unit = entry.get("unit") or next(r["unit"] for r in KNOWLEDGE["findings"] if r["finding"] == name)
    factor, shift = scales().get((name, unit), (1.0, 0.0))
    low, high = (None if entry.get(k) is None else entry[k] * factor + shift for k in ("low", "high"))
    return Reading(unit, given * factor + shift, low, high)


@cache
def readings() -> dict[str, list[Reading]]:
    """All values of all cases, by finding."""
    made = defaultdict(list)
    for case in SCORED + FOLLOWED:
        for entry in case.get("findings", []):
            if found := reading(entry):
                made[entry["finding"]].append(found)
    return dict(made)


@cache
def asked_for() -> frozenset[str]:
    """The findings that items ask for, what these are derived from, and what implies them where they have no value."""
    used, left = set(), [r["finding"] for table in ("criteria_clauses", "activity_clauses") for r in KNOWLEDGE[table]]
    left += [r["entry"] for r in KNOWLEDGE["criteria_sets"] if r["entry"]]
    while left:
        one = left.pop()
        if one in used:
            continue
        used.add(one)
        for row in KNOWLEDGE["finding_derived"]:
            left += row["members"].split(";") if row["finding"] == one else []
        if not any(r["finding"] == one for r in KNOWLEDGE["value_rules"]):
            left += [r["finding"] for r in KNOWLEDGE["finding_implies"] if r["implies"] == one]
    return frozenset(used)


def states(name: str, item: str) -> set[str]:
    """The states of an item that cases expect."""
    expected = [case["expected"].get(name, {}).get("items", {}) for case in SCORED + FOLLOWED]
    return {items[item] for items in expected if item in items}


@pytest.mark.parametrize("row", KNOWLEDGE["criteria_items"], ids=lambda r: f"{r['set']}-{r['item']}")
def test_every_item_of_a_set_has_a_case_on_both_sides(row: Row) -> None:
    found = states(row["set"], row["item"])
    assert "present" in found
    assert found & {"absent", "unknown"}


@pytest.mark.parametrize("row", KNOWLEDGE["criteria_items"], ids=lambda r: f"{r['set']}-{r['item']}")
def test_every_item_counts_by_itself_in_a_case(row: Row) -> None:
    """Its points stand in a case where nothing else of the set is said to be present."""
    for case in SCORED:
        expected = case["expected"].get(row["set"], {})
        present = [i for i, state in expected.get("items", {}).items() if state == "present"]
        if present == [row["item"]] and expected.get("points") == float(row["points"]):
            return
    raise AssertionError(f"no case gives {row['item']} of {row['set']} its {row['points']} points by itself")


@pytest.mark.parametrize(
    "row",
    [r for r in KNOWLEDGE["criteria_clauses"] if r["role"] == "needs"],
    ids=lambda r: f"{r['set']}-{r['item']}-{r['alternative']}-{r['finding']}",
)
def test_every_way_to_an_item_has_a_case(row: Row) -> None:
    for case in SCORED:
        expected = case["expected"].get(row["set"], {})
        counted = expected.get("items", {}).get(row["item"]) == "present"
        if counted and any(f["finding"] in leads_to(row["finding"]) for f in case["findings"]):
            return
    raise AssertionError(f"no case reaches {row['item']} of {row['set']} by {row['finding']}")


@pytest.mark.parametrize("row", KNOWLEDGE["fm_sets"], ids=lambda r: r["set"])
def test_every_fibromyalgia_set_has_cases_that_meet_and_miss_it(row: Row) -> None:
    answers = {case["expected"][row["set"]].get("met") for case in SCORED if row["set"] in case["expected"]}
    assert {True, False} <= answers


@pytest.mark.parametrize(
    "row",
    [r for r in KNOWLEDGE["activity_items"] if not set(r["indices"].split(";")) <= NOT_SHOWN],
    ids=lambda r: f"{r['indices']}-{r['item']}",
)
def test_every_item_of_an_index_has_a_case_on_both_sides(row: Row) -> None:
    found = set.union(*(states(index, row["item"]) for index in row["indices"].split(";")))
    assert "present" in found
    assert found & {"absent", "unknown"}


def sides(row: Row, value: float) -> str:
    """Where a value lies: at the limit of a rule, or near it on the other side of what the limit itself decides."""
    limit = float(row["threshold"])
    if abs(value - limit) <= 0.001 * max(1.0, limit):
        return "at"
    below = value < limit
    if below != (row["test"] in ("lt", "ge")):  # the limit decides for itself on this side
        return ""
    titre = row["shape"] == "titre" and (not limit or value in (limit / NEXT_TITRE, limit * NEXT_TITRE))
    return "past" if titre or abs(value - limit) <= max(NEAR * limit, 1 if float(limit).is_integer() else 0) else ""


@pytest.mark.parametrize(
    "row",
    [r for r in KNOWLEDGE["value_rules"] if r["finding"] in asked_for() and r["test"] in ("lt", "le", "gt", "ge")],
    ids=lambda r: f"{r['finding']}-{r['source']}-{r['test']}-{r['threshold']}-{r['method']}",
)
def test_every_limit_has_a_value_at_it_and_one_past_it(row: Row) -> None:
    assert {"at", "past"} <= {sides(row, r.value) for r in readings().get(row["source"], [])}


@pytest.mark.parametrize(
    "row",
    [r for r in KNOWLEDGE["value_rules"] if r["finding"] in asked_for() and r["test"].endswith("_range")],
    ids=lambda r: f"{r['finding']}-{r['source']}",
)
def test_every_limit_of_the_laboratory_has_a_value_at_it_and_one_past_it(row: Row) -> None:
    low = row["test"] == "below_range"
    limits = [(r.value, r.low if low else r.high) for r in readings().get(row["source"], [])]
    assert any(limit is not None and value == pytest.approx(limit) for value, limit in limits)
    assert any(limit is not None and (value < limit if low else value > limit) for value, limit in limits)


@pytest.mark.parametrize(
    "row",
    [
        r
        for r in KNOWLEDGE["units"]
        if any(v["source"] == r["finding"] and v["finding"] in asked_for() for v in KNOWLEDGE["value_rules"])
    ],
    ids=lambda r: f"{r['finding']}-{r['unit_seen']}",
)
def test_every_unit_has_values_on_both_sides_of_a_limit(row: Row) -> None:
    """A limit of a rule, or that of the laboratory; the value and the limit are both written in the unit."""
    found = [r for r in readings().get(row["finding"], []) if r.unit == row["unit_seen"]]
    rules = [v for v in KNOWLEDGE["value_rules"] if v["source"] == row["finding"] and v["threshold"]]
    limits = {float(v["threshold"]) for v in rules} | {r.low for r in found} | {r.high for r in found}
    around = [
        limit
        for limit in limits - {None}
        if any(r.value <= limit + ROUNDED for r in found)
        and any(r.value >= limit - ROUNDED for r in found)
        and len({r.value for r in found if abs(r.value - limit) <= max(NEAR * limit, 1, limit / NEXT_TITRE)}) > 1
    ]
    assert around


def steps(row: Row) -> set[str]:
    """Which sides of a condition on a dose or a total are met and missed by a case."""
    limit = float(row["threshold"])
    found = set()
    for case in FOLLOWED:
        if row["item"] not in {i for e in case["expected"].values() for i in e.get("items", {})}:
            continue
        given = [float(d["dose"]) for d in case["drugs"] if d["drug"] == row["what"] and "dose" in d]
        given += [float(f["value"]) for f in case["findings"] if f["finding"] == row["what"] and "value" in f]
        found |= {"at" if g == limit else "past" if g > limit else "below" for g in given}
    return found


@pytest.mark.parametrize(
    "row",
    [r for r in KNOWLEDGE["activity_conditions"] if r["measure"] in ("value", "drug")],
    ids=lambda r: f"{r['item']}-{r['what']}",
)
def test_every_limit_of_a_target_state_has_a_case_at_it_and_one_past_it(row: Row) -> None:
    other = "below" if row["comparator"] == "<" else "past"
    assert {"at", other} <= steps(row)
