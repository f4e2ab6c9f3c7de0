"""An audit: a source of many persons to a folder of files, by the same stages as a workup."""

from __future__ import annotations

import csv
import io
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tellapart import __version__
from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError, UsageError
from tellapart.events import normalize
from tellapart.events.address import Address, Source
from tellapart.events.readers import mapped
from tellapart.knowledge.load import Knowledge
from tellapart.knowledge.local import COLUMNS
from tellapart.rendering.report import audit_report
from tellapart.tasks import aggregate, checkpoint, treatment
from tellapart.tasks.aggregate import CALLS
from tellapart.tasks.document import coverage
from tellapart.tasks.kept import QUERY, RECORDS, fingerprint
from tellapart.tasks.session import REJECTIONS, Options, Progress, Session

try:
    import fcntl
except ImportError:  # only where there is no such lock
    fcntl = None  # type: ignore[assignment]

Json = dict[str, Any]
FILES = {
    "persons.parquet": "one row for every person read",
    "findings.parquet": "what is known of persons of interest",
    "flares.parquet": "flares of lupus on record, changes that are none, and flares in diaries",
    RECORDS: "the events of persons of interest, for workup DIR --person ID",
    "worklist.csv": "who to look at again, why, and the next test",
    "report.html": "the report, opens offline",
    "aggregate.csv": "counts that may leave the site",
    "rejected.ndjson": "what could not be used, where, why, what to do",
    "run.json": "versions, inputs, options, accounting, seconds per stage",
}
PART = ".part"


def audit(
    session: Session,
    source: Source,
    out: Path,
    options: Options,
    *,
    hashing: str = "quick",
    shareable: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Json:
    """Audit `source` into folder `out`.

    Args:
        out: made if missing; files of an earlier audit are replaced, anything else in it is refused.
        hashing: `quick` (first and last MiB of every input file) or `full`.
        shareable: write the form of the report that may leave the site: safe counts, no person.
        resume: go on from what an interrupted run on the same source had read, if there is anything.
        progress: called with each step done and its seconds.

    Returns:
        The `tellapart.report/1` summary that the report page and the terminal show.

    Raises:
        InputError: the source is unusable, or a file cannot be written.
        UsageError: an option does not fit, or `out` holds files that are not an audit's.
    """
    _claim(source, out)
    with _alone(out):
        inputs, stamps = _inputs(source, hashing), _stamps(source)
        made_from = _made_from(session, source, options, inputs)
        if resume and checkpoint.load(session, out, made_from):
            _step(progress, "took up what an interrupted run had read", 0.0)
        else:
            _read(session, source, options, progress)
        if stamps != _stamps(source):
            raise InputError(f"{source}: changed while it was read. Run the audit again when nothing writes to it.")
        try:
            checkpoint.save(session, out, made_from)
            session.analyse(options, None, progress)
            return _write(session, source, out, options, inputs, shareable)
        except OSError as error:
            for name in FILES:
                (out / (name + PART)).unlink(missing_ok=True)
            raise InputError(f"{out}: cannot write ({error.strerror}). Free space or choose another --out.") from error


def _read(session: Session, source: Source, options: Options, progress: Progress | None) -> None:
    session.read(source, options)
    normalize.rank_unmapped(session.engine)
    persons = session.engine.one("select count(*) from persons")
    if not persons:
        reason = session.engine.one("select min(reason) from rejected")
        raise InputError(
            f"{source}: no person could be read"
            + (f" (first reason: {reason})" if reason else "")
            + ". Check that the Patient resources are part of the source."
        )
    seconds = session.seconds["read"] + session.seconds["normalize"]
    rows = session.engine.one("select coalesce(sum(n), 0) from accounting")
    rate = f"{rows / max(seconds, 0.001):,.0f} rows a second"
    _step(progress, f"read {rows:,} source rows of {persons:,} persons, {rate}", seconds)


def _step(progress: Progress | None, what: str, seconds: float) -> None:
    if progress:
        progress(what, seconds)


def _write(session: Session, source: Source, out: Path, options: Options, inputs: list[Json], shareable: bool) -> Json:
    """Write every file beside its name, then put all in place: a reader never sees half a file, nor files of two runs."""
    started = time.perf_counter()
    floor = session.knowledge.limit("disclosure_floor")
    summary = _summary(session, source, options)
    if shareable and summary["persons"] <= floor:
        raise UsageError(
            "--shareable: there are so few persons in the source that nothing about them may leave the site."
        )
    facts = _run(session, options, summary, inputs)
    summary["warnings"] += _differencing(out, facts, floor)
    write_tables(session.engine, session.knowledge, out)
    facts["records"] = {"file": RECORDS, "sha256": fingerprint(out / (RECORDS + PART))}
    cells = aggregate.safe_cells(session.engine, session.knowledge, options.setting)
    page = aggregate.shareable(summary, cells, session.knowledge) if shareable else summary
    (out / ("report.html" + PART)).write_bytes(audit_report(page).encode())
    (out / ("aggregate.csv" + PART)).write_bytes(aggregate.as_csv(cells))
    facts["seconds"] = {k: round(v, 4) for k, v in session.seconds.items()}
    facts["seconds"]["write"] = round(time.perf_counter() - started, 4)
    (out / ("run.json" + PART)).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    (out / "run.json").unlink(missing_ok=True)  # without it the folder is no audit: nobody opens files of two runs
    for name in sorted(FILES, key=lambda n: n == "run.json"):
        (out / (name + PART)).replace(out / name)
    checkpoint.discard(out)
    return summary


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder: a second audit into it is refused, and one that was killed holds nothing."""
    if fcntl is None:
        yield
        return
    handle = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"--out {out}: another audit is writing there. Wait for it, or name another folder."
            ) from error
        yield
    finally:
        os.close(handle)


def _made_from(session: Session, source: Source, options: Options, inputs: list[Json]) -> Json:
    """What a checkpoint hangs on: the same of all this gives the same relations."""
    return {
        "software": __version__,
        "knowledge": session.knowledge.version,
        "source": str(source if isinstance(source, Address) else source.resolve()),
        "format": options.format,
        "as_of": options.as_of.isoformat() if options.as_of else None,
        "inputs": inputs,
        **_lists(session, options),
    }


def _lists(session: Session, options: Options) -> Json:
    """The files beside the source that a run hangs on, named with their hash."""
    given = {"codes": session.codes if session.codes.sha256 else None, "persons": options.persons}
    return {name: {"file": f.name, "sha256": f.sha256} if f else None for name, f in given.items()}


def _claim(source: Source, out: Path) -> None:
    """Make sure that `out` can take the files: ours alone, writable, and no part of what is read."""
    if isinstance(source, Path) and source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"--out {out}: lies in the source; the next audit would read it. Name another folder.")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        foreign = sorted(
            p.name for p in out.iterdir() if p.name.removesuffix(PART) not in FILES and p.name != checkpoint.FOLDER
        )
    except OSError as error:
        raise InputError(f"--out {out}: cannot be used ({error.strerror}).") from error
    if foreign:
        raise UsageError(
            f"--out {out}: holds files that are not an audit's ({', '.join(foreign[:3])}"
            + (", ..." if len(foreign) > 3 else "")
            + "). Name an empty or new folder."
        )
    if not os.access(out, os.W_OK):
        raise InputError(f"--out {out}: no permission to write there.")


def _differencing(out: Path, facts: Json, floor: float) -> list[str]:
    """A warning if `out` holds the aggregate.csv of other data that differs by so few persons that they could be had."""
    published = aggregate.persons_published(out / "aggregate.csv")
    if published is None:
        return []
    try:
        earlier = orjson.loads((out / "run.json").read_bytes())
        lists = [run["options"].get("persons") for run in (earlier, facts)]
        if facts["inputs"] and earlier["inputs"] == facts["inputs"] and lists[0] == lists[1]:
            return []
        published = int(earlier["persons"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # without the record of that run its rounded number has to do
    if abs(facts["persons"] - published) > floor:
        return []
    return [
        "An earlier aggregate.csv in this folder was made from other data that differ by "
        f"{floor:g} persons or fewer. Whoever has both can take one from the other: do not let both leave the site."
    ]


def _copy(engine: DuckDB, out: Path, name: str, query: str, form: str) -> None:
    engine.copy(query, out / (name + PART), form)


def persons_query(knowledge: Knowledge) -> str:
    """The query of persons.parquet: the columns of design §5, in its order."""
    sets = [r["set"] for r in knowledge["criteria_sets"]]
    sets += [r["set"] for r in knowledge["fm_sets"]]
    scores = ", ".join(
        f"p.{s}_{column}"
        for s in sets
        for column in ("points", "points_attributed", "points_specific", "met", "met_attributed", "met_specific",
                       "met_date")
    )  # fmt: skip
    shares = ", ".join(f"p.p_{h}, p.p_{h}_low, p.p_{h}_high" for h in ("sle", "fm", "both", "neither"))
    return f"""
        select p.person_id, p.sex, p.birth_date, p.age, p.setting, p.call, {shares}, {scores},
          p.sle_dx_first, p.sle_dx_days, p.fm_dx_first, p.fm_dx_days,
          coalesce(w.reasons, []) as reasons,
          case when p.red_flags = '' then [] else string_split(p.red_flags, ';') end as red_flags
        from persons_out as p
        left join (select person, list(reason order by rank) as reasons from worklist group by person) as w
          on w.person = p.person
        order by p.person"""


def write_tables(engine: DuckDB, knowledge: Knowledge, out: Path) -> None:
    """Write persons.parquet, findings.parquet, records.parquet, worklist.csv and rejected.ndjson, each in a full order."""
    _copy(engine, out, RECORDS, QUERY, "format parquet, compression zstd")
    _copy(engine, out, "persons.parquet", persons_query(knowledge), "format parquet, compression snappy")
    told = ", ".join(f"'{r['finding']}'" for r in knowledge["findings"] if r["fm_if_patient_only"] == "yes")
    _copy(
        engine,
        out,
        "findings.parquet",
        f"""select p.person_id, f.finding, f.state, f.first_date, f.last_date, f.present_days, f.absent_days, f."by",
             case when f.state = 'present' and not f.vouched and f.finding in ({told}) then 'yes' else k.fm_explains end
               as fm_explains,
             f.contested_by, f.reference
           from findings as f
           inner join persons as p on p.person = f.person
           left join finding_explains as k on k.finding = f.finding
           order by f.person, f.finding""",
        "format parquet, compression snappy",
    )
    _copy(
        engine,
        out,
        "flares.parquet",
        """select p.person_id, f.start_date as start, f.peak_date as peak, f.end_date as "end", f.type, f.basis, f.severity,
             f.certainty, f.is_flare, f.pattern, f.urgent, string_split(f.signals, ';') as signals
           from (
             select q.person_id, s.start_date, s.peak_date, s.end_date, s.type, 'examination' as basis, s.severity, s.certainty,
               s.is_flare, s.pattern, s.urgent, string_agg(distinct s.rule, ';' order by s.rule) as signals
             from flare_signs as s inner join persons as q on q.person = s.person
             group by all
             union all
             select person_id, start_date, peak_date, end_date, type, basis, severity, certainty, true as is_flare,
               'symptoms_only' as pattern, false as urgent, signals
             from diary_flares
           ) as f
           inner join persons as p on p.person_id = f.person_id
           order by p.person, f.start_date, f.basis, f.is_flare""",
        "format parquet, compression snappy",
    )
    _copy(
        engine,
        out,
        "worklist.csv",
        """select rank, person_id, reason, urgency, text, evidence, evidence_reference, next_test
           from worklist order by rank""",
        "format csv, header true",
    )
    _copy(
        engine,
        out,
        "rejected.ndjson",
        REJECTIONS,
        "format json",
    )


def _summary(session: Session, source: Source, options: Options) -> Json:
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
    if _not_found(session, options):
        warnings.append("Not all persons of the list are in the source; run.json names those that are not.")
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
        "worklist_total": engine.one("select count(*) from worklist"),
        "unmapped": _unmapped(engine),
        "rejected": {"count": engine.one("select count(*) from rejected"), "reasons": reasons},
        "warnings": warnings,
        "files": [{"file": name, "what": what} for name, what in FILES.items()],
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
        "select rank, person_id, reason, urgency, text, evidence, evidence_reference, next_test "
        "from worklist order by rank limit 50"
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
    call_columns = [{"label": c, **count} for c in CALLS]
    sets = [(r["set"], r["label"]) for r in session.knowledge["criteria_sets"]]
    set_rows = []
    for name, label in sets:
        r = engine.rows(
            f"""select count(*) filter (where {name}_met_specific) as specific,
                  count(*) filter (where {name}_met_attributed) as attributed,
                  count(*) filter (where {name}_met) as face, count(*) filter (where {name}_met is null) as open
                from persons_out"""
        )[0]
        set_rows.append([label, *r.values()])
    for row in session.knowledge["fm_sets"]:
        met = engine.one(f"select count(*) from persons_out where {row['set']}_met")
        still = engine.one(f"select count(*) from persons_out where {row['set']}_met is null")
        set_rows.append([row["label"], met, met, met, still])
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
        {
            "id": "sets", "title": "Criteria sets met on record",
            "columns": ["Set", {"label": "Met by specific findings", **count},
                        {"label": "After attribution", **count}, {"label": "At face value", **count},
                        {"label": "Cannot tell yet", **count}],
            "rows": set_rows,
            "note": "Face value counts every report; specific leaves out what has a likelier cause or what fibromyalgia "
                    "explains just as well (worked out for persons of interest).",
        },
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
        *treatment.tables(engine, session.knowledge),
    ]  # fmt: skip


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


def _files(source: Source) -> list[Path]:
    if isinstance(source, Address):
        return []
    if source.is_dir():
        return sorted(p for p in source.rglob("*") if p.is_file())
    if mapped.map_of(source):
        return mapped.files_of(source)
    return [source] if source.exists() else []


def _stamps(source: Source) -> dict[Path, tuple[int, int]]:
    """Size and time of every input file, to see whether one changed."""
    return {p: (facts.st_size, facts.st_mtime_ns) for p in _files(source) for facts in [p.stat()]}


def _inputs(source: Source, hashing: str) -> list[Json]:
    """Every input file with size, time and fingerprint; those that cannot be read are left to the reader to name."""
    if isinstance(source, Address):
        return []
    root = source if source.is_dir() else source.parent
    return [
        {
            "file": str(p.relative_to(root)),
            "size": p.stat().st_size,
            "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(p.stat().st_mtime)),
            "sha256": fingerprint(p, hashing),
            "hashed": hashing,
        }
        for p in _files(source)
        if os.access(p, os.R_OK)
    ]


def _run(session: Session, options: Options, summary: Json, inputs: list[Json]) -> Json:
    return {
        "schema": "tellapart.run/1",
        "software": summary["software"],
        "knowledge": summary["knowledge"],
        "python": platform.python_version(),
        "as_of": summary["as_of"],
        "synthetic": summary["synthetic"],
        "source": summary["source"],
        "inputs": inputs,
        "engine": "spark" if session.cluster else "duckdb",
        "options": {
            "format": options.format,
            "as_of": options.as_of.isoformat() if options.as_of else None,
            "setting": options.setting,
            "flares": options.flares,
            "prior": dict(options.prior) if options.prior else None,
            **_lists(session, options),
        },
        "persons": summary["persons"],
        "persons_of_interest": summary["persons_of_interest"],
        "settings": summary["settings"],
        "calls": summary["calls"],
        "accounting": summary["coverage"],
        "accounting_by_source_type": summary["accounting"],
        "persons_not_found": _not_found(session, options),
    }


def _not_found(session: Session, options: Options) -> list[str]:
    """Persons that were asked for by a list and are not in the source."""
    found = {r["person_id"] for r in session.engine.rows("select person_id from persons")} if options.persons else ()
    return [p for p in options.persons.ids if p not in found] if options.persons else []
