"""`tellapart demo`, and the example data that ships in both forms of FHIR."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import records
from shell import run_cli

from tellapart.tasks.demo import EXAMPLE, TRY_NEXT

pytestmark = pytest.mark.proves("failure_unsaid")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("demo") / "results"
    return folder, run_cli("demo", "--out", folder)


def test_the_demo_says_what_it_found_and_where_to_look(demo: tuple[Path, Any]) -> None:
    folder, run = demo
    assert run.code == 0, run.err
    assert (folder / "report.html").exists()
    assert str(folder / "report.html") in run.out
    assert "ynthetic" in run.out.split("\n", 1)[0]
    rows = pq.read_table(folder / "persons.parquet").to_pylist()
    assert f"{len(rows)} persons" in run.out


def test_the_three_workups_that_the_demo_suggests_work_as_printed(demo: tuple[Path, Any]) -> None:
    suggested = re.findall(r"^\s*tellapart (workup .*--person \S+)$", demo[1].out, re.MULTILINE)
    assert len(suggested) == len(TRY_NEXT) == 3
    for line, (person, _) in zip(suggested, TRY_NEXT, strict=True):
        run = run_cli(*shlex.split(line), "--json")
        assert run.code == 0, run.err
        assert run.json["person"]["id"] == person
        assert run.json["synthetic"] is True
    shown = run_cli(*shlex.split(suggested[0]))
    assert "ynthetic" in shown.out


def test_the_demo_can_be_run_again(demo: tuple[Path, Any]) -> None:
    folder, _ = demo
    before = (folder / "persons.parquet").read_bytes()
    assert run_cli("demo", "--out", folder).code == 0
    assert (folder / "persons.parquet").read_bytes() == before


@pytest.mark.slow
def test_the_example_as_bundles_gives_the_same_persons(demo: tuple[Path, Any], tmp_path: Path) -> None:
    """One transaction Bundle per person, references by urn:uuid, as Synthea writes them."""
    own: dict[str, list[records.Resource]] = defaultdict(list)
    for path in sorted(EXAMPLE.glob("*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as opened:
            for line in opened:
                row = json.loads(line)
                subject = row.get("subject") or row.get("patient") or {"reference": f"Patient/{row['id']}"}
                own[subject["reference"].rsplit("/", 1)[-1]].append(row)
    for person, rows in own.items():
        records.write(tmp_path / "bundles" / f"{person}.json", records.bundle(rows, "transaction"))
    run = run_cli("audit", tmp_path / "bundles", "--out", tmp_path / "out")
    assert run.code == 0, run.err
    for name in ("persons.parquet", "findings.parquet", "worklist.csv", "aggregate.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (demo[0] / name).read_bytes(), name
    facts = [json.loads((folder / "run.json").read_text()) for folder in (tmp_path / "out", demo[0])]
    assert facts[0]["accounting"] == facts[1]["accounting"]
