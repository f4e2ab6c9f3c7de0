"""What an audit counts of treatment: rules that speak, and what was not yet looked for."""

from __future__ import annotations

from typing import Any

from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import Knowledge

Json = dict[str, Any]


def tables(engine: DuckDB, knowledge: Knowledge) -> list[Json]:
    """Two tables of the report, of persons of interest. A rule in two rows (`shown_as`) is one line."""
    return [_rules(engine, knowledge), _reciprocal(engine, knowledge)]


PERSONS = """
    with said as (
      select distinct t.person, r.shown_as as rule, t.state
      from treatment as t inner join treatment_rules as r on r.rule = t.rule
    )
    select s.rule, s.state, count(*) as persons
    from said as s
    left join said as f on f.person = s.person and f.rule = s.rule and f.state = 'fires'
    where s.state = 'fires' or f.person is null
    group by s.rule, s.state"""
"""Persons by rule and state; for whom a rule speaks, it is not also excused or silent."""


def _rules(engine: DuckDB, knowledge: Knowledge) -> Json:
    counts = {(r["rule"], r["state"]): r["persons"] for r in engine.rows(PERSONS)}
    rows = [
        [r["label"], r["severity"], *(counts.get((r["rule"], state), 0) for state in ("fires", "excused", "silent"))]
        for r in knowledge["treatment_rules"]
        if r["rule"] == r["shown_as"]
    ]
    return {
        "id": "treatment",
        "title": "Treatment, for review with the prescriber",
        "columns": ["What the rule looks for", {"label": "Kind", "kind": "text"}]
        + [
            {"label": label, "kind": "count"} for label in ("Persons", "Excused by the record", "Not judged for want of data")
        ],
        "rows": [row for row in rows if any(row[2:])],
        "note": "Persons of interest. Guideline statements and checks, no advice to start, stop or change a drug. "
        "Rules that speak for nobody are left out.",
    }  # fmt: skip


def _reciprocal(engine: DuckDB, knowledge: Knowledge) -> Json:
    tests = {r["test"]: r["label"] for r in knowledge["workup_tests"]}
    counts = {
        (r["question"], r["item"]): [r["done"], r["persons"] - r["done"]]
        for r in engine.rows(
            "select question, item, count(*) filter (where done) as done, count(*) as persons from reciprocal group by question, item"
        )
    }
    return {
        "id": "reciprocal",
        "title": "Looked for the other of the two?",
        "columns": ["Question", "What", {"label": "On record", "kind": "count"}, {"label": "Not on record", "kind": "count"}],
        "rows": [
            [r["label"], r["item_label"] or tests[r["item"]], *counts[r["question"], r["item"]]]
            for r in knowledge["reciprocal_checks"]
            if (r["question"], r["item"]) in counts
        ],
        "note": "Persons of interest with one of the two diseases by code or call.",
    }  # fmt: skip
