"""The five definitions by fhir4ds-v2: one CQL library, translated to SQL and run by DuckDB."""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path

import duckdb
import fhir4ds
from fhir4ds.sources import FileSystemSource
from measure import Definitions, serve

HEAD = """library Five version '1.0.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
"""


def cql(definitions: Definitions) -> str:
    """The definitions as a CQL library."""
    systems = sorted({system for d in definitions for system, _ in d["codes"]})
    lines = [f"codesystem \"S{n}\": '{system}'" for n, system in enumerate(systems)]
    for d in definitions:
        names = [f"{d['name']} {n}" for n in range(len(d["codes"]))]
        lines += [
            f'code "{name}": \'{code}\' from "S{systems.index(system)}"'
            for name, (system, code) in zip(names, d["codes"], strict=True)
        ]
        lines.append(
            f'concept "{d["name"]} codes": {{ {", ".join(map(chr(34).__add__, (n + chr(34) for n in names)))} }}'
        )
    lines.append("context Patient")
    for d in definitions:
        of_code = f'[{d["resource"]}] R where R.code ~ "{d["name"]} codes"'
        if "below" in d:
            of_code += f" and (R.value as FHIR.Quantity).value < {float(d['below'])}"
        elif "flag" in d:
            of_code += f" and exists (R.interpretation I where exists (I.coding C where C.code = '{d['flag']}'))"
        lines.append(f'define "{d["name"]}": exists ({of_code})')
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    con = fhir4ds.create_connection()

    def answer(folder: Path, definitions: Definitions) -> dict[str, list[str]]:
        con.execute("drop table if exists resources")
        fhir4ds.attach(con, FileSystemSource(str(folder / "*.ndjson"), format="ndjson"))
        # its queries read the source many times: a table once is three times as fast as the view over the files
        con.execute("create table held as from resources")
        con.execute("drop view resources")
        con.execute("alter table held rename to resources")
        with tempfile.TemporaryDirectory() as place:
            library = Path(place) / "Five.cql"
            library.write_text(cql(definitions))
            met = fhir4ds.evaluate_measure(library_path=library, conn=con)
        return {d["name"]: list(met["patient_id"][met[d["name"]].astype(bool)]) for d in definitions}

    serve(answer, f"fhir4ds-v2 {version('fhir4ds-v2')} on DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main()
