"""The benchmark scripts run on what the program is now; what they measure is theirs."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("script", "options", "said"),
    [
        ("pipeline_scale.py", ["--persons", "500", "--data"], "whole audit with its files"),
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


def test_peers_that_disagree_about_one_person_are_told_apart() -> None:
    peers = runpy.run_path(str(BENCHMARKS / "peers" / "run.py"), run_name="peers")
    floor = {"sle_dx": ["a", "b"], "fm_dx": []}
    assert peers["differences"]({"duckdb": floor, "same": {"fm_dx": [], "sle_dx": ["b", "a"]}}) == []
    told = peers["differences"](
        {"duckdb": floor, "other": {"sle_dx": ["a"], "fm_dx": []}, "silent": {"sle_dx": ["a", "b"]}}
    )
    assert told == ["sle_dx: duckdb and other differ in 1 persons, first b"]
