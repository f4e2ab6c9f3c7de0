#!/usr/bin/env python3
"""Writes docs/reference from what runs: knowledge tables, contracts, plan, command line, rendered SQL.

    python tools/make_reference.py            write docs/reference again
    python tools/make_reference.py --check    exit 1 and name what differs, write nothing

Everything below docs/reference is generated; a file there that nothing makes is removed (with --check: reported).
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from typer.models import ArgumentInfo, CommandInfo, OptionInfo

from tellapart import pipeline
from tellapart.contracts import relations as contracts
from tellapart.doors import cli
from tellapart.engines import portable
from tellapart.events import normalize
from tellapart.knowledge.load import Knowledge, Row, load
from tellapart.knowledge.prose import prose

OUT = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTICE = "<!-- written by tools/make_reference.py: change what it is made of, not this file -->\n"
UNVERIFIED = "**unverified**"
TESTS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "ratio_gt": "> ×", "ratio_ge": "≥ ×", "below_range": "below range",
         "above_range": "above range", "positive": "positive"}  # fmt: skip
PAGES_OF_TABLES = {
    "findings": "findings.md", "value_rules": "findings.md", "finding_derived": "findings.md",
    "finding_implies": "findings.md", "rescued_by": "findings.md", "reference_ranges": "findings.md",
    "criteria_sets": "criteria/", "criteria_domains": "criteria/", "criteria_items": "criteria/",
    "criteria_clauses": "criteria/", "fm_sets": "criteria/", "instrument_rules": "criteria/",
    "instrument_variables": "criteria/", "instrument_items": "criteria/", "instruments": "criteria/",
    "instrument_findings": "criteria/", "pain_sites": "criteria/",
    "red_flags": "red_flags.md", "red_flag_clauses": "red_flags.md", "workup_tests": "red_flags.md", "tests": "red_flags.md", "test_results": "red_flags.md",
    "hazards": "hazards.md", "competing_causes": "competing_causes.md", "limits": "limits.md", "default_settings": "priors.md",
    "priors": "priors.md", "weights": "weights.md", "blocks": "weights.md", "dependence": "weights.md", "assumed_rates": "weights.md",
    "references": "citations.md",
}  # fmt: skip


# words


def cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ").strip()


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(" --- " for _ in head) + "|"]
    lines += ["| " + " | ".join(cell(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def checked(row: Row) -> str:
    """A row marked M was written from memory: nobody has seen it in its source yet."""
    return "seen in source" if row["verified"] == "V" else UNVERIFIED


def cited(row: Row, up: str = "") -> str:
    return ", ".join(f"[{c}]({up}citations.md#{c})" for c in row["citation"].split(";"))


def page(title: str, *parts: str) -> str:
    return NOTICE + "\n" + "\n\n".join([f"# {title}", *(p.strip() for p in parts if p.strip())]) + "\n"


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    out: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        out[tuple(row[c] for c in columns)].append(row)
    return out


# pages of knowledge


def findings(k: Knowledge) -> str:
    explains = {"yes": "yes", "partly": "partly", "no": "no", "": ""}
    parts = [
        "What a record can show about a person. A *state* is present or absent (unknown is no row); a *value* is a "
        "number in its unit, read into states by the rules below. *FM explains*: what happens to the finding in the "
        "scores that fibromyalgia must not carry; *if patient only*: when nobody but the patient reports it."
    ]
    for (domain,), rows in sorted(grouped(k["findings"], "domain").items()):
        parts.append(f"## {domain.replace('_', ' ') or 'other'}")
        parts.append(
            table(
                ("finding", "label", "kind", "unit", "said by", "FM explains", "if patient only", "note", "source",
                 "checked"),
                (
                    (f"`{r['finding']}`", r["label"], r["kind"], r["unit"], r["by_default"], explains[r["fm_explains"]],
                     explains[r["fm_if_patient_only"]], r["note"], cited(r), checked(r))
                    for r in rows
                ),
            )
        )  # fmt: skip
    parts += [
        "## Rules that read values",
        "The finding on the left is present when the value of `from` passes the test, absent when it does not "
        "(unless `effect` says one side only). × is the laboratory's upper limit.",
        table(
            ("finding", "from", "test", "assay method", "shape", "effect", "note", "source", "checked"),
            (
                (f"`{r['finding']}`", f"`{r['source']}`", f"{TESTS[r['test']]} {r['threshold']}", r["method"],
                 r["shape"], r["effect"], r["note"], cited(r), checked(r))
                for r in k["value_rules"]
            ),
        ),
        "## Findings made of others",
        table(
            ("finding", "at least", "of", "absent when too few can be", "note", "source", "checked"),
            (
                (f"`{r['finding']}`", r["at_least"], ", ".join(f"`{m}`" for m in r["members"].split(";")),
                 r["absent_rule"], r["note"], cited(r), checked(r))
                for r in k["finding_derived"]
            ),
        ),
        "## Implications",
        "Present on the left means present on the right; with `both`, absent on the right means absent on the left.",
        table(
            ("finding", "implies", "direction", "note", "source", "checked"),
            (
                (f"`{r['finding']}`", f"`{r['implies']}`", r["direction"], r["note"], cited(r), checked(r))
                for r in k["finding_implies"]
            ),
        ),
        "## Rescued by",
        "A finding that fibromyalgia explains stays in the specific score when its rescuer is present.",
        table(
            ("finding", "rescuer", "note", "source", "checked"),
            ((f"`{r['finding']}`", f"`{r['rescuer']}`", r["note"], cited(r), checked(r)) for r in k["rescued_by"]),
        ),
        "## Usual ranges",
        "Used only when the laboratory gives none, and marked.",
        table(
            ("finding", "sex", "low", "high", "note", "source", "checked"),
            (
                (f"`{r['finding']}`", r["sex"], r["low"], r["high"], r["note"], cited(r), checked(r))
                for r in k["reference_ranges"]
            ),
        ),
    ]  # fmt: skip
    return page("Findings", *parts)


def alternatives(clauses: list[Row]) -> str:
    """`a and b, or c without d` for the clauses of one item."""
    ways = []
    for rows in grouped(clauses, "alternative").values():
        words = []
        for r in rows:
            twice = f" on {r['occasions']} dates" if int(r["occasions"] or 1) > 1 else ""
            words.append(("not " if r["role"] == "excludes" else "") + f"`{r['finding']}`{twice}")
        ways.append(" and ".join(words))
    return "; or ".join(ways)


def criteria_set(k: Knowledge, row: Row) -> str:
    name = row["set"]
    clauses = grouped((r for r in k["criteria_clauses"] if r["set"] == name), "item")
    items = grouped((r for r in k["criteria_items"] if r["set"] == name), "domain")
    rule = [
        f"- Met when the points are {row['comparator'].replace('>=', '≥')} {row['threshold']} "
        f"(highest total {row['maximum']})."
    ]
    if row["entry"]:
        rule.append(f"- Entry: `{row['entry']}` must be present.")
    if row["needs"]:
        pairs = [need.split(">=") for need in row["needs"].split(";")]
        needs = " and ".join(f"at least {least} {kind} item" for kind, least in pairs)
        rule.append(f"- Needs {needs}.")
    if row["shortcut"]:
        ways = [" with ".join(f"`{f}`" for f in way.split("&")) for way in row["shortcut"].split("|")]
        rule.append(f"- Or met by {', or '.join(ways)}.")
    rule.append(f"- {row['note']}.")
    rule.append(f"- Source: {cited(row, '../')} ({checked(row)}).")
    parts = ["\n".join(rule)]
    for domain in (d for d in k["criteria_domains"] if d["set"] == name):
        how = "the heaviest item counts" if domain["combine"] == "max" else "all items count"
        parts.append(f"## {domain['label']} ({domain['kind']}, {how})")
        parts.append(
            table(
                ("item", "label", "points", "present when", "note", "source", "checked"),
                (
                    (f"`{r['item']}`", r["label"], r["points"], alternatives(clauses[(r["item"],)]), r["note"],
                     cited(r, "../"), checked(r))
                    for r in items[(domain["domain"],)]
                ),
            )
        )  # fmt: skip
    return page(f"{row['label']} (`{name}`)", *parts)


def bounds(row: Row) -> str:
    if row["low"] and row["high"]:
        return row["low"] if row["low"] == row["high"] else f"{row['low']} to {row['high']}"
    return f"≥ {row['low']}" if row["low"] else f"≤ {row['high']}"


def in_sentences(k: Knowledge, name: str) -> str:
    """What `tellapart knowledge show SET --prose` prints, with a place to sign."""
    return f"{NOTICE}\n{prose(k, name)}\n\nRead and found right, with date and name: ______________________\n"


def fm_set(k: Knowledge, row: Row) -> str:
    name = row["set"]
    rules = grouped((r for r in k["instrument_rules"] if r["set"] == name), "alternative")
    parts = [
        f"Judged on each filled-in form by its own date. Points printed: {row['points_from'].replace(';', ' + ')}. "
        f"Source: {cited(row, '../')} ({checked(row)}).",
        "## Met when all rows of one alternative hold",
        table(
            ("alternative", "variable", "value", "note", "source", "checked"),
            (
                (alternative, f"`{r['variable']}`", bounds(r), r["note"], cited(r, "../"), checked(r))
                for (alternative,), rows in rules.items()
                for r in rows
            ),
        ),
    ]
    if form := next((r for r in k["instruments"] if r["instrument"] == name), None):
        parts += [
            "## The form",
            f"{form['label']}; {form['version']}. Asked about: {form['window']}. Source: {cited(form, '../')} "
            f"({checked(form)}).",
            table(
                ("item", "answers", "finding it states", "note", "source", "checked"),
                (
                    (f"`{r['item']}`", bounds(r) if r["low"] or r["high"] else "",
                     f"`{r['finding']}` from {r['present_at']}" if r["finding"] else "", r["note"], cited(r, "../"),
                     checked(r))
                    for r in k["instrument_items"] if r["instrument"] == name
                ),
            ),
            "## Sums",
            table(
                ("variable", "items", "note", "source", "checked"),
                (
                    (f"`{r['variable']}`", ", ".join(f"`{i}`" for i in r["items"].split(";")), r["note"],
                     cited(r, "../"), checked(r))
                    for r in k["instrument_variables"] if r["instrument"] == name
                ),
            ),
        ]  # fmt: skip
    return page(f"{row['label']} (`{name}`)", *parts)


def hazards(k: Knowledge) -> str:
    return page(
        "Hazards",
        "Wrong answers that harm, what keeps each from happening, and the tests that prove it does.",
        table(
            ("hazard", "what goes wrong", "harm", "control", "proved by", "source", "checked"),
            (
                (f"`{r['hazard']}`", r["what"], r["harm"], r["control"],
                 "<br>".join(f"`{t}`" for t in r["tests"].split(";")), cited(r), checked(r))
                for r in k["hazards"]
            ),
        ),
    )  # fmt: skip


def red_flags(k: Knowledge) -> str:
    clauses = grouped(k["red_flag_clauses"], "flag")
    rows = []
    for r in k["red_flags"]:
        ways = [
            " and ".join(f"`{c['finding']}`" for c in w) for w in grouped(clauses[(r["flag"],)], "alternative").values()
        ]
        rows.append(
            (f"`{r['flag']}`", r["urgency"].replace("_", " "), r["text"], "; or ".join(ways), r["window_days"],
             f"`{r['ends_with']}` absent" if r["ends_with"] else "", r["forbids_fm"] or "no", r["note"], cited(r),
             checked(r))
        )  # fmt: skip
    return page(
        "Red flags and the minimum safe work-up",
        "Run before any score. In force within its window (days before the as-of day; undated findings always are) and "
        "not ended by a later normal result. A flag that forbids FM turns the call `fm` into `undetermined`.",
        table(
            ("flag", "urgency", "text", "raised by", "window", "ends with", "forbids FM", "note", "source", "checked"),
            rows,
        ),
        "## Minimum safe work-up",
        "A call of `fm` names those of these that are not on record.",
        table(
            ("test", "label", "settled by", "required for FM", "source", "checked"),
            (
                (f"`{r['test']}`", r["label"], ", ".join(f"`{f}`" for f in r["findings"].split(";")),
                 r["required_for_fm"], cited(r), checked(r))
                for r in k["workup_tests"]
            ),
        ),
        "## Tests that could settle it",
        "Offered when nothing of *settled by* is on record and what it *needs* is present; ranked by what the posterior is "
        "expected to learn.",
        table(
            ("test", "label", "settled by", "needs", "results", "cost", "turnaround", "note", "source", "checked"),
            (
                (f"`{r['test']}`", r["label"], ", ".join(f"`{f}`" for f in r["findings"].split(";")),
                 f"`{r['only_if']}`" if r["only_if"] else "",
                 "; ".join(x["label"] for x in k["test_results"] if x["test"] == r["test"]),
                 r["cost"], r["turnaround"].replace("_", " "), r["note"], cited(r), checked(r))
                for r in k["tests"]
            ),
        ),
    )  # fmt: skip


def competing_causes(k: Knowledge) -> str:
    return page(
        "Competing causes",
        "A present finding is contested when a likelier cause is on record within its window: from `before` days "
        "before the finding to `after` days after it. A finding all of whose occurrences are contested leaves the "
        "attributed and specific scores.",
        table(
            ("finding", "cause", "kind", "before", "after", "text", "source", "checked"),
            (
                (f"`{r['finding']}`", f"`{r['what']}`", r["kind"].replace("_", " "), r["before_days"], r["after_days"],
                 r["text"], cited(r), checked(r))
                for r in sorted(k["competing_causes"], key=lambda r: (r["finding"], r["kind"], r["what"]))
            ),
        ),
    )  # fmt: skip


def limits(k: Knowledge) -> str:
    return page(
        "Limits",
        "Every other threshold of the program.",
        table(
            ("limit", "value", "unit", "meaning", "source", "checked"),
            ((f"`{r['limit']}`", r["value"], r["unit"], r["text"], cited(r), checked(r)) for r in k["limits"]),
        ),
    )


def priors(k: Knowledge) -> str:
    return page(
        "Priors",
        "The share of each hypothesis before anything is known of a person; `neither` is the rest.",
        table(
            ("setting", "sex", "age", "SLE", "FM", "both", "n of N", "note", "source", "checked"),
            (
                (f"`{r['setting']}`", r["sex"], f"{r['age_low']}–{r['age_high']}", r["sle"], r["fm"], r["both"],
                 f"{r['n']} of {r['N']}" if r["n"] else "", r["note"], cited(r), checked(r))
                for r in k["priors"]
            ),
        ),
        "## When no setting is given",
        "A person with one of these on record takes `rheumatology_referral`, others `general_population`.",
        table(
            ("finding", "why", "source", "checked"),
            ((f"`{r['finding']}`", r["why"], cited(r), checked(r)) for r in k["default_settings"]),
        ),
    )  # fmt: skip


def weights(k: Knowledge) -> str:
    block = {r["finding"]: r["block"] for r in k["blocks"]}

    def bits(row: Row, hypothesis: str) -> str:
        return f"{float(row[f'{hypothesis}_bits']):+.2f} ± {float(row[f'{hypothesis}_sd']):.2f}"

    return page(
        "Weights",
        "What a finding says, in bits: log2 of P(finding given the hypothesis) over P(finding given neither), with its "
        "standard deviation, taken alone; *share* of it is what counts beside other findings of the block. *Assumed*: a rate "
        "behind it is a judgment, no count.",
        table(
            ("finding", "state", "block", "SLE", "FM", "both", "share", "assumed", "source", "checked"),
            (
                (f"`{r['finding']}`", r["state"], block.get(r["finding"], ""), bits(r, "sle"), bits(r, "fm"),
                 bits(r, "both"), f"{float(r['share']):.0%}", r["assumed"], cited(r), checked(r))
                for r in k["weights"]
            ),
        ),
        "## How a block is added",
        "`one`: the block is one observation and counts once. `sum`: each finding keeps 1 / (1 + (k - 1) r) of its bits, with "
        "k findings usually asked together and r their mean correlation within a disease.",
        table(
            ("block", "rule", "r", "k", "why", "source", "checked"),
            (
                (f"`{r['block']}`", r["rule"], r["correlation"], r["together"], r["text"], cited(r), checked(r))
                for r in k["dependence"]
            ),
        ),
        "## Blocks",
        "Findings of one mechanism; where the rate of `both` comes from.",
        table(
            ("finding", "block", "both from", "rung", "note", "source", "checked"),
            (
                (f"`{r['finding']}`", r["block"], r["both_from"], r["rung"], r["note"], cited(r), checked(r))
                for r in k["blocks"]
            ),
        ),
        "## Assumed rates",
        table(
            ("finding", "hypothesis", "alpha", "beta", "why", "source", "checked"),
            (
                (f"`{r['finding']}`", r["hypothesis"], r["alpha"], r["beta"], r["why"], cited(r), checked(r))
                for r in k["assumed_rates"]
            ),
        ),
    )  # fmt: skip


def citations(k: Knowledge) -> str:
    used: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, rows in k.tables.items():
        for row in rows:
            for one in filter(None, row.get("citation", "").split(";")):
                used[one][name] += 1
    return page(
        "Citations",
        "Every source that a row of the knowledge tables names, and how many rows of which table rest on it.",
        table(
            ("id", "who", "title", "where", "note", "rows"),
            (
                (f'<a id="{r["id"]}"></a>`{r["id"]}`', r["authors_year"], r["title"], r["locator"], r["note"],
                 ", ".join(f"{t} {n}" for t, n in sorted(used[r["id"]].items())))
                for r in sorted(k["references"], key=lambda r: r["id"])
            ),
        ),
    )  # fmt: skip


# pages of the house


def relations() -> str:
    parts = [
        "What walks from room to room. The key is unique on every data set (tested; none: a log). A name in `<>` "
        "stands for one column per id of the knowledge base: `word` (of finding bits), `sle_set`, `fm_set`, `item`."
    ]
    for title, group in (
        ("From a reader", contracts.SOURCES), ("Asked for", contracts.ASKED_FOR), ("Made by the house", contracts.MADE),
    ):  # fmt: skip
        parts.append(f"## {title}")
        for relation in group:
            key = ", ".join(f"`{c}`" for c in relation.key) or "none"
            parts += [
                f"### {relation.name}",
                f"{relation.grain[:1].upper()}{relation.grain[1:]}. Key: {key}.",
                table(("column", "type"), ((f"`{c}`", t) for c, t in relation.columns.items())),
            ]
    return page("Relations", *parts)


def plan() -> str:
    steps = [
        (f"[{name}](sql/{name}.sql)", f"events/{name}.sql", ", ".join(reads)) for name, reads in normalize.EVERY_STEP
    ]
    in_workup = {s.makes for s in pipeline.WORKUP}
    in_audit = {s.makes for s in pipeline.AUDIT}
    stages = [
        (f"[{s.makes}](sql/{s.makes}.sql)", s.file, ", ".join(s.reads), "yes" if s.makes in in_audit else "",
         "yes" if s.makes in in_workup else "", "view" if s.view else "table")
        for s in pipeline.STAGES
    ]  # fmt: skip
    return page(
        "The plan",
        "Every stage in the order in which it runs, with what it reads; `docs/reference/sql` has the text that runs, "
        "with the shipped knowledge base put in. The tests check that a stage reads exactly this.",
        "## From statements to events",
        table(("relation", "file", "reads"), steps),
        "## From events to answers",
        "A workup leaves out the search through everybody: somebody asks about a person.",
        table(("relation", "file", "reads", "audit", "workup", "kept as"), stages),
    )


def portable_sql() -> str:
    return page(
        "Portable SQL",
        "What the rooms may write, so that one text means the same on DuckDB and on Spark. All else fails a test.",
        "## Functions",
        table(
            ("in our SQL", "on Spark"), ((f"`{name}`", why) for name, why in portable.FUNCTIONS.values())
        ),
        "## Forms",
        table(("form", "why"), ((kind.__name__, why) for kind, (_, why) in portable.FORMS.items())),
    )  # fmt: skip


def command_line() -> str:
    """The commands from their signatures, so that no version of typer or of a terminal shows in the page."""
    parts = [
        "Results go to stdout, messages to stderr. Exit codes: 0 done, 1 input unusable, 2 wrong usage, 3 done but "
        "part of the input was rejected."
    ]

    def name_of(info: CommandInfo) -> str:
        callback = info.callback
        assert callback is not None
        return info.name or callback.__name__.replace("_", "-")

    def describe(info: CommandInfo, prefix: str) -> None:
        callback = info.callback
        assert callback is not None
        arguments, options = _parameters(callback)
        usage = " ".join(
            ["tellapart", *([prefix] if prefix else []), name_of(info), *(a[0] for a in arguments), "[OPTIONS]"]
        )
        help_text, _, examples = inspect.cleandoc(info.help or callback.__doc__ or "").partition("\nExample")
        shown = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
        parts.append(f"## {' '.join(usage.split()[1 : 3 if prefix else 2])}")
        parts.append(f"```\n{usage}\n```")
        parts.append(help_text.replace("\b", "").strip())
        if arguments or options:
            parts.append(table(("argument or option", "meaning", "default"), [*arguments, *options]))
        if shown:
            parts.append("```\n" + "\n".join(shown) + "\n```")

    for info in cli.app.registered_commands:
        describe(info, "")
    for group in cli.app.registered_groups:
        assert group.typer_instance is not None
        for info in group.typer_instance.registered_commands:
            describe(info, str(group.name))
    return page("Command line", *parts)


def _parameters(callback: Callable[..., Any]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """(arguments, options) of a command: name, meaning, default."""
    arguments, options = [], []
    for name, parameter in inspect.signature(callback, eval_str=True).parameters.items():
        kind, *extra = get_args(parameter.annotation) or (parameter.annotation,)
        info = next((e for e in extra if isinstance(e, (ArgumentInfo, OptionInfo))), None)
        if info is None or info.hidden:
            continue
        kinds = [t for t in (kind, *get_args(kind)) if isinstance(t, type) and issubclass(t, Enum)]
        choices = f" One of: {', '.join(str(m.value) for m in kinds[0])}." if kinds else ""
        default = parameter.default
        shown = "required" if default is inspect.Parameter.empty else ""
        if default not in (inspect.Parameter.empty, None, False, ""):
            shown = str(default.value if isinstance(default, Enum) else default)
        meaning = (info.help or "") + choices
        if isinstance(info, ArgumentInfo):
            arguments.append((name.upper(), meaning, shown))
        else:
            flags = [d for d in (info.param_decls or ()) if d.startswith("-")] or [
                "--" + name.strip("_").replace("_", "-")
            ]
            options.append((", ".join(f"`{f}`" for f in flags), meaning, shown))
    return arguments, options


# all of it


def index(k: Knowledge) -> str:
    rows = []
    for name, lines in k.tables.items():
        if name.startswith("references_"):
            continue  # the sources of references.csv, kept apart by who collected them
        marks = [r["verified"] for r in lines if "verified" in r]
        where = PAGES_OF_TABLES.get(name, "")
        rows.append((f"[{name}]({where})" if where else name, len(lines), marks.count("V") if marks else "",
                     marks.count("M") if marks else ""))  # fmt: skip
    sets = [
        *((r["set"], r["label"]) for r in k["criteria_sets"]), *((r["set"], r["label"]) for r in k["fm_sets"])
    ]  # fmt: skip
    return page(
        "Reference",
        "Generated from what runs, and checked for drift. Rows that nobody has seen in their source yet are marked "
        f"{UNVERIFIED}.",
        "## The medicine",
        "\n".join(
            [
                "- [Findings](findings.md)",
                *(
                    f"- [{label}](criteria/{name}.md), [in sentences](criteria/{name}_in_sentences.md)"
                    for name, label in sets
                ),
                "- [Red flags and the minimum safe work-up](red_flags.md)",
                "- [Hazards, their controls and the tests that prove them](hazards.md)",
                "- [Competing causes](competing_causes.md)",
                "- [Weights](weights.md), [priors](priors.md) and [limits](limits.md)",
                "- [Citations](citations.md)",
            ]
        ),
        "## The house",
        "- [Relations](relations.md)\n- [The plan](plan.md) and the SQL that runs (`sql/`)\n"
        "- [Portable SQL](portable.md)\n- [Command line](cli.md)",
        "## The tables",
        "`tellapart knowledge show TABLE` prints any of them; `tellapart knowledge export` writes them all.",
        table(("table", "rows", "seen in source", "unverified"), rows),
    )


def pages() -> dict[str, str]:
    """Every file of docs/reference: path to text."""
    k = load()
    out = {
        "README.md": index(k), "findings.md": findings(k), "red_flags.md": red_flags(k), "hazards.md": hazards(k),
        "competing_causes.md": competing_causes(k), "limits.md": limits(k), "priors.md": priors(k),
        "weights.md": weights(k), "citations.md": citations(k), "relations.md": relations(), "plan.md": plan(),
        "portable.md": portable_sql(), "cli.md": command_line(),
    }  # fmt: skip
    out |= {f"criteria/{r['set']}.md": criteria_set(k, r) for r in k["criteria_sets"]}
    out |= {f"criteria/{r['set']}.md": fm_set(k, r) for r in k["fm_sets"]}
    out |= {
        f"criteria/{r['set']}_in_sentences.md": in_sentences(k, r["set"]) for r in (*k["criteria_sets"], *k["fm_sets"])
    }
    for name, _ in normalize.EVERY_STEP:
        out[f"sql/{name}.sql"] = normalize.text(name).rstrip() + "\n"
    for name, text in pipeline.statements(k).items():
        out[f"sql/{name}.sql"] = "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"
    return dict(sorted(out.items()))


def drift(folder: Path) -> list[str]:
    """What differs between `folder` and what would be written, a line or two per file; empty if nothing does."""
    wanted = pages()
    held = {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}
    faults = [f"{name}: missing" for name in wanted if name not in held]
    faults += [f"{name}: nothing makes it" for name in held if name not in wanted]
    for name in sorted(set(wanted) & set(held)):
        if wanted[name] != held[name]:
            changed = difflib.unified_diff(held[name].splitlines(), wanted[name].splitlines(), lineterm="", n=0)
            first = [line for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")][:2]
            faults.append("\n  ".join([f"{name}: differs", *(line[:200] for line in first)]))
    return faults


def write(folder: Path) -> None:
    wanted = pages()
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything differs")
    if parser.parse_args().check:
        if faults := drift(OUT):
            print("docs/reference is not what would be written; run tools/make_reference.py\n" + "\n".join(faults))
            sys.exit(1)
        return
    write(OUT)


if __name__ == "__main__":
    main()
