"""The whole plan on Spark and on DuckDB: every relation equal, row for row; a planted difference of dialect is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import people
import pytest
import records
from compare import difference

from tellapart import pipeline
from tellapart.engines import spark as engine
from tellapart.engines.spark import Spark
from tellapart.tasks.session import Options, Session

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PERSONS = 2000
SEED = 11


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Generated persons, read once: leap days, ties, copies, unicode ids, people of whom nothing is known."""
    folder = tmp_path_factory.mktemp("equal")
    made = people.persons(PERSONS, SEED)
    nobody = [{"resourceType": "Patient", "id": f"leer-ï-{i}", "gender": "female"} for i in range(3)]
    copies = [row for person in made[:20] for row in person]
    source = records.write(folder / "all.ndjson", *(row for person in made for row in person), *nobody, *copies)
    session = Session(spill=folder, keep_all=True)
    options = Options()
    session.read(source, options)
    session.analyse(options)
    yield session
    session.close()


def first_difference(session: Session, cluster: Spark, stages: tuple[pipeline.Stage, ...] = pipeline.AUDIT) -> str:
    """Run the stages on Spark from the inputs of DuckDB's run, and compare each relation when it is made."""
    session.cluster = cluster
    try:
        session._handed_over(stages)
    finally:
        session.cluster = None
    for stage in pipeline.run(cluster, session.knowledge, stages):
        one = session.engine.connection.sql(f'select * from "{stage.makes}"').to_arrow_table()
        other = cluster.session.table(stage.makes).toArrow()
        if found := difference(stage.makes, one, other):
            return found
    return ""


def test_every_relation_is_equal(session: Session, spark: Any) -> None:
    found = first_difference(session, Spark(spark))
    assert not found, found


BUGS: dict[str, Callable[[str], str]] = {
    "whole months instead of days": lambda text: text.replace("DATEDIFF(DAY,", "DATEDIFF(MONTH,"),
    "a word read as its complement": lambda text: text.replace("BIT_OR(", "BIT_AND("),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_difference_is_found(session: Session, spark: Any, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    plain = engine.to_spark
    monkeypatch.setattr(engine, "to_spark", lambda sql: BUGS[bug](plain(sql)))
    assert first_difference(session, Spark(spark))


def test_the_command_writes_the_same_files(spark: Any, tmp_path: Path) -> None:
    import tellapart.spark
    from tellapart.tasks.audit import audit
    from tellapart.tasks.demo import EXAMPLE

    tellapart.spark.audit(spark, EXAMPLE, tmp_path / "spark")
    plain = Session()
    audit(plain, EXAMPLE, tmp_path / "duckdb", Options())
    plain.close()
    for file in (tmp_path / "duckdb").iterdir():
        if file.name != "run.json":
            assert (tmp_path / "spark" / file.name).read_bytes() == file.read_bytes(), file.name
