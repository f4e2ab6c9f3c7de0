"""Rows as plain tables of text (`of_batch`), and those as CSV with a map: the same facts as in FHIR.

A denied complaint has the status refuted, an entry made in error says so, a form is one row per answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from tellapart.simulate.fhir import days, person_ids
from tellapart.simulate.model import Model
from tellapart.simulate.rows import Rows

FOLDER = "csv"
MAP = """# What the tables of this folder are: nobody in them is real.
schema = "tellapart.map/1"

[[table]]
file = "patients.csv"
rows = "persons"
columns = { person = "patient", sex = "gender", birth_date = "born" }

[[table]]
file = "diagnoses.csv"
rows = "condition"
columns = { person = "patient", system = "system", code = "code", display = "name", date = "onset", known_date = "recorded", status = "status", by = "told_by" }

[[table]]
file = "results.csv"
rows = "observation"
columns = { person = "patient", system = "system", code = "code", display = "name", date = "taken", known_date = "recorded", value = "result", unit = "unit", low = "from", high = "to", by = "told_by" }

[[table]]
file = "prescriptions.csv"
rows = "drug"
columns = { person = "patient", system = "system", code = "code", display = "name", date = "day", text = "directions" }
fixed = { by = "clinician" }

[[table]]
file = "visits.csv"
rows = "encounter"
columns = { person = "patient", system = "system", code = "code", display = "name", date = "day" }
fixed = { by = "clinician" }

[[table]]
file = "answers.csv"
rows = "instrument"
columns = { person = "patient", code = "item", value = "answer", date = "day", group_key = "form" }
fixed = { system = "instrument", by = "patient" }
"""


def of_batch(rows: Rows, model: Model, first_form: int) -> dict[str, pa.Table]:
    """The tables of `MAP`, every cell as text.

    Args:
        first_form: number of the first form of this batch.
    """
    ids = person_ids(rows.people)
    systems, codes, names = (pa.array(column) for column in zip(*rows.codes.rows, strict=True))

    def coded(table: pa.Table, **more: Any) -> pa.Table:
        code = table["code"].combine_chunks()
        return pa.table(
            {"patient": ids.take(table["person"].combine_chunks()), "system": systems.take(code), "code": codes.take(code),
             "name": names.take(code)} | more
        )  # fmt: skip

    who, c, r, d, v = rows.people, rows.conditions, rows.results, rows.drugs, rows.visits
    onset = days(c["day"].to_numpy())
    word, unit = r["word"].to_numpy(), r["unit"].to_numpy()
    worded = pa.array([*rows.words, None], pa.string()).take(pa.array(np.where(word < 0, len(rows.words), word)))
    return {
        "patients": pa.table(
            {"patient": ids, "gender": pa.array(np.where(who.female, "female", "male")), "born": days(who.birth)}
        ),
        "diagnoses": coded(
            c, onset=pc.if_else(pa.array(c["month"].to_numpy()), pc.utf8_slice_codeunits(onset, 0, 7), onset),
            recorded=days(c["known_day"].to_numpy()),
            status=pa.array(np.where(c["in_error"], "entered-in-error", np.where(c["refuted"], "refuted", "confirmed"))),
            told_by=pa.array(np.where(c["told"], "patient", "clinician")),
        ),
        "results": coded(
            r, taken=days(r["day"].to_numpy()), recorded=days(r["known_day"].to_numpy()),
            result=pc.coalesce(worded, _number(np.where(word >= 0, np.nan, r["shown"].to_numpy()))),
            unit=pa.array([*rows.units, None], pa.string()).take(pa.array(np.where(unit < 0, len(rows.units), unit))),
            **{"from": _number(r["low"].to_numpy()), "to": _number(r["high"].to_numpy())},
            told_by=pa.array(np.where(r["exam"], "clinician", "measured")),
        ),
        "prescriptions": coded(
            d, day=days(d["day"].to_numpy()), directions=pa.array([f"{dose:g} mg" for dose in d["dose"].to_numpy()])
        ),
        "visits": coded(v, day=days(v["day"].to_numpy())),
        "answers": _answers(rows, model, ids, first_form),
    }  # fmt: skip


def _answers(rows: Rows, model: Model, ids: pa.Array, first_form: int) -> pa.Table:
    t = rows.forms
    form, item, answer = rows.answers([r["site"] for r in model.knowledge["pain_sites"] if r["wpi"] == "yes"])
    return pa.table(
        {"patient": ids.take(pa.array(t["person"].to_numpy()[form])), "form": pc.cast(pa.array(first_form + form), pa.string()),
         "day": days(t["day"].to_numpy()[form]), "item": item, "answer": pc.cast(pa.array(answer), pa.string())}
    )  # fmt: skip


def _number(values: np.ndarray[Any, Any]) -> pa.Array:
    """Numbers as text; NaN is NULL."""
    return pc.cast(pa.array(values, mask=np.isnan(values)), pa.string())


class Writer:
    """Writes batches into `<folder>/csv`, with their map."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model, self.folder, self.forms = model, folder / FOLDER, 1
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tellapart-map.toml").write_text(MAP, encoding="utf-8")
        self.open: dict[str, csv.CSVWriter] = {}

    def write(self, rows: Rows) -> None:
        """Append one batch."""
        for name, table in of_batch(rows, self.model, self.forms).items():
            if name not in self.open:
                self.open[name] = csv.CSVWriter(str(self.folder / f"{name}.csv"), table.schema)
            self.open[name].write_table(table)
        self.forms += len(rows.forms)

    def close(self) -> None:
        for writer in self.open.values():
            writer.close()
