"""Rows as OMOP CDM 5.4 Parquet, one file per table, with a vocabulary of its own: the same facts as in FHIR.

What a CDM says in another way: a denied complaint is an observation whose value is "No", an entry made in error is not
there, a date given as a month is its first day, a form is one observation per answer, and a row is known from its visit.
Concepts without a shipped id have one above two billion, as local concepts do.
https://ohdsi.github.io/CommonDataModel/cdm54.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tellapart.simulate.fhir import person_ids
from tellapart.simulate.model import Floats, Ints, Model
from tellapart.simulate.rows import WORDS, Rows

FOLDER = "omop"
VOCABULARIES = {
    "snomed": "SNOMED", "loinc": "LOINC", "icd10cm": "ICD10CM", "rxnorm": "RxNorm", "finding": "tellapart",
}  # fmt: skip
STANDARD = ("snomed", "loinc", "rxnorm")  # vocabularies whose concepts stand for themselves
LOCAL = 2_000_000_000
EHR = 32817  # vocabulary Type Concept
OUTPATIENT = 9202  # vocabulary Visit
RHEUMATOLOGIST = 1  # the one provider
DAYS = 100_000  # more days since 1970 than anybody lives; packs a person and a day into one number
OBSERVATION = {
    "person_id": pa.int64(), "observation_concept_id": pa.int64(), "observation_date": pa.date32(),
    "observation_type_concept_id": pa.int64(), "value_as_number": pa.float64(), "value_as_concept_id": pa.int64(),
    "visit_occurrence_id": pa.int64(), "observation_source_value": pa.string(),
    "observation_source_concept_id": pa.int64(), "observation_event_id": pa.int64(),
}  # fmt: skip


class Writer:
    """Writes batches into `<folder>/omop`."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self.folder = folder / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self.open: dict[str, pq.ParquetWriter] = {}
        self.made: dict[str, int] = {}
        shipped = model.knowledge["omop_concepts"]
        self.known = {(r["use"], r["system"], r["code"]): int(r["concept_id"]) for r in reversed(shipped)}
        self.by = {r["code"]: int(r["concept_id"]) for r in reversed(shipped) if r["use"] == "by"}
        self.codes: list[tuple[str, str, str]] = []

    def close(self) -> None:
        self._vocabulary()
        for writer in self.open.values():
            writer.close()

    def write(self, rows: Rows) -> None:
        """Append one batch."""
        self.first = rows.people.first_number
        self.codes = rows.codes.rows
        self.concepts = np.array([self._concept(n) for n in range(len(self.codes))], dtype=np.int64)
        self.standard = np.array([c[0] in STANDARD for c in self.codes], dtype=bool)
        self.code_texts = pa.array([code for _, code, _ in self.codes])
        self._people(rows)
        self._visits(rows)
        self._conditions(rows)
        self._results(rows)
        self._drugs(rows)
        self._forms(rows)

    def _concept(self, number: int) -> int:
        system, code, _ = self.codes[number]
        return self.known.get(("code", system, code), LOCAL + number + 1)

    def _append(self, name: str, **columns: Any) -> None:
        """Append rows to a table; its id is counted on."""
        table = pa.table(columns)
        start = self.made.get(name, 0) + 1
        self.made[name] = self.made.get(name, 0) + len(table)
        if name != "person":
            table = table.add_column(0, f"{name}_id", pa.array(np.arange(start, start + len(table))))
        if name not in self.open:
            self.open[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", table.schema)
        self.open[name].write_table(table)

    def _coded(self, stem: str, code: Ints) -> dict[str, Any]:
        """The standard concept, the source concept and the source value of codes."""
        concept = self.concepts[code]
        return {
            f"{stem}_concept_id": np.where(self.standard[code], concept, 0),
            f"{stem}_source_concept_id": concept,
            f"{stem}_source_value": self.code_texts.take(pa.array(code)),
        }

    def _person(self, person: Ints) -> Ints:
        return np.asarray(self.first + person, dtype=np.int64)

    def _people(self, rows: Rows) -> None:
        who = rows.people
        birth = who.birth.astype("datetime64[D]")
        years, months = birth.astype("datetime64[Y]"), birth.astype("datetime64[M]")
        everybody = np.arange(len(who.h))
        self._append(
            "person", person_id=self._person(everybody),
            gender_concept_id=np.where(who.female, self.known["sex", "", "female"], self.known["sex", "", "male"]),
            year_of_birth=years.astype(int) + 1970,
            month_of_birth=(months - years).astype(int) + 1,
            day_of_birth=(birth - months).astype(int) + 1,
            race_concept_id=np.zeros(len(birth), np.int64), ethnicity_concept_id=np.zeros(len(birth), np.int64),
            person_source_value=person_ids(who), gender_source_value=pa.array(np.where(who.female, "F", "M")),
        )  # fmt: skip
        self._append(
            "observation_period", person_id=self._person(everybody), observation_period_start_date=_date(who.first),
            observation_period_end_date=_date(np.full(len(birth), who.last_day)),
            period_type_concept_id=np.full(len(birth), EHR),
        )  # fmt: skip

    def _visits(self, rows: Rows) -> None:
        """A visit on every day on which something was written down, and those to a rheumatologist."""
        tables = (rows.conditions, rows.results)
        keys = np.unique(
            np.concatenate([_key(t, "known_day") for t in tables] + [_key(t, "day") for t in (rows.drugs, rows.forms)])
        )
        seen = _key(rows.visits, "day")
        self.visit_keys = keys
        self.first_visit = self.made.get("visit_occurrence", 0) + 1
        every = np.concatenate([keys, seen])
        provider = np.concatenate([np.zeros(len(keys), np.int64), np.full(len(seen), RHEUMATOLOGIST)])
        day = _date(every % DAYS)
        self._append(
            "visit_occurrence", person_id=self._person(every // DAYS), visit_concept_id=np.full(len(every), OUTPATIENT),
            visit_start_date=day, visit_end_date=day, visit_type_concept_id=np.full(len(every), EHR),
            provider_id=pa.array(provider, mask=provider == 0),
        )  # fmt: skip

    def _visit(self, table: pa.Table, day: str = "known_day") -> Ints:
        return np.asarray(self.first_visit + np.searchsorted(self.visit_keys, _key(table, day)))

    def _conditions(self, rows: Rows) -> None:
        t = rows.conditions
        t = t.filter(pa.array(~t["in_error"].to_numpy()))
        days = t["day"].to_numpy()
        starts = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(int)
        t = t.set_column(
            t.column_names.index("day"), "day", pa.array(np.where(t["month"], starts, days).astype(np.int32))
        )
        denied = t["refuted"].to_numpy()
        for no in (False, True):
            part = t.filter(pa.array(denied == no))
            told = part["told"].to_numpy()
            who = self._person(part["person"].to_numpy())
            date = _date(part["day"].to_numpy())
            if no:
                self._append(
                    "observation", **_observations(
                        person_id=who, **self._coded("observation", part["code"].to_numpy()), observation_date=date,
                        observation_type_concept_id=np.where(told, self.by["patient"], self.by["clinician"]),
                        value_as_concept_id=np.full(len(part), self.known["value", "", "No"]),
                        visit_occurrence_id=self._visit(part),
                    ),
                )  # fmt: skip
            else:
                self._append(
                    "condition_occurrence", person_id=who, **self._coded("condition", part["code"].to_numpy()),
                    condition_start_date=date, condition_type_concept_id=np.where(told, self.by["patient"], EHR),
                    visit_occurrence_id=self._visit(part),
                )  # fmt: skip

    def _results(self, rows: Rows) -> None:
        t = rows.results
        word, unit, shown = t["word"].to_numpy(), t["unit"].to_numpy(), t["shown"].to_numpy()
        meaning = {
            w: self.known["value", "", m] for pair in WORDS for w, m in zip(pair, ("Positive", "Negative"), strict=True)
        }
        concept = np.array([*(meaning.get(w, 0) for w in rows.words), 0])[word]
        units = np.array([*(self.known.get(("unit", "ucum", u), 0) for u in rows.units), 0])[unit]
        number = np.where(word >= 0, np.nan, shown)
        self._append(
            "measurement", person_id=self._person(t["person"].to_numpy()),
            **self._coded("measurement", t["code"].to_numpy()), measurement_date=_date(t["day"].to_numpy()),
            measurement_type_concept_id=np.where(t["exam"], self.by["clinician"], self.by["measured"]),
            value_as_number=_number(number), value_as_concept_id=concept, unit_concept_id=units,
            range_low=_number(t["low"].to_numpy()), range_high=_number(t["high"].to_numpy()),
            unit_source_value=pa.array([*rows.units, None], pa.string()).take(pa.array(np.where(unit < 0, len(rows.units), unit))),
            value_source_value=pa.array([*rows.words, None], pa.string()).take(pa.array(np.where(word < 0, len(rows.words), word))),
            visit_occurrence_id=self._visit(t),
        )  # fmt: skip

    def _drugs(self, rows: Rows) -> None:
        t = rows.drugs
        day = _date(t["day"].to_numpy())
        self._append(
            "drug_exposure", person_id=self._person(t["person"].to_numpy()), **self._coded("drug", t["code"].to_numpy()),
            drug_exposure_start_date=day, drug_exposure_end_date=day, drug_type_concept_id=np.full(len(t), EHR),
            sig=pa.array([f"{dose:g} mg" for dose in t["dose"].to_numpy()]), visit_occurrence_id=self._visit(t, "day"),
        )  # fmt: skip

    def _forms(self, rows: Rows) -> None:
        """One observation per answer; who ticked places of the list was asked for all of them."""
        t = rows.forms
        form, item, answer = rows.answers([r["site"] for r in self.model.knowledge["pain_sites"] if r["wpi"] == "yes"])
        start = self.made.get("survey_conduct", 0) + 1
        zero = np.zeros(len(form), np.int64)
        self._append(
            "observation", **_observations(
                person_id=self._person(t["person"].to_numpy()[form]), observation_concept_id=zero,
                observation_source_concept_id=zero, observation_source_value=item,
                observation_date=_date(t["day"].to_numpy()[form]), observation_type_concept_id=np.full(len(form), self.by["patient"]),
                value_as_number=answer.astype(float), observation_event_id=start + form,
                visit_occurrence_id=self._visit(t, "day")[form],
            ),
        )  # fmt: skip
        self._append(
            "survey_conduct", person_id=self._person(t["person"].to_numpy()), survey_concept_id=np.zeros(len(t), np.int64),
            survey_end_date=_date(t["day"].to_numpy()), survey_source_value=pa.array(["fm_2016"] * len(t)),
        )  # fmt: skip

    def _vocabulary(self) -> None:
        """The concepts in use, the provider, and what the CDM is."""
        rows = [
            (self._concept(n), VOCABULARIES[s], code, name, "S" if s in STANDARD else None)
            for n, (s, code, name) in enumerate(self.codes)
        ]
        columns = ("concept_id", "vocabulary_id", "concept_code", "concept_name", "standard_concept")
        pq.write_table(pa.Table.from_pylist([dict(zip(columns, r, strict=True)) for r in rows], schema=pa.schema(
            [("concept_id", pa.int64()), *((c, pa.string()) for c in columns[1:])])), self.folder / "concept.parquet")  # fmt: skip
        specialty = self.known["code", "snomed", "394810000"]
        pq.write_table(
            pa.table({"provider_id": [RHEUMATOLOGIST], "specialty_concept_id": [specialty]}),
            self.folder / "provider.parquet",
        )
        pq.write_table(
            pa.table({"cdm_source_name": ["tellapart simulate: nobody in it is real"], "cdm_version": ["5.4"]}),
            self.folder / "cdm_source.parquet",
        )


def _date(day: Ints) -> pa.Array:
    """Days since 1970-01-01 as dates."""
    return pa.array(day.astype(np.int32), pa.date32())


def _number(values: Floats) -> pa.Array:
    """Numbers; NaN is NULL."""
    return pa.array(values, mask=np.isnan(values))


def _key(table: pa.Table, day: str) -> Ints:
    return np.asarray(table["person"].to_numpy().astype(np.int64) * DAYS + table[day].to_numpy())


def _observations(**columns: Any) -> dict[str, Any]:
    """The columns of an observation, NULL where not given."""
    count = len(columns["person_id"])
    return {n: pa.array(columns[n], kind) if n in columns and not isinstance(columns[n], pa.Array) else columns.get(n, pa.nulls(count, kind))
            for n, kind in OBSERVATION.items()}  # fmt: skip
