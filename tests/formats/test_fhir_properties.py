"""Order, duplicates, splitting and form of the source never change what is read (hypothesis; small worlds)."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from fhir_world import World, bundle, concept, observation, patient, resource, world, write_json, write_lines
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"
Resource = dict[str, Any]

MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept("5521", text="hydroxychloroquine")}


@contextmanager
def folder() -> Iterator[Path]:
    path = Path(mkdtemp())
    try:
        yield path
    finally:
        shutil.rmtree(path)


@st.composite
def resources(draw: st.DrawFn) -> list[Resource]:
    """A few persons, what is said about them (some about nobody), and copies of some of it with other versions."""
    people = draw(st.integers(1, 3))
    made = [patient(str(number)) for number in range(people)] + [MEDICATION]
    subject = st.sampled_from([f"Patient/{number}" for number in range(people)] + ["Patient/nobody"])
    for number in range(draw(st.integers(1, 5))):
        who = draw(subject)
        value = draw(
            st.sampled_from([{"valueInteger": 1}, {"valueString": "1:80"}, {"component": [{"code": concept("2")}]}, {}])
        )
        made.append(
            draw(
                st.sampled_from(
                    [
                        observation(f"o{number}", who, **value),
                        resource("Condition", f"c{number}", who, code=concept("M32.9"), onsetDateTime="2020"),
                        resource(
                            "MedicationRequest",
                            f"d{number}",
                            who,
                            status="active",
                            medicationReference={"reference": "Medication/m"},
                        ),
                        resource("Claim", f"x{number}", who),
                    ]
                )
            )
        )
    for original in draw(st.lists(st.sampled_from(made), max_size=3)):
        again = copy.deepcopy(original)
        change = draw(st.sampled_from(["same", "version", "updated", "value"]))
        if change == "version":
            again["meta"] = {"versionId": draw(st.sampled_from(["2", "10"]))}
        elif change == "updated":
            again["meta"] = {
                "lastUpdated": draw(st.sampled_from(["2021-01-01T00:00:00Z", "2021-01-01T01:30:00+02:00"]))
            }
        elif change == "value":
            again["status"] = draw(st.sampled_from(["final", "active", "entered-in-error"]))
        made.append(again)
    return made


def by_urn(resources: list[Resource]) -> list[Resource]:
    """The same resources with references by urn:uuid, as in a transaction."""
    text = json.dumps(resources)
    for number in range(3):
        text = text.replace(f'"Patient/{number}"', f'"urn:uuid:{number}"')
    made: list[Resource] = json.loads(text.replace('"Medication/m"', '"urn:uuid:m"'))
    return made


@settings(max_examples=12, deadline=None)
@given(
    resources(),
    st.randoms(use_true_random=False),
    st.sampled_from(["line", "lines by type", "bundles", "split", "mixed"]),
)
def test_order_split_and_form(made: list[Resource], rng: random.Random, form: str) -> None:
    with folder() as first, folder() as second:
        expected = World(write_json(first / "all.json", bundle(*made, urls=False)), threads=1).comparable()
        shuffled = list(made)
        rng.shuffle(shuffled)
        if form == "line":
            write_lines(second / "all.ndjson", *shuffled)
        elif form == "lines by type":
            for number, one in enumerate(shuffled):
                write_lines(second / f"{rng.randrange(9)}.{one['resourceType']}.{number}.ndjson.gz", one)
        elif form == "bundles":
            write_json(second / "all.json", bundle(*by_urn(shuffled), kind="transaction"), None)
        elif form == "split":
            for number, one in enumerate(by_urn(shuffled)):
                write_json(second / f"{rng.randrange(9)}-{number}.json", bundle(one))
        else:
            cut = rng.randrange(len(shuffled))
            write_lines(second / "a.ndjson", *shuffled[:cut]) if cut else None
            write_json(second / "b.json", bundle(*shuffled[cut:], urls=False))
        found = World(second).comparable()
        if form in ("bundles", "split"):  # the rejected reference is printed as it was written
            for one in (expected, found):
                one["rejected"] = [(row[0], row[4]) for row in one["rejected"]]
        assert found == expected


def test_the_latest_version_stays(tmp_path: Path) -> None:
    versions = [
        observation(valueInteger=1, meta={"lastUpdated": "2021-01-01T00:30:00Z"}),
        observation(valueInteger=2, meta={"lastUpdated": "2021-01-01T01:00:00+02:00"}),
        observation(valueInteger=3),
    ]
    for number, order in enumerate([versions, versions[::-1]]):
        read = World(write_lines(tmp_path / f"{number}.ndjson", patient(), *order))
        assert read.statement["value"] == "1"
        assert sorted(row["class"] or "" for row in read.rows("source_rows")) == ["", "duplicate", "duplicate", "used"]


def test_versions_are_numbers(tmp_path: Path) -> None:
    read = world(
        tmp_path, patient(), *(observation(valueInteger=int(v), meta={"versionId": v}) for v in ("9", "10", "2"))
    )
    assert read.statement["value"] == "10"


def test_resources_without_id_are_merged_only_if_identical(tmp_path: Path) -> None:
    same, other = observation(None, valueInteger=1), observation(None, valueInteger=2)
    read = World(write_lines(tmp_path / "x.ndjson", patient(), same, other, same))
    assert read.classes == {"Patient/1": "used", "x.ndjson#2": None, "x.ndjson#3": None, "x.ndjson#4": "duplicate"}
    assert [row["reference"] for row in read.statements] == ["x.ndjson#2", "x.ndjson#3"]


def test_threads_change_nothing(tmp_path: Path) -> None:
    made = [patient(str(n)) for n in range(50)]
    for n in range(3000):
        made.append(observation(f"o{n}", f"Patient/{n % 50}", valueInteger=n))
    for kind in ("Patient", "Observation"):
        write_lines(tmp_path / f"{kind}.ndjson", *(r for r in made if r["resourceType"] == kind))
    one, four = World(tmp_path, threads=1), World(tmp_path, threads=4)
    assert one.rows("source_rows") == four.rows("source_rows")
    assert one.rows("statements") == four.rows("statements")
    assert [row["line"] for row in one.rows("source_rows") if row["source_type"] == "Observation"] == list(
        range(1, 3001)
    )


@pytest.mark.parametrize("bulk", ["bulk", "bulk_gz"])
def test_the_shipped_fixture_as_bundles_and_as_bulk_export(tmp_path: Path, bulk: str) -> None:
    """Two persons in the form Synthea writes (transaction, urn:uuid) and the same as a bulk export."""
    assert sorted(path.name for path in (DATA / "bundles").iterdir())
    for path in (DATA / "bulk").iterdir():
        name = f"{path.name}.gz" if bulk == "bulk_gz" else path.name
        write_lines(tmp_path / name, *path.read_text(encoding="utf-8").splitlines())
    bundles, exported = World(DATA / "bundles"), World(tmp_path)
    assert len(bundles.statements) > 20
    assert bundles.rejected == []
    assert bundles.comparable() == exported.comparable()


def test_every_kind_of_statement_is_in_the_shipped_fixture() -> None:
    kinds = {row["kind"] for row in World(DATA / "bundles").statements}
    assert kinds == {
        "observation",
        "condition",
        "drug",
        "procedure",
        "instrument",
        "allergy",
        "immunization",
        "family_history",
        "encounter",
    }
