"""The knowledge tables as relations of the engine: typed, expanded, and nothing decided here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from tellapart.knowledge.encode import EVERYWHERE, code_key, encode
from tellapart.knowledge.load import Knowledge, Row

Table = tuple[dict[str, str], list[tuple[Any, ...]]]
TEXT, REAL, WHOLE = "VARCHAR", "DOUBLE", "INTEGER"
SEXES = ("female", "male", "other", "unknown")
DRUG_MEASURES = ("on", "count", "dose", "dose_per_kg", "masked", "covered", "lowered")
URGENCIES = ("emergency", "same_day", "urgent", "soon", "always")


def _typed(knowledge: Knowledge, table: str, columns: dict[str, str]) -> Table:
    convert: dict[str, Callable[[str], Any]] = {TEXT: str, REAL: float, WHOLE: int}
    return columns, [
        tuple(convert[kind](row[name]) if row.get(name) else None for name, kind in columns.items())
        for row in knowledge[table]
    ]


@lru_cache(maxsize=4)
def relations(knowledge: Knowledge) -> dict[str, Table]:
    """Relation name to (columns, rows), for `Engine.load`."""
    out: dict[str, Table] = dict(encode(knowledge).relations)
    out["units"] = _typed(knowledge, "units", {
        "finding": TEXT, "unit_seen": TEXT, "factor": REAL, "offset": REAL, "unit": TEXT,
        "plausible_low": REAL, "plausible_high": REAL,
    })  # fmt: skip
    out["unit_aliases"] = _typed(knowledge, "unit_aliases", {"seen": TEXT, "ucum": TEXT})
    out["code_systems"] = _typed(knowledge, "code_systems", {"uri": TEXT, "system": TEXT})
    out["omop_concepts"] = _typed(knowledge, "omop_concepts", {
        "concept_id": WHOLE, "use": TEXT, "system": TEXT, "code": TEXT, "display": TEXT,
    })  # fmt: skip
    out["result_words"] = _typed(knowledge, "result_words", {"word": TEXT, "interpretation": TEXT})
    out["not_needed"] = (
        {"system": TEXT, "code": TEXT, "code_key": TEXT, "why": TEXT},
        [(r["system"], r["code"], code_key(r["system"], r["code"]), r["why"]) for r in knowledge["not_needed"]],
    )
    out["limits"] = _typed(knowledge, "limits", {"limit": TEXT, "value": REAL})
    out["reference_ranges"] = _typed(
        knowledge, "reference_ranges", {"finding": TEXT, "sex": TEXT, "low": REAL, "high": REAL}
    )
    out["usual_ranges"] = _usual_ranges(knowledge)
    out["finding_kinds"] = _typed(
        knowledge, "findings", {"finding": TEXT, "kind": TEXT, "unit": TEXT, "by_default": TEXT}
    )
    out["competing_causes"] = _typed(knowledge, "competing_causes", {
        "cause": TEXT, "finding": TEXT, "kind": TEXT, "what": TEXT, "before_days": WHOLE, "after_days": WHOLE,
        "text": TEXT,
    })  # fmt: skip
    columns, rows = _typed(knowledge, "red_flags", {
        "flag": TEXT, "urgency": TEXT, "window_days": WHOLE, "ends_with": TEXT, "forbids_fm": TEXT,
    })  # fmt: skip
    out["red_flags"] = ({**columns, "urgency_rank": WHOLE}, [(*r, URGENCIES.index(r[1])) for r in rows])
    out["series_rules"] = _typed(knowledge, "series_rules", {
        "finding": TEXT, "test": TEXT, "source": TEXT, "threshold": REAL, "within_days": WHOLE, "drug_class": TEXT,
        "drug": TEXT,
    })  # fmt: skip
    out["drug_induced_tiers"] = _typed(knowledge, "drug_induced_tiers", {"tier": TEXT, "kind": TEXT, "most": TEXT})
    out["drug_induced_findings"] = _typed(
        knowledge,
        "drug_induced_findings",
        {"kind": TEXT, "finding": TEXT, "role": TEXT, "counts": TEXT, "not_for": TEXT},
    )
    out["dose_words"] = _typed(knowledge, "dose_words", {"phrase": TEXT, "kind": TEXT, "number": REAL, "of": REAL})
    drugs = knowledge["drugs"]
    named = [(d["drug"], d["drug"]) for d in drugs] + [(d["class"], d["drug"]) for d in drugs]
    names = list(dict.fromkeys([*named, *((g["group"], g["drug"]) for g in knowledge["drug_groups"])]))
    out["drug_names"] = ({"name": TEXT, "drug": TEXT}, names)
    out |= _treatment(knowledge, names)
    out["reciprocal_checks"] = _typed(knowledge, "reciprocal_checks", {
        "question": TEXT, "disease": TEXT, "item": TEXT, "kind": TEXT,
    })  # fmt: skip
    out["label_drugs"] = _typed(knowledge, "label_drugs", {"label": TEXT, "drug_class": TEXT})
    out["red_flag_clauses"] = _typed(
        knowledge, "red_flag_clauses", {"flag": TEXT, "alternative": TEXT, "finding": TEXT}
    )
    out["derived_findings"] = ({"finding": TEXT}, [(r["finding"],) for r in knowledge["finding_derived"]])
    out["instrument_items"] = _typed(knowledge, "instrument_items", {
        "instrument": TEXT, "item": TEXT, "low": REAL, "high": REAL,
    })  # fmt: skip
    out["instrument_variables"] = (
        {
            "instrument": TEXT,
            "variable": TEXT,
            "part": TEXT,
            "item": TEXT,
            "divisor": REAL,
            "may_miss": WHOLE,
            "stated_as": TEXT,
        },
        [
            (
                r["instrument"],
                r["variable"],
                r["part"],
                item,
                float(r["divisor"]),
                int(r["may_miss"]),
                r["stated_as"] or r["variable"],
            )
            for r in knowledge["instrument_variables"]
            for item in r["items"].split(";")
        ],
    )
    out["instrument_scales"] = (
        {"instrument": TEXT, "scale": TEXT, "variable": TEXT, "higher_is": TEXT, "maximum": REAL, "minimal_change": REAL,
         "minimal_change_better": REAL, "relative_change": REAL, "change_needs": REAL},
        [
            (r["instrument"], r["scale"], v, r["higher_is"], float(r["maximum"]), *(
                float(r[c]) if r[c] else None
                for c in ("minimal_change", "minimal_change_better", "relative_change", "change_needs")
            ))
            for r in knowledge["instrument_scales"]
            for v in r["variables"].split(";")
        ],
    )  # fmt: skip
    out["instrument_bands"] = _bands(knowledge)
    out["instrument_sites"] = (
        {"instrument": TEXT},
        [(r["instrument"],) for r in knowledge["instruments"] if r.get("sites") == "yes"],
    )
    out["fm_set_points"] = (
        {"set": TEXT, "variable": TEXT},
        [(r["set"], v) for r in knowledge["fm_sets"] for v in r["points_from"].split(";")],
    )
    out["pain_sites"] = _typed(
        knowledge, "pain_sites", {"site": TEXT, "region": TEXT, "wpi": TEXT, "generalized": TEXT, "aapt_site": TEXT}
    )
    out["instrument_rules"] = _typed(
        knowledge, "instrument_rules", {"set": TEXT, "alternative": TEXT, "variable": TEXT, "low": REAL, "high": REAL}
    )
    out["set_items"] = _set_items(knowledge)
    out["item_ways"] = _item_ways(knowledge)
    out["activity_items"] = _activity_items(knowledge)
    out["activity_clauses"] = _typed(knowledge, "activity_clauses", {
        "item": TEXT, "role": TEXT, "alternative": TEXT, "finding": TEXT, "patient_counts": TEXT,
    })  # fmt: skip
    out["activity_conditions"] = _typed(knowledge, "activity_conditions", {
        "item": TEXT, "measure": TEXT, "what": TEXT, "comparator": TEXT, "threshold": REAL, "unit": TEXT,
    })  # fmt: skip
    out["flare_rules"] = _typed(knowledge, "flare_rules", {
        "rule": TEXT, "kind": TEXT, "what": TEXT, "comparator": TEXT, "threshold": REAL, "axis": TEXT, "severity": TEXT, "urgent": TEXT,
    })  # fmt: skip
    out["flare_looks"] = _typed(knowledge, "flare_looks", {"kind": TEXT, "item": TEXT})
    out["duke_rules"] = _typed(
        knowledge, "duke_rules", {"version": TEXT, "axis": TEXT, "measure": TEXT, "what": TEXT, "threshold": REAL}
    )
    out["activity_bands"] = _typed(
        knowledge, "activity_bands", {"index": TEXT, "low": REAL, "high": REAL, "category": TEXT}
    )
    out["finding_explains"] = _typed(knowledge, "findings", {"finding": TEXT, "fm_explains": TEXT})
    out["worklist_reasons"] = _typed(knowledge, "worklist_reasons", {
        "reason": TEXT, "place": WHOLE, "urgency": TEXT, "coded_sle": TEXT, "coded_fm": TEXT, "single_sle_claim": TEXT,
        "call": TEXT, "sle_met_specific": TEXT, "sle_met_points": TEXT, "fm_met": TEXT, "forbidding_flag": TEXT,
        "drug_induced": TEXT, "decisive_missing": TEXT, "treatment": TEXT, "evidence_for": TEXT, "text": TEXT,
    })  # fmt: skip
    out["workup_tests"] = (
        {"test": TEXT, "place": WHOLE, "finding": TEXT, "only_if": TEXT, "decides": "BOOLEAN"},
        [
            (r["test"], i, f, r["only_if"] or None, r["decides"] == "yes")
            for i, r in enumerate(sorted(knowledge["workup_tests"], key=lambda r: r["decides"] != "yes"), 1)
            for f in r["findings"].split(";")
        ],
    )
    out["test_results"] = _test_results(knowledge)
    out["test_findings"] = (
        {"test": TEXT, "finding": TEXT},
        [(r["test"], f) for r in knowledge["tests"] for f in r["findings"].split(";")],
    )
    out["prior_rows"] = _priors(knowledge)
    return out


def openings(knowledge: Knowledge) -> list[tuple[str, str]]:
    """(set, finding) of what can open a set without being an item: its entry, and what only its shortcuts ask for."""
    asked = {(r["set"], r["finding"]) for r in knowledge["criteria_clauses"]}
    out = []
    for row in knowledge["criteria_sets"]:
        shortcut = [f for way in row["shortcut"].split("|") for f in way.split("&")]
        out += [(row["set"], f) for f in dict.fromkeys([row["entry"], *shortcut]) if f and (row["set"], f) not in asked]
    return out


def _treatment(knowledge: Knowledge, names: list[tuple[str, str]]) -> dict[str, Table]:
    """Rules and their terms by number, and what the terms ask for: once each, by drug where it is asked of drugs."""
    numbers = {r["rule"]: i for i, r in enumerate(knowledge["treatment_rules"])}
    asks = list(dict.fromkeys((r["measure"], r["what"]) for r in knowledge["treatment_clauses"]))
    columns, rows = _typed(knowledge, "treatment_clauses", {
        "rule": TEXT, "role": TEXT, "group": WHOLE, "least": WHOLE, "alternative": WHOLE, "weight": WHOLE,
        "measure": TEXT, "what": TEXT, "comparator": TEXT, "threshold": REAL,
    })  # fmt: skip
    tested = {r["test"]: r["findings"].split(";") for r in knowledge["workup_tests"]}
    factors = {d["drug"]: float(d["prednisone_factor"] or 1) for d in knowledge["drugs"]}
    return {
        "treatment_rules": (
            {"rule_no": WHOLE, "rule": TEXT, "purpose": TEXT, "shown_as": TEXT},
            [(numbers[r["rule"]], r["rule"], r["purpose"], r["shown_as"]) for r in knowledge["treatment_rules"]],
        ),
        "treatment_terms": (
            {"term": WHOLE, "rule_no": WHOLE, "ask": WHOLE, **columns},
            [
                (i, numbers[r["rule"]], asks.index((r["measure"], r["what"])), *row)
                for i, (r, row) in enumerate(zip(knowledge["treatment_clauses"], rows, strict=True))
            ],
        ),
        "treatment_asks": (
            {"ask": WHOLE, "measure": TEXT, "what": TEXT},
            # a test was done when any of its findings was stated or measured
            [(i, m, w) for i, (m, what) in enumerate(asks) for w in (tested[what] if m == "tested" else (what,))],
        ),
        "drug_asks": (
            {"ask": WHOLE, "measure": TEXT, "drug": TEXT, "prednisone_factor": REAL},
            [
                (i, measure, drug, factors[drug])
                for i, (measure, what) in enumerate(asks)
                if measure in DRUG_MEASURES
                for name, drug in names
                if name == what
            ],
        ),
    }


Way = frozenset[tuple[str, int]]  # findings that together are enough, each with the occasions asked for


@lru_cache(maxsize=4)
def item_ways(knowledge: Knowledge) -> dict[tuple[str, str], list[Way]]:
    """(set, item) to every way in which stated findings meet it, derived findings spelled out as what they are made of."""
    enc = encode(knowledge)

    def shown_by(finding: str, occasions: int) -> set[Way]:
        out = {frozenset({(finding, occasions)})}
        for rule in knowledge["finding_derived"] if occasions == 1 else ():
            if finding in {rule["finding"], *enc.implied[rule["finding"]]}:
                for some in combinations(rule["members"].split(";"), int(rule["at_least"])):
                    out |= joined([shown_by(member, 1) for member in some])
        return out

    def joined(parts: list[set[Way]]) -> set[Way]:
        return {frozenset().union(*ways) for ways in product(*parts)}

    clauses: dict[tuple[str, str], dict[str, list[set[Way]]]] = defaultdict(lambda: defaultdict(list))
    for row in knowledge["criteria_clauses"]:
        if row["role"] != "excludes":
            ways = shown_by(row["finding"], int(row["occasions"] or 1))
            clauses[row["set"], row["item"]][row["alternative"]].append(ways)
    return {
        item: sorted({way for parts in alternatives.values() for way in joined(parts)}, key=sorted)
        for item, alternatives in clauses.items()
    }


def _item_ways(knowledge: Knowledge) -> Table:
    """The ways of `item_ways`, one row per finding; `findings`: how many the way is made of."""
    return (
        {"finding": TEXT, "occasions": WHOLE, "set": TEXT, "item": TEXT, "way": WHOLE, "findings": WHOLE},
        [
            (finding, occasions, *item, number, len(way))
            for item, ways in item_ways(knowledge).items()
            for number, way in enumerate(ways, 1)
            for finding, occasions in sorted(way)
        ],
    )


def _set_items(knowledge: Knowledge) -> Table:
    """Every item of every scored set, and what opens a set without being an item, with its findings as words.

    Words g (given): the findings that the item asks for in any alternative, with all they imply. Words o (own): those
    findings alone. `choice`: of the items of one choice only the one that weighs most can help. `kind`: what the set
    counts by itself (clinical, immunologic). `opens`: a finding of it is part of a shortcut of the set.
    """
    enc = encode(knowledge)
    domains = {(r["set"], r["domain"]): r for r in knowledge["criteria_domains"]}
    shortcuts = {
        r["set"]: {f for way in r["shortcut"].split("|") for f in way.split("&")} for r in knowledge["criteria_sets"]
    }
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in knowledge["criteria_clauses"]:
        if row["role"] != "excludes":
            twin = [f"twice:{row['finding']}"] if int(row["occasions"] or 1) > 1 else []
            asked[row["set"], row["item"]] |= {row["finding"], *twin}
    rows: list[tuple[Any, ...]] = []

    def add(name: str, item: str, choice: str, kind: str, points: float, findings: set[str]) -> None:
        given = findings | {g for f in findings for g in enc.implied.get(f, ())}
        words = [by[w + 1] for by in (enc.pack(given), enc.pack(findings)) for w in range(enc.words)]
        rows.append((len(rows) + 1, name, item, choice, kind, points, bool(findings & shortcuts[name]), *words))

    for row in knowledge["criteria_items"]:
        domain = domains[row["set"], row["domain"]]
        choice = row["domain"] if domain["combine"] == "max" else row["item"]
        add(row["set"], row["item"], choice, domain["kind"], float(row["points"]), asked[row["set"], row["item"]])
    for name, finding in openings(knowledge):
        add(name, finding, finding, "opening", 0.0, {finding})
    words = {f"{k}{w + 1}": "BIGINT" for k in "go" for w in range(enc.words)}
    return {
        "number": WHOLE,
        "set": TEXT,
        "item": TEXT,
        "choice": TEXT,
        "kind": TEXT,
        "points": REAL,
        "opens": "BOOLEAN",
        **words,
    }, rows


def _test_results(knowledge: Knowledge) -> Table:
    """Every result that a test can have, as words: what it states with all that follows, seen by someone else."""
    enc = encode(knowledge)
    only_if = {r["test"]: r["only_if"] or None for r in knowledge["tests"]}
    decides = {r["test"] for r in knowledge["workup_tests"] if r["decides"] == "yes"}
    rows = []
    for number, row in enumerate(knowledge["test_results"], start=1):
        present = {g for f in row["present"].split(";") if f for g in enc.implied[f]}
        absent = {g for f in row["absent"].split(";") if f for g in enc.denied[f]}
        p = enc.pack([*present, *(f"seen:{f}" for f in present if f"seen:{f}" in enc.place)])
        a = enc.pack(absent)
        words = [by[w + 1] for by in (p, a) for w in range(enc.words)]
        rows.append((number, row["test"], row["result"], only_if[row["test"]], row["test"] in decides, *words))
    columns = {f"{k}{w + 1}": "BIGINT" for k in "pa" for w in range(enc.words)}
    return {"number": WHOLE, "test": TEXT, "result": TEXT, "only_if": TEXT, "decides": "BOOLEAN", **columns}, rows


def _activity_items(knowledge: Knowledge) -> Table:
    """activity_items with one row per index that an item belongs to, and what the index says of itself."""
    indices = {r["index"]: r for r in knowledge["activity_indices"]}

    def stated_as(index: str) -> str | None:
        return indices[index]["stated_as"] or None if index else None

    return (
        {"index": TEXT, "item": TEXT, "weight": REAL, "stated_as": TEXT, "whole_stated_as": TEXT, "shown": "BOOLEAN"},
        [
            (index, r["item"], float(r["weight"]), stated_as(index), stated_as(indices[index]["part_of"]),
             indices[index]["shown"] == "yes")
            for r in knowledge["activity_items"]
            for index in r["indices"].split(";")
        ],
    )  # fmt: skip


def _bands(knowledge: Knowledge) -> Table:
    """instrument_bands with the lower end of the next band, for both populations (a scale without rows for `fm` has one)."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in knowledge["instrument_bands"]:
        groups.setdefault((row["scale"], row["population"]), []).append(row)
    rows = []
    for scale in dict.fromkeys(scale for scale, _ in groups):
        for population in ("any", "fm"):
            own = sorted(groups.get((scale, population)) or groups[(scale, "any")], key=lambda r: float(r["low"]))
            ends = [float(r["low"]) for r in own[1:]] + [EVERYWHERE]
            rows += [
                (scale, population, r["table"], float(r["low"]), e, r["band"]) for r, e in zip(own, ends, strict=True)
            ]
    return {"scale": TEXT, "population": TEXT, "named": TEXT, "low": REAL, "below": REAL, "band": TEXT}, rows


def _usual_ranges(knowledge: Knowledge) -> Table:
    """reference_ranges by sex, of the sources whose rules compare with the laboratory's limits."""
    compared = {r["source"] for r in knowledge["value_rules"] if r["test"] in ("below_range", "above_range")}
    units = {r["finding"]: r["unit"] for r in knowledge["findings"]}
    rows: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    for row in sorted(knowledge["reference_ranges"], key=lambda r: r["sex"] != "any"):  # a row of that sex goes last
        if row["finding"] in compared:
            limits = (float(row["low"]) if row["low"] else None, float(row["high"]) if row["high"] else None)
            rows |= {(row["finding"], sex): limits for sex in (SEXES if row["sex"] == "any" else (row["sex"],))}
    return (
        {"finding": TEXT, "sex": TEXT, "low": REAL, "high": REAL, "unit": TEXT},
        [(finding, sex, *limits, units[finding]) for (finding, sex), limits in rows.items()],
    )


def _priors(knowledge: Knowledge) -> Table:
    """priors with one row per setting and sex: a row for that sex if the table has one, else its row for any."""
    by_key = {(r["setting"], r["sex"]): r for r in knowledge["priors"]}
    rows = []
    for setting in dict.fromkeys(r["setting"] for r in knowledge["priors"]):
        for sex in SEXES:
            row = by_key.get((setting, sex)) or by_key[(setting, "any")]
            sle, fm, both = (float(row[h]) for h in ("sle", "fm", "both"))
            rows.append((setting, sex, sle, fm, both, 1.0 - sle - fm - both))
    return (
        {"setting": TEXT, "sex": TEXT, "sle": REAL, "fm": REAL, "both": REAL, "neither": REAL},
        rows,
    )
