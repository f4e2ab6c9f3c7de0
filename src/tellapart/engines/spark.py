"""How a statement runs on Apache Spark: the same SQL text, said in Spark's words by `engines/portable`. No word of medicine.

What is read is shuffled by `person` first, so that one person's rows lie together. Every relation is checkpointed when it
is made, which cuts its plan (three dozen statements on top of one another would be planned again at each step) and keeps
what was made when an executor is lost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tellapart.engines.duckdb import ARROW
from tellapart.engines.portable import to_spark, unordered
from tellapart.errors import InputError, UsageError

OLDEST_JAVA = 17
SETTINGS = {
    # rows of one person lie together: joins by (person, more) need no shuffle of their own
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # partitions are merged by adaptive execution, and two relations by person would no longer fit one another
    "spark.sql.adaptive.enabled": "false",
    # it gives columns other ids at the top of a plan, and what is checkpointed then no longer says that it lies by person
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.RemoveRedundantAliases",
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

    def take(self, name: str, frame: Any) -> None:
        """Make relation `name` of a DataFrame; shuffled by person if it has persons: the one shuffle of its rows."""
        self._keep(name, frame.repartition(self.partitions, "person") if "person" in frame.columns else frame)

    def _keep(self, name: str, frame: Any) -> None:
        kept = frame.checkpoint(eager=True) if self.shared else frame.localCheckpoint(eager=True)
        kept.createOrReplaceTempView(name)

    def make(self, name: str, sql: str, view: bool = False, only_with: str | None = None) -> None:
        """Make relation `name` by a statement in DuckDB's words (`only_with` is for one person and means nothing here)."""
        frame = self.session.sql(to_spark(sql))
        if view:
            frame.createOrReplaceTempView(name)
        else:
            self._keep(name, frame)

    def drop(self, name: str) -> None:
        """Let go of relation `name`."""
        self.session.table(name).unpersist()
        self.session.catalog.dropTempView(name)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The result of a query in DuckDB's words as dictionaries: counts, never persons."""
        listed: list[dict[str, Any]] = self.session.sql(to_spark(sql)).toArrow().to_pylist()
        return listed

    def one(self, sql: str) -> Any:
        """The single value of a query."""
        rows = self.rows(sql)
        return next(iter(rows[0].values())) if rows else None

    def copy(self, query: str, target: str, form: str) -> None:
        """Write the result of a query in DuckDB's words as a folder of files, one of each partition.

        Args:
            form: as DuckDB's COPY has it (`format parquet, compression zstd`).
        """
        options = dict(part.split() for part in form.split(", "))
        kind = options.pop("format")
        frame = self.session.sql(to_spark(query) if kind == "csv" else to_spark(unordered(query)))
        more = {"csv": {"escape": '"'}, "json": {"ignoreNullFields": "false"}}.get(kind, {})
        frame.write.mode("overwrite").options(**options, **more).format(kind).save(target)

    def numbered(self, frame: Any, column: str) -> Any:
        """The frame with `number`: the rank of each row by a column without ties, from 1, without bringing all to one place."""
        ranged = frame.repartitionByRange(self.partitions, column).sortWithinPartitions(column)
        # the partition in the upper bits, the place in it in the lower ones
        placed = ranged.selectExpr("*", "monotonically_increasing_id() as _id").localCheckpoint(eager=True)
        before, starts = 0, []
        for row in placed.groupBy((placed["_id"] / 2**33).cast("long").alias("part")).count().orderBy("part").collect():
            starts.append(f"when {row['part']} then {before}")
            before += row["count"]
        start = f"case shiftright(_id, 33) {' '.join(starts)} end" if starts else "0"
        return placed.selectExpr("*", f"{start} + (_id & {2**33 - 1}) + 1 as number").drop("_id")

    def close(self) -> None:
        """The session is its maker's."""


@dataclass(frozen=True)
class Found:
    """A file of a folder: name inside it, bytes, modification time (milliseconds since 1970)."""

    name: str
    size: int
    modified: int


class Folder:
    """A folder, or one file, on any file system that the session knows (local, `s3a://`, `abfss://`, `hdfs://`).

    Attributes:
        root: address of the folder, with a slash at the end.
    """

    def __init__(self, session: Any, address: str) -> None:
        """Raises InputError: no such file system."""
        self._java = session.sparkContext._jvm
        path = self._java.org.apache.hadoop.fs.Path(address)
        try:
            self._system = path.getFileSystem(session._jsparkSession.sessionState().newHadoopConf())
            self._path = self._system.makeQualified(path)
            self._is_file = self._system.exists(self._path) and self._system.getFileStatus(self._path).isFile()
        except Exception as trouble:
            reason = str(getattr(trouble, "java_exception", trouble)).split("\n", 1)[0]
            raise InputError(
                f"{address}: cannot be reached ({reason}). Check the address and the session's rights."
            ) from trouble
        folder = self._path.getParent() if self._is_file else self._path
        self.root = str(folder.toString()).rstrip("/") + "/"

    def files(self) -> list[Found]:
        """Every file in it, at any depth, by name."""
        if not self._system.exists(self._path):
            return []
        found, listed = [], self._system.listFiles(self._path, True)
        while listed.hasNext():
            status = listed.next()
            name = str(status.getPath().toString()).removeprefix(self.root)
            found.append(Found(name, status.getLen(), status.getModificationTime()))
        return sorted(found, key=lambda f: f.name)

    def address(self, name: str) -> str:
        return self.root + name

    def read(self, name: str) -> bytes | None:
        """The content of a small file, None if there is none."""
        path = self._java.org.apache.hadoop.fs.Path(self.address(name))
        if not self._system.exists(path):
            return None
        stream = self._system.open(path)
        try:
            return bytes(stream.readAllBytes())
        finally:
            stream.close()

    def write(self, name: str, content: bytes) -> None:
        """Write a small file whole."""
        stream = self._system.create(self._java.org.apache.hadoop.fs.Path(self.address(name)), True)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def delete(self, name: str) -> None:
        """Delete a file or folder if it is there."""
        self._system.delete(self._java.org.apache.hadoop.fs.Path(self.address(name)), True)


def address(place: str | Path) -> str:
    """An address as Spark takes it: a path is one of this machine, text is left as it is."""
    return f"file://{place.resolve()}" if isinstance(place, Path) else place


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
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # tasks import tellapart too
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
