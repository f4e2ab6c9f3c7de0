"""The five definitions by fhir4ds (ViewDefinitions over DuckDB): files loaded, one view per definition.

What its views can say limits how this is written (version 0.5.1): a `where` that searches `code.coding` makes SQL that
does not parse, so each place of it is asked for its code (the system is not compared); `forEach` with `where` finds a
code wherever it stands, one at a time, and takes a third longer. The number and the flag are compared here, on the few
rows that have the code.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from fhir4ds.datastore import FHIRDataStore
from fhir4ds.datastore.connections import ConnectedDatabase
from fhir4ds.dialects import DuckDBDialect
from measure import Definitions, serve

logging.disable(logging.WARNING)


class Connection:
    """A DuckDB connection without `INSTALL json`: fhir4ds would ask the network for what DuckDB already holds."""

    def __init__(self) -> None:
        self.own = duckdb.connect()

    def execute(self, sql: str, *parameters: Any) -> Any:
        return self.own if sql.startswith("INSTALL") else self.own.execute(sql, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


def view(definition: dict[str, Any]) -> dict[str, Any]:
    """One definition as a ViewDefinition: whoever has one of the codes, with the number and the flag."""
    columns = [{"name": "patient", "path": "subject.reference"}]
    if definition["resource"] == "Observation":
        columns += [
            {"name": "value", "path": "valueQuantity.value", "type": "decimal"},
            {"name": "flag", "path": "interpretation[0].coding[0].code"},
        ]
    has_code = " or ".join(
        f"code.coding[{place}].code = '{code}'"
        for place in range(definition["places"])
        for _, code in definition["codes"]
    )
    return {
        "resourceType": "ViewDefinition",
        "resource": definition["resource"],
        "select": [{"column": columns}],
        "where": [{"path": has_code}],
    }


def answer(folder: Path, definitions: Definitions) -> dict[str, list[str]]:
    db = ConnectedDatabase(FHIRDataStore(DuckDBDialect(connection=Connection())), "DuckDB")
    for kind in sorted({d["resource"] for d in definitions}):
        db.load_from_json_file(str(folder / f"{kind}.ndjson"))
    answers = {}
    for d in definitions:
        rows = db.execute(view(d)).fetchall()
        if "below" in d:
            rows = [r for r in rows if r[1] is not None and r[1] < d["below"]]
        elif "flag" in d:
            rows = [r for r in rows if r[2] == d["flag"]]
        answers[d["name"]] = [r[0] for r in rows]
    return answers


if __name__ == "__main__":
    serve(answer, f"fhir4ds {version('fhir4ds')} on DuckDB {duckdb.__version__}")
