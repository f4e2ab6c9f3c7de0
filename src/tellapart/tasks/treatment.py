"""What an audit counts of treatment: rules that speak, and what was not yet looked for."""

from __future__ import annotations

from typing import Any

from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import Knowledge

Json = dict[str, Any]


def tables(engine: DuckDB, knowledge: Knowledge) -> list[Json]:
    """The tables of the report, of persons of interest. A rule in two rows (`shown_as`) is one line."""
    return [_rules(engine, knowledge), _wrong_labels(engine), _given(engine, knowledge), _reciprocal(engine, knowledge)]


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


LABELS = {
    "sle": "Coded as lupus, the evidence fits fibromyalgia or neither",
    "fm": "Coded as fibromyalgia, the evidence fits lupus",
}


def _wrong_labels(engine: DuckDB) -> Json:
    rows = engine.rows(
        """select label, count(*) as persons, sum(case when corrected then 1 else 0 end) as corrected,
             cast(sum(date_diff('day', from_date, to_date)) as double) / 365.25e0 as years
           from wrong_labels group by label order by label desc"""
    )
    return {
        "id": "wrong_labels",
        "title": "Time on a code that the evidence does not bear out",
        "columns": ["Code and evidence", {"label": "Persons", "kind": "count"}, {"label": "Corrected by a later code", "kind": "count"},
                    {"label": "Years under it", "kind": "text"}],
        "rows": [[LABELS[r["label"]], r["persons"], r["corrected"], f"{r['years']:,.1f}"] for r in rows],
        "note": "From the first code to the first code of the other disease, else to death or the as-of day. Whose call is undetermined, or who "
        "has both, is not counted.",
    }  # fmt: skip


def _given(engine: DuckDB, knowledge: Knowledge) -> Json:
    words = {(r["label"], r["drug_class"]): r["words"] for r in knowledge["label_drugs"]}
    rows = engine.rows(
        """select label, drug_class, count(*) as persons, sum(days) as days, sum(dose_days) as dose_days,
             sum(open_records) as open_records
           from wrong_label_drugs group by label, drug_class order by label desc, count(*) desc, drug_class"""
    )
    return {
        "id": "wrong_label_drugs",
        "title": "What was given under such a code",
        "columns": ["Code and evidence", {"label": "Drugs", "kind": "text"}, {"label": "Persons", "kind": "count"}, {"label": "Days known to be taken", "kind": "count"},
                    {"label": "As mg of prednisone", "kind": "text"}, {"label": "Records without an end", "kind": "count"}],
        "rows": [
            [LABELS[r["label"]], words[r["label"], r["drug_class"]], r["persons"], r["days"],
             "" if r["dose_days"] is None else f"{r['dose_days']:,.0f}", r["open_records"]]
            for r in rows
        ],
        "note": "At least so much: a record without an end counts to the day on which it was last stated, a dose that cannot be read not at all.",
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
