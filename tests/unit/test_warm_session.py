"""A session works up one person after the other in the same tables: nothing of the one before may be left in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.engines import duckdb
from tellapart.events.readers.case import parse
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_document

CASES = sorted((Path(__file__).parents[2] / "examples" / "cases").glob("*.toml"))
WORDED = {
    "schema": "tellapart.case/1",
    "person": {"id": "synthetic-worded", "sex": "male", "age": 50},
    "as_of": "2024-02-01",
    "findings": [
        {"finding": "ana_titre", "value": "1:640", "date": "2023-05-01"},
        {"finding": "anti_dsdna", "interpretation": "NEG", "date": "2023-05-01"},
        {"finding": "platelets", "value": 85, "unit": "K/uL", "date": "2023-05-01"},
    ],
    "conditions": [{"code": "M79.7", "system": "icd10cm", "date": "2020-01-01"}],
}


@pytest.fixture(scope="module")
def documents() -> list[dict]:
    return [*(parse(path) for path in CASES[:4]), WORDED]


@pytest.fixture(scope="module")
def alone(documents: list[dict]) -> list[dict]:
    """Each document worked up in a session of its own."""
    out = []
    for document in documents:
        session = Session()
        out.append(workup_document(document, Options(), session))
        session.close()
    return out


def test_the_order_of_persons_changes_nothing(documents: list[dict], alone: list[dict]) -> None:
    session = Session()
    for round_ in range(3):
        for number in range(len(documents)):
            at = (number * (round_ + 1)) % len(documents)
            assert workup_document(documents[at], Options(), session) == alone[at]


def test_a_file_in_between_changes_nothing(documents: list[dict], alone: list[dict], tmp_path: Path) -> None:
    """Readers of files create the same tables in their own way."""
    session = Session()
    example = Path(duckdb.__file__).parents[1] / "examples"
    for at in (0, 1, 2):
        assert workup_document(documents[at], Options(), session) == alone[at]
    fresh = Session()
    assert workup(session, example, Options(), "synthetic-clear-sle") == workup(
        fresh, example, Options(), "synthetic-clear-sle"
    )
    for at in (3, 4, 0):
        assert workup_document(documents[at], Options(), session) == alone[at]
