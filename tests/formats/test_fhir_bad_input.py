"""Bad input is never lost unsaid: a clear InputError, or a rejected row with place and what to do; no traceback."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from fhir_world import World, bundle, concept, observation, patient, resource, world, write_json, write_lines

from tellapart.errors import InputError
from tellapart.events.readers import fhir

BAD_LINES = ["{not json", '{"resourceType": "Observation", "id": "cut', "5", '"text"', "[1, 2]", "null"]


@pytest.mark.parametrize("bad", BAD_LINES)
@pytest.mark.parametrize("name", ["x.ndjson", "x.ndjson.gz"])
def test_a_bad_line_harms_only_itself(tmp_path: Path, bad: str, name: str) -> None:
    read = World(write_lines(tmp_path / name, patient(), "", bad, "   ", observation(valueInteger=1)))
    assert read.statement["value"] == "1"
    (row,) = read.rejected
    assert (row["file"], row["line"]) == (name, 3)
    assert row["reason"] and row["what_to_do"]
    assert sorted(map(str, read.classes.values())) == ["None", "rejected", "used"]


def test_a_bad_first_line(tmp_path: Path) -> None:
    read = World(write_lines(tmp_path / "x.ndjson", "{oops", patient()))
    assert (read.persons, [row["line"] for row in read.rejected]) == (["1"], [1])


@pytest.mark.parametrize("where", ["line", "entry", "file"])
def test_a_row_without_resource_type_is_rejected(tmp_path: Path, where: str) -> None:
    row = {"id": "1", "status": "final"}
    if where == "line":
        read = World(write_lines(tmp_path / "x.ndjson", patient(), row))
    elif where == "entry":
        read = world(tmp_path, patient(), row)
    else:
        write_json(tmp_path / "a.json", patient())
        write_json(tmp_path / "b.json", row)
        read = World(tmp_path)
    (rejected,) = read.rejected
    assert rejected["field"] == "resourceType"
    assert rejected["line"] == (1 if where == "file" else 2)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "5048-4"}, "code"),
        ({"code": {"coding": {"code": "x"}}}, "code.coding"),
        ({"code": {"coding": ["x"]}}, "code.coding"),
        ({"category": concept("laboratory")}, "category"),
        ({"subject": "Patient/1"}, "subject"),
        ({"component": [{"code": concept("1"), "valueQuantity": 5}]}, "component.valueQuantity"),
    ],
)
@pytest.mark.parametrize("form", ["bundle", "lines", "mixed"])
def test_a_field_of_another_shape_is_rejected_by_name(
    tmp_path: Path, wrong: dict[str, Any], field: str, form: str
) -> None:
    made = [observation("good"), observation("bad") | wrong]
    if form == "bundle":
        read = world(tmp_path, patient(), *made)
    elif form == "mixed":
        read = World(write_lines(tmp_path / "x.ndjson", patient(), *made))
    else:
        write_lines(tmp_path / "p.ndjson", patient())
        write_lines(tmp_path / "o.ndjson", *made)
        read = World(tmp_path)
    assert read.statement["reference"] == "Observation/good"
    (row,) = read.rejected
    assert (row["reference"], row["field"]) == ("Observation/bad", field)


def test_text_in_number_fields_negative_counts_and_impossible_dates_go_on_as_text(tmp_path: Path) -> None:
    rows = world(
        tmp_path,
        patient(),
        observation("a", valueQuantity={"value": "many"}, effectiveDateTime="0000-00-00"),
        observation("b", valueQuantity={"value": -3}, effectiveDateTime="2999-01-01"),
        observation("c", valueQuantity={"value": 3}),
    ).statements
    assert [(r["value"], r["unit"], r["date"]) for r in rows] == [
        ("many", None, "0000-00-00"),
        ("-3", None, "2999-01-01"),
        ("3", None, "2021-03-04"),
    ]


def test_byte_order_mark_blank_lines_and_crlf(tmp_path: Path) -> None:
    lines = [json.dumps(patient()).encode(), b"", json.dumps(observation()).encode(), b" ", b""]
    (tmp_path / "x.ndjson").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    read = World(tmp_path)
    assert (read.rejected, read.classes) == ([], {"Patient/1": "used", "Observation/o": None})
    document = tmp_path / "x.json"
    document.write_bytes(b"\xef\xbb\xbf" + json.dumps(bundle(patient())).encode())
    assert World(document).persons == ["1"]


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    read = World(
        write_lines(tmp_path / "x.ndjson", patient(), b'{"resourceType": "Patient", "id": "\xe4"}', patient("2"))
    )
    assert read.persons == ["1", "2"]
    assert [row["line"] for row in read.rejected] == [2]
    assert "UTF-8" in read.rejected[0]["reason"]


@pytest.mark.parametrize(("text", "value"), [("\\u0000", "\0"), ("\\u00e4 \\ud83d\\ude00", "ä 😀"), ("\\ud800", None)])
def test_odd_characters(tmp_path: Path, text: str, value: str | None) -> None:
    """Half a surrogate pair is not text: its line is rejected, or the document it stands in."""
    line = json.dumps(observation(valueString="TEXT")).replace("TEXT", text)
    read = World(write_lines(tmp_path / "x.ndjson", patient(), line))
    assert [row["value"] for row in read.statements] == ([] if value is None else [value])
    assert len(read.rejected) == (1 if value is None else 0)
    document = tmp_path / "y.json"
    document.write_text(json.dumps(bundle(patient(), observation(valueString="TEXT"))).replace("TEXT", text))
    if value is None:
        with pytest.raises(InputError, match="surrogate"):
            World(document)
    else:
        assert World(document).statement["value"] == value


@pytest.mark.parametrize("keep", [0.5, 0.9, -4])
@pytest.mark.parametrize("count", [20, 400])
def test_truncated_gzip_gives_what_could_be_read(tmp_path: Path, keep: float, count: int) -> None:
    made = [patient(str(number), note=os.urandom(300).hex()) for number in range(count)]
    path = write_lines(tmp_path / "x.ndjson.gz", *made)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)] if keep > 0 else content[: int(keep)])
    read = World(path)
    assert 0 < len(read.persons) <= count
    assert any("cut off" in row["reason"] and row["file"] == "x.ndjson.gz" for row in read.rejected)


@pytest.mark.parametrize("name", ["x.ndjson.gz", "x.json.gz"])
def test_gzip_of_which_nothing_can_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(bundle(patient())).encode())[:14])
    with pytest.raises(InputError, match=rf"{name}.*cut off"):
        World(tmp_path / name)
    (tmp_path / name).write_bytes(b"this is no gzip")
    with pytest.raises(InputError, match=name):
        World(tmp_path / name)


@pytest.mark.parametrize(
    "content", ["hello", "{", '{"resourceType": "Bundle", "entry": [', "<Patient/>", '{"a": 1}', "[]", ""]
)
@pytest.mark.parametrize("name", ["x.json", "x.ndjson"])
def test_no_fhir_at_all(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name):
        World(tmp_path / name)


def test_an_unreadable_file_in_a_folder_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", bundle(patient()))
    (tmp_path / "b.json").write_text('{"resourceType": "Bundle", "entry": [')
    (tmp_path / "c.ndjson.gz").write_bytes(b"no gzip")
    (tmp_path / "d.ndjson").write_text("")
    read = World(tmp_path)
    assert read.persons == ["1"]
    assert [row["file"] for row in read.rejected] == ["b.json", "c.ndjson.gz"]
    assert sorted(read.classes.values(), key=str) == ["rejected", "rejected", "used"]


def test_empty_folder_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no FHIR file"):
        World(tmp_path)
    with pytest.raises(InputError, match="no such"):
        World(tmp_path / "nowhere")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_lines(tmp_path / "x.ndjson", patient())

    def refuse(self: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(fhir._File, "open", refuse)
    with pytest.raises(InputError, match=r"x\.ndjson.*permission"):
        World(path)


def test_a_line_that_is_too_long_is_rejected_and_the_rest_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "LINE_LIMIT", 2000)
    monkeypatch.setattr(fhir, "OBJECT_SIZE", 1000)
    long = observation("long", note=[{"text": "x" * 3_000_000}])
    path = write_lines(tmp_path / "x.ndjson", patient(), long, observation("short"))
    read = World(path)
    assert read.statement["reference"] == "Observation/short"
    assert [(row["line"], "longer than" in row["reason"]) for row in read.rejected] == [(2, True)]


def test_a_document_that_is_too_long_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "DOCUMENT_LIMIT", 100)
    with pytest.raises(InputError, match="NDJSON"):
        world(tmp_path, patient(), observation())


def test_a_resource_of_20_mb_is_read(tmp_path: Path) -> None:
    large = observation(valueString="1:320", contained=[{"text": "x" * 20_000_000}])
    assert World(write_lines(tmp_path / "x.ndjson", patient(), large)).statement["value"] == "1:320"
    write_lines(tmp_path / "o.ndjson", large)
    write_lines(tmp_path / "x.ndjson", patient())
    assert World(tmp_path).statement["value"] == "1:320"


@pytest.mark.slow
def test_200_mb_on_one_line(tmp_path: Path) -> None:
    long = b'{"resourceType": "Observation", "id": "o", "valueString": "' + b"x" * 200_000_000 + b'"}'
    read = World(write_lines(tmp_path / "x.ndjson", patient(), long, patient("2")))
    assert read.persons == ["1", "2"]
    assert [(row["line"], row["reason"]) for row in read.rejected] == [(2, "The line is longer than 64 MiB.")]
    (tmp_path / "y.json").write_bytes(long)
    with pytest.raises(InputError, match=r"y\.json.*longer than"):
        World(tmp_path / "y.json")


def test_unknown_resources_and_a_patient_without_id(tmp_path: Path) -> None:
    read = World(
        write_lines(tmp_path / "x.ndjson", patient(), {"resourceType": "Fancy", "id": "f"}, patient() | {"id": None})
    )
    assert read.persons == ["1"]
    assert read.classes == {"Patient/1": "used", "Fancy/f": "unmapped", "x.ndjson#3": "rejected"}
    assert [row["field"] for row in read.rejected] == ["id"]


def test_an_entry_that_is_no_list(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", patient())
    write_json(tmp_path / "b.json", {"resourceType": "Bundle", "entry": {"resource": patient("2")}})
    read = World(tmp_path)
    assert read.persons == ["1"]
    assert [(row["file"], row["field"]) for row in read.rejected] == [("b.json", "entry")]


def test_every_source_row_is_counted_once_and_every_rejected_row_has_its_reason(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "x.ndjson",
        patient(),
        patient(),
        observation(),
        observation("nobody", "Patient/9"),
        "{bad",
        "",
        observation("wrong") | {"code": "x"},
        resource("Claim", "c"),
        {"id": "untyped"},
        observation(None),
        observation("gone", status="entered-in-error"),
    )
    write_json(tmp_path / "y.json", bundle(patient(), observation("other")))
    read = World(tmp_path)
    rows = read.rows("source_rows")
    assert len(rows) == 12
    assert len({row["row_no"] for row in rows}) == 12
    refused = {row["row_no"] for row in rows if row["class"] == "rejected"}
    assert refused == {row["row_no"] for row in read.rejected}
    assert all(row["reason"] and row["what_to_do"] and row["file"] for row in read.rejected)
    assert {row["row_no"] for row in read.statements} <= {
        row["row_no"] for row in rows if row["class"] in (None, "withdrawn")
    }
