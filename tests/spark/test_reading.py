"""Reading on Spark: whatever the source, what one machine reads of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from compare import difference

from tellapart import pipeline
from tellapart.engines.spark import Folder, Spark, address
from tellapart.errors import InputError, UsageError
from tellapart.events.shards import cut
from tellapart.knowledge.load import load
from tellapart.simulate.cohort import Plan, simulate
from tellapart.tasks import cluster as tasks
from tellapart.tasks import shards
from tellapart.tasks.session import Options, Session

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PREFIX = "cdm_"


@pytest.fixture(scope="module")
def sources(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Simulated persons as bulk NDJSON and as a CDM, which also stands in the catalogue."""
    folder = tmp_path_factory.mktemp("sources")
    simulate(load(), Plan(60, {"sle": 0.3, "fm": 0.3, "both": 0.1}, seed=3, formats=("fhir", "omop")), folder)
    dose_by_supply(folder / "omop")
    for file in (folder / "omop").glob("*.parquet"):
        spark.read.parquet(str(file)).write.saveAsTable(f"{PREFIX}{file.stem}")
    return {form: folder / form for form in ("fhir", "omop")}


def dose_by_supply(cdm: Path) -> None:
    """Let exposures of a CDM say their dose by quantity and days of supply, with the strength in the vocabulary."""
    made = {
        "drug_exposure": "select * replace (cast(null as varchar) as sig), 60.0 as quantity, 30 as days_supply from '{}'",
        "concept": "from '{}' union all by name select 8576 as concept_id, 'UCUM' as vocabulary_id, 'mg' as concept_code, 'milligram' as concept_name",
        "drug_strength": "select distinct drug_concept_id, 100.0 as amount_value, 8576 as amount_unit_concept_id from '{}'",
    }
    with duckdb.connect() as con:
        for table, query in made.items():
            place = cdm / f"{'drug_exposure' if table == 'drug_strength' else table}.parquet"
            con.execute(f"copy ({query.format(place)}) to '{cdm / 'made'}' (format parquet)")
            (cdm / "made").replace(cdm / f"{table}.parquet")


WAYS: dict[str, Callable[[Path], tuple[str | None, str | None]]] = {
    "fhir": lambda path: (address(path), None),
    "omop": lambda path: (address(path), None),
    "omop of the catalogue": lambda path: (None, PREFIX),
}


DAY = date(2022, 6, 30)


@pytest.mark.parametrize(
    ("way", "as_of"), [("fhir", None), ("fhir", DAY), ("omop", DAY), ("omop of the catalogue", None)]
)
def test_the_same_is_read(spark: Any, sources: dict[str, Path], way: str, as_of: date | None) -> None:
    source = sources[way.split(maxsplit=1)[0]]
    options = Options(as_of=as_of)
    plain = Session()
    plain.read(source, options)
    cluster = Spark(spark)
    pipeline.prepare(cluster, plain.knowledge)
    descends = [r["code"] for r in cluster.rows("select distinct code from codes where descendants")]
    place, prefix = WAYS[way](source)
    shards.read(cluster, cut(cluster, place, "auto", prefix, descends), plain.knowledge, plain.codes, options, "1GB")
    for name in ("persons", "horizons", "events", "accounting"):
        one = plain.engine.connection.sql(f"select * from {name}").to_arrow_table()
        assert one.num_rows, f"{name}: nothing to compare"
        if source.name == "omop":
            assert plain.engine.one("select count(observed_to) from persons") == plain.engine.one(
                "select count(*) from persons"
            )
            assert plain.engine.one("select count(*) from events where kind = 'drug' and unit = 'mg/d' and value = 200")
        columns = [c for c in one.column_names if c != "row_no"]
        assert not (
            found := difference(name, one.select(columns), cluster.session.table(name).toArrow().select(columns))
        ), found
    plain.close()


def test_what_cannot_be_read_is_said(spark: Any, tmp_path: Path) -> None:
    cluster = Spark(spark)
    with pytest.raises(InputError, match="no such file"):
        cut(cluster, address(tmp_path / "nowhere"), "auto", None, [])
    (tmp_path / "case.toml").write_text("schema = 'tellapart.case/1'")
    with pytest.raises(InputError, match="--engine duckdb"):
        cut(cluster, address(tmp_path), "auto", None, [])
    with pytest.raises(InputError, match="no table person"):
        cut(cluster, None, "auto", "not_there_", [])
    with pytest.raises(UsageError, match="not an audit's"):
        tasks.audit(cluster, address(tmp_path), address(tmp_path), Options())


def test_a_folder_holds_small_files(spark: Any, tmp_path: Path) -> None:
    folder = Folder(spark, address(tmp_path))
    folder.write("a b/ü.json", b"\x00\xff{}")
    assert folder.read("a b/ü.json") == b"\x00\xff{}"
    assert [(f.name, f.size) for f in folder.files()] == [("a b/ü.json", 4)]
    folder.delete("a b")
    assert folder.read("a b/ü.json") is None
    assert folder.files() == []
