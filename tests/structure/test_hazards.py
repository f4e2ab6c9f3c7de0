"""Every hazard of the log has tests that exist, and they run by default on every machine."""

from __future__ import annotations

import proofs
import pytest

from tellapart.knowledge.load import load

PROOFS = [(r["hazard"], test) for r in load()["hazards"] for test in r["tests"].split(";")]


@pytest.mark.parametrize(("hazard", "test"), PROOFS)
def test_what_proves_a_control_exists_and_asserts(hazard: str, test: str) -> None:
    assert not proofs.fault(test), hazard


def test_the_hazards_that_the_project_exists_for_are_there() -> None:
    assert {"lupus_from_complaints", "fm_over_red_flag", "unknown_as_absent"} <= {h for h, _ in PROOFS}
