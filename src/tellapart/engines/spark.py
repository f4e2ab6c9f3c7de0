"""How a statement runs on Apache Spark: the same SQL text, said in Spark's words by `engines/portable`. No word of medicine.

What is read is shuffled by `person` first, so that one person's rows lie together. Every relation is checkpointed when it is made, which cuts its plan (three dozen statements on top of one another would be
planned again at each step) and keeps what was made when an executor is lost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tellapart.engines.duckdb import ARROW
from tellapart.engines.portable import to_spark
from tellapart.errors import UsageError

OLDEST_JAVA = 17
SETTINGS = {
    # rows of one person lie together: joins by (person, more) need no shuffle of their own
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # partitions are merged by adaptive execution, and two relations by person would no longer fit one another
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.ansi.enabled": "true",  # a number that does not fit is an error, as in DuckDB, never another number
    "spark.sql.session.timeZone": "UTC",
}


class Spark:
    """Relations as temporary views of a session of its own, which shares the user's cluster and none of his views.

    Args:
        session: a running SparkSession (it keeps its settings and views).
        shared: folder that every executor can write, for checkpoints; None when driver and executors are one process.
        partitions: number of partitions by person; Spark's own `spark.sql.shuffle.partitions` if None.
    """

    def __init__(self, session: Any, shared: str | None = None, partitions: int | None = None) -> None:
        self.session = session.newSession()
        for name, value in SETTINGS.items():
            self.session.conf.set(name, value)
        if partitions:
            self.session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        self.partitions = int(self.session.conf.get("spark.sql.shuffle.partitions"))
        self.shared = shared
        if shared:
            session.sparkContext.setCheckpointDir(shared)

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
        """Create relation `name` with these columns (DuckDB type names) and rows: small, sent to every executor."""
        listed = list(rows)
        table = pa.table(
            {
                column: pa.array([row[i] for row in listed], type=ARROW[kind])
                for i, (column, kind) in enumerate(columns.items())
            }
        )
        self.session.createDataFrame(table).createOrReplaceTempView(name)

    def take(self, name: str, path: str) -> None:
        """Make relation `name` of Parquet files at any path that Spark reads; shuffled by person if it has persons."""
        frame = self.session.read.parquet(path)
        if "person" in frame.columns:
            frame = frame.repartition(self.partitions, "person").persist()
        frame.createOrReplaceTempView(name)

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None:
        """Make relation `name` by a statement in DuckDB's words (`only_with` is for one person and means nothing here)."""
        frame = self.session.sql(to_spark(sql))
        if not view:
            frame = frame.checkpoint(eager=True) if self.shared else frame.localCheckpoint(eager=True)
        frame.createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        """Let go of relation `name`."""
        self.session.table(name).unpersist()
        self.session.catalog.dropTempView(name)

    def write(self, name: str, path: str) -> None:
        """Write relation `name` as a folder of Parquet files."""
        self.session.table(name).write.mode("overwrite").parquet(path)


def local_session(master: str, memory: str | None = None) -> Any:
    """A SparkSession for the command line.

    Args:
        master: `local[2]` and the like, or the address of a cluster.
        memory: of the driver, as Spark writes it (`4g`).

    Raises:
        UsageError: PySpark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError("--engine spark: PySpark is missing. Install it: pip install 'tellapart[spark]'.") from error
    if (java := java_version()) is None or java < OLDEST_JAVA:
        found = "none was found" if java is None else f"found {java}"
        raise UsageError(
            f"--engine spark: Java {OLDEST_JAVA} or later is needed, {found}. Install a Java runtime (Debian: "
            "openjdk-17-jre-headless) or set JAVA_HOME."
        )
    os.environ.setdefault("SPARK_CONF_DIR", str(Path(__file__).parent / "spark_conf"))  # errors only, on stderr
    builder = (
        SparkSession.builder.master(master)
        .appName("tellapart")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "8")
    )
    if memory:
        builder = builder.config("spark.driver.memory", memory)
    return builder.getOrCreate()


def java_version() -> int | None:
    """The major version of the Java that Spark would start, None without one."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java:
        return None
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except OSError:
        return None
    number = said.split('"')[1] if said.count('"') > 1 else ""
    parts = number.split(".")
    if not parts[0].isdigit():
        return None
    return int(parts[1]) if parts[0] == "1" and len(parts) > 1 else int(parts[0])
