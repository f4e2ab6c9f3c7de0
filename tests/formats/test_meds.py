"""Reading MEDS 0.4: codes with their vocabulary in the ways they are written, parents, persons, values, and what is no MEDS."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort import Json, everybody, states
from shell import run_cli
from test_omop import accounts, rejected

from tellapart.events.detect import detect

LATE = date(2026, 1, 1)
DAY = datetime(2024, 3, 1, 10)
SCHEMA = pa.schema([("subject_id", pa.int64()), ("time", pa.timestamp("us")), ("code", pa.string()),
                    ("numeric_value", pa.float32()), ("text_value", pa.large_string())])  # fmt: skip


def event(
    code: str, number: float | None = None, text: str | None = None, time: datetime | None = DAY, subject: int = 1
) -> Json:
    return {"subject_id": subject, "time": time, "code": code, "numeric_value": number, "text_value": text}


ABOUT = [event("MEDS_BIRTH", time=datetime(1980, 5, 6)), event("GENDER//F", time=None)]


def dataset(
    folder: Path, *events: Json, parents: dict[str, list[str]] | None = None, about: Any = None, **more: pa.DataType
) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "metadata").mkdir()
    schema = SCHEMA
    for name, kind in more.items():
        schema = schema.append(pa.field(name, kind))
    pq.write_table(pa.Table.from_pylist(list(events), schema=schema), folder / "data" / "0.parquet")
    rows = [{"code": c, "description": f"about {c}", "parent_codes": p} for c, p in (parents or {}).items()]
    codes = pa.schema([("code", pa.string()), ("description", pa.string()), ("parent_codes", pa.list_(pa.string()))])
    pq.write_table(pa.Table.from_pylist(rows, schema=codes), folder / "metadata" / "codes.parquet")
    if about is not None:
        (folder / "metadata" / "dataset.json").write_text(json.dumps(about))
    return folder


def one(folder: Path) -> Json:
    (document,) = everybody(folder, LATE).values()
    return document


def known(folder: Path, *events: Json, **more: Any) -> dict[str, str]:
    return states(one(dataset(folder, *ABOUT, *events, **more)))


@pytest.mark.parametrize(
    ("given", "finding", "state"),
    [
        (event("ICD10CM/M32.9"), "sle_dx", "present"),
        (event("ICD10CM//M32.9"), "sle_dx", "present"),
        (event("DIAGNOSIS//ICD//10//M329"), "sle_dx", "present"),
        (event("DIAGNOSIS//ICD//9//7100"), "sle_dx", "present"),
        (event("PROCEDURE//ICD//10//M329"), "sle_dx", None),
        (event("SNOMED/55464009"), "sle_dx", "present"),
        (event("SNOMED/55464009", text="No"), "sle_dx", "absent"),
        (event("LOINC//5048-4", text="1:320"), "ana_ge_320", "present"),
        (event("LOINC//5048-4", 1.0, "1:320"), "ana_ge_320", "present"),
        (event("LOINC//31348-6", text="Negative"), "anti_dsdna", "absent"),
        (event("LOINC//777-3//10*9/L", 60.0), "thrombocytopenia", "present"),
        (event("LOINC//777-3//10*9/L", 100.0, "<100"), "thrombocytopenia", "present"),
        (event("LOINC//777-3", 60.0), "thrombocytopenia", None),
        (event("ICD10CM/M32.9", time=None), "sle_dx", "present"),
    ],
)  # fmt: skip
def test_codes_and_values(given: Json, finding: str, state: str | None, tmp_path: Path) -> None:
    assert known(tmp_path / "m", given).get(finding) == state


def test_parents_of_a_code_count(tmp_path: Path) -> None:
    parents = {"LAB//50912//10*9/L": ["LOINC/777-3"]}
    document = one(dataset(tmp_path / "m", *ABOUT, event("LAB//50912//10*9/L", 60.0), event("LAB//1"), parents=parents))
    (found,) = [f for f in document["findings"] if f["finding"] == "thrombocytopenia"]
    assert (
        found["evidence"][0]["reference"] == "data/0.parquet#3" and "about LAB//50912" in found["evidence"][0]["text"]
    )
    assert document["person"]["sex"] == "female" and document["person"]["birth_date"] == "1980-05-06"
    assert accounts() == {"meds": {"used": 3, "unmapped": 1}}


def test_columns_beyond_meds(tmp_path: Path) -> None:
    given = event("LOINC//777-3", 60.0) | {"unit": "10*9/L", "known_time": datetime(2024, 6, 1)}
    folder = dataset(tmp_path / "m", *ABOUT, given, unit=pa.string(), known_time=pa.timestamp("us"))
    assert states(one(folder))["thrombocytopenia"] == "present"
    assert "thrombocytopenia" not in states(everybody(folder, date(2024, 5, 1))["1"])


def test_several_shards_and_a_subject_of_whom_nothing_is_known(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "m", *ABOUT, event("ICD10CM/M32.9"), about={"dataset_name": "Synthetic one"})
    (folder / "data" / "more").mkdir()
    later = [event("ICD10CM/M79.7", subject=2), event("MEDS_DEATH", subject=2, time=datetime(2024, 9, 1))]
    pq.write_table(pa.Table.from_pylist(later, schema=SCHEMA), folder / "data" / "more" / "1.parquet")
    documents = everybody(folder, LATE)
    assert set(documents) == {"synthetic-1", "synthetic-2"}
    assert states(documents["synthetic-2"])["fm_dx"] == "present"
    assert documents["synthetic-2"]["person"]["sex"] == "unknown"


def test_a_form_is_read_item_by_item(tmp_path: Path) -> None:
    answers = {"fatigue": 3, "waking_unrefreshed": 3, "cognitive": 2, "headache": 1, "months": 12, "site.neck": 1}
    events = [event(f"instrument//fm_2016.{item}", float(a)) for item, a in answers.items()]
    document = one(dataset(tmp_path / "m", *ABOUT, *events))
    assert [i["date"] for i in document["instruments"] if i["instrument"] == "fm_2016"] == ["2024-03-01"]


def test_an_impossible_row_is_rejected_by_name(tmp_path: Path) -> None:
    assert "thrombocytopenia" not in known(tmp_path / "m", event("LOINC//777-3", 60.0))
    (row,) = rejected()
    assert row["reference"] == "data/0.parquet#3" and "no unit" in row["reason"]


def test_what_is_meds_and_what_is_not(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "m", *ABOUT)
    assert detect(folder)[0] == detect(folder / "data")[0] == detect(folder / "data" / "0.parquet")[0] == "meds"
    pq.write_table(pa.table({"subject": [1], "code": ["x"]}), tmp_path / "other.parquet")
    assert detect(tmp_path / "other.parquet")[0] == "csv"
    done = run_cli("audit", tmp_path / "other.parquet", "--format", "meds", "--out", tmp_path / "out")
    assert done.code == 1 and "no column subject_id, time" in done.said
    (folder / "data" / "0.parquet").write_bytes(b"PAR1 cut off")
    done = run_cli("audit", folder, "--out", tmp_path / "out")
    assert done.code == 1 and "0.parquet: cannot be read" in done.said
