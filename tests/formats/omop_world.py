"""Tiny CDMs written by hand: tables as lists of rows, in every form that the reader takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

Row = dict[str, Any]
Cdm = dict[str, list[Row]]

SLE, ANA, PLATELETS, DSDNA = 257628, 3002971, 3024929, 3012718  # concepts: 55464009, 5048-4, 777-3, 31348-6
POSITIVE, NO, LESS, BILLION_PER_LITER = 9191, 4188540, 4171756, 9444
DAY = "2024-03-01"


def person(number: int = 1, **more: Any) -> Row:
    return {"person_id": number, "gender_concept_id": 8532, "year_of_birth": 1980, "month_of_birth": 5,
            "day_of_birth": 6, "birth_datetime": None, "person_source_value": f"synthetic-{number}",
            "gender_source_value": "F"} | more  # fmt: skip


def condition(number: int, concept: int = SLE, **more: Any) -> Row:
    return {"condition_occurrence_id": number, "person_id": 1, "condition_concept_id": concept,
            "condition_start_date": DAY, "condition_type_concept_id": 32817, "condition_source_value": None,
            "condition_source_concept_id": 0, "visit_occurrence_id": None} | more  # fmt: skip


def measurement(number: int, concept: int = PLATELETS, **more: Any) -> Row:
    return {"measurement_id": number, "person_id": 1, "measurement_concept_id": concept, "measurement_date": DAY,
            "measurement_type_concept_id": 32856, "operator_concept_id": None, "value_as_number": None,
            "value_as_concept_id": None, "unit_concept_id": None, "range_low": None, "range_high": None,
            "measurement_source_value": None, "measurement_source_concept_id": None, "unit_source_value": None,
            "value_source_value": None} | more  # fmt: skip


def observation(number: int, concept: int = 0, **more: Any) -> Row:
    return {"observation_id": number, "person_id": 1, "observation_concept_id": concept, "observation_date": DAY,
            "observation_type_concept_id": 32817, "value_as_number": None, "value_as_string": None,
            "value_as_concept_id": None, "observation_source_value": None,
            "observation_source_concept_id": None, "observation_event_id": None} | more  # fmt: skip


def drug(number: int, concept: int, **more: Any) -> Row:
    return {"drug_exposure_id": number, "person_id": 1, "drug_concept_id": concept, "drug_exposure_start_date": DAY,
            "drug_exposure_end_date": "2024-06-01", "drug_type_concept_id": 32838, "drug_source_value": None,
            "drug_source_concept_id": None, "sig": None} | more  # fmt: skip


def concept(number: int, vocabulary: str, code: str, name: str) -> Row:
    return {"concept_id": number, "vocabulary_id": vocabulary, "concept_code": code, "concept_name": name}


def parquet(folder: Path, cdm: Cdm) -> Path:
    """One Parquet file per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in cdm.items():
        pa.parquet.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


def csv(folder: Path, cdm: Cdm, upper: bool = False, in_folders: bool = False) -> Path:
    """One CSV file per table, or one folder; with capitals, as some databases export."""
    for name, rows in cdm.items():
        table = pa.Table.from_pylist(rows)
        table = table.rename_columns([c.upper() for c in table.column_names]) if upper else table
        stem = name.upper() if upper else name
        target = folder / stem / "part-0.csv" if in_folders else folder / f"{stem}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        pa.csv.write_csv(table, target)
    return folder


def database(file: Path, cdm: Cdm, schema: str = "cdm") -> Path:
    """A DuckDB file."""
    with duckdb.connect(str(file)) as con:
        con.execute(f"create schema if not exists {schema}")
        for name, rows in cdm.items():
            con.register("incoming", pa.Table.from_pylist(rows))
            con.execute(f"create table {schema}.{name} as from incoming")
    return file
