"""One Spark session for all tests of a run (it takes seconds to start), where PySpark and Java are; never skipped in CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from needs import skip_if

from tellapart.engines.spark import OLDEST_JAVA, java_version


def missing() -> str:
    """What stands in the way of a Spark session, or nothing."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "PySpark is not installed (pip install --group spark)"
    java = java_version()
    return "" if java and java >= OLDEST_JAVA else f"Java {OLDEST_JAVA} or later is not installed"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    skip_if(missing())
    from pyspark.sql import SparkSession

    os.environ.setdefault(
        "SPARK_CONF_DIR", str(Path(__import__("tellapart").__file__).parent / "engines" / "spark_conf")
    )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("tellapart-tests")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        # statements of this size take longer to compile than to run on a few persons
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .getOrCreate()
    )
    yield session
    session.stop()
