"""Rows as FHIR R4 bulk NDJSON, one file per resource type, appended batch by batch.

Lines are put together column by column (Arrow), so that a million rows take about a second.
http://hl7.org/fhir/R4
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tellapart.simulate.model import Model
from tellapart.simulate.rows import People, Rows

TYPES = ("Patient", "Encounter", "Condition", "Observation", "MedicationRequest", "QuestionnaireResponse")
FOLDER = "fhir"
HL7 = "http://terminology.hl7.org/CodeSystem/"
URIS = {
    "snomed": "http://snomed.info/sct", "loinc": "http://loinc.org", "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm", "finding": "urn:tellapart:finding",
}  # fmt: skip
UCUM = "http://unitsofmeasure.org"
FORM = "http://tellapart.invalid/Questionnaire/fm_2016"

Text = Any  # an Arrow array of strings, or one string for every row


def person_ids(people: People) -> pa.Array:
    """The id of every person of a batch: a number that says nothing of the person."""
    numbers = np.arange(people.first_number, people.first_number + len(people.h))
    return pa.array([f"synthetic-{n:07d}" for n in numbers.tolist()])


class Writer:
    """Writes batches into `<folder>/fhir`."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self.folder = folder / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self.files = {kind: (self.folder / f"{kind}.ndjson").open("wb") for kind in TYPES}
        self.made = dict.fromkeys(TYPES, 0)

    def close(self) -> None:
        for file in self.files.values():
            file.close()

    def write(self, rows: Rows) -> None:
        """Append one batch."""
        self.ids = person_ids(rows.people)
        concepts = pa.array([_concept(*code) for code in rows.codes.rows])
        self._patients(rows)
        self._encounters(rows, concepts)
        self._conditions(rows, concepts)
        self._observations(rows, concepts)
        self._prescriptions(rows, concepts)
        self._forms(rows)

    def _append(self, kind: str, count: int, *parts: Text) -> None:
        """Append `count` resources of a type: opening, id, then the parts, each a column or one text for all."""
        numbers = pc.cast(pa.array(np.arange(self.made[kind] + 1, self.made[kind] + count + 1)), pa.string())
        self.made[kind] += count
        head = f'{{"resourceType":"{kind}","id":"{kind[0].lower()}'
        lines = pc.binary_join_element_wise(head, numbers, '",', *parts, "}\n", "")
        for chunk in lines.chunks if isinstance(lines, pa.ChunkedArray) else [lines]:
            self.files[kind].write("".join(chunk.to_pylist()).encode())

    def _subject(self, table: pa.Table) -> list[Text]:
        return ['"subject":{"reference":"Patient/', self.ids.take(table["person"].combine_chunks()), '"}']

    def _patients(self, rows: Rows) -> None:
        who = rows.people
        gender = pa.array(np.where(who.female, "female", "male"))
        lines = pc.binary_join_element_wise(
            '{"resourceType":"Patient","id":"', self.ids, '","gender":"', gender, '","birthDate":"', days(who.birth),
            '"}\n', "",
        )  # fmt: skip
        self.files["Patient"].write("".join(lines.to_pylist()).encode())

    def _encounters(self, rows: Rows, concepts: pa.Array) -> None:
        t = rows.visits
        day = days(t["day"].to_numpy())
        self._append(
            "Encounter", len(t), '"status":"finished","class":{"system":"' + HL7 + 'v3-ActCode","code":"AMB"},',
            '"serviceType":', concepts.take(t["code"].combine_chunks()), ",", *self._subject(t),
            ',"period":{"start":"', day, '","end":"', day, '"}',
        )  # fmt: skip

    def _conditions(self, rows: Rows, concepts: pa.Array) -> None:
        t = rows.conditions
        status = np.where(t["in_error"], "entered-in-error", np.where(t["refuted"], "refuted", "confirmed"))
        full = days(t["day"].to_numpy())
        onset = pc.if_else(pa.array(t["month"].to_numpy()), pc.utf8_slice_codeunits(full, 0, 7), full)
        subject = self.ids.take(t["person"].combine_chunks())
        asserted = pc.binary_join_element_wise(',"asserter":{"reference":"Patient/', subject, '"}', "")
        self._append(
            "Condition", len(t), '"verificationStatus":{"coding":[{"system":"' + HL7 + 'condition-ver-status","code":"',
            pa.array(status), '"}]},"code":', concepts.take(t["code"].combine_chunks()), ",", *self._subject(t),
            ',"onsetDateTime":"', onset, '","recordedDate":"', days(t["known_day"].to_numpy()), '"',
            pc.if_else(pa.array(t["told"].to_numpy()), asserted, ""),
        )  # fmt: skip

    def _observations(self, rows: Rows, concepts: pa.Array) -> None:
        t = rows.results
        category = np.where(t["vital"], "vital-signs", np.where(t["exam"], "exam", "laboratory"))
        quantities = pa.array([f',"unit":"{u}","system":"{UCUM}","code":"{u}"}}' for u in (*rows.units, "")])
        unit = quantities.take(pa.array(np.where(t["unit"].to_numpy() < 0, len(rows.units), t["unit"].to_numpy())))
        number = pc.binary_join_element_wise('"valueQuantity":{"value":', numbers(t["shown"].to_numpy()), unit, "")
        worded = pa.array([_word(w) for w in (*rows.words, "")])
        word = t["word"].to_numpy()
        value = pc.if_else(
            pa.array(word >= 0), worded.take(pa.array(np.where(word < 0, len(rows.words), word))), number
        )
        self._append(
            "Observation", len(t), '"status":"final","category":[{"coding":[{"system":"' + HL7
            + 'observation-category","code":"', pa.array(category), '"}]}],"code":',
            concepts.take(t["code"].combine_chunks()), ",", *self._subject(t), ',"effectiveDateTime":"',
            days(t["day"].to_numpy()), '","issued":"', days(t["known_day"].to_numpy()), 'T12:00:00Z",', value,
            _range(t, unit),
        )  # fmt: skip

    def _prescriptions(self, rows: Rows, concepts: pa.Array) -> None:
        t = rows.drugs
        self._append(
            "MedicationRequest", len(t), '"status":"active","intent":"order","medicationCodeableConcept":',
            concepts.take(t["code"].combine_chunks()), ",", *self._subject(t), ',"authoredOn":"',
            days(t["day"].to_numpy()), '","dosageInstruction":[{"doseAndRate":[{"doseQuantity":{"value":',
            numbers(t["dose"].to_numpy()), f',"unit":"mg","system":"{UCUM}","code":"mg"}}}}]}}]',
        )  # fmt: skip

    def _forms(self, rows: Rows) -> None:
        t = rows.forms
        ticked = pa.array(
            [
                '{"linkId":"pain_sites","answer":[' + ",".join(f'{{"valueCoding":{{"code":"{s}"}}}}' for s in sites) + "]},"
                if sites else "" for sites in rows.site_patterns
            ]
        )  # fmt: skip
        answers: list[Text] = []
        yes_no = {r["item"] for r in self.model.knowledge["instrument_items"] if r["high"] == "1" and r["finding"]}
        for item in t.column_names[3:]:
            answer = pc.cast(t[item], pa.string())
            if item in yes_no:
                answer = pc.if_else(pc.equal(t[item], 1), "true", "false")
            kind = "valueBoolean" if item in yes_no else "valueInteger"
            answers += [("," if answers else "") + f'{{"linkId":"{item}","answer":[{{"{kind}":', answer, "}]}"]
        self._append(
            "QuestionnaireResponse", len(t), f'"questionnaire":"{FORM}","status":"completed",', *self._subject(t),
            ',"authored":"', days(t["day"].to_numpy()), '","item":[', ticked.take(t["sites"].combine_chunks()), *answers,
            "]",
        )  # fmt: skip


def days(day: np.ndarray[Any, Any]) -> pa.Array:
    """Days since 1970-01-01 as ISO dates."""
    return pc.cast(pa.array(day.astype("int32"), pa.date32()), pa.string())


def numbers(values: np.ndarray[Any, Any]) -> pa.Array:
    """Numbers as JSON, shortest form; NaN as 0 (never shown)."""
    return pc.cast(pa.array(np.nan_to_num(values)), pa.string())


def _concept(system: str, code: str, display: str) -> str:
    return orjson.dumps({"coding": [{"system": URIS[system], "code": code, "display": display}]}).decode()


def _word(word: str) -> str:
    return f'"valueString":{orjson.dumps(word).decode()}'


def _range(t: pa.Table, unit: pa.Array) -> pa.Array:
    """The reference range, where the site prints one."""
    low, high = t["low"].to_numpy(), t["high"].to_numpy()
    text = pc.binary_join_element_wise(
        ',"referenceRange":[{"low":{"value":', numbers(low), unit, ',"high":{"value":', numbers(high), unit, "}]", ""
    )
    return pc.if_else(pa.array(np.isnan(low)), "", text)
