"""The format of a source is told from what is in it, with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir_world import bundle, observation, patient, write_json, write_lines

from tellapart.errors import InputError
from tellapart.events.address import source_of
from tellapart.events.detect import detect

CASE = {"schema": "tellapart.case/1", "person": {"id": "x"}, "findings": []}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("b.json", json.dumps(bundle(patient())), "fhir"),
        ("b.json", json.dumps(bundle(patient()), indent=2), "fhir"),
        ("b.ndjson", json.dumps(patient()), "fhir"),
        ("p.txt", json.dumps(patient()), "fhir"),
        ("bad.ndjson", "{oops", "fhir"),
        ("c.json", json.dumps(CASE), "case"),
        ("c.json", '{"person": {"id": "x"}, "findings": []}', "case"),
        ("c.toml", 'schema = "tellapart.case/1"\n', "case"),
        ("c.toml", "[person]\n", "case"),
        ("t.csv", "a,b\n", "csv"),
        ("omop.duckdb", "", "omop"),
        ("events.parquet", "", "csv"),
    ],
)
def test_files(tmp_path: Path, name: str, content: str, expected: str) -> None:
    (tmp_path / name).write_text(content)
    form, why = detect(tmp_path / name)
    assert form == expected
    assert name in why
    if not name.endswith(".txt"):
        assert detect(tmp_path)[0] == expected


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    write_lines(tmp_path / "z" / "Patient.ndjson.gz", patient())
    (tmp_path / "README.md").write_text("words")
    assert detect(tmp_path) == ("fhir", "z/Patient.ndjson.gz holds the FHIR resource Patient")
    meds = tmp_path / "meds"
    (meds / "metadata").mkdir(parents=True)
    (meds / "metadata" / "codes.parquet").touch()
    assert detect(meds)[0] == "meds"
    omop = tmp_path / "omop"
    omop.mkdir()
    for table in ("person", "measurement", "condition_occurrence"):
        (omop / f"{table}.csv").touch()
    assert detect(omop) == ("omop", "the folder holds the OMOP tables condition_occurrence, measurement, person")
    assert detect(source_of("postgresql://server/db"))[0] == "omop"


def test_a_damaged_file_does_not_hide_the_format_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(b"no gzip")
    (tmp_path / "b.json").write_text("hello")
    write_json(tmp_path / "c.json", observation())
    assert detect(tmp_path)[0] == "fhir"


@pytest.mark.parametrize(
    ("name", "content"), [("x.json", "hello"), ("x.json", ""), ("x.bin", "?"), ("x.json", '{"a": 1}')]
)
def test_unknown_formats_are_said_so(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        detect(tmp_path / name)
    with pytest.raises(InputError):
        detect(tmp_path)


def test_no_such_path_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        detect(tmp_path / "nowhere")
    with pytest.raises(InputError, match="empty"):
        detect(tmp_path)
