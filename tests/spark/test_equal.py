"""The whole plan on Spark and on DuckDB: every relation equal, row for row; a planted difference of dialect is found."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import people
import pytest
import records
from compare import difference, same

from tellapart import pipeline
from tellapart.engines import spark as engine
from tellapart.engines.spark import Spark, address
from tellapart.events.shards import cut
from tellapart.tasks import shards
from tellapart.tasks.audit import audit
from tellapart.tasks.demo import EXAMPLE
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PERSONS = 2000
SEED = 11


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated persons: leap days, ties, copies, unicode ids, people of whom nothing is known, lines that are no resource."""
    folder = tmp_path_factory.mktemp("equal") / "export"
    folder.mkdir()
    made = people.persons(PERSONS, SEED)
    nobody = [{"resourceType": "Patient", "id": f"leer-ï-{i}", "gender": "female"} for i in range(3)]
    copies = [row for person in made[:20] for row in person]
    stranger = records.condition("nobody", "c-1", "M32.9", "http://hl7.org/fhir/sid/icd-10-cm", onset="2020-02-29")
    rows = [
        *(row for person in made for row in person),
        *nobody,
        *copies,
        stranger,
        {"resourceType": "Claim", "id": "x"},
    ]
    records.write(folder / "all.ndjson", *rows)
    with (folder / "all.ndjson").open("a", encoding="utf-8") as lines:
        lines.write('not a resource\n{"resourceType": "Observation", "subject": 7}\n')
    return folder


@pytest.fixture(scope="module")
def session(source: Path) -> Iterator[Session]:
    """What one machine makes of it."""
    session = Session(keep_all=True)
    session.read(source, Options())
    session.analyse(Options())
    yield session
    session.close()


ANY_NUMBER = {"row_no", "source_row_no"}
"""Numbers of source rows are made where they are read: they tell rows apart, and which is which says the reference."""
NUMBERED = ("events", "marks", "forms", "form_marks", "interest_events")
READ = ("events", "persons", "horizons", "doses", "accounting")


@pytest.fixture(scope="module")
def cluster(session: Session, spark: Any, source: Path) -> Spark:
    """The same source read on Spark."""
    cluster = Spark(spark)
    pipeline.prepare(cluster, session.knowledge)
    shards.read(
        cluster, cut(cluster, address(source), "auto", None, []), session.knowledge, session.codes, Options(), "1GB"
    )
    for name in ("prior_rows", "options", "given_settings", "flare_signs"):
        table = session.engine.connection.sql(f"select * from {name}").to_arrow_table()
        cluster.session.createDataFrame(table).createOrReplaceTempView(name)
    return cluster


def first_difference(session: Session, cluster: Spark) -> str:
    """Compare what was read, then run the plan on Spark and compare each relation when it is made."""
    for name in chain(READ, (stage.makes for stage in pipeline.run(cluster, session.knowledge, pipeline.AUDIT))):
        one = session.engine.connection.sql(f'select * from "{name}"').to_arrow_table()
        other = cluster.session.table(name).toArrow()
        columns = [c for c in one.column_names if name not in NUMBERED or c not in ANY_NUMBER]
        if found := difference(name, one.select(columns), other.select(columns)):
            return found
    return ""


def test_every_relation_is_equal(session: Session, cluster: Spark) -> None:
    found = first_difference(session, cluster)
    assert not found, found


BUGS: dict[str, Callable[[str], str]] = {
    "whole months instead of days": lambda text: text.replace("DATEDIFF(DAY,", "DATEDIFF(MONTH,"),
    "a word read as its complement": lambda text: text.replace("BIT_OR(", "BIT_AND("),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_difference_is_found(
    session: Session, cluster: Spark, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    plain = engine.to_spark
    monkeypatch.setattr(engine, "to_spark", lambda sql: BUGS[bug](plain(sql)))
    assert first_difference(session, cluster)


FILES = ("persons.parquet", "findings.parquet", "flares.parquet", "records.parquet")


def test_an_audit_on_a_cluster_is_that_of_one_machine(spark: Any, tmp_path: Path) -> None:
    """The example data: tables equal, the counts that leave equal to the byte, and a person opened from the results."""
    import tellapart.spark

    summary = tellapart.spark.audit(spark, EXAMPLE, tmp_path / "spark")
    plain = Session()
    expected = audit(plain, EXAMPLE, tmp_path / "duckdb", Options())
    plain.close()
    for part, value in (summary | {"source": expected["source"]}).items():
        assert same(value, expected[part]), part
    assert summary.keys() == expected.keys()
    for file in FILES:
        one = duckdb.sql(f"from '{tmp_path}/duckdb/{file}'").to_arrow_table()
        other = duckdb.sql(f"from '{tmp_path}/spark/{file}/*.parquet'").to_arrow_table()
        assert one.num_rows == other.num_rows
        assert not (found := difference(file, one, other)), found
    assert (tmp_path / "spark/aggregate.csv").read_bytes() == (tmp_path / "duckdb/aggregate.csv").read_bytes()
    lists = [sorted(p.read_text(encoding="utf-8") for p in (tmp_path / d).glob(g)) for d, g in
             (("spark/worklist.csv", "*.csv"), ("duckdb", "worklist.csv"))]  # fmt: skip
    assert list(csv.reader(io.StringIO("".join(lists[0])))) == list(csv.reader(io.StringIO("".join(lists[1]))))

    whom = duckdb.sql(f"select person_id from '{tmp_path}/duckdb/findings.parquet' limit 1").fetchall()[0][0]
    opened = Session()
    documents = [workup(opened, tmp_path / d, Options(), whom) for d in ("spark", "duckdb")]
    opened.close()
    assert documents[0] == documents[1]
