"""An audit on a cluster: the same stages, report and files as on one machine, where the source and the results lie anywhere
that Spark reads and writes. No person comes to the driver: report and counts are made of aggregates.
"""

from __future__ import annotations

import time
from pathlib import PurePosixPath
from typing import Any

import orjson

from tellapart.engines.spark import Folder, Spark
from tellapart.errors import InputError, UsageError
from tellapart.events.shards import cut
from tellapart.knowledge.load import Knowledge
from tellapart.knowledge.local import LocalCodes
from tellapart.rendering.report import audit_report
from tellapart.tasks import aggregate, shards
from tellapart.tasks.audit import FILES, leave_out, run_facts, tables
from tellapart.tasks.kept import RECORDS
from tellapart.tasks.report import summarize
from tellapart.tasks.session import Options, Progress, Session

Json = dict[str, Any]
READER_MEMORY = "1GB"
"""What a task may use to read its shard, if nothing else is said."""


def audit(
    spark: Spark,
    source: str | None,
    out: str,
    options: Options,
    *,
    table_prefix: str | None = None,
    reader_memory: str = READER_MEMORY,
    knowledge: Knowledge | None = None,
    codes: LocalCodes | None = None,
    shareable: bool = False,
    progress: Progress | None = None,
) -> Json:
    """Audit `source` into `out`: tables as folders of files, a partition each; report, counts and `run.json` as files.

    Args:
        source: bulk NDJSON or OMOP tables as Parquet, at any address that Spark reads; None with a `table_prefix`.
        out: any address that Spark writes; the files of an earlier audit are replaced, anything else is refused.
        table_prefix: what stands before the names of a CDM's tables in the session's catalogue.
        reader_memory: what a task may use to read its shard, beside Spark's own memory.
        shareable: write the form of the report that may leave the site.

    Raises:
        InputError: the source is unusable, or nobody is in it.
        UsageError: an option does not fit, or `out` holds something else.
    """
    session = Session(knowledge, cluster=spark, codes=codes)
    session.check(options)
    if options.persons:
        raise UsageError("--persons: not with --engine spark. Limit the source itself, or use --engine duckdb.")
    target = Folder(spark.session, out)
    foreign = sorted({f.name.split("/")[0] for f in target.files()} - set(FILES))
    if foreign:
        raise UsageError(
            f"--out {out}: holds files that are not an audit's ({', '.join(foreign[:3])}). Name an empty or new folder."
        )
    started = time.perf_counter()
    descends = [r["code"] for r in spark.rows("select distinct code from codes where descendants")]
    found = cut(spark, source, options.format, table_prefix, descends)
    session.detected, session.source = (found.format, found.why), source or str(table_prefix)
    shards.read(spark, found, session.knowledge, session.codes, options, reader_memory)
    session.seconds["read"] = time.perf_counter() - started
    persons = spark.one("select count(*) from persons")
    if not persons:
        reason = spark.one("select min(reason) from rejected")
        raise InputError(
            f"{session.source}: no person could be read" + (f" (first reason: {reason})." if reason else ".")
        )
    if progress:
        progress(f"read {persons:,} persons", session.seconds["read"])
    session.analyse(options, None, progress)

    started = time.perf_counter()
    leave_out(spark, ())
    summary = summarize(session, PurePosixPath(session.source), options)
    summary["files"] = [{"file": name, "what": what} for name, what in FILES.items()]
    if shareable and summary["persons"] <= session.knowledge.limit("disclosure_floor"):
        raise UsageError(
            "--shareable: there are so few persons in the source that nothing about them may leave the site."
        )
    facts = run_facts(session, options, summary, _inputs(spark, source))
    cells = aggregate.safe_cells(spark, session.knowledge, options.setting)
    page = aggregate.shareable(summary, cells, session.knowledge) if shareable else summary
    target.delete("run.json")  # without it the folder is no audit: nobody opens files of two runs
    for name, (query, form) in tables(session.knowledge).items():
        spark.copy(query, target.address(name), form)
    target.write("report.html", audit_report(page).encode())
    target.write("aggregate.csv", aggregate.as_csv(cells))
    facts["records"] = {"file": RECORDS, "sha256": None}
    facts["seconds"] = {k: round(v, 4) for k, v in session.seconds.items()}
    facts["seconds"]["write"] = round(time.perf_counter() - started, 4)
    target.write("run.json", orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    return summary


def _inputs(spark: Spark, source: str | None) -> list[Json]:
    """Every input file with size and time; none is opened for a fingerprint."""
    if source is None:
        return []
    return [
        {
            "file": f.name,
            "size": f.size,
            "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(f.modified / 1000)),
            "sha256": None,
            "hashed": "none",
        }
        for f in Folder(spark.session, source).files()
    ]
