"""`audit --flares`: the flares on record of everybody with lupus, equal to those of each workup; without it, none and no cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tellapart.tasks.audit import audit
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "papers"))
from test_flares_on_record import distress, record, visit

pytestmark = pytest.mark.proves("two_answers")

RAISED = [
    {"drug": "prednisone", "dose": d, "unit": "mg/d", "start": s, "end": e}
    for d, s, e in ((5, "2024-01-10", "2024-06-09"), (40, "2024-06-10", "2024-07-10"))
]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    made = [
        record(visit("2024-01-10"), visit("2024-06-10", "synovitis"), visit("2024-09-10"), drugs=RAISED),
        record(visit("2024-01-10"), visit("2024-06-10"), visit("2024-12-10"), drugs=RAISED),
        record(visit("2024-01-10"), visit("2024-06-10"), forms=[distress("2024-01-10", 6), distress("2024-06-10", 12)]),
        record(visit("2024-01-10")),
    ]
    for number, document in enumerate(made):
        document["person"]["id"] = f"synthetic-{number}"
        (folder / f"{number}.json").write_text(json.dumps(document))
    return folder


def told(flare: dict[str, Any]) -> tuple[object, ...]:
    return (
        flare["start"],
        flare["end"],
        flare["type"],
        flare["pattern"],
        flare["severity"],
        not flare["treatment_only"],
    )


def test_an_audit_finds_the_flares_of_each_workup(cases: Path, tmp_path: Path) -> None:
    session = Session()
    audit(session, cases, tmp_path / "out", Options(flares=True))
    rows = duckdb.sql(
        'select person_id, cast(start as varchar), cast("end" as varchar), type, pattern, severity, is_flare, basis '
        f"from '{tmp_path}/out/flares.parquet' order by person_id, start"
    ).fetchall()
    assert {r[7] for r in rows} == {"examination"}
    for person in range(4):
        made = workup(session, cases, Options(), f"synthetic-{person}")
        expected = [told(f) for f in [*made["flares"], *made["not_flares"]]]
        assert sorted(r[1:7] for r in rows if r[0] == f"synthetic-{person}") == sorted(expected)
    assert {r[4] for r in rows} == {"possible_type1", "treatment_only", "type2"}


def test_without_the_option_an_audit_finds_none_and_says_so_in_its_record(cases: Path, tmp_path: Path) -> None:
    audit(Session(), cases, tmp_path / "out", Options())
    assert duckdb.sql(f"select count(*) from '{tmp_path}/out/flares.parquet'").fetchall() == [(0,)]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["options"]["flares"] is False
