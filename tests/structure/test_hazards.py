"""Every hazard of the log has tests that exist, and they run by default on every machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tellapart.knowledge.load import load

ROOT = Path(__file__).resolve().parents[2]
PROOFS = [(r["hazard"], test) for r in load()["hazards"] for test in r["tests"].split(";")]


@pytest.mark.parametrize(("hazard", "test"), PROOFS)
def test_what_proves_a_control_exists_and_asserts(hazard: str, test: str) -> None:
    file, name = test.split("::")
    functions = {
        n.name: n for n in ast.parse((ROOT / file).read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)
    }
    assert name in functions, f"{hazard}: {file} has no test {name}"
    marks = [ast.unparse(d) for d in functions[name].decorator_list]
    assert not any(word in mark for mark in marks for word in ("slow", "skip", "xfail", "shared")), f"{hazard}: {marks}"
    assert any(isinstance(n, ast.Assert) for n in ast.walk(functions[name])) or "assert_" in ast.unparse(
        functions[name]
    ), hazard


def test_the_hazards_that_the_project_exists_for_are_there() -> None:
    assert {"lupus_from_complaints", "fm_over_red_flag", "unknown_as_absent"} <= {h for h, _ in PROOFS}
