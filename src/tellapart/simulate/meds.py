"""Rows as MEDS 0.4: one Parquet shard per batch, codes with their vocabulary, and the columns that the reader knows beyond MEDS.

A denied complaint is its code with the answer No, an entry made in error is not there.
https://github.com/Medical-Event-Data-Standard/meds
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tellapart import __version__
from tellapart.simulate.model import Model
from tellapart.simulate.omop import VOCABULARIES
from tellapart.simulate.rows import Rows
from tellapart.simulate.tables import of_batch

FOLDER = "meds"
ABOUT = {
    "dataset_name": "synthetic persons of tellapart simulate: nobody in it is real", "etl_name": "tellapart simulate",
    "etl_version": __version__, "meds_version": "0.4.0",
}  # fmt: skip
TIME = pa.timestamp("us")
SCHEMA = pa.schema(
    [("subject_id", pa.int64()), ("time", TIME), ("code", pa.string()), ("numeric_value", pa.float32()),
     ("text_value", pa.large_string()), ("unit", pa.string()), ("range_low", pa.float32()), ("range_high", pa.float32()),
     ("known_time", TIME), ("by", pa.string())]
)  # fmt: skip


class Writer:
    """Writes batches into `<folder>/meds`."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model, self.folder, self.shards = model, folder / FOLDER, 0
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "metadata").mkdir(exist_ok=True)
        (self.folder / "metadata" / "dataset.json").write_text(json.dumps(ABOUT, indent=2), encoding="utf-8")
        self.codes: dict[str, str] = {}

    def write(self, rows: Rows) -> None:
        """Write one batch as a shard, by subject and time."""
        tables = of_batch(rows, self.model, 1)
        who, diagnoses, results = tables["patients"], tables["diagnoses"], tables["results"]
        diagnoses = diagnoses.filter(pc.not_equal(diagnoses["status"], "entered-in-error"))
        number = pc.match_substring_regex(results["result"], r"^-?[0-9.]+(e-?[0-9]+)?$")
        no = pc.if_else(pc.equal(diagnoses["status"], "refuted"), "No", pa.scalar(None, pa.string()))
        for system, code, name in rows.codes.rows:
            self.codes[f"{VOCABULARIES[system]}//{code}"] = name
        parts = [
            _events(who["patient"], "MEDS_BIRTH", who["born"]),
            _events(who["patient"], pc.binary_join_element_wise("GENDER", pc.utf8_upper(who["gender"]), "//")),
            _events(diagnoses["patient"], _code(diagnoses), diagnoses["onset"], text_value=no, known_time=diagnoses["recorded"],
                    by=diagnoses["told_by"]),
            _events(results["patient"], _code(results), results["taken"],
                    numeric_value=pc.if_else(number, results["result"], None),
                    text_value=pc.if_else(number, None, results["result"]), unit=results["unit"], range_low=results["from"],
                    range_high=results["to"], known_time=results["recorded"], by=results["told_by"]),
            *(_events(t["patient"], _code(t), t["day"], text_value=text)
              for t, text in ((tables["prescriptions"], tables["prescriptions"]["directions"]), (tables["visits"], None))),
            _events(tables["answers"]["patient"], pc.binary_join_element_wise("instrument", tables["answers"]["item"], "//"),
                    tables["answers"]["day"], numeric_value=tables["answers"]["answer"], by="patient"),
        ]  # fmt: skip
        table = pa.concat_tables(parts).sort_by([("subject_id", "ascending"), ("time", "ascending")])
        pq.write_table(table, self.folder / "data" / f"{self.shards}.parquet")
        self.shards += 1

    def close(self) -> None:
        names = sorted(self.codes)
        none = pa.nulls(len(names), pa.list_(pa.string()))
        described = pa.array([self.codes[n] for n in names], pa.string())
        table = pa.table({"code": pa.array(names, pa.string()), "description": described, "parent_codes": none})
        pq.write_table(table, self.folder / "metadata" / "codes.parquet")


def _code(table: pa.Table) -> pa.Array:
    vocabulary = table["system"]
    for system, name in VOCABULARIES.items():
        vocabulary = pc.if_else(pc.equal(vocabulary, system), name, vocabulary)
    return pc.binary_join_element_wise(vocabulary, table["code"], "//")


def _events(
    patient: pa.ChunkedArray, code: pa.Array | str, day: pa.Array | None = None, **more: pa.Array | str | None
) -> pa.Table:
    """Rows of `SCHEMA`; columns that are not given are NULL. A day without its day of the month is the first."""

    def column(name: str, kind: pa.DataType) -> pa.Array:
        given = {"code": code, **more}.get(name)
        if isinstance(given, str):
            given = pa.array(np.full(len(patient), given))
        if name == "subject_id":
            return pc.cast(pc.utf8_slice_codeunits(patient, len("synthetic-")), kind)
        if name == "time":
            given = day
        if given is None:
            return pa.nulls(len(patient), kind)
        if kind == TIME:
            whole = pc.if_else(pc.equal(pc.utf8_length(given), 7), pc.binary_join_element_wise(given, "01", "-"), given)
            return pc.cast(pc.cast(whole, pa.date32()), kind)
        return pc.cast(given, kind)

    return pa.table([column(f.name, f.type) for f in SCHEMA], schema=SCHEMA)
