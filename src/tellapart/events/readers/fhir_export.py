"""What a Bulk Data server says of an export beside its resources: what was deleted, and what it could not export.

Both are kept by `fhir_bulk` in a hidden folder beside the files, where the FHIR reader does not look for resources.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import orjson

KEPT = ".export"
STATE, DELETED, ERRORS = f"{KEPT}/state.json", f"{KEPT}/deleted", f"{KEPT}/error"


def honour(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Of what was read of an export withdraw what the server says was deleted, and reject by name what it could not export."""
    if not (folder / KEPT).is_dir():
        return
    connection.execute("create or replace temp table export_deleted (reference varchar)")
    deleted = sorted(set(_deleted(folder)))
    for reference in deleted:
        connection.execute("insert into export_deleted values ($1)", [reference])
    connection.execute("create or replace temp table export_error (file varchar, line bigint, reason varchar)")
    for row in _errors(folder):
        connection.execute("insert into export_error values ($1, $2, $3)", list(row))
    connection.execute((files(__package__) / "fhir_export.sql").read_text(encoding="utf-8"))


def _lines(folder: Path, kept: str) -> Iterator[tuple[str, int, Any]]:
    """File, line and content of the lines of a list; None for what is no JSON."""
    for path in sorted((folder / kept).glob("*.ndjson")):
        with path.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                if line.strip():
                    try:
                        yield path.relative_to(folder).as_posix(), number, orjson.loads(line)
                    except orjson.JSONDecodeError:
                        yield path.relative_to(folder).as_posix(), number, None


def _deleted(folder: Path) -> Iterator[str]:
    """References of a list of Bundles whose entries are DELETE requests."""
    for _, _, bundle in _lines(folder, DELETED):
        for entry in bundle.get("entry") or [] if isinstance(bundle, dict) else []:
            request = entry.get("request") or {}
            if request.get("method") == "DELETE" and isinstance(request.get("url"), str):
                yield "/".join(request["url"].rstrip("/").split("/")[-2:])


def _errors(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Errors of a list of OperationOutcomes, in the server's words; what only informs is left out."""
    for file, line, outcome in _lines(folder, ERRORS):
        for issue in outcome.get("issue") or [{}] if isinstance(outcome, dict) else [{}]:
            if issue.get("severity") not in ("information", "success"):
                told = (
                    issue.get("diagnostics")
                    or (issue.get("details") or {}).get("text")
                    or issue.get("code")
                    or "no words"
                )
                yield file, line, str(told)
