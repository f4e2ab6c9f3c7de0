"""What a report shows of time: fibromyalgia after lupus and the reverse, both over the years, from the first sign to a code."""

from __future__ import annotations

import datetime as dt
import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tellapart.answers.disclosure import REACH, Disclosure, SafeCell, wilson
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import Knowledge

if TYPE_CHECKING:
    from tellapart.engines.spark import Spark

Json = dict[str, Any]
QUESTIONS = {
    # question: its title, whose later disease it is, and the finding and the condition of published rates
    "fm_after_sle": ("Fibromyalgia after lupus", "meets_fm_criteria", "sle"),
    "sle_after_fm": ("Lupus after fibromyalgia", "develops_sle", "fm"),
}
STATES = {"sle": "Lupus alone", "fm": "Fibromyalgia alone", "both": "Both", "died": "Died"}
SEXES = {"all": "All", "sex:female": "Female", "sex:male": "Male"}


def tables(engine: DuckDB | Spark, knowledge: Knowledge) -> list[Json]:
    """The tables of the report on time, of persons of interest."""
    shown = [t for question in QUESTIONS for t in _second_disease(engine, knowledge, question)]
    return [
        _by_year(engine, int(knowledge.limit("incidence_years"))),
        _to_code(engine),
        *shown,
        _rates(engine),
        _order(engine),
    ]


def safe_curves(engine: DuckDB | Spark, safe: Disclosure) -> list[SafeCell]:
    """The two curves of everybody at yearly points that may leave the site; none by sex or age (decision 28)."""
    persons = engine.one("select count(*) from persons_out")
    cells: list[SafeCell] = []
    for question in QUESTIONS:
        rows = _curve(engine, question).get("all", [])
        followed = rows[0]["persons"] if rows else 0
        if min(followed, persons - followed) > safe.floor:
            points = [(f"within_{r['year']}_years", r["events"], r["at_risk"], r["incidence"]) for r in rows]
            cells += safe.curve("second_disease", question, followed, points)
    return cells


def _curve(engine: DuckDB | Spark, question: str) -> dict[str, list[Json]]:
    """Group of persons to its years in order."""
    groups: dict[str, list[Json]] = {}
    for r in engine.rows(f"select * from incidence where question = '{question}' order by persons_of, year"):
        groups.setdefault(r["persons_of"], []).append(r)
    return groups


def _second_disease(engine: DuckDB | Spark, knowledge: Knowledge, question: str) -> list[Json]:
    title, finding, condition = QUESTIONS[question]
    groups = _curve(engine, question)
    followed = {name: [r for r in rows if r["at_risk"] > 0] for name, rows in groups.items()}
    named = {name: followed[name] for name in SEXES if followed.get(name)}
    years = [r["year"] for r in named.get("all", [])]
    of_year = {name: {r["year"]: _said(r) for r in rows} for name, rows in named.items()}
    lines = [
        {
            "name": SEXES[name],
            "points": [[0, 0], *([r["year"], r["incidence"]] for r in rows)],
            "bars": [[0, 0], *(_interval(r) for r in rows)] if name == "all" else [],
        }
        for name, rows in named.items()
    ]
    published = [
        [r["study"], r["setting"], int(r["n"]), int(r["N"]), int(r["n"]) / int(r["N"])]
        for r in knowledge["evidence"]
        if r["finding_id"] == finding and r["condition"] == condition and r["n"] and r["N"]
    ]
    count = {"kind": "count"}
    return [
        {
            "id": question,
            "title": title,
            "columns": [
                "Years since the first of the two", {"label": "Still followed", **count}, {"label": "Second disease so far", **count},
                {"label": "Died so far", **count}, {"label": "Lost so far", **count},
                *(f"{SEXES[name]}: share (95% interval)" for name in named),
            ],
            "rows": [
                [str(r["year"]), *(r[c] for c in ("at_risk", "events", "died", "lost")),
                 *(of_year[name].get(r["year"], "nobody left") for name in named)]
                for r in named.get("all", [])
            ],
            "chart": {
                "lines": lines, "right": max(years, default=1), "across": "years since the first disease", "up": "share with the second",
                "described": f"{title}: cumulative incidence by year, for all with 95% interval and by sex; the table below has the numbers.",
            } if years else None,
            "note": "Cumulative incidence by Aalen and Johansen; death and loss to follow-up compete. A disease begins when its criteria "
                    "were met, else with its first code. Who had both from the first day is not counted.",
        },
        {
            "id": f"{question}_groups",
            "title": f"{title}, by sex and age at the first disease",
            "columns": ["Group", {"label": "Persons", **count}, {"label": "Second disease", **count},
                        {"label": "Years followed", **count}, "Share by then (95% interval)"],
            "rows": [
                [_group(name), rows[-1]["persons"], rows[-1]["events"], rows[-1]["year"], _said(rows[-1])]
                for name, rows in sorted(followed.items(), key=lambda group: (group[0] != "all", group[0])) if rows
            ],
            "note": "",
        },
        {
            "id": f"{question}_published",
            "title": f"{title}: published figures",
            "columns": ["Study", "Who", {"label": "With the second disease", **count}, {"label": "Of", **count},
                        {"label": "Share", "kind": "share"}],
            "rows": published,
            "note": "Shares at one time or over an unstated follow-up, not incidence by year: no study of new fibromyalgia in lupus by year is known "
                    "here. Compare the order of size alone."
                    if question == "fm_after_sle" else "Over a long or unstated follow-up. Compare the order of size alone.",
        },
    ]  # fmt: skip


def _group(name: str) -> str:
    kind, _, value = name.partition(":")
    words = value.replace("_", " ")
    return {"all": "All", "sex": f"Sex: {words}", "age": f"Age: {words}"}[kind]


def _said(r: Json) -> str:
    low, high = _interval(r)
    interval = f" ({100 * low:.1f} to {100 * high:.1f})" if low < high else ""
    return f"{100 * r['incidence']:.1f}%{interval}"


def _interval(r: Json) -> tuple[float, float]:
    """The interval of a cumulative incidence on the scale log(-log), which keeps it between 0 and 1; none at either end."""
    share, variance = r["incidence"], r["variance"]
    if not 0 < share < 1:
        return share, share
    reach = REACH * math.sqrt(variance) / (share * math.log(share))
    return share ** math.exp(-reach), share ** math.exp(reach)


def rate_interval(events: int, years: float) -> tuple[float, float]:
    """The 95 % interval of a rate by Byar's approximation to the exact one of Poisson (Breslow and Day 1987)."""

    def bound(count: int, reach: float) -> float:
        return count * (1 - 1 / (9 * count) + reach / (3 * math.sqrt(count))) ** 3

    return (max(bound(events, -REACH), 0.0) if events else 0.0) / years, bound(events + 1, REACH) / years


def rate_ratio(first: Json, second: Json) -> tuple[float, float, float] | None:
    """How many times as fast the first way is gone as the second, with its 95 % interval on the logarithm; None without events."""
    if not first["events"] or not second["events"]:
        return None
    ratio = (first["events"] / first["years"]) / (second["events"] / second["years"])
    reach = REACH * math.sqrt(1 / first["events"] + 1 / second["events"])
    return ratio, ratio * math.exp(-reach), ratio * math.exp(reach)


def _rates(engine: DuckDB | Spark) -> Json:
    ways = engine.rows("select * from transitions order by from_state desc, to_state")
    rows = []
    for r in ways:
        said = "nobody followed"
        if r["years"]:
            rate, (low, high) = r["events"] / r["years"], rate_interval(r["events"], r["years"])
            said = f"{1000 * rate:.1f} ({1000 * low:.1f} to {1000 * high:.1f})"
        rows.append(
            [STATES[r["from_state"]], STATES[r["to_state"]], r["persons"], r["events"], f"{r['years']:,.1f}", said]
        )
    second = {r["from_state"]: r for r in ways if r["to_state"] == "both"}
    ratio = rate_ratio(second["sle"], second["fm"]) if len(second) == len(QUESTIONS) else None
    return {
        "id": "transitions",
        "title": "From one state to the next",
        "columns": ["From", "To", {"label": "Persons", "kind": "count"}, {"label": "Went this way", "kind": "count"},
                    {"label": "Person-years before", "kind": "text"}, {"label": "In 1,000 person-years (95% interval)", "kind": "text"}],
        "rows": rows,
        "note": "Death ends a stretch of time, loss to follow-up and the as-of day censor it. Rates out of neither are not given: persons of "
                "interest are chosen by what came later. "
                + ("Whether fibromyalgia follows lupus faster than the reverse cannot be told: one of the two did not happen."
                   if ratio is None else
                   f"Fibromyalgia came after lupus {ratio[0]:.1f} times as fast as lupus after fibromyalgia "
                   f"(95% interval {ratio[1]:.1f} to {ratio[2]:.1f})."),
    }  # fmt: skip


def _order(engine: DuckDB | Spark) -> Json:
    found = {
        r["first"]: r["persons"]
        for r in engine.rows(
            """select coalesce(f.state, 'same') as first, count(*) as persons
               from disease_course as b
               left join disease_course as f on f.person = b.person and f.state in ('sle', 'fm')
               where b.state = 'both'
               group by coalesce(f.state, 'same')"""
        )
    }
    total = sum(found.values())
    rows: list[list[Any]] = []
    for first, words in {"sle": "Lupus first", "fm": "Fibromyalgia first", "same": "Both on one day"}.items():
        low, high = wilson(found.get(first, 0), total) if total else (0.0, 0.0)
        count = found.get(first, 0)
        rows.append(
            [words, count, f"{100 * count / total:.1f}% ({100 * low:.1f} to {100 * high:.1f})" if total else "nobody"]
        )
    return {
        "id": "order",
        "title": "Which of the two came first, in those who have both",
        "columns": ["Order", {"label": "Persons", "kind": "count"}, {"label": "Share (95% interval)", "kind": "text"}],
        "rows": rows,
        "note": "By the day on which criteria were met, else by the first code: the order on record, not that of the body.",
    }


def _by_year(engine: DuckDB | Spark, years: int) -> Json:
    last = engine.one("select max(as_of) from horizons")
    days = [dt.date(last.year - ago, 12, 31) for ago in range(years, 0, -1)] + [last] if last else []
    listed = " union all ".join(f"select cast('{day}' as date) as day" for day in days)
    states = ("sle", "fm", "both")
    counts = ", ".join(f"count(*) filter (where c.state = '{s}') as {s}" for s in states)
    counted = (
        []
        if last is None
        else engine.rows(
            f"""select d.day, {counts} from ({listed}) as d
            inner join disease_course as c on c.from_date <= d.day and coalesce(c.to_date > d.day, true)
            inner join persons as p on p.person = c.person and coalesce(p.death_date > d.day, true)
            group by d.day"""
        )
    )
    found = {r["day"]: r for r in counted}
    rows = [{"day": day, **{s: found[day][s] if day in found else 0 for s in states}} for day in days]
    count = {"kind": "count"}
    return {
        "id": "by_year",
        "title": "Lupus, fibromyalgia and both over the years",
        "columns": ["Day", {"label": "Lupus alone", **count}, {"label": "Fibromyalgia alone", **count}, {"label": "Both", **count},
                    {"label": "Of those with lupus: both", "kind": "share"}],
        "rows": [
            [str(r["day"]), r["sle"], r["fm"], r["both"], r["both"] / (r["sle"] + r["both"]) if r["sle"] + r["both"] else None]
            for r in rows
        ],
        "note": "Living persons of interest on that day: criteria met by then, else coded. Neither disease ends by itself.",
    }  # fmt: skip


def _within(gaps: list[Json], share: float) -> str | None:
    """The days within which that many persons lie; None if there is nobody."""
    reached = accumulate(r["persons"] for r in gaps)
    return next((f"{r['days']:,} days" for r, so_far in zip(gaps, reached, strict=True) if so_far >= share), None)


def _to_code(engine: DuckDB | Spark) -> Json:
    rows = []
    for disease, column in (("Lupus", "sle_dx_first"), ("Fibromyalgia", "fm_dx_first")):
        gaps = engine.rows(
            f"""select days, count(*) as persons
                from (
                  select p.person, greatest(date_diff('day', min(f.first_date), min(p.{column})), 0) as days
                  from persons_out as p
                  inner join findings as f
                    on f.person = p.person and f.state = 'present' and substr(f.finding, length(f.finding) - 2) <> '_dx'
                  where p.{column} is not null and f.first_date is not null
                  group by p.person
                ) as gaps
                group by days order by days"""
        )
        persons = sum(r["persons"] for r in gaps)
        at_once = sum(r["persons"] for r in gaps if r["days"] <= 0)
        rows.append([disease, persons, at_once, *(_within(gaps, persons * quarters / 4) for quarters in (1, 2, 3))])
    return {
        "id": "to_code",
        "title": "From the first sign on record to the first code",
        "columns": ["Coded as", {"label": "Persons", "kind": "count"}, {"label": "Code first", "kind": "count"},
                    {"label": "A quarter within", "kind": "text"}, {"label": "Half within", "kind": "text"},
                    {"label": "Three quarters within", "kind": "text"}],
        "rows": rows,
        "note": "First sign: the first finding of any kind, diagnoses apart; what was before the record is not seen.",
    }  # fmt: skip
