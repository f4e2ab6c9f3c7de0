"""Every hazard of the log has tests that exist and run by default, and tests of papers and doors name what they prove.

The tests of a module prove what its `pytestmark = pytest.mark.proves(...)` names, a test of its own what its decorator names:
ids of hazards (knowledge table `hazards`) or of references.
"""

from __future__ import annotations

import ast

import proofs
import pytest

from tellapart.knowledge.load import load

PROOFS = [(r["hazard"], test) for r in load()["hazards"] for test in r["tests"].split(";")]
NAMED = [
    f"{path.relative_to(proofs.ROOT).as_posix()}::{name}"
    for room in ("papers", "doors")
    for path in sorted((proofs.ROOT / "tests" / room).glob("test_*.py"))
    for name in proofs.functions(path.relative_to(proofs.ROOT).as_posix())
    if name.startswith("test_")
]
KNOWN = {r["hazard"] for r in load()["hazards"]} | {r["id"] for r in load()["references"]}


@pytest.mark.parametrize(("hazard", "test"), PROOFS)
def test_what_proves_a_control_exists_and_asserts(hazard: str, test: str) -> None:
    assert not proofs.fault(test), hazard


def test_the_hazards_that_the_project_exists_for_are_there() -> None:
    assert {"lupus_from_complaints", "fm_over_red_flag", "unknown_as_absent"} <= {h for h, _ in PROOFS}


@pytest.mark.parametrize("test", NAMED)
def test_a_test_names_the_hazard_or_the_citation_it_proves(test: str) -> None:
    named = proofs.proven(test)
    assert named, (
        f"{test} proves nothing by name: write pytestmark = pytest.mark.proves(hazard or reference) in its module"
    )
    assert named <= KNOWN, f"{test}: no hazard and no reference is called {sorted(named - KNOWN)}"


@pytest.mark.parametrize(("hazard", "test"), [(h, t) for h, t in PROOFS if t in NAMED])
def test_a_test_that_a_hazard_names_names_the_hazard(hazard: str, test: str) -> None:
    assert hazard in proofs.proven(test)


def test_a_test_without_a_name_and_one_with_two_are_told_apart() -> None:
    read = ast.parse(
        "import pytest\npytestmark = [pytest.mark.slow, pytest.mark.proves('a')]\n"
        "@pytest.mark.proves('b', 'c')\ndef test_one(): ...\ndef test_two(): ...\n"
    )
    assert proofs.names(read, "test_one") == {"a", "b", "c"}
    assert proofs.names(read, "test_two") == {"a"}
    assert proofs.names(ast.parse("def test_three(): ..."), "test_three") == set()
