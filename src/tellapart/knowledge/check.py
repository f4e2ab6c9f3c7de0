"""Checks of the knowledge base as a whole: every fault is listed, none is repaired.

A table's specification says its columns, its key, which cells are ids of other tables, which are numbers and which come
from a closed list. Cross-table rules (blocks, overlapping rules, check digits, weights inside their cap) follow.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from tellapart.knowledge.exclusions import exclusive_items

Row = dict[str, str]
Tables = Mapping[str, tuple[Row, ...]]

YES_NO = ("yes", "no")
HYPOTHESES = ("sle", "fm", "both")


@dataclass(frozen=True)
class Spec:
    """What one table must look like.

    Attributes:
        key: columns that together are unique.
        ids: column to (table, column) whose values it may hold; several separated by `;`; empty cells are skipped.
        needed: columns that may not be empty.
        numbers: columns that hold a number or nothing.
        choices: column to its closed list (an empty cell only if "" is in it).
        cited: rows carry `citation` and `verified`.
    """

    key: tuple[str, ...]
    ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cited: bool = True


FINDING = ("findings", "finding")
TREATMENT_MEASURES = (
    "on", "count", "dose", "dose_per_kg", "masked", "finding", "since", "times_absent", "code", "evidence", "met",
    "points", "sex", "age", "index", "drug_induced", "labs", "tested", "covered", "lowered",
)  # fmt: skip
SPECS: dict[str, Spec] = {
    "findings": Spec(
        ("finding",), needed=("finding", "kind", "label"),
        choices={"kind": ("value", "state"), "fm_explains": ("", "yes", "partly", "no"),
                 "fm_if_patient_only": ("", "yes", "partly", "no"),
                 "by_default": ("", "measured", "clinician", "patient", "text")},
    ),
    "finding_codes": Spec(
        ("finding", "system", "code"), {"finding": FINDING}, ("system", "code", "display"),
        choices={"rule": ("state", "result"), "strength": ("states", "suggests"), "descendants": ("true", "false")},
    ),
    "drugs": Spec(("drug",), needed=("class", "label"), numbers=("prednisone_factor",)),
    "drug_codes": Spec(("system", "code"), {"drug": ("drugs", "drug")}),
    "value_rules": Spec(
        ("finding", "source", "test", "threshold", "method", "shape"),
        {"finding": FINDING, "source": FINDING}, numbers=("threshold",),
        choices={"test": ("lt", "le", "gt", "ge", "below_range", "above_range", "positive", "ratio_gt", "ratio_ge"),
                 "effect": ("both", "present_only", "absent_only")},
    ),
    "units": Spec(
        ("finding", "unit_seen"), {"finding": FINDING}, ("unit_seen", "factor"),
        ("factor", "offset", "plausible_low", "plausible_high"),
    ),
    "unit_aliases": Spec(("seen",), needed=("seen", "ucum")),
    "reference_ranges": Spec(("finding", "sex"), {"finding": FINDING}, numbers=("low", "high")),
    "code_systems": Spec(("uri",), needed=("uri", "system"), cited=False),
    "omop_concepts": Spec(
        ("concept_id", "use"), needed=("concept_id", "display"), numbers=("concept_id",),
        choices={"use": ("code", "unit", "operator", "value", "sex", "by")},
    ),
    "result_words": Spec(("word",), needed=("word", "interpretation"), cited=False),
    "not_needed": Spec(("system", "code"), needed=("why",), cited=False),
    "finding_implies": Spec(
        ("finding", "implies"), {"finding": FINDING, "implies": FINDING},
        choices={"direction": ("both", "present_only")},
    ),
    "finding_derived": Spec(
        ("finding",), {"finding": FINDING, "members": FINDING}, ("members",), ("at_least",),
        {"absent_rule": YES_NO},
    ),
    "criteria_sets": Spec(
        ("set",), {"entry": FINDING}, ("label", "threshold"), ("threshold", "maximum"),
        {"condition": ("sle", "fm"), "comparator": (">=", ">")},
    ),
    "criteria_domains": Spec(
        ("set", "domain"), {"set": ("criteria_sets", "set")}, ("label",),
        choices={"kind": ("clinical", "immunologic", "other"), "combine": ("max", "sum")},
    ),
    "criteria_items": Spec(("set", "item"), {"set": ("criteria_sets", "set")}, ("label", "points"), ("points",)),
    "criteria_clauses": Spec(
        ("set", "item", "alternative", "finding", "role"),
        {"set": ("criteria_sets", "set"), "item": ("criteria_items", "item"), "finding": FINDING},
        numbers=("occasions",), choices={"role": ("needs", "excludes")},
    ),
    "activity_indices": Spec(
        ("index",), {"stated_as": FINDING, "part_of": ("activity_indices", "index")}, ("label", "maximum"), ("maximum",),
        {"kind": ("score", "target"), "shown": YES_NO},
    ),
    "activity_items": Spec(
        ("item",), {"indices": ("activity_indices", "index")}, ("indices", "weight", "label"), ("weight",)
    ),
    "activity_clauses": Spec(
        ("item", "role", "alternative", "finding"), {"item": ("activity_items", "item"), "finding": FINDING},
        choices={"role": ("needs", "denies"), "patient_counts": YES_NO},
    ),
    "activity_conditions": Spec(
        ("item", "measure", "what"), {"item": ("activity_items", "item")}, ("what", "threshold"), ("threshold",),
        {"measure": ("index", "new", "value", "steroid", "drug"), "comparator": ("<=", "<")},
    ),
    "flare_rules": Spec(
        ("rule",), needed=("what", "label"), numbers=("threshold",),
        choices={"kind": ("rise", "total", "new_item", "value", "value_rise", "finding", "occurs", "form", "dose_rise", "started"),
                 "axis": ("type1", "type2", "infection", "serology", "treatment"), "severity": ("moderate", "severe"), "urgent": YES_NO,
                 "set": ("", "sledai_2k", "selena_sledai"), "comparator": ("", ">", ">=", "<")},
    ),
    "flare_looks": Spec(("kind", "item"), {"item": ("activity_items", "item")}, ("label",), choices={"kind": ("examination", "laboratory")}),
    "flare_triage": Spec(("pattern",), needed=("label", "text")),
    "duke_rules": Spec(
        ("version", "axis", "measure", "what"), needed=("what", "threshold"), numbers=("threshold",),
        choices={"axis": ("type1", "type2"), "measure": ("index", "item", "value", "scale", "set")},
    ),
    "activity_bands": Spec(
        ("index", "low"), {"index": ("activity_indices", "index")}, ("low", "high", "category", "text"), ("low", "high")
    ),
    "series_rules": Spec(
        ("finding", "test", "source", "drug_class", "drug"), {"finding": FINDING, "source": FINDING, "drug": ("drugs", "drug")},
        ("source",), ("threshold", "within_days"), {"test": ("ratio", "rise", "fall", "on_drug")},
    ),
    "drug_induced_tiers": Spec(
        ("tier",), needed=("label",),
        choices={"kind": ("classic", "biologic", "cutaneous"), "most": ("suspected", "possible")},
    ),
    "drug_induced_findings": Spec(
        ("kind", "finding", "role"), {"finding": FINDING, "not_for": ("drugs", "drug")},
        choices={"kind": ("classic", "biologic", "cutaneous"), "role": ("required", "sign", "supports", "against"),
                 "counts": ("", "objective", "complaint", "present", "absent")},
    ),
    "red_flags": Spec(
        ("flag",), {"ends_with": FINDING}, ("text", "window_days"), ("window_days",),
        {"urgency": ("emergency", "same_day", "urgent", "soon", "always"), "forbids_fm": YES_NO},
    ),
    "red_flag_clauses": Spec(
        ("flag", "alternative", "finding"), {"flag": ("red_flags", "flag"), "finding": FINDING}
    ),
    "dose_words": Spec(
        ("kind", "phrase"), needed=("number", "of"), numbers=("number", "of"),
        choices={"kind": ("often", "count", "mass", "period")},
    ),
    "drug_groups": Spec(("group", "drug"), {"drug": ("drugs", "drug")}),
    "treatment_rules": Spec(
        ("rule",), needed=("shown_as", "label", "text", "wrong_if"),
        choices={"severity": ("urgent", "review", "info"), "basis": ("evidence", "code", "either", "drug"),
                 "purpose": ("safety", "choice", "disagreement"), "pulls": ("", "more_lupus", "less_lupus", "more_antimalarial", "more_fm")},
    ),
    "treatment_clauses": Spec(
        ("rule", "group", "alternative", "measure", "what", "comparator"), {"rule": ("treatment_rules", "rule")},
        ("group", "least", "alternative", "weight", "what"), ("group", "least", "alternative", "weight", "threshold"),
        {"role": ("trigger", "needs", "blocks", "excuses"), "comparator": (">", ">=", "<", "<=", "none"), "measure": TREATMENT_MEASURES},
    ),
    "reciprocal_checks": Spec(
        ("question", "item"), needed=("label",),
        choices={"disease": ("sle", "fm"), "kind": ("instrument", "test")},
    ),
    "label_drugs": Spec(("label", "drug_class"), needed=("words",), choices={"label": ("sle", "fm")}),
    "competing_causes": Spec(
        ("cause",), {"finding": FINDING}, ("text", "what"), ("before_days", "after_days"),
        {"kind": ("drug", "drug_class", "condition")},
    ),
    "fm_reasons": Spec(("finding",), {"finding": FINDING}, ("reason",)),
    "rescued_by": Spec(("finding", "rescuer"), {"finding": FINDING, "rescuer": FINDING}),
    "workup_tests": Spec(
        ("test",), {"findings": FINDING, "only_if": FINDING}, ("label",),
        choices={"required_for_fm": YES_NO, "decides": YES_NO},
    ),
    "tests": Spec(
        ("test",), {"findings": FINDING, "only_if": FINDING}, ("label", "findings"),
        choices={"cost": ("low", "moderate", "high"), "turnaround": ("same_visit", "same_day", "days", "weeks")},
    ),
    "test_results": Spec(
        ("test", "result"), {"test": ("tests", "test"), "present": FINDING, "absent": FINDING}, ("label",)
    ),
    "priors": Spec(("setting", "sex", "age_low"), numbers=("sle", "fm", "both", "n", "N"), needed=("sle", "fm", "both")),
    "blocks": Spec(("finding",), {"finding": FINDING}, ("block",),
                   choices={"both_from": ("sle", "fm", "noisy_or", "none", "")}),
    "dependence": Spec(
        ("block",), {"block": ("blocks", "block")}, ("text",), ("correlation", "together"), {"rule": ("one", "sum")}
    ),
    "weights": Spec(
        ("finding", "state"), {"finding": FINDING},
        numbers=(*(f"{h}_{c}" for h in HYPOTHESES for c in ("bits", "sd")), "neither_sd", "neither_rate", "share"),
        choices={"state": ("present", "absent"), "assumed": YES_NO},
    ),
    "mimics": Spec(("mimic",), {"coded": FINDING}, ("label", "note"), ("share", "n", "N")),
    "mimic_weights": Spec(
        ("mimic", "finding", "state"), {"finding": FINDING}, numbers=("bits", "sd", "share"),
        choices={"state": ("present", "absent"), "assumed": YES_NO},
    ),
    "hazards": Spec(("hazard",), needed=("what", "harm", "control", "tests")),
    "limits": Spec(("limit",), needed=("value", "text"), numbers=("value",)),
    "default_settings": Spec(("finding",), {"finding": FINDING}),
    "worklist_reasons": Spec(
        ("reason",), needed=("text", "place", "urgency", "evidence_for"), numbers=("place",),
        choices={
            "evidence_for": ("sle", "fm"), **dict.fromkeys((
                "coded_sle", "coded_fm", "single_sle_claim", "sle_met_specific", "sle_met_points", "fm_met",
                "forbidding_flag", "decisive_missing",
            ), (*YES_NO, "")),
        },
    ),
    "instruments": Spec(("instrument",), needed=("label",), choices={"terms": ("items", "total")}),
    "instrument_items": Spec(
        ("instrument", "item"), {"instrument": ("instruments", "instrument"), "finding": FINDING},
        numbers=("low", "high", "present_at", "absent_at"),
    ),
    "instrument_variables": Spec(
        ("instrument", "variable", "part"), {"instrument": ("instruments", "instrument")},
        ("items", "divisor", "may_miss"), ("divisor", "may_miss"),
    ),
    "questionnaire_words": Spec(("kind", "key"), needed=("key", "code"), choices={"kind": ("link", "text", "answer")}),
    "report_words": Spec(("kind", "key"), needed=("key",), choices={"kind": ("about", "leaves_open", "class")}),
    "instrument_scales": Spec(
        ("instrument", "scale"), {"instrument": ("instruments", "instrument")},
        ("scale", "label", "variables", "maximum"),
        ("maximum", "minimal_change", "minimal_change_better", "relative_change", "change_needs"),
        {"higher_is": ("worse", "better")},
    ),
    "instrument_bands": Spec(
        ("scale", "population", "low"), {"scale": ("instrument_scales", "scale")}, ("table", "low", "band"), ("low",),
        {"population": ("any", "fm")},
    ),
    "instrument_findings": Spec(
        ("instrument", "variable", "finding"), {"instrument": ("instruments", "instrument"), "finding": FINDING},
        numbers=("present_at", "absent_at"),
    ),
    "instrument_rules": Spec(("set", "alternative", "variable"), {"set": ("fm_sets", "set")}, numbers=("low", "high")),
    "fm_sets": Spec(("set",), {"approximate_from": ("instruments", "instrument")}, needed=("label", "points_from"), choices={"screen": YES_NO, "asked_for": YES_NO}),
    "diary_signals": Spec(
        ("signal",), needed=("label", "label_es", "low", "high", "least_change"), numbers=("low", "high", "least_change"),
        choices={"kind": ("scale", "number", "flag"), "worse": ("higher", "lower", ""), "axis": ("type1", "type2", ""),
                 "trigger": YES_NO, "asked": YES_NO},
    ),
    "diary_codes": Spec(("system", "code"), {"signal": ("diary_signals", "signal")}, ("unit", "display")),
    "diary_limits": Spec(("limit",), needed=("value", "text"), numbers=("value",)),
    "diary_advice": Spec(
        ("advice",), {"signal": ("diary_signals", "signal")}, ("at_least", "en", "es"), ("at_least",),
        {"urgency": ("crisis", "same_day")},
    ),
    "crisis_lines": Spec(("country",), needed=("en", "es")),
    "diary_texts": Spec(("text",), needed=("en", "es")),
    "pain_sites": Spec(("site",), needed=("region",), choices={"wpi": YES_NO, "generalized": YES_NO}),
    "references": Spec(("id",), needed=("authors_year", "title"), cited=False),
    "evidence": Spec(("evidence_id",), numbers=("n", "N")),
    "finding_evidence": Spec(
        ("finding", "evidence_id", "hypothesis"), {"finding": FINDING}, cited=False
    ),
    "assumed_rates": Spec(("finding", "hypothesis"), {"finding": FINDING}, numbers=("alpha", "beta")),
    "simulation_findings": Spec(
        ("finding",), {"finding": FINDING, "parent": ("simulation_findings", "finding")}, ("mechanism",),
        ("loading", "odds_ratio"), {"how": ("told", "seen", "test"), "prompts": ("", "lupus", "pain"),
                                    "family": ("sle", "fm", "any")},
    ),
    "simulation_values": Spec(
        ("value",), {"value": FINDING, "state": ("simulation_findings", "finding"), "test": ("simulation_tests", "test")},
        numbers=("cut", "normal_cut", "abnormal_spread", "normal_spread", "decimals", "low", "high"),
        choices={"side": ("low", "high", "titre"), "print_range": ("yes", "some", "no")},
    ),
    "simulation_tests": Spec(
        ("test",), {"needs": ("simulation_findings", "finding")}, ("stage", "base"),
        ("stage", "base", "per_prompt", "worry", "unless"), {"prompted_by": ("any", "lupus", "pain")},
    ),
    "simulation_hypotheses": Spec(
        ("hypothesis",), numbers=("female", "age_mean", "age_sd", "worry", "coded_sle", "coded_fm"),
        choices={"hypothesis": (*HYPOTHESES, "neither")},
    ),
    "simulation_classes": Spec(("hypothesis", "class", "mechanism"), numbers=("share", "shift"), needed=("share", "shift")),
    "simulation_diagnoses": Spec(("diagnosis",), {"diagnosis": FINDING}, ("codes",), choices={"coded": ("sle", "fm")}),
    "simulation_drugs": Spec(
        ("drug", "coded"), {"drug": ("drugs", "drug")}, numbers=("share", "dose"), choices={"coded": ("sle", "fm", "any")}
    ),
    "published_performance": Spec(
        ("id",), needed=("test", "rule", "population"), choices={"control_kind": ("fm", "mimic")},
        numbers=("cases", "case_positive", "controls", "control_positive", "sensitivity", "specificity"),
    ),
    "review_questions": Spec(
        ("question",), needed=("text", "answers"), choices={"disease": ("", "sle", "fm")}, cited=False
    ),
    "validation_cases": Spec(("person",), needed=("never", "calls", "why")),
    "validation_prevalences": Spec(("prevalence",), numbers=("sle", "fm", "both"), needed=("sle", "fm", "both")),
    "validation_targets": Spec(("target",), needed=("low", "text"), numbers=("low", "high")),
    "simulation_diary": Spec(
        ("signal",), {"signal": ("diary_signals", "signal")},
        numbers=("mean", "spread", "noise", "trend", "weekly", "common", "rise"),
    ),
    "simulation_settings": Spec(("setting",), needed=("value", "text"), numbers=("value",)),
}  # fmt: skip


def faults(tables: Tables) -> list[str]:
    """Every fault of the tables as `file:line: field: what`, in file order."""
    out = [
        f"{name}.csv:1: table: no such table is known; delete it or specify it"
        for name in sorted(set(tables) - set(SPECS))
    ]
    out += [f"{name}.csv:1: table: is missing" for name in sorted(set(SPECS) - set(tables))]
    if out:
        return out
    for name, spec in SPECS.items():
        out += table(tables, name, spec)
    for rule in (
        _items,
        _shortcuts,
        _needs,
        _check_digits,
        _priors,
        _blocks,
        _mimics,
        _weights,
        _units,
        _implies,
        _causes,
        _rules,
        _activity,
        _treatment,
        _reasons,
        _scales,
        _words,
    ):
        out += rule(tables)
    return out


def _lines(tables: Tables, name: str) -> Iterator[tuple[int, Row]]:
    yield from enumerate(tables[name], start=2)


def table(tables: Tables, name: str, spec: Spec, file: str = "") -> Iterator[str]:
    """Every fault in the form of one table (`file`: its name, if it is not that of the table)."""
    file = file or f"{name}.csv"
    known = {target: {r[target[1]] for r in tables[target[0]]} for target in spec.ids.values()}
    references = {r["id"] for r in tables["references"]}
    seen: Counter[tuple[str, ...]] = Counter()
    columns = {*spec.key, *spec.ids, *spec.needed, *spec.numbers, *spec.choices}
    columns |= {"citation", "verified"} if spec.cited else set()
    missing = columns - set(tables[name][0] if tables[name] else columns)
    if missing:
        yield f"{file}:1: {', '.join(sorted(missing))}: column is missing"
        return
    for line, row in _lines(tables, name):
        where = f"{file}:{line}"
        key = tuple(row[k] for k in spec.key)
        seen[key] += 1
        if seen[key] == 2:
            yield f"{where}: {', '.join(spec.key)}: {' '.join(key)!r} stands twice"
        for column in spec.needed:
            if not row[column]:
                yield f"{where}: {column}: is empty"
        for column, target in spec.ids.items():
            for cell in filter(None, row[column].split(";")):
                if cell not in known[target]:
                    yield f"{where}: {column}: {cell!r} is not in {target[0]}.csv"
        for column in spec.numbers:
            if row[column] and not _number(row[column]):
                yield f"{where}: {column}: {row[column]!r} is not a number"
        for column, choices in spec.choices.items():
            if row[column] not in choices:
                yield f"{where}: {column}: {row[column]!r} is none of {', '.join(c or '(empty)' for c in choices)}"
        if spec.cited:
            cited = [c for c in row["citation"].split(";") if c]
            if not cited:
                yield f"{where}: citation: is empty"
            for citation in cited:
                if citation not in references:
                    yield f"{where}: citation: {citation!r} is not in references.csv"
            if row["verified"] not in ("V", "M"):
                yield f"{where}: verified: {row['verified']!r} is neither V nor M"


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _items(tables: Tables) -> Iterator[str]:
    domains = {(r["set"], r["domain"]) for r in tables["criteria_domains"]}
    items = {(r["set"], r["item"]) for r in tables["criteria_items"]}
    clauses = {(r["set"], r["item"]) for r in tables["criteria_clauses"]}
    for line, row in _lines(tables, "criteria_items"):
        if (row["set"], row["domain"]) not in domains:
            yield f"criteria_items.csv:{line}: domain: {row['domain']!r} is not a domain of {row['set']}"
        if (row["set"], row["item"]) not in clauses:
            yield f"criteria_items.csv:{line}: item: {row['item']!r} has no clause, so it can never count"
    for line, row in _lines(tables, "criteria_clauses"):
        if (row["set"], row["item"]) not in items:
            yield f"criteria_clauses.csv:{line}: item: {row['item']!r} is not an item of {row['set']}"
    for line, row in _lines(tables, "criteria_sets"):
        most = _highest(tables, row["set"])
        if row["maximum"] and most != round(float(row["maximum"]) * 100):
            yield (
                f"criteria_sets.csv:{line}: maximum: the items of {row['set']} can add up to {most / 100:g}, "
                f"not {row['maximum']}"
            )


def _highest(tables: Tables, name: str) -> int:
    """The highest total of a set in hundredths of a point; of two items that exclude one another only one counts."""
    combine = {(r["set"], r["domain"]): r["combine"] for r in tables["criteria_domains"]}
    most = 0
    for left_out in product(*exclusive_items(tables["criteria_clauses"]).get(name, [])):
        best: Counter[str] = Counter()
        for row in tables["criteria_items"]:
            points = round(float(row["points"]) * 100)
            if row["set"] == name and row["item"] not in left_out and points > 0:
                total = combine.get((name, row["domain"])) == "sum"
                best[row["domain"]] = best[row["domain"]] + points if total else max(best[row["domain"]], points)
        most = max(most, best.total())
    return most


def _shortcuts(tables: Tables) -> Iterator[str]:
    known = {r["finding"] for r in tables["findings"]}
    for line, row in _lines(tables, "criteria_sets"):
        for way in filter(None, row["shortcut"].split("|")):
            for finding in way.split("&"):
                if finding not in known:
                    yield f"criteria_sets.csv:{line}: shortcut: {finding!r} is not in findings.csv"


def _needs(tables: Tables) -> Iterator[str]:
    kinds = {(r["set"], r["kind"]) for r in tables["criteria_domains"]}
    for line, row in _lines(tables, "criteria_sets"):
        for need in filter(None, row["needs"].split(";")):
            kind, _, least = need.partition(">=")
            if (row["set"], kind) not in kinds or not least.isdigit():
                yield f"criteria_sets.csv:{line}: needs: {need!r} is not 'kind>=number' of a kind this set has"


def _check_digits(tables: Tables) -> Iterator[str]:
    checks: dict[str, Callable[[str], bool]] = {"loinc": loinc_ok, "snomed": snomed_ok}
    for line, row in _lines(tables, "finding_codes"):
        check = checks.get(row["system"])
        if check and not check(row["code"]):
            yield f"finding_codes.csv:{line}: code: {row['code']!r} fails the check digit of {row['system']}"
    for line, row in _lines(tables, "diary_codes"):
        if not loinc_ok(row["code"]):
            yield f"diary_codes.csv:{line}: code: {row['code']!r} fails the check digit of loinc"


def loinc_ok(code: str) -> bool:
    """Does the LOINC check digit (Luhn, mod 10) hold?"""
    body, _, digit = code.partition("-")
    if not (body.isdigit() and digit.isdigit()):
        return False
    total = 0
    for place, char in enumerate(reversed(body)):
        n = int(char) * (2 if place % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return (10 - total % 10) % 10 == int(digit)


VERHOEFF_D = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
VERHOEFF_P = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def snomed_ok(code: str) -> bool:
    """Does the SNOMED CT check digit (Verhoeff) hold?"""
    if not code.isdigit():
        return False
    value = 0
    for place, char in enumerate(reversed(code)):
        value = VERHOEFF_D[value][VERHOEFF_P[place % 8][int(char)]]
    return value == 0


def _priors(tables: Tables) -> Iterator[str]:
    for line, row in _lines(tables, "priors"):
        shares = [float(row[h]) for h in HYPOTHESES if _number(row[h])]
        if any(s <= 0 for s in shares) or sum(shares) >= 1:
            yield f"priors.csv:{line}: sle, fm, both: must be positive and leave room for neither"
    settings = {r["setting"] for r in tables["priors"]}
    for setting in sorted(settings - {r["setting"] for r in tables["priors"] if r["sex"] == "any"}):
        yield f"priors.csv:1: sex: setting {setting} has no row for any sex"


def _blocks(tables: Tables) -> Iterator[str]:
    placed = {r["finding"] for r in tables["blocks"]}
    for line, row in _lines(tables, "findings"):
        if row["kind"] == "state" and row["finding"] not in placed:
            yield f"findings.csv:{line}: finding: {row['finding']!r} is in no block of blocks.csv"
    for line, row in _lines(tables, "weights"):
        if row["finding"] not in placed:
            yield f"weights.csv:{line}: finding: {row['finding']!r} is in no block"
    ruled = {r["block"] for r in tables["dependence"]}
    weighed = {r["finding"] for r in tables["weights"]}
    for line, row in _lines(tables, "blocks"):
        if row["finding"] in weighed and row["block"] not in ruled:
            yield f"blocks.csv:{line}: block: {row['block']!r} carries weight and has no row in dependence.csv"
    for line, row in _lines(tables, "dependence"):
        given = [row["correlation"], row["together"]]
        if row["rule"] == "one":
            if any(given):
                yield f"dependence.csv:{line}: rule: a block that is read once takes no correlation and no number"
        elif not all(_number(v) for v in given) or not (0 <= float(given[0]) <= 1 <= float(given[1])):
            yield f"dependence.csv:{line}: rule: a sum needs a correlation from 0 to 1 and at least 1 finding together"


def _mimics(tables: Tables) -> Iterator[str]:
    """Shares leave room for others; rates are of the four hypotheses or of mimics that have a share."""
    shares = {r["mimic"]: float(r["share"]) for r in tables["mimics"] if _number(r["share"])}
    if min(shares.values(), default=1.0) <= 0 or sum(shares.values()) >= 1:
        yield "mimics.csv:1: share: must be positive and leave room for conditions that are not named"
    known = {*HYPOTHESES, "neither", "mimic", "", *shares}
    for name in ("finding_evidence", "assumed_rates"):
        for line, row in _lines(tables, name):
            if row["hypothesis"] not in known:
                yield f"{name}.csv:{line}: hypothesis: {row['hypothesis']!r} is neither a hypothesis nor a mimic with a share"
    told = {r["mimic"] for r in tables["mimic_weights"]}
    for line, row in _lines(tables, "mimics"):
        if row["share"] and row["mimic"] not in told:
            yield f"mimics.csv:{line}: share: {row['mimic']} has no published count of any finding; leave its share blank"


def _weights(tables: Tables) -> Iterator[str]:
    caps = [float(r["value"]) for r in tables["limits"] if r["limit"] == "likelihood_ratio_cap"]
    if not caps:
        yield "limits.csv:1: limit: likelihood_ratio_cap is missing"
        return
    cap = math.log2(caps[0]) + 1e-6
    coded = {r["finding"] for r in tables["findings"] if r["domain"] == "code"}
    for line, row in _lines(tables, "weights"):
        for column in (f"{h}_bits" for h in HYPOTHESES):
            if _number(row[column]) and abs(float(row[column])) > cap:
                yield f"weights.csv:{line}: {column}: {row[column]} lies outside the cap of {cap:.3f} bits"
        if row["finding"] in coded:
            yield f"weights.csv:{line}: finding: {row['finding']!r} is a coded diagnosis, which is no evidence for itself"


def _units(tables: Tables) -> Iterator[str]:
    convertible = {(r["finding"], r["unit_seen"]) for r in tables["units"]}
    for line, row in _lines(tables, "findings"):
        if row["kind"] == "value" and row["unit"] and (row["finding"], row["unit"]) not in convertible:
            yield f"findings.csv:{line}: unit: {row['finding']} in {row['unit']} has no row in units.csv"


def _treatment(tables: Tables) -> Iterator[str]:
    drugs = {r["drug"] for r in tables["drugs"]} | {r["class"] for r in tables["drugs"]}
    groups = {r["group"] for r in tables["drug_groups"]}
    for name in sorted(groups & drugs):
        yield f"drug_groups.csv:1: group: {name!r} is the name of a drug or a class"
    findings = {r["finding"] for r in tables["findings"]}
    known = dict.fromkeys(("on", "count", "dose", "dose_per_kg", "masked", "covered", "lowered"), drugs | groups)
    known["tested"] = {r["test"] for r in tables["workup_tests"]}
    known |= dict.fromkeys(("finding", "code", "since", "times_absent"), findings)
    for line, row in _lines(tables, "treatment_clauses"):
        where = f"treatment_clauses.csv:{line}"
        if row["what"] not in known.get(row["measure"], {row["what"]}):
            yield f"{where}: what: {row['what']!r} is not known to the measure {row['measure']}"
        if (row["comparator"] == "none") == bool(row["threshold"]):
            yield f"{where}: threshold: is needed by every comparator but `none`"
    triggered = {r["rule"] for r in tables["treatment_clauses"] if r["role"] == "trigger" and r["comparator"] != "none"}
    for line, row in _lines(tables, "treatment_rules"):
        if row["rule"] not in triggered:
            yield f"treatment_rules.csv:{line}: rule: {row['rule']!r} has no trigger"
    rules = {r["rule"] for r in tables["treatment_rules"]}
    for line, row in _lines(tables, "worklist_reasons"):
        for unknown in sorted({r for r in row["treatment"].split(";") if r} - rules):
            yield f"worklist_reasons.csv:{line}: treatment: {unknown!r} is no treatment rule"
    tests = {r["test"] for r in tables["workup_tests"]}
    instruments = {r["instrument"] for r in tables["instruments"]}
    for line, row in _lines(tables, "reciprocal_checks"):
        if row["item"] not in (tests if row["kind"] == "test" else instruments):
            yield f"reciprocal_checks.csv:{line}: item: {row['item']!r} is no {row['kind']}"


def _implies(tables: Tables) -> Iterator[str]:
    edges: dict[str, set[str]] = {}
    for row in tables["finding_implies"]:
        edges.setdefault(row["finding"], set()).add(row["implies"])
    for line, row in _lines(tables, "finding_implies"):
        todo = [row["implies"]]
        seen: set[str] = set()
        while todo:
            node = todo.pop()
            if node == row["finding"]:
                yield f"finding_implies.csv:{line}: implies: {row['finding']} and {row['implies']} imply each other"
                break
            for other in edges.get(node, set()) - seen:
                seen.add(other)
                todo.append(other)


def _causes(tables: Tables) -> Iterator[str]:
    drugs = {r["drug"] for r in tables["drugs"]}
    classes = {r["class"] for r in tables["drugs"]}
    known = {r["finding"] for r in tables["findings"]}
    allowed = {"drug": drugs, "drug_class": classes, "condition": known}
    for line, row in _lines(tables, "competing_causes"):
        if row["what"] not in allowed.get(row["kind"], set()):
            yield f"competing_causes.csv:{line}: what: {row['what']!r} is not a {row['kind'].replace('_', ' ')}"


def _rules(tables: Tables) -> Iterator[str]:
    compared = ("lt", "le", "gt", "ge", "ratio_gt", "ratio_ge")
    for line, row in _lines(tables, "value_rules"):
        if (row["test"] in compared) != bool(row["threshold"]):
            yield f"value_rules.csv:{line}: threshold: {row['test']} {'needs a' if row['test'] in compared else 'takes no'} threshold"
    seen: dict[tuple[str, ...], int] = {}
    for line, row in _lines(tables, "value_rules"):
        if row["test"] not in compared:
            continue
        key = (row["finding"], row["source"], row["test"].split("_")[-1], row["method"], row["shape"], row["effect"])
        if key in seen:
            yield f"value_rules.csv:{line}: threshold: overlaps the rule of line {seen[key]}"
        seen[key] = line


def _activity(tables: Tables) -> Iterator[str]:
    total: Counter[str] = Counter()
    for row in tables["activity_items"]:
        for index in row["indices"].split(";"):
            total[index] += round(float(row["weight"]))
    bands: dict[str, list[tuple[int, int]]] = {}
    for row in tables["activity_bands"]:
        bands.setdefault(row["index"], []).append((int(row["low"]), int(row["high"])))
    for line, row in _lines(tables, "activity_indices"):
        where, maximum = f"activity_indices.csv:{line}", int(row["maximum"])
        if total[row["index"]] != maximum:
            yield f"{where}: maximum: the items of {row['index']} add up to {total[row['index']]}, not {maximum}"
        covered = [n for low, high in sorted(bands.get(row["index"], [])) for n in range(low, high + 1)]
        if row["shown"] == "yes" and covered != list(range(maximum + 1)):
            yield f"{where}: index: the bands of {row['index']} do not cover 0 to {maximum} once each"
    judged = {r["item"] for name in ("activity_clauses", "activity_conditions") for r in tables[name]}
    known = {
        "index": {r["index"] for r in tables["activity_indices"]},
        "new": {r["index"] for r in tables["activity_indices"]},
        "value": {r["finding"] for r in tables["findings"] if r["kind"] == "value"},
        "steroid": {r["class"] for r in tables["drugs"]},
        "drug": {r["drug"] for r in tables["drugs"]},
    }
    for line, row in _lines(tables, "activity_items"):
        if row["item"] not in judged:
            yield f"activity_items.csv:{line}: item: {row['item']!r} has no clause and no condition, so it is never known"
    for line, row in _lines(tables, "activity_conditions"):
        if row["what"] not in known[row["measure"]]:
            yield f"activity_conditions.csv:{line}: what: {row['what']!r} is nothing that {row['measure']!r} measures"


def _reasons(tables: Tables) -> Iterator[str]:
    """Whether fibromyalgia explains an item is said with a reason, for every finding that an item rests on."""
    reasoned = {r["finding"] for r in tables["fm_reasons"]}
    explains = {r["finding"]: r["fm_explains"] for r in tables["findings"]}
    for name in ("criteria_clauses", "activity_clauses"):
        for line, row in _lines(tables, name):
            if row["finding"] not in reasoned:
                yield f"{name}.csv:{line}: finding: {row['finding']!r} has no reason in fm_reasons.csv"
            if not explains.get(row["finding"]):
                yield f"{name}.csv:{line}: finding: {row['finding']!r} does not say whether fibromyalgia explains it"


def _scales(tables: Tables) -> Iterator[str]:
    known = {(r["instrument"], r["variable"]) for r in tables["instrument_variables"]}
    known |= {(r["instrument"], v) for r in tables["instruments"] if r["sites"] == "yes" for v in ("wpi", "regions")}
    for line, row in _lines(tables, "instrument_scales"):
        for variable in row["variables"].split(";"):
            if (row["instrument"], variable) not in known:
                yield f"instrument_scales.csv:{line}: variables: {variable!r} is not worked out for {row['instrument']}"
    totalled = {r["instrument"] for r in tables["instrument_scales"]}
    asked: dict[str, set[str]] = defaultdict(set)
    for row in tables["instrument_items"]:
        asked[row["instrument"]].add(row["item"])
    for line, row in _lines(tables, "instruments"):
        if row["instrument"] not in totalled:
            yield f"instruments.csv:{line}: instrument: {row['instrument']!r} has no total in instrument_scales.csv"
        if row["terms"] == "total" and not row["terms_note"]:
            yield f"instruments.csv:{line}: terms_note: say why {row['instrument']!r} takes its total only"
        if row["terms"] == "total" and asked[row["instrument"]] != {"total"}:
            yield f"instruments.csv:{line}: terms: {row['instrument']!r} takes its total only, but instrument_items.csv has other items"
    lowest: dict[tuple[str, str], float] = {}
    for row in tables["instrument_bands"]:
        key = (row["scale"], row["population"])
        lowest[key] = min(lowest.get(key, math.inf), float(row["low"]))
    for (scale, population), low in lowest.items():
        if low != 0 or (scale, "any") not in lowest:
            yield f"instrument_bands.csv:1: low: the bands of {scale} for {population} do not begin at 0, or none is for any"


def _words(tables: Tables) -> Iterator[str]:
    codes = {f"{r['instrument']}.{r['item']}" for r in tables["instrument_items"]}
    codes |= {
        f"{i['instrument']}.site.{s['site']}"
        for i in tables["instruments"]
        if i["sites"] == "yes"
        for s in tables["pain_sites"]
    }
    for line, row in _lines(tables, "questionnaire_words"):
        if row["kind"] != "answer" and row["code"] not in codes:
            yield f"questionnaire_words.csv:{line}: code: {row['code']!r} is no item or site of an instrument"
    snomed = {r["code"] for r in tables["finding_codes"] if r["system"] == "snomed"}
    for line, row in _lines(tables, "report_words"):
        if (row["kind"] == "class") != bool(row["code"]) or (row["code"] and row["code"] not in snomed):
            yield f"report_words.csv:{line}: code: {row['code']!r}; a class has a SNOMED CT code of finding_codes, no other word has one"
