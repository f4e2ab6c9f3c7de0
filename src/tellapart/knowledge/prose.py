"""A criteria set as sentences that a rheumatologist can read and sign, made of the rows and of nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tellapart.errors import UsageError
from tellapart.knowledge.load import Knowledge, Row

WORDS = {"needs": "", "excludes": "no "}
TESTS = {
    "lt": "below {t}", "le": "{t} or less", "gt": "above {t}", "ge": "{t} or more", "positive": "reported positive",
    "below_range": "below the laboratory's limit", "above_range": "above the laboratory's limit",
    "ratio_gt": "above {t} times the laboratory's upper limit", "ratio_ge": "at least {t} times the laboratory's upper limit",
}  # fmt: skip
VARIABLES = {
    "wpi": "the widespread pain index", "sss": "the symptom severity scale", "sss_2010": "the symptom severity scale of 2010",
    "regions": "the number of painful regions", "sites": "the number of painful sites", "total": "the total",
    "tender_points": "the number of tender points", "months": "the duration in months", "sleep": "the sleep problem",
}  # fmt: skip


def prose(knowledge: Knowledge, name: str) -> str:
    """The set `name` in sentences, as Markdown; rows from memory end with "(unverified)".

    Raises:
        UsageError: no criteria set has that id; names those that exist.
    """
    scored = {r["set"]: r for r in knowledge["criteria_sets"]}
    forms = {r["set"]: r for r in knowledge["fm_sets"]}
    if name in scored:
        lines = _scored(knowledge, scored[name])
    elif name in forms:
        lines = _form(knowledge, forms[name])
    else:
        raise UsageError(f"--prose {name}: not a criteria set. Sets: {', '.join([*scored, *forms])}.")
    return "\n\n".join(lines)


@lru_cache(maxsize=4)
def rules(knowledge: Knowledge) -> dict[str, str]:
    """Every set to the sentences that say when it is met, as its worksheet prints them."""
    return {r["set"]: _scored_rule(knowledge, r) for r in knowledge["criteria_sets"]} | {
        r["set"]: " ".join(_form_rules(knowledge, r["set"])) for r in knowledge["fm_sets"]
    }


def _scored_rule(knowledge: Knowledge, row: Row) -> str:
    labels = knowledge.labels()
    conditions = [f"the points add up to {_bound(row['comparator'], row['threshold'])}"]
    for need in filter(None, row["needs"].split(";")):
        kind, least = need.split(">=")
        conditions.append(f"at least {_items(int(least), kind)} counts")
    if row["entry"]:
        conditions.append(f"{labels[row['entry']]} is on record, ever")
    ways = [" with ".join(labels[f] for f in way.split("&")) for way in row["shortcut"].split("|") if way]
    shortcut = f" It is also met by {_or(ways)}." if ways else ""
    highest = f" The highest total is {row['maximum']}." if row["maximum"] else ""
    return f"A person meets this set when {_and(conditions)}.{shortcut}{highest}{_mark(row)}"


def _scored(knowledge: Knowledge, row: Row) -> Iterator[str]:
    name, labels = row["set"], knowledge.labels()
    yield f"# {row['label']}"
    yield _scored_rule(knowledge, row)
    yield f"{_sentence(row['note'])} Source: {_sources(knowledge, row)}"
    yield (
        "What is unknown is never taken as absent: points count what is on record, and the set is called not met only when "
        "no result still open could meet it. An item is left out of the attributed score when each report of it has a "
        "likelier cause on record, and of the specific score also when fibromyalgia explains it just as well."
    )
    items: dict[str, list[Row]] = defaultdict(list)
    for item in knowledge["criteria_items"]:
        if item["set"] == name:
            items[item["domain"]].append(item)
    for domain in knowledge["criteria_domains"]:
        if domain["set"] != name:
            continue
        own = items[domain["domain"]]
        several = (
            ""
            if len(own) == 1
            else ": only the heaviest item counts"
            if domain["combine"] == "max"
            else ": all items count"
        )
        kind = (
            f" ({domain['kind']}{several})" if domain["kind"] else f" ({several.removeprefix(': ')})" if several else ""
        )
        yield f"## {domain['label']}{kind}"
        for item in own:
            yield "\n".join(_item(knowledge, item, labels))


def _item(knowledge: Knowledge, item: Row, labels: dict[str, str]) -> Iterator[str]:
    clauses = [r for r in knowledge["criteria_clauses"] if (r["set"], r["item"]) == (item["set"], item["item"])]
    points = float(item["points"])
    yield f"**{item['label']}: {item['points']} point{'' if abs(points) == 1 else 's'}.**{_mark(item)}"
    ways: dict[str, list[str]] = defaultdict(list)
    for clause in clauses:
        twice = f" on {clause['occasions']} distinct dates" if int(clause["occasions"] or 1) > 1 else ""
        ways[clause["alternative"]].append(f"{WORDS[clause['role']]}{labels[clause['finding']]}{twice}")
    unsure = " (unverified)" if any(c["verified"] != "V" for c in clauses) else ""
    yield f"It holds with {'; or with '.join(_and(parts) for parts in ways.values())}{unsure}."
    if item["note"]:
        yield _sentence(item["note"])
    for finding in dict.fromkeys(c["finding"] for c in clauses if c["role"] == "needs"):
        if said := " ".join(_finding(knowledge, finding, labels)):
            yield f"- {labels[finding]}: {said}"


def _finding(knowledge: Knowledge, finding: str, labels: dict[str, str]) -> Iterator[str]:
    """What a finding is read from, and what takes it out of the stricter scores."""
    units = {r["finding"]: r["unit"] for r in knowledge["findings"]}
    read = []
    for rule in knowledge["value_rules"]:
        if rule["finding"] == finding and rule["effect"] != "absent_only":
            unit = (
                ""
                if rule["test"].startswith("ratio") or units.get(rule["source"], "1") in ("1", "{titer}")
                else f" {units[rule['source']]}"
            )
            threshold = f"1:{rule['threshold']}" if units.get(rule["source"]) == "{titer}" else rule["threshold"] + unit
            how = TESTS[rule["test"]].format(t=threshold)
            by = (
                f" by {rule['method'].replace(';', ' or ').replace('!', 'other than ').replace('_', ' ')}"
                if rule["method"]
                else ""
            )
            read.append(
                f"{labels.get(rule['source'], rule['source'])} {how}{by}{'' if rule['verified'] == 'V' else ' (unverified)'}"
            )
    if read:
        yield f"Read from {_or(list(dict.fromkeys(read)))}."
    for rule in knowledge["finding_derived"]:
        if rule["finding"] == finding:
            members = [labels.get(m, m) for m in rule["members"].split(";")]
            count = (
                "any of"
                if rule["at_least"] == "1"
                else "all of"
                if int(rule["at_least"]) == len(members)
                else f"at least {rule['at_least']} of"
            )
            yield f"Also when {count} these hold: {', '.join(members)}{_mark(rule)}."
    row = next(r for r in knowledge["findings"] if r["finding"] == finding)
    reason = next((r["reason"] for r in knowledge["fm_reasons"] if r["finding"] == finding), "")
    if row["fm_explains"] == "yes":
        yield f"Fibromyalgia explains it just as well: {reason}."
    elif row["fm_if_patient_only"] == "yes":
        yield f"Fibromyalgia explains it when nobody but the patient reports it: {reason}."
    elif row["fm_explains"] == "partly":
        yield f"Fibromyalgia explains it in part: {reason}."
    rescuers = [labels[r["rescuer"]] for r in knowledge["rescued_by"] if r["finding"] == finding]
    if rescuers:
        yield f"It counts all the same with {_or(rescuers)}."
    causes = [r for r in knowledge["competing_causes"] if r["finding"] == finding]
    if causes:
        first = list(dict.fromkeys(r["text"] for r in causes))
        more = f" and {len(first) - 5} more" if len(first) > 5 else ""
        yield f"Likelier causes: {'; '.join(first[:5])}{more}."


def _form_rules(knowledge: Knowledge, name: str) -> Iterator[str]:
    ways: dict[str, list[Row]] = defaultdict(list)
    for rule in knowledge["instrument_rules"]:
        if rule["set"] == name:
            ways[rule["alternative"]].append(rule)
    for number, parts in enumerate(ways.values(), start=1):
        said = [f"{variable_name(r['variable'])} {_interval(r)}{_note(r)}{_mark(r)}" for r in parts]
        yield f"{'It is met' if number == 1 else 'Or it is met'} when {_and(said)}."


def _form(knowledge: Knowledge, row: Row) -> Iterator[str]:
    name = row["set"]
    yield f"# {row['label']}"
    made = (
        f" It may also be read, as an approximation, from the forms {row['approximate_from'].replace(';', ', ')}."
        if row["approximate_from"]
        else ""
    )
    kind = "This is a screen, never a diagnosis" if row["screen"] == "yes" else "These are criteria for adults"
    yield f"{kind}. Every filled-in form is judged on its own date; forms of different dates are never mixed.{made}{_mark(row)}"
    yield from _form_rules(knowledge, name)
    for variable in knowledge["instrument_variables"]:
        if variable["instrument"] == name and len(items := variable["items"].split(";")) > 1:
            added = _and(i.removeprefix("site.").replace("_", " ") for i in items)
            yield f"{_sentence(variable_name(variable['variable'])).rstrip('.')} adds up {added}{_mark(variable)}."
    yield f"Source: {_sources(knowledge, row)}"


def _interval(rule: Row) -> str:
    if rule["low"] and rule["high"]:
        return f"from {rule['low']} to {rule['high']}"
    if (rule["low"], rule["variable"]) == ("1", "no_other_cause") or (rule["low"], rule["variable"]) == (
        "1",
        "widespread_pain",
    ):
        return "holds"
    return f"is {rule['low']} or more" if rule["low"] else f"is {rule['high']} or less"


def _note(rule: Row) -> str:
    return f" ({rule['note']})" if rule["note"] else ""


def variable_name(name: str) -> str:
    """A variable of a form in words, with its article."""
    return VARIABLES.get(name, name.replace("_", " "))


def _bound(comparator: str, threshold: str) -> str:
    return f"more than {threshold}" if comparator == ">" else f"{threshold} or more"


def _items(least: int, kind: str) -> str:
    return f"one {kind} item" if least == 1 else f"{least} {kind} items"


def _mark(row: Row) -> str:
    return "" if row["verified"] == "V" else " (unverified)"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _sources(knowledge: Knowledge, row: Row) -> str:
    known = {r["id"]: r for r in knowledge["references"]}
    return (
        "; ".join(f"{known[c]['authors_year']}, {known[c]['title']}".rstrip(".") for c in row["citation"].split(";"))
        + "."
    )


def _joined(parts: Iterable[str], word: str) -> str:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} {word} {listed[-1]}"


def _and(parts: Iterable[str]) -> str:
    return _joined(parts, "and")


def _or(parts: Iterable[str]) -> str:
    return _joined(parts, "or")
