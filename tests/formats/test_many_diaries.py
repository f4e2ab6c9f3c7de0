"""Diaries of many persons as a source of `audit`: the same flares as one diary at a time, every row in one class."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from tellapart.errors import InputError
from tellapart.events.detect import detect
from tellapart.events.readers.diary import many
from tellapart.knowledge.load import load
from tellapart.simulate.diary import Plan, simulate
from tellapart.tasks import diary as task
from tellapart.tasks.audit import audit
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_document

PERSONS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("many")
    simulate(load(), Plan(PERSONS, 365, 0.1, 3), out)
    return out / "diaries"


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(threads=2)


def flares(out: Path) -> list[tuple[object, ...]]:
    told = 'person_id, start, peak, "end", type, severity, certainty, signals, basis'
    return duckdb.sql(f"select {told} from '{out}/flares.parquet' order by all").fetchall()


def test_the_same_flares_as_one_diary_at_a_time(folder: Path, session: Session, tmp_path: Path) -> None:
    audit(session, folder, tmp_path / "out", Options())
    found = flares(tmp_path / "out")
    expected = []
    for file in sorted(folder.glob("*.csv")):
        diary = tmp_path / f"{file.stem}.sqlite"
        task.import_file(load(), diary, file)
        for f in task.flares_document(load(), diary)["flares"]:
            start, peak, end = (dt.date.fromisoformat(f[k]) if f[k] else None for k in ("start", "peak", "end"))
            expected.append(
                (file.stem, start, peak, end, f["type"], f["severity"], f["certainty"], f["signals"], "symptoms")
            )
    assert found
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_the_clinician_s_page_calls_them_indeterminate_for_type_1(
    folder: Path, session: Session, tmp_path: Path
) -> None:
    made = workup(session, folder, Options(), "synthetic-1")
    assert made["flares"]
    assert {(f["basis"], f["pattern"]) for f in made["flares"]} == {("symptoms", "symptoms_only")}
    assert all("indeterminate for Type 1" in f["label"] for f in made["flares"])
    case = {
        "schema": "tellapart.case/1",
        "person": {"id": "synthetic-1"},
        "findings": [{"finding": "fatigue", "state": "present"}],
    }
    assert workup_document(case, session=session)["flares"] == []  # nothing of another source is left


def one_table(folder: Path, target: Path, order: str) -> Path:
    rows = f"select parse_filename(filename, true) as person_id, date, signal, value from read_csv('{folder}/*.csv', filename = true)"
    form = "format parquet, row_group_size 2048" if target.suffix == ".parquet" else "format csv, header true"
    duckdb.sql(f"copy ({rows} order by {order}) to '{target}' ({form})")
    return target


@pytest.mark.parametrize(
    ("name", "order"), [("a.parquet", "person_id, date"), ("b.parquet", "date, signal"), ("c.csv", "signal, date")]
)
def test_the_form_and_order_of_the_rows_change_nothing(
    folder: Path, session: Session, tmp_path: Path, name: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(session, folder, tmp_path / "out", Options())
    expected = flares(tmp_path / "out")
    monkeypatch.setattr(many, "STRETCH", 3000)  # about one person in each, so in several processes
    table = one_table(folder, tmp_path / name, order)
    assert detect(table)[0] == "diary"
    audit(session, table, tmp_path / "other", Options())
    assert flares(tmp_path / "other") == expected
    run = json.loads((tmp_path / "other" / "run.json").read_text())
    assert (run["persons"], run["accounting"]["read"]) == (PERSONS, run["accounting"]["used"])


def test_every_row_is_in_one_class_and_what_cannot_be_used_is_named(session: Session, tmp_path: Path) -> None:
    rows = [
        ("a", "2026-01-01", "pain", "6,5"), ("a", "2026-01-01", "pain", "7"), ("a", "2026-01-02", "pain", "11"),
        ("a", "2026-01-02", "missed_medicine", "yes"), ("a", "31/01/2026", "pain", "3"), ("a", "2026-01-03", "wine", "2"),
        ("b", "2026-01-03T23:50:00+02:00", "fatigue", "3"), ("b", "2026-02-20", "fatigue", "3"), ("b", "2999-01-01", "fatigue", "3"),
        ("b", "2026-01-04", "fatigue", "much"),
    ]  # fmt: skip
    with (tmp_path / "diaries.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("person_id", "date", "signal", "value"), *rows])
    options = Options(as_of=dt.date(2026, 2, 1), today=dt.date(2026, 3, 1))
    audit(session, tmp_path / "diaries.csv", tmp_path / "out", options)
    told = json.loads((tmp_path / "out" / "run.json").read_text())["accounting"]
    assert {k: n for k, n in told.items() if n} == {
        "read": 10, "used": 3, "duplicate": 1, "unmapped": 1, "after_as_of": 1, "rejected": 4
    }  # fmt: skip
    bad = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert {(b["person_id"], b["field"], b["value"]) for b in bad} == {
        ("a", "pain", "11"), ("a", "date", "31/01/2026"), ("b", "date", "2999-01-01"), ("b", "fatigue", "much")
    }  # fmt: skip
    assert all(b["what_to_do"] for b in bad)
    assert flares(tmp_path / "out") == []  # too few days
    assert duckdb.sql(f"select count(*) from '{tmp_path}/out/persons.parquet'").fetchall() == [(2,)]


def test_a_table_of_something_else_is_no_diary(session: Session, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("person_id,date,code\na,2026-01-01,3\n")
    assert detect(tmp_path / "x.csv")[0] == "csv"
    with pytest.raises(InputError, match="need a map"):
        session.read(tmp_path / "x.csv", Options())
