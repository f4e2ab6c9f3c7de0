"""The benchmark scripts run on what the program is now; what they measure is theirs."""

from __future__ import annotations

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
