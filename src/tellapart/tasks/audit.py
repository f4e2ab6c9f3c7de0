"""An audit: a source of many persons to a folder of files, by the same stages as a workup."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tellapart import __version__
from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError, UsageError
from tellapart.events import normalize
from tellapart.events.address import Address, Source
from tellapart.events.readers import mapped
from tellapart.events.readers.fhir_kept import KeptReadings
from tellapart.knowledge.load import Knowledge
from tellapart.rendering.report import audit_report
from tellapart.tasks import aggregate, checkpoint, review
from tellapart.tasks.kept import QUERY, RECORDS, fingerprint
from tellapart.tasks.report import not_found, summarize
from tellapart.tasks.session import REJECTIONS, Options, Progress, Session

if TYPE_CHECKING:
    from tellapart.engines.spark import Spark

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
READINGS = "readings"
"""Folder in the results where `--incremental` keeps what was read of each file."""


def audit(
    session: Session,
    source: Source,
    out: Path,
    options: Options,
    *,
    hashing: str = "quick",
    shareable: bool = False,
    resume: bool = False,
    incremental: bool = False,
    reviewed: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Json:
    """Audit `source` into folder `out`.

    Args:
        out: made if missing; files of an earlier audit are replaced, anything else in it is refused.
        hashing: `quick` (first and last MiB of every input file) or `full`.
        shareable: write the form of the report that may leave the site: safe counts, no person.
        resume: go on from what an interrupted run on the same source had read, if there is anything.
        incremental: keep what is read of each FHIR file in `out`, and read only those that are new or changed since the
            last such run.
        reviewed: filled sheets of `review sample`: whom they judge is left out of the worklist.
        progress: called with each step done and its seconds.

    Returns:
        The `tellapart.report/1` summary that the report page and the terminal show.

    Raises:
        InputError: the source is unusable, or a file cannot be written.
        UsageError: an option does not fit, or `out` holds files that are not an audit's.
    """
    judged = review.reviewed(session.knowledge, reviewed)
    _claim(source, out)
    with _alone(out):
        inputs, stamps = _inputs(source, hashing), _stamps(source)
        if incremental:
            options = replace(options, kept=_kept(source, out, inputs, stamps))
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
            leave_out(session.engine, judged)
            return _write(session, source, out, options, inputs, shareable, reviewed)
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
    if options.kept:
        rate += f"; {options.kept.read:,} files were read, {options.kept.kept:,} were as before"
    _step(progress, f"read {rows:,} source rows of {persons:,} persons, {rate}", seconds)


def leave_out(engine: DuckDB | Spark, judged: Sequence[str]) -> None:
    """Make `to_look_at`: the worklist without those who were judged by hand. Their reasons stay in persons.parquet."""
    engine.load("judged", {"person_id": "VARCHAR"}, [(person,) for person in judged])
    engine.make(
        "to_look_at",
        """select row_number() over (order by rank) as place, w.* from worklist as w
           where not exists (select 1 from judged as j where j.person_id = w.person_id)""",
    )


def _step(progress: Progress | None, what: str, seconds: float) -> None:
    if progress:
        progress(what, seconds)


def _write(
    session: Session,
    source: Source,
    out: Path,
    options: Options,
    inputs: list[Json],
    shareable: bool,
    reviewed: Sequence[Path],
) -> Json:
    """Write every file beside its name, then put all in place: a reader never sees half a file, nor files of two runs."""
    started = time.perf_counter()
    floor = session.knowledge.limit("disclosure_floor")
    summary = summarize(session, source, options)
    summary["files"] = [{"file": name, "what": what} for name, what in FILES.items()]
    if shareable and summary["persons"] <= floor:
        raise UsageError(
            "--shareable: there are so few persons in the source that nothing about them may leave the site."
        )
    facts = run_facts(session, options, summary, inputs)
    facts["options"]["reviewed"] = [{"file": f.name, "sha256": fingerprint(f, "full")} for f in reviewed]
    summary["warnings"] += _differencing(out, facts, floor)
    write_tables(session.engine, session.knowledge, out)
    if options.kept:
        facts["incremental"] = {"files_read": options.kept.read, "files_kept": options.kept.kept}
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
            p.name
            for p in out.iterdir()
            if p.name.removesuffix(PART) not in FILES and p.name not in (checkpoint.FOLDER, READINGS)
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
          case when w.reasons is null then [] else string_split(w.reasons, ';') end as reasons,
          case when p.red_flags = '' then [] else string_split(p.red_flags, ';') end as red_flags
        from persons_out as p
        left join (select person, string_agg(reason, ';' order by rank) as reasons from worklist group by person) as w
          on w.person = p.person
        order by p.person"""


def tables(knowledge: Knowledge) -> dict[str, tuple[str, str]]:
    """The files made of relations: name to query, in a full order, and form (DuckDB's COPY options)."""
    told = ", ".join(f"'{r['finding']}'" for r in knowledge["findings"] if r["fm_if_patient_only"] == "yes")
    return {
        RECORDS: (QUERY, "format parquet, compression zstd"),
        "persons.parquet": (persons_query(knowledge), "format parquet, compression snappy"),
        "findings.parquet": (
            f"""select p.person_id, f.finding, f.state, f.first_date, f.last_date, f.present_days, f.absent_days, f."by",
             case when f.state = 'present' and not f.vouched and f.finding in ({told}) then 'yes' else k.fm_explains end
               as fm_explains,
             f.contested_by, f.reference
           from findings as f
           inner join persons as p on p.person = f.person
           left join finding_explains as k on k.finding = f.finding
           order by f.person, f.finding""",
            "format parquet, compression snappy",
        ),
        "flares.parquet": (
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
        ),
        "worklist.csv": (
            """select place as rank, person_id, reason, urgency, text, evidence, evidence_reference, next_test
           from to_look_at order by place""",
            "format csv, header true",
        ),
        "rejected.ndjson": (REJECTIONS, "format json"),
    }


def write_tables(engine: DuckDB, knowledge: Knowledge, out: Path) -> None:
    """Write the files of `tables` beside their names."""
    for name, (query, form) in tables(knowledge).items():
        engine.copy(query, out / (name + PART), form)


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


def _kept(source: Source, out: Path, inputs: list[Json], stamps: Mapping[Path, tuple[int, int]]) -> KeptReadings:
    """Where readings are kept, and by what a file is known again: its whole content if that was hashed, else also size and time.

    Raises:
        UsageError: the source is no file or folder.
    """
    if isinstance(source, Address):
        raise UsageError("--incremental: for files; a database is read whole each time.")
    root = source if source.is_dir() else source.parent
    moment = {str(path.relative_to(root)): stamp for path, stamp in stamps.items()}
    return KeptReadings(
        out / READINGS,
        {
            i["file"]: i["sha256"] if i["hashed"] == "full" else f"{i['sha256']} {moment[i['file']]}"
            for i in inputs
            if i["file"] in moment
        },
    )


def run_facts(session: Session, options: Options, summary: Json, inputs: list[Json]) -> Json:
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
        "persons_not_found": not_found(session, options),
    }
