"""Builders of tiny FHIR worlds with the fewest fields that still make a row, and one way to read them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb

from tellapart.events.readers.fhir import read_fhir

Resource = dict[str, Any]
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def concept(
    code: str | None = None, system: str = LOINC, text: str | None = None, display: str | None = None
) -> Resource:
    made: Resource = {}
    if code is not None:
        made["coding"] = [{"system": system, "code": code} | ({"display": display} if display else {})]
    if text is not None:
        made["text"] = text
    return made


def patient(id: str = "1", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1980-02-01"} | more


def resource(kind: str, id: str | None = "r", subject: str | None = "Patient/1", **more: Any) -> Resource:
    made: Resource = {"resourceType": kind}
    if id is not None:
        made["id"] = id
    field = "patient" if kind in ("AllergyIntolerance", "Immunization", "FamilyMemberHistory") else "subject"
    if subject is not None:
        made[field] = {"reference": subject}
    return made | more


def observation(id: str | None = "o", subject: str | None = "Patient/1", **more: Any) -> Resource:
    made = {"status": "final", "code": concept("5048-4"), "effectiveDateTime": "2021-03-04"}
    return resource("Observation", id, subject) | made | more


def bundle(*resources: Resource, kind: str = "collection", urls: bool = True) -> Resource:
    """A Bundle; with `urls` each entry has the fullUrl urn:uuid:<id>."""
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            ({"fullUrl": f"urn:uuid:{r['id']}"} if urls and "id" in r else {}) | {"resource": r} for r in resources
        ],
    }


def write_lines(path: Path, *resources: Resource | str | bytes) -> Path:
    """NDJSON; text and bytes are written as they are (to make bad lines). `.gz` is compressed."""
    lines = [
        r if isinstance(r, bytes) else r.encode() if isinstance(r, str) else json.dumps(r, ensure_ascii=False).encode()
        for r in resources
    ]
    content = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def write_json(path: Path, content: Any, indent: int | None = 2) -> Path:
    content = json.dumps(content, ensure_ascii=False, indent=indent).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


class World:
    """What the reader made of a source."""

    def __init__(self, source: Path, threads: int = 2, **options: Any) -> None:
        self.con = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
        read_fhir(self.con, source, **options)

    def rows(self, table: str) -> list[dict[str, Any]]:
        cursor = self.con.execute(f"select * from {table} order by all")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def statements(self) -> list[dict[str, Any]]:
        return sorted(self.rows("statements"), key=lambda r: (r["reference"], r["part"], r["coding_no"], r["row_no"]))

    @property
    def statement(self) -> dict[str, Any]:
        """The only statement."""
        (only,) = self.statements
        return only

    @property
    def classes(self) -> dict[str, str | None]:
        return {row["reference"]: row["class"] for row in self.rows("source_rows")}

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return self.rows("rejected")

    @property
    def persons(self) -> list[str]:
        return [row["person_id"] for row in self.rows("patients")]

    def comparable(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that must not hang on order, splitting or form: no row numbers, no places."""
        queries = {
            "statements": "select * exclude (row_no) from statements order by all",
            "patients": "select * exclude (row_no) from patients order by all",
            "source_rows": "select source_type, reference, person_id, class from source_rows order by all",
            "rejected": "select reference, person_id, field, value, reason from rejected order by all",
        }
        return {name: self.con.execute(query).fetchall() for name, query in queries.items()}


def world(folder: Path, *resources: Resource, **options: Any) -> World:
    """Read resources as one Bundle."""
    return World(write_json(folder / "bundle.json", bundle(*resources)), **options)
