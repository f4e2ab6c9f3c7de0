"""An audit on the user's own Apache Spark session (Databricks, EMR, Dataproc, or a cluster of one's own).

    import tellapart.spark
    summary = tellapart.spark.audit(spark, "s3a://records/export", "s3a://results/2026", shared="s3a://scratch/tellapart")
    summary = tellapart.spark.audit(spark, None, "/mnt/results", table_prefix="clinic.cdm.")  # tables of the catalogue

Source and results lie anywhere that the session reads and writes; no person comes to the driver. tellapart must be
installed where tasks run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tellapart.engines.spark import Spark, address
from tellapart.knowledge.load import load
from tellapart.knowledge.local import read_codes
from tellapart.tasks import cluster
from tellapart.tasks.session import Options


def audit(
    spark: Any,
    source: str | Path | None,
    out: str | Path,
    *,
    table_prefix: str | None = None,
    format: str = "auto",
    as_of: date | None = None,
    setting: str | None = None,
    prior: Mapping[str, float] | None = None,
    codes: str | Path | None = None,
    shared: str | None = None,
    partitions: int | None = None,
    reader_memory: str = cluster.READER_MEMORY,
) -> dict[str, Any]:
    """Audit `source` into `out`; the user's session keeps its settings and views.

    Args:
        spark: a running SparkSession (Spark 4.3, not Connect).
        source: bulk NDJSON or OMOP tables as Parquet: a path or any address that the session reads.
        out: a path or address for the results: `persons.parquet` and the like as folders of files, the report as a file.
        table_prefix: read the tables of a CDM from the session's catalogue instead (Delta and Iceberg too), named by this
            and the name of the table (`clinic.cdm.` for `clinic.cdm.measurement`); `source` is None then.
        codes: a file of your own codes.
        shared: folder that driver and executors can write, for checkpoints, which then survive a lost executor; without
            it what an executor held is gone with it, and the run ends. Needed unless driver and executors are one process.
        partitions: number of shards and of partitions by person; `spark.sql.shuffle.partitions` if None.
        reader_memory: what a task may use to read its shard, beside Spark's own memory.

    Returns:
        The `tellapart.report/1` summary.

    Raises:
        InputError, UsageError: see `tellapart.tasks.cluster.audit`.
    """
    knowledge = load()
    return cluster.audit(
        Spark(spark, shared, partitions),
        address(source) if source is not None else None,
        address(out),
        Options(format, as_of, setting, prior),
        table_prefix=table_prefix,
        reader_memory=reader_memory,
        knowledge=knowledge,
        codes=read_codes(Path(codes), knowledge) if codes else None,
    )
