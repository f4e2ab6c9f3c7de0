"""The same persons give the same results in whatever format their records are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from cohort import warm

from tellapart.events.address import Source
from tellapart.knowledge.load import load
from tellapart.simulate.cohort import FOLDERS, Plan, simulate
from tellapart.tasks.audit import audit
from tellapart.tasks.session import Options

SHARES = {"sle": 0.25, "fm": 0.25, "both": 0.15}


def results(source: Source, out: Path) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """Rows of persons.parquet by person and of findings.parquet by person and finding, references apart."""
    audit(warm(), source, out, Options())
    persons = {r["person_id"]: r for r in map(named, pq.read_table(out / "persons.parquet").to_pylist())}
    findings = {
        (r["person_id"], r["finding"]): {k: v for k, v in r.items() if k != "reference"}
        for r in map(named, pq.read_table(out / "findings.parquet").to_pylist())
    }
    return persons, findings


def named(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the person's number written alike: MEDS knows whole numbers, and no zeros before them."""
    return row | {"person_id": f"synthetic-{int(row['person_id'].removeprefix('synthetic-')):07d}"}


def assert_same(folder: Path, count: int, completeness: float) -> None:
    simulate(load(), Plan(count, SHARES, completeness=completeness, formats=tuple(FOLDERS), seed=count), folder / "c")
    persons, findings = results(folder / "c" / FOLDERS["fhir"], folder / "fhir")
    assert len(persons) == count and len(findings) > count
    for form in sorted(FOLDERS.keys() - {"fhir"}):
        others, other_findings = results(folder / "c" / FOLDERS[form], folder / form)
        assert persons.keys() == others.keys()
        assert [p for p in persons if persons[p] != others[p]] == []
        assert findings.keys() == other_findings.keys()
        assert [f for f in findings if findings[f] != other_findings[f]] == []


def test_sixty_persons_in_every_format(tmp_path: Path) -> None:
    assert_same(tmp_path, 60, 0.7)


@pytest.mark.slow
def test_a_thousand_persons_in_every_format(tmp_path: Path) -> None:
    assert_same(tmp_path, 1000, 0.75)


def test_a_cdm_is_the_same_bytes_again_and_keeps_its_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        simulate(load(), Plan(30, SHARES, formats=("omop",), seed=5), tmp_path / name)
    files = sorted((tmp_path / "a" / "omop").iterdir())
    assert [f.read_bytes() for f in files] == [(tmp_path / "b" / "omop" / f.name).read_bytes() for f in files]
    with duckdb.connect() as con:
        for file in files:
            column = pq.read_schema(file).names[0]
            if column.endswith("_id"):
                count = con.execute(f"select count(*), count(distinct {column}) from '{file}'").fetchone()
                assert count is not None and count[0] == count[1] > 0, file.name
