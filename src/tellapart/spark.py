"""An audit on the user's own Apache Spark session (Databricks, EMR, Dataproc, or a cluster of one's own).

    import tellapart.spark
    summary = tellapart.spark.audit(spark, "export/", "results/", shared="hdfs:///tmp/tellapart")

The stages from finding states to the worklist run on the cluster, by the same statements as in the embedded engine. Reading
the source, and writing the report from what the cluster made, happen on the driver.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tellapart.engines.spark import Spark
from tellapart.tasks.audit import audit as _audit
from tellapart.tasks.session import Options, Session


def audit(
    spark: Any,
    source: str | Path,
    out: str | Path,
    *,
    format: str = "auto",
    as_of: date | None = None,
    setting: str | None = None,
    prior: Mapping[str, float] | None = None,
    shared: str | None = None,
    exchange: str | Path | None = None,
    partitions: int | None = None,
) -> dict[str, Any]:
    """Audit `source` into folder `out`; the user's session keeps its settings and views.

    Args:
        spark: a running SparkSession (Spark 4.3, not Connect).
        shared: folder that driver and executors can write, for checkpoints; needed unless they are one process.
        exchange: folder that driver and executors can read, for what goes to the cluster and comes back; a temporary
            folder of the driver if None, which is right for a local session only.
        partitions: number of partitions by person; `spark.sql.shuffle.partitions` if None.

    Returns:
        The `tellapart.report/1` summary.

    Raises:
        InputError, UsageError: see `tellapart.tasks.audit.audit`.
    """
    with tempfile.TemporaryDirectory(prefix="tellapart-") as folder:
        session = Session(spill=Path(exchange or folder), cluster=Spark(spark, shared, partitions))
        try:
            return _audit(session, Path(source), Path(out), Options(format, as_of, setting, prior))
        finally:
            session.close()
