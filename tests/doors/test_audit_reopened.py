"""`workup DIR --person ID`: a person opened from what the audit kept is the person of the source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import people
import pyarrow.parquet as pq
import pytest
import records
from cohort import differing
from shell import run_cli

pytestmark = pytest.mark.proves("two_answers", "wrong_person")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return records.write_bulk(
        tmp_path_factory.mktemp("bulk"), [row for person in people.persons(30, seed=11) for row in person]
    )


@pytest.fixture(scope="module")
def out(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "out"
    assert run_cli("audit", source, "--out", folder, "--quiet").code in (0, 3)
    return folder


def people_of(out: Path, of_interest: bool) -> list[tuple[str, str]]:
    rows = pq.read_table(out / "persons.parquet").to_pylist()
    return [(r["person_id"], r["setting"]) for r in rows if (r["p_sle_low"] is not None) == of_interest]


def test_every_person_of_interest_is_the_person_of_the_source(source: Path, out: Path) -> None:
    listed = people_of(out, True)
    assert len(listed) > 5
    for person, setting in listed[:8]:
        reopened = run_cli("workup", out, "--person", person, "--json")
        read = run_cli("workup", source, "--person", person, "--setting", setting, "--json")
        assert reopened.code == 0
        assert differing(reopened.json, read.json) == []


def test_the_source_is_not_read_again(source: Path, out: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(out, tmp_path / "moved")
    person, _ = people_of(out, True)[0]
    own = run_cli("workup", moved, "--person", person, "--json", "--prior", "sle=0.5,fm=0.1,both=0.1")
    assert own.code == 0 and own.json["differential"]["prior"]["sle"] == 0.5


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "--person"),
        (("--person", "nobody"), 2, "not in this audit"),
        (("--person", "p00001", "--as-of", "2020-01-01"), 2, "--as-of"),
    ],
)
def test_what_cannot_be_opened_is_said(out: Path, options: tuple[str, ...], code: int, said: str) -> None:
    run = run_cli("workup", out, *options)
    assert (run.code, run.out) == (code, "")
    assert said in run.said


def test_a_person_who_was_not_looked_at_is_not_kept(out: Path) -> None:
    others = people_of(out, False)
    kept = set(pq.read_table(out / "records.parquet", columns=["person_id"]).column("person_id").to_pylist())
    assert others and not kept & {p for p, _ in others}
    run = run_cli("workup", out, "--person", others[0][0])
    assert run.code == 1 and "closer look" in run.said


@pytest.mark.parametrize("harm", ["changed", "cut", "gone", "other knowledge", "no run"])
def test_a_folder_that_is_not_whole_is_refused(out: Path, tmp_path: Path, harm: str) -> None:
    folder = shutil.copytree(out, tmp_path / "harmed")
    kept, facts = folder / "records.parquet", folder / "run.json"
    if harm == "changed":
        content = bytearray(kept.read_bytes())
        content[len(content) // 2] ^= 1
        kept.write_bytes(content)
    elif harm == "cut":
        kept.write_bytes(kept.read_bytes()[:-100])
    elif harm == "gone":
        kept.unlink()
    elif harm == "other knowledge":
        facts.write_text(json.dumps(json.loads(facts.read_text("utf-8")) | {"knowledge": "1999.01"}), encoding="utf-8")
    else:
        facts.write_text("{", encoding="utf-8")
    run = run_cli("workup", folder, "--person", people_of(out, True)[0][0])
    assert (run.code, run.out) == (1, "")
    assert "Run the audit again" in run.said
