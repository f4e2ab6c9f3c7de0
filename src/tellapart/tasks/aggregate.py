"""The counts of an audit that may leave the site: aggregate.csv and the shareable form of the report.

What is counted here is published in every run: a new table must be a partition or a crossing as `answers/disclosure.py`
describes them. A count that is a sum of cells of another table (a worklist reason is one) must not be added.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellapart.answers.disclosure import POOLED, Crossing, Disclosure, Partition, SafeCell
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import Knowledge
from tellapart.tasks import incidence

if TYPE_CHECKING:
    from tellapart.engines.spark import Spark

Json = dict[str, Any]
CALLS = {"sle": "Lupus", "fm": "Fibromyalgia", "both": "Both", "neither": "Neither", "undetermined": "Undetermined"}
"""Every call and the words for it at the head of a column."""
HEADER = ("table", "row", "column", "count", "denominator", "value", "low", "high", "suppressed")
CODED = """case when sle_dx_days > 0 and fm_dx_days > 0 then 'both' when sle_dx_days > 0 then 'sle'
    when fm_dx_days > 0 then 'fm' else 'none' end"""
TITLES = {
    "sex": "Population by sex",
    "age": "Population by age",
    "codes": "Diagnosis codes on record",
    "interest": "Looked at closely",
    "calls_by_sex": "Calls by sex",
    "calls_by_age": "Calls by age",
    "calls_by_code": "Calls by diagnosis code",
    "sets_met_specific": "Criteria sets met by specific findings",
    "set_agreement": "Criteria sets against the first of them",
    "second_disease": "The second disease after the first, death and loss competing",
    "decisive_tests": "Tests of the minimum safe work-up, of those looked at closely",
}


def disclosure(knowledge: Knowledge) -> Disclosure:
    """The rules with the limits of the knowledge base."""
    return Disclosure(int(knowledge.limit("disclosure_floor")), int(knowledge.limit("disclosure_rounding")))


def safe_cells(engine: DuckDB | Spark, knowledge: Knowledge, setting: str | None) -> list[SafeCell]:
    """Every count that may leave the site, made safe; tables in a fixed order.

    Categories are listed whether anybody is in them or not: a missing one would say that nobody is.

    Args:
        setting: the one asked for, which is no secret; None if it differs from person to person.
    """
    safe = disclosure(knowledge)
    band, bands = _age_bands(int(knowledge.limit("disclosure_age_band")), int(knowledge.limit("disclosure_age_top")))
    everybody: dict[str, tuple[str, Sequence[str]]] = {
        "calls": ("call", tuple(CALLS)),
        "sex": ("sex", ("female", "male", "other", "unknown")),
        "age": (band, bands),
        "setting": ("setting", sorted({r["setting"] for r in knowledge["priors"]})),
        "codes": (CODED, ("sle", "fm", "both", "none")),
        "interest": ("case when of_interest then 'of_interest' else 'others' end", ("of_interest", "others")),
    }

    if setting is not None:
        del everybody["setting"]

    def counted(sql: str, categories: Sequence[str]) -> dict[str, int]:
        counts = {r["category"]: r["n"] for r in engine.rows(sql)}
        return {c: counts.get(c, 0) for c in categories}

    partitions = {
        name: Partition(
            name,
            "all",
            counted(f"select {sql} as category, count(*) as n from persons_out group by category", categories),
        )
        for name, (sql, categories) in everybody.items()
    }
    cells = [cell for partition in partitions.values() for cell in safe.partition(partition)]
    for name, rows in (("calls_by_sex", "sex"), ("calls_by_age", "age"), ("calls_by_code", "codes")):
        counts = {
            (r["r"], r["c"]): r["n"]
            for r in engine.rows(
                f"select {everybody[rows][0]} as r, call as c, count(*) as n from persons_out group by r, c"
            )
        }
        cells += safe.crossing(Crossing(name, partitions[rows], partitions["calls"], counts))
    cells += set_cells(engine, knowledge, safe) + incidence.safe_curves(engine, safe)
    looked_at = partitions["interest"].counts
    if safe.pools(looked_at)["of_interest"] == "of_interest":  # else their number would be told by the denominator
        tests = engine.rows(
            """select t.test, count(distinct f.person) as n from workup_tests as t
               left join on_record as f on f.finding = t.finding group by t.test order by min(t.place)"""
        )
        for r in tests:
            counts_of = {"on_record": r["n"], "not_on_record": looked_at["of_interest"] - r["n"]}
            cells += safe.partition(Partition("decisive_tests", r["test"], counts_of))
    return cells


def set_cells(engine: DuckDB | Spark, knowledge: Knowledge, safe: Disclosure) -> list[SafeCell]:
    """Who meets each set, then the first of them crossed with each other one.

    Not every pair: pairs that share both sets bound one another (who is in A and in B where both lie in C), and a small
    cell could be had. All pairs with one and the same set cannot: given who meets that one, the others are free (decision 22).
    """
    met, other = "met", "not_met_on_record"
    sets = [r["set"] for r in (*knowledge["criteria_sets"], *knowledge["fm_sets"])]
    fourfold = {
        (r["set_a"], r["set_b"]): {
            (met, met): r["met_both"], (met, other): r["only_a"], (other, met): r["only_b"], (other, other): r["met_neither"],
        }
        for r in engine.rows("select * from set_agreement where basis = 'specific'")
    }  # fmt: skip
    of = {s: Partition("sets_met_specific", s, {c: fourfold[s, s][c, c] for c in (met, other)}) for s in sets}
    first = sets[0]
    cells = [cell for partition in of.values() for cell in safe.partition(partition)]
    for s in sets[1:]:
        crossed = safe.crossing(Crossing("set_agreement", of[s], of[first], fourfold[s, first]))
        cells += [replace(c, row=f"{s}:{c.row}", column=f"{first}:{c.column}") for c in crossed]
    return cells


def _age_bands(years: int, top: int) -> tuple[str, list[str]]:
    """The SQL that puts an age into a band of so many years, the last one open, and all bands."""
    starts = range(0, top, years)
    cases = " ".join(f"when age < {start + years} then '{start}-{start + years - 1}'" for start in starts)
    names = [*(f"{start}-{start + years - 1}" for start in starts), f"{top}_and_over", "not_known"]
    return f"case when age is null then 'not_known' {cases} else '{top}_and_over' end", names


def as_csv(cells: Sequence[SafeCell]) -> bytes:
    """The content of aggregate.csv."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for c in cells:
        blank = ["" if v is None else v for v in (c.count, c.denominator, c.value, c.low, c.high)]
        writer.writerow([c.table, c.row, c.column, *blank, "true" if c.suppressed else "false"])
    return text.getvalue().encode()


def persons_published(aggregate: Path) -> int | None:
    """How many persons an earlier aggregate.csv tells of; None without one, or if it does not tell."""
    try:
        with aggregate.open(encoding="utf-8", newline="") as handle:
            shown = [r["denominator"] for r in csv.DictReader(handle) if r.get("table") == "calls"]
        return int(shown[0])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def shareable(summary: Json, cells: Sequence[SafeCell], knowledge: Knowledge) -> Json:
    """The `tellapart.report/1` of the page that may leave the site: safe counts alone, no person, no name of a source."""
    tables: dict[str, list[SafeCell]] = {}
    for cell in cells:
        tables.setdefault(cell.table, []).append(cell)
    kept = ("schema", "software", "knowledge", "as_of", "synthetic", "warnings")
    return {
        **{k: summary[k] for k in kept},
        "shareable": True,
        "persons": cells[0].denominator,
        "settings": _shown(tables["setting"])
        if "setting" in tables
        else dict.fromkeys(summary["settings"], cells[0].denominator),
        "calls": _shown(tables["calls"]),
        "tables": [_table(name, own, knowledge) for name, own in tables.items() if name not in ("calls", "setting")],
    }


def _shown(cells: Sequence[SafeCell]) -> dict[str, int]:
    return {c.column.replace(POOLED, ", "): c.count for c in cells if c.count is not None}


def _table(name: str, cells: Sequence[SafeCell], knowledge: Knowledge) -> Json:
    """One published table to show: categories down the page if there is one row of them, else across."""
    labels = CALLS | {r["test"]: r["label"] for r in knowledge["workup_tests"]}
    labels |= {r["set"]: r["label"] for r in (*knowledge["criteria_sets"], *knowledge["fm_sets"])}

    def spelled(identifier: str) -> str:
        ids = [i.split(":") for i in identifier.split(POOLED)]
        return ", ".join(": ".join(labels.get(part, part.replace("_", " ")) for part in i) for i in ids)

    def said(cell: SafeCell | None) -> str:
        if cell is None or cell.count is None or cell.value is None:
            return "suppressed" if cell is not None else ""
        if cell.low is None:
            return f"{cell.count:,} ({100 * cell.value:.0f}%)"
        return f"{cell.count:,} ({100 * cell.value:.1f}%, {100 * cell.low:.1f} to {100 * (cell.high or 0):.1f})"

    if {c.row for c in cells} == {"all"}:
        columns, rows = ["", "Persons (share, 95% interval)"], [[spelled(c.column), said(c)] for c in cells]
    else:
        across = list(dict.fromkeys(c.column for c in cells))
        by_place = {(c.row, c.column): c for c in cells}
        total = {c.row: c.denominator for c in cells}
        columns = ["", *map(spelled, across), "Persons"]
        rows = [
            [spelled(r), *(said(by_place.get((r, c))) for c in across), f"{n:,}" if n is not None else "suppressed"]
            for r, n in total.items()
        ]
    return {"id": name, "title": TITLES[name], "columns": columns, "rows": rows, "note": ""}
