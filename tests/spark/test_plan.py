"""What the plans of Spark say: rows of a person stay together, knowledge is sent to every executor, no row goes through Python."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import people
import pytest
import records

from tellapart import pipeline
from tellapart.engines import spark as engine
from tellapart.engines.portable import to_spark
from tellapart.engines.spark import Spark, address
from tellapart.events.shards import cut
from tellapart.tasks import shards
from tellapart.tasks.session import Options, Session

pytestmark = pytest.mark.spark

STAY = ("marks", "form_marks", "fm_points", "suspected", "settings", "person_priors", "weights_used", "interest", "interest_events",
        "exposures")  # fmt: skip
"""No row of these moves once the events lie by person: they are most of what an audit reads and makes."""
ONE_ROW = ("states", "points")
"""A union is made here, of which Spark does not see that it lies by person: one finished row a person moves."""
PYTHON = re.compile(r"EvalPython|InPandas|InArrow|PythonUDF")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "export"
    folder.mkdir()
    records.write(folder / "all.ndjson", *(row for person in people.persons(60, 5) for row in person))
    return folder


def plans(spark: Any, source: Path) -> dict[str, str]:
    """Relation to the physical plan that makes it; each is made before the next is planned."""
    session = Session()
    cluster = Spark(spark)
    pipeline.prepare(cluster, session.knowledge)
    shards.read(
        cluster, cut(cluster, address(source), "auto", None, []), session.knowledge, session.codes, Options(), "1GB"
    )
    columns, rows = pipeline.prior_rows(session.knowledge)
    cluster.load("prior_rows", columns, rows)
    cluster.load("options", {"setting": "VARCHAR", "flares": "BOOLEAN"}, [(None, False)])
    cluster.load("given_settings", {"person": "BIGINT", "setting": "VARCHAR"}, [])
    found = {}
    for stage in pipeline.EVERYBODY + pipeline.INTEREST[:3]:
        text = pipeline.statements(session.knowledge)[stage.makes]
        found[stage.makes] = cluster.session.sql(to_spark(text))._jdf.queryExecution().executedPlan().toString()
        cluster.make(stage.makes, text, stage.view)
    session.close()
    return found


@pytest.fixture(scope="module")
def found(spark: Any, source: Path) -> dict[str, str]:
    return plans(spark, source)


def moves(plan: str) -> list[tuple[str, str]]:
    """Every shuffle of a plan with the step whose rows it moves."""
    lines = [line.lstrip(" :+-*()0123456789") for line in plan.split("\n")]
    return [(a, b) for a, b in pairwise(lines) if a.startswith(("Exchange", "ReusedExchange"))]


@pytest.mark.parametrize("relation", STAY)
def test_rows_of_a_person_stay_where_they_are(found: dict[str, str], relation: str) -> None:
    assert moves(found[relation]) == []


@pytest.mark.parametrize("relation", ONE_ROW)
def test_at_most_one_row_of_a_person_moves(found: dict[str, str], relation: str) -> None:
    [(how, what)] = moves(found[relation])
    assert how.startswith("Exchange hashpartitioning(person#")
    assert what.startswith("HashAggregate(keys=[person#") and "partial_" in what


def test_knowledge_is_sent_to_every_executor(found: dict[str, str]) -> None:
    for relation in (*STAY, *ONE_ROW):
        lines = [line.lstrip(" :+-*()0123456789") for line in found[relation].split("\n")]
        of_knowledge = [i for i, line in enumerate(lines) if line.startswith("LocalTableScan")]
        for i in of_knowledge:
            above = lines[max(0, i - 4) : i]
            assert any(line.startswith("BroadcastExchange") for line in above), (relation, above)
    assert found["marks"].count("BroadcastHashJoin") >= 5


def test_no_row_goes_through_python(found: dict[str, str]) -> None:
    assert not [relation for relation, plan in found.items() if PYTHON.search(plan)]


def test_the_check_can_fail(spark: Any, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting that keeps the ids of columns, Spark forgets where the rows lie and moves them again."""
    rule = "spark.sql.optimizer.excludedRules"
    monkeypatch.setattr(engine, "SETTINGS", {k: v for k, v in engine.SETTINGS.items() if k != rule})
    assert moves(plans(spark, source)["interest"])
