"""The benchmark scripts run on what the program is now; what they measure is theirs."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import tellapart

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("script", "options", "said"),
    [
        ("pipeline_scale.py", ["--persons", "500", "--data"], "whole audit with its files"),
        ("omop_scale.py", ["--persons", "200", "--data"], "200 persons, 10400 rows of the CDM"),
        (
            "read_ndjson.py",
            [str(Path(tellapart.__file__).parent / "examples"), "--size", "1MB", "--rounds", "1", "--data"],
            "whole:",
        ),
        ("one_person.py", ["--events", "20", "--runs", "1"], "warm workup of 20 events"),
        ("one_diary.py", ["--years", "1", "--runs", "1"], "diary flares --json"),
        ("treatment_scale.py", ["--persons", "200"], "treatment"),
        ("peers/run.py", ["--copies", "1", "--rounds", "1", "--only", "duckdb", "tellapart"], "equal answers of 2"),
    ],
)
def test_a_benchmark_runs_small(script: str, options: list[str], said: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(BENCHMARKS / script),
        *options,
        *([str(tmp_path)] if options[-1] == "--data" else []),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout


def test_bulk_text_is_repeated_under_new_ids_whatever_the_chunk(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    patients = ['{"resourceType":"Patient","id":"a"}', '{"resourceType":"Patient","id":"b"}']
    condition = '{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a"}}'
    (source / "mixed.ndjson").write_text("\n".join((*patients, condition)))
    repeat = runpy.run_path(str(BENCHMARKS / "read_ndjson.py"), run_name="read")["repeat"]
    repeat.__globals__["CHUNK"] = 1  # a line at a time
    once = sum(len(line) + 1 for line in (*patients, condition))
    written = repeat(source, target, 2 * once, everything=False)
    assert {kind: [Path(f).read_text().splitlines() for f in files] for kind, files in written.items()} == {
        "Patient": [[f'{{"resourceType":"Patient","id":"copy{n}-{p}"}}' for n in (0, 1) for p in "ab"]],
        "Condition": [[
            f'{{"resourceType":"Condition","id":"copy{n}-c","subject":{{"reference":"Patient/copy{n}-a"}}}}'
            for n in (0, 1)
        ]],
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if path not in (source, target)] == []


def test_peers_that_disagree_about_one_person_are_told_apart() -> None:
    peers = runpy.run_path(str(BENCHMARKS / "peers" / "run.py"), run_name="peers")
    floor = {"sle_dx": ["a", "b"], "fm_dx": []}
    assert peers["differences"]({"duckdb": floor, "same": {"fm_dx": [], "sle_dx": ["b", "a"]}}) == []
    told = peers["differences"](
        {"duckdb": floor, "other": {"sle_dx": ["a"], "fm_dx": []}, "silent": {"sle_dx": ["a", "b"]}}
    )
    assert told == ["sle_dx: duckdb and other differ in 1 persons, first b"]
