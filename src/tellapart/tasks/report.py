"""The summary of an audit: what its report page and its terminal lines show, read from the relations that the stages made."""

from __future__ import annotations

import csv
import io
from pathlib import PurePath
from typing import Any

from tellapart import __version__
from tellapart.answers.disclosure import wilson
from tellapart.engines.duckdb import DuckDB
from tellapart.events.address import Source
from tellapart.knowledge.load import Knowledge
from tellapart.knowledge.local import COLUMNS
from tellapart.tasks import incidence, treatment
from tellapart.tasks.aggregate import CALLS
from tellapart.tasks.document import coverage
from tellapart.tasks.session import Options, Session

Json = dict[str, Any]


def summarize(session: Session, source: Source | PurePath, options: Options) -> Json:
    """The summary of an audit whose stages are done: what `rendering/report.py` and the terminal show, `files` apart."""
    engine = session.engine
    covered = coverage(engine)
    persons = engine.one("select count(*) from persons_out")
    settings = {
        r["setting"]: r["n"]
        for r in engine.rows("select setting, count(*) as n from persons_out group by setting order by n desc, setting")
    }
    calls = {c: 0 for c in CALLS} | {
        r["call"]: r["n"] for r in engine.rows("select call, count(*) as n from persons_out group by call")
    }
    as_of = engine.one("select max(as_of) from horizons")
    reasons = engine.rows(
        "select reason, count(*) as count, min(what_to_do) as what_to_do from rejected "
        "group by reason order by count desc, reason limit 10"
    )
    warnings = []
    if options.setting is None:
        warnings.append(
            "No setting was named: persons with no rheumatology visit, no ANA ordered and no code for either disease "
            "take general_population, the others rheumatology_referral."
        )
    if session.detected[0] == "diary":
        warnings.append(
            "Diaries hold what people felt, no examination and no results: nobody is called by one. See flares.parquet."
        )
    if not_found(session, options):
        warnings.append("Not all persons of the list are in the source; run.json names those that are not.")
    if engine.one("select count(*) from judged"):  # how many is no count that may leave the site
        warnings.append("Persons who were judged by hand (--reviewed) are left out of the worklist.")
    return {
        "schema": "tellapart.report/1",
        "software": __version__,
        "knowledge": session.knowledge.version,
        "as_of": as_of.isoformat() if as_of else "no date in the source",
        "synthetic": bool(engine.one("select count(*) > 0 from persons where starts_with(person_id, 'synthetic')")),
        "source": {"name": source.name, "format": f"{session.detected[0]} ({session.detected[1]})"},
        "settings": settings,
        "persons": persons,
        "persons_of_interest": engine.one("select count(*) from interest"),
        "calls": calls,
        "tables": _report_tables(session),
        "accounting": [{"source_type": name, **row} for name, row in covered["by_type"].items()],
        "coverage": {k: v for k, v in covered.items() if k != "by_type"},
        "worklist": _worklist(session),
        "worklist_total": engine.one("select count(*) from to_look_at"),
        "unmapped": _unmapped(engine),
        "rejected": {"count": engine.one("select count(*) from rejected"), "reasons": reasons},
        "warnings": warnings,
    }


def _worklist(session: Session) -> list[Json]:
    """The first rows of the worklist, ids spelled as labels."""
    labels = session.knowledge.labels()
    tests = {r["test"]: r["label"] for r in session.knowledge["workup_tests"]}

    def spelled(evidence: str) -> str:
        names = [e.removeprefix("no ") for e in evidence.split(";") if e]
        no = ["no " if e.startswith("no ") else "" for e in evidence.split(";") if e]
        return ", ".join(f"{n}{labels[name]}" for n, name in zip(no, names, strict=True))

    rows = session.engine.rows(
        "select place as rank, person_id, reason, urgency, text, evidence, evidence_reference, next_test "
        "from to_look_at order by place limit 50"
    )
    return [{**r, "evidence": spelled(r["evidence"]), "next_test": tests.get(r["next_test"], "")} for r in rows]


def _unmapped(engine: DuckDB) -> Json:
    """Codes that nothing here knows: how many, the most frequent, and a file of codes to fill in."""
    rows = engine.rows("select system, code, display, n, unit from unmapped order by n desc, system, code limit 1000")
    sheet = io.StringIO()
    columns = ("system", "code", "display", "rows", *(c for c in COLUMNS if c not in ("system", "code")))
    writer = csv.DictWriter(sheet, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {"system": r["system"], "code": r["code"], "display": r["display"], "rows": r["n"], "unit": r["unit"]}
        for r in rows
    )
    return {
        "codes": engine.one("select count(*) from unmapped"),
        "most": rows[:20],
        "sheet": sheet.getvalue(),
    }


def _report_tables(session: Session) -> list[Json]:
    engine = session.engine
    count = {"kind": "count"}

    def rows(sql: str) -> list[list[Any]]:
        return [list(r.values()) for r in engine.rows(sql)]

    by_call = ", ".join(f"count(*) filter (where call = '{c}') as {c}" for c in CALLS)
    call_columns = [{"label": words, **count} for words in CALLS.values()]
    set_rows = [
        [row["label"], *rows(
            f"""select count(*) filter (where {row["set"]}_met_specific), count(*) filter (where {row["set"]}_met_attributed),
                  count(*) filter (where {row["set"]}_met), count(*) filter (where {row["set"]}_met is null) from persons_out"""
        )[0]]
        for row in _sets(session.knowledge)
    ]  # fmt: skip
    names = {r["test"]: r["label"] for r in session.knowledge["workup_tests"]}
    tests = rows(
        """select t.test, count(distinct f.person) as known, (select count(*) from interest) as persons
           from workup_tests as t left join on_record as f on f.finding = t.finding
           group by t.test order by min(t.place)"""
    )
    tests = [[names[test], *counts] for test, *counts in tests]
    return [
        {
            "id": "population", "title": "Population by sex",
            "columns": ["Sex", {"label": "Persons", **count}, {"label": "Mean age", "kind": "text"}],
            "rows": rows("select sex, count(*), coalesce(cast(cast(round(avg(age)) as integer) as varchar), 'not known') "
                         "from persons_out group by sex order by sex"),
            "note": "",
        },
        {
            "id": "calls_by_group", "title": "Calls by sex", "columns": ["Sex", *call_columns],
            "rows": rows(f"select sex, {by_call} from persons_out group by sex order by sex"), "note": "",
        },
        {
            "id": "agreement", "title": "Agreement of codes with calls", "columns": ["Coded", *call_columns],
            "rows": rows(
                f"""select case when sle_dx_days > 0 and fm_dx_days > 0 then 'lupus and fibromyalgia'
                      when sle_dx_days > 0 then 'lupus' when fm_dx_days > 0 then 'fibromyalgia' else 'neither' end as coded,
                      {by_call} from persons_out group by coded order by coded"""
            ),
            "note": "Rows: diagnosis codes on record. Columns: the call made without using those codes.",
        },
        _misdiagnosis(engine),
        {
            "id": "sets", "title": "Criteria sets met on record",
            "columns": ["Set", {"label": "Met by specific findings", **count},
                        {"label": "After attribution", **count}, {"label": "At face value", **count},
                        {"label": "Cannot tell yet", **count}],
            "rows": set_rows,
            "note": "Face value counts every report; specific leaves out what has a likelier cause or what fibromyalgia "
                    "explains just as well (worked out for persons of interest).",
        },
        *_agreement(engine, session.knowledge),
        {
            "id": "decisive_tests", "title": "Tests of the minimum safe work-up on record",
            "columns": ["Test", {"label": "On record", **count}, {"label": "Persons of interest", **count}],
            "rows": tests, "note": "",
        },
        {
            "id": "neighboring_settings", "title": "How much the setting matters",
            "columns": ["If everybody had the setting", {"label": "Leading hypothesis changes", **count}],
            "rows": _setting_changes(session),
            "note": "Persons of interest whose likeliest hypothesis would change under that setting's prior.",
        },
        *incidence.tables(engine, session.knowledge),
        *treatment.tables(engine, session.knowledge),
    ]  # fmt: skip


def _misdiagnosis(engine: DuckDB) -> Json:
    """Codes that the call contradicts, in both directions, each as a share of those with the code."""
    rows = []
    for code, other, what in (
        ("sle", "fm", "Coded lupus alone, the record supports"),
        ("fm", "sle", "Coded fibromyalgia alone, the record supports"),
    ):
        coded = f"{code}_dx_days > 0 and {other}_dx_days = 0"
        of = engine.one(f"select count(*) from persons_out where {coded}")
        for call, words in (
            (other, "the other"),
            ("both", "both"),
            ("neither", "neither"),
            ("undetermined", "no call"),
        ):
            n = engine.one(f"select count(*) from persons_out where {coded} and call = '{call}'")
            low, high = wilson(n, of) if of else (None, None)
            rows.append([f"{what} {words}", n, of, n / of if of else None, low, high])
    share = {"kind": "share"}
    return {
        "id": "misdiagnosis", "title": "Codes that the record does not bear out",
        "columns": ["Code and call", {"label": "Persons", "kind": "count"}, {"label": "Of those coded so", "kind": "count"},
                    {"label": "Share", **share}, {"label": "95% from", **share}, {"label": "to", **share}],
        "rows": rows, "note": "To look at, not to correct: a call rests on what is on record here.",
    }  # fmt: skip


def _sets(knowledge: Knowledge) -> list[dict[str, str]]:
    return [*knowledge["criteria_sets"], *knowledge["fm_sets"]]


def _agreement(engine: DuckDB, knowledge: Knowledge) -> list[Json]:
    """Two matrices of Cohen's kappa between all sets: by specific findings and at face value."""
    cells = {(r["basis"], r["set_a"], r["set_b"]): r for r in engine.rows("select * from set_agreement")}
    persons = engine.one("select count(*) from persons_out")
    sets = _sets(knowledge)
    columns = ["Set", {"label": "Met", "kind": "count"}, {"label": "Cannot tell", "kind": "share"}]
    columns += [{"label": str(place), "kind": "kappa"} for place, _ in enumerate(sets, 1)]

    def line(basis: str, place: int, one: str, label: str) -> list[Any]:
        own = cells[basis, one, one]
        kappas = [cells[basis, one, r["set"]]["kappa"] if r["set"] != one else "same" for r in sets]
        return [f"{place}. {label}", own["met_both"], own["open_a"] / persons if persons else None, *kappas]

    return [
        {
            "id": f"set_agreement_{basis}",
            "title": f"Agreement between criteria sets, {words}",
            "columns": columns,
            "rows": [line(basis, place, r["set"], r["label"]) for place, r in enumerate(sets, 1)],
            "note": "Cohen's kappa of each set (row) with each (column, by its number): 1 agrees always, 0 no more than chance. "
            'Met on record against everything else; of those in "cannot tell" the set says nothing yet. '
            "Not known: everybody is on one side.",
        }
        for basis, words in (("specific", "by specific findings"), ("points", "at face value"))
    ]


def _setting_changes(session: Session) -> list[list[Any]]:
    """For every setting: persons of interest whose likeliest hypothesis would be another one under its prior."""
    weigh = "b.{p}sle * power(2.0, cast(i.bits_sle as double))", "b.{p}fm * power(2.0, cast(i.bits_fm as double))", \
        "b.{p}both * power(2.0, cast(i.bits_both as double))", "b.{p}neither"  # fmt: skip
    own = [w.replace("b.{p}", "i.prior_") for w in weigh]
    other = [w.replace("{p}", "") for w in weigh]

    def lead(parts: list[str]) -> str:
        best = f"greatest({', '.join(parts)})"
        return f"case {best} when {parts[0]} then 1 when {parts[1]} then 2 when {parts[2]} then 3 else 4 end"

    return [
        [r["setting"], r["n"]]
        for r in session.engine.rows(
            f"""select b.setting, count(*) filter (where {lead(own)} <> {lead(other)}) as n
                from intervals as i inner join persons as p on p.person = i.person
                inner join prior_rows as b on b.sex = p.sex
                group by b.setting order by b.setting"""
        )
    ]


def not_found(session: Session, options: Options) -> list[str]:
    """Persons that were asked for by a list and are not in the source."""
    found = {r["person_id"] for r in session.engine.rows("select person_id from persons")} if options.persons else ()
    return [p for p in options.persons.ids if p not in found] if options.persons else []
