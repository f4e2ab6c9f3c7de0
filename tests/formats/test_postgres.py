"""OMOP on a PostgreSQL server: the same persons as from files, little is pulled, and what can go wrong is told clearly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import omop_world as w
import postgres
import pyarrow as pa
import pytest
from cohort import warm
from needs import skip_if
from shell import Run, run_cli
from test_omop import WHOLE, accounts
from test_same_persons import SHARES, results

from tellapart.errors import InputError, UsageError
from tellapart.events.address import source_of
from tellapart.events.readers import omop_postgres
from tellapart.knowledge.load import load
from tellapart.simulate.cohort import Plan, simulate
from tellapart.tasks.session import Options


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    skip_if(postgres.missing())
    with postgres.server() as started:
        yield started


def made(server: postgres.Server, name: str, **more: list[w.Row]) -> str:
    """A database with the tables of `WHOLE`, or these in their place, and a table without rows; its address."""
    tables = {n: typed(pa.Table.from_pylist(rows)) for n, rows in (WHOLE | more).items()}
    return server.load(name, {"observation": typed(pa.Table.from_pylist([w.observation(1)])).slice(1)} | tables)


def typed(table: pa.Table) -> pa.Table:
    """Columns of which nothing is known become text."""
    return pa.table({n: pa.nulls(len(table), pa.string()) if pa.types.is_null(table.schema.field(n).type) else table[n]
                     for n in table.column_names})  # fmt: skip


def said(url: str, out: Path) -> Run:
    """What an audit that cannot be done says; it leaves nothing behind and never tells the password."""
    done = run_cli("audit", url, "--out", out)
    assert done.code == 1, done.said
    assert not list(out.iterdir())
    for word in ("anybody", "not%2F", "wr0ng"):
        assert word not in done.out + done.err
    return done


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_same_persons_as_from_files(count: int, server: postgres.Server, tmp_path: Path) -> None:
    simulate(load(), Plan(count, SHARES, formats=("omop",), seed=count), tmp_path / "c")
    url = server.load_folder(f"cohort{count}", tmp_path / "c" / "omop")
    expected = results(tmp_path / "c" / "omop", tmp_path / "files"), accounts()
    assert (results(source_of(url), tmp_path / "server"), accounts()) == expected
    again = tmp_path / "again"
    results(source_of(url), again)
    for name in ("persons.parquet", "findings.parquet", "records.parquet", "worklist.csv", "aggregate.csv"):
        assert (tmp_path / "server" / name).read_bytes() == (again / name).read_bytes(), name


def test_only_needed_rows_travel(server: postgres.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    needless = [w.measurement(n, 4242, value_as_number=1.0) for n in range(100, 3100)]
    url = made(server, "needless", measurement=[*WHOLE["measurement"], *needless])
    travelled: dict[str, int] = {}
    take = omop_postgres.Postgres.take

    def counted(self: Any, name: str, query: str) -> None:
        take(self, name, query)
        travelled[name] = travelled.get(name, 0) + self.engine.one(f"select count(*) from {name}")

    monkeypatch.setattr(omop_postgres.Postgres, "take", counted)
    warm().read(source_of(url), Options())
    assert accounts()["measurement"] == {"used": 3, "unmapped": 3000}
    assert travelled["omop_row"] == 5 and sum(travelled.values()) < 300


def test_the_command_reads_a_server_and_keeps_the_password_to_itself(server: postgres.Server, tmp_path: Path) -> None:
    url = made(server, "whole")
    done = run_cli("audit", url, "--out", tmp_path / "out")
    assert done.code == 0, done.said
    written = done.out + done.err + "".join(p.read_text("latin-1") for p in (tmp_path / "out").iterdir())
    assert "anybody" not in written and "not%2F" not in written
    assert f'"name": "postgresql://localhost:{server.port}/whole"' in (tmp_path / "out" / "run.json").read_text()
    one = run_cli("workup", url, "--person", "synthetic-1", "--json")
    assert one.code == 0 and one.json["person"]["id"] == "synthetic-1"


def test_a_schema_is_found_or_named(server: postgres.Server, tmp_path: Path) -> None:
    url = made(server, "schemas")
    server.run("schemas", "create schema other", "create table other.person as select * from cdm.person limit 0")
    assert "several schemas hold a table person (cdm, other)" in said(url, tmp_path / "out").said
    warm().read(source_of(url + "?options=-csearch_path%3Dcdm"), Options())
    assert warm().engine.one("select count(*) from persons") == 2
    server.run("schemas", "alter schema other rename to vocabulary", "drop table vocabulary.person",
               "create table vocabulary.concept (concept_id int, vocabulary_id text, concept_code text, concept_name text)",
               f"insert into vocabulary.concept values ({w.SLE}, 'SNOMED', '1', 'something else')")  # fmt: skip
    warm().read(source_of(url + "?options=-csearch_path%3Dcdm,vocabulary"), Options())
    assert accounts()["condition_occurrence"]["unmapped"] == 2  # the vocabulary beside it says so


# what can go wrong


def test_no_connection(server: postgres.Server, tmp_path: Path) -> None:
    out = tmp_path / "out"
    wrong = said(server.url("postgres", password="wr0ng"), out).said
    assert "password authentication failed" in wrong and "PGPASSWORD" in wrong
    assert 'database "nowhere" does not exist' in said(server.url("nowhere"), out).said
    closed = said(server.url("postgres").replace(f":{server.port}/", ":1/"), out).said
    assert "Connection refused" in closed and "Check server and port" in closed
    assert "cannot be understood" in said(server.url("postgres") + "?wr0ng=1", out).said
    for secret in ("wr0ng/one", "wr0ng@two#", "wr0ng three"):
        with pytest.raises(UsageError, match="% codes") as told:
            source_of(f"postgresql://me:{secret}@localhost/cdm")
        assert "wr0ng" not in str(told.value)


def test_no_cdm(server: postgres.Server, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "no table person" in said(server.url("postgres"), out).said
    url = made(server, "lacking")
    server.run("lacking", "drop table cdm.measurement")
    assert "schema cdm has no table measurement" in said(url, out).said


def test_an_older_model(server: postgres.Server, tmp_path: Path) -> None:
    url = made(server, "older")
    server.run("older", "alter table cdm.measurement rename column measurement_date to day")
    told = said(url, tmp_path / "out").said
    assert "cdm.measurement: table measurement has no column measurement_date" in told and "5.4 (or 5.3)" in told


def test_no_permission_is_not_taken_for_no_rows(server: postgres.Server, tmp_path: Path) -> None:
    made(server, "guarded")
    server.run("guarded", "create role reader login password 'wr0ng'", "grant usage on schema cdm to reader",
               "grant select on cdm.person, cdm.condition_occurrence to reader")  # fmt: skip
    told = said(server.url("guarded", "reader", "wr0ng"), tmp_path / "out").said
    assert "no permission to read" in told and "cdm.measurement" in told and "grant" in told


def test_a_column_of_another_type(server: postgres.Server, tmp_path: Path) -> None:
    url = made(server, "mistyped")
    server.run("mistyped", "alter table cdm.measurement alter column measurement_concept_id type text using 'seven'")
    assert (
        'cdm.measurement cannot be read (invalid input syntax for type bigint: "seven")'
        in said(url, tmp_path / "out").said
    )


def test_the_server_goes_away_in_the_middle(server: postgres.Server, tmp_path: Path) -> None:
    url = made(server, "leaving")
    server.run("leaving", "alter table cdm.measurement rename to held",
               "create view cdm.measurement as select h.* from cdm.held as h, pg_sleep(60)")  # fmt: skip

    def stop() -> None:
        server.wait_for("leaving", "measurement_concept_id")
        server.run("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'leaving'")

    other = threading.Thread(target=stop)
    other.start()
    told = said(url, tmp_path / "out").said
    other.join()
    assert "went away while cdm.measurement was read" in told and "run it again when the server is back" in told


def test_a_stream_that_breaks(server: postgres.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = made(server, "streaming")
    server.run("streaming", "alter table cdm.measurement rename to held",
               "create view cdm.measurement as select h.measurement_id + n as measurement_id, h.person_id, "
               "h.measurement_concept_id, h.measurement_date, case when n > 190000 then repeat('1', n / 0) else '5' end "
               "as value_source_value from cdm.held as h, generate_series(1, 200000) as n")  # fmt: skip
    with pytest.raises(InputError, match="division by zero"):
        warm().read(source_of(url), Options())
    warm().read(source_of(made(server, "after")), Options())
    assert warm().engine.one("select count(*) from persons") == 2
