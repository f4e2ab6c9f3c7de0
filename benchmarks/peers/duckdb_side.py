"""The floor: the five definitions as a DuckDB user would write them by hand, with no more of each file than they ask for."""

from __future__ import annotations

from pathlib import Path

import duckdb
from measure import Definitions, serve

CODINGS = 'coding STRUCT("system" VARCHAR, code VARCHAR)[]'
COLUMNS = {
    "Condition": {"subject": "STRUCT(reference VARCHAR)", "code": f"STRUCT({CODINGS})"},
    "Observation": {
        "subject": "STRUCT(reference VARCHAR)",
        "code": f"STRUCT({CODINGS})",
        "valueQuantity": 'STRUCT("value" DOUBLE)',
        "interpretation": f"STRUCT({CODINGS})[]",
    },
}


def answer(folder: Path, definitions: Definitions) -> dict[str, list[str]]:
    con = duckdb.connect()
    for kind, columns in COLUMNS.items():
        con.execute(
            f"create table {kind} as select * from read_ndjson($1, columns = {columns})",
            [str(folder / f"{kind}.ndjson")],
        )
    answers = {}
    for d in definitions:
        more = ""
        if "below" in d:
            more = f'and "valueQuantity"."value" < {d["below"]}'
        elif "flag" in d:
            more = f"and interpretation[1].coding[1].code = '{d['flag']}'"
        rows = con.execute(
            f"select distinct subject.reference from {d['resource']}, unnest(code.coding) as u(c) "
            f"where (c.system, c.code) in ({', '.join(str(tuple(c)) for c in d['codes'])}) {more}"
        ).fetchall()
        answers[d["name"]] = [reference for (reference,) in rows]
    con.close()
    return answers


if __name__ == "__main__":
    serve(answer, f"duckdb {duckdb.__version__}")
