"""Tell the format of a source from what is in it, and say why (`--format auto`).

`csv` stands for tables, CSV or Parquet, with a map that says what their columns are.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from tellapart.errors import InputError
from tellapart.events.address import Address, Source
from tellapart.events.readers import mapped
from tellapart.events.readers.diary import many
from tellapart.events.readers.meds import is_meds
from tellapart.events.readers.omop_cdm import table_of
from tellapart.events.readers.omop_tables import NAMES, TABLES

FORMATS = ("fhir", "case", "omop", "meds", "csv", "diary")
SNIFF = 256 * 1024
LOOKED_AT = 200  # files of a folder that are opened at most

JSON_SUFFIXES = (".json", ".ndjson", ".jsonl")
DATABASE_SUFFIXES = (".duckdb", ".db", ".ddb")
CASE_SCHEMA = re.compile(r"""["']?schema["']?\s*[:=]\s*["']tellapart\.case/""")
RESOURCE_TYPE = re.compile(r'"resourceType"\s*:\s*"([A-Za-z]+)"')


def detect(source: Source) -> tuple[str, str]:
    """Say which format a source is in.

    Args:
        source: a file, a folder or the address of a database.

    Returns:
        (format, why): one of `FORMATS`, and a clause for the user ("patients.ndjson holds the FHIR resource Patient").

    Raises:
        InputError: no such path, no permission, an empty folder or file, or nothing in it that is known.
    """
    if isinstance(source, Address):
        return "omop", "the source is a PostgreSQL address"
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder. Check the path.")
    if source.is_dir():
        return _folder(source)
    answer = _file(source, source.name)
    if answer is None:
        raise InputError(
            f"{source}: the format is not known. Expected a FHIR Bundle or NDJSON (.json, .ndjson), a case file "
            "(.json, .toml), or OMOP, MEDS or CSV files. If you know it, name it with --format."
        )
    return answer


def _folder(folder: Path) -> tuple[str, str]:
    if (folder / "metadata" / "codes.parquet").exists():
        return "meds", "the folder holds metadata/codes.parquet"
    try:
        os.scandir(folder).close()
    except OSError as trouble:
        reason = f"{folder}: the folder cannot be read ({trouble.strerror}). Check its permissions."
        raise InputError(reason) from trouble
    if found := mapped.map_of(folder):
        return "csv", f"{found.name} is a map of tables"
    names = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    if not names:
        raise InputError(f"{folder}: the folder is empty. Check the path.")
    tables = {table_of(path, folder) for path in names} & NAMES
    if len(tables) > 1 and ("person" in tables or len(tables & {t.name for t in TABLES}) > 1):
        return "omop", f"the folder holds the OMOP tables {', '.join(sorted(tables))}"
    problem: InputError | None = None
    for path in _likely_first(names):
        try:
            answer = _file(path, path.relative_to(folder).as_posix())
        except InputError as trouble:
            problem = problem or trouble
            continue
        if answer is not None:
            return answer
    if problem is not None:
        raise problem
    raise InputError(
        f"{folder}: no file in the folder is of a known format (FHIR .json or .ndjson, case files .json or .toml, "
        "OMOP, MEDS, CSV)."
    )


def _likely_first(paths: list[Path]) -> Iterator[Path]:
    """JSON and TOML before CSV and Parquet, each in the order of their names; not more than a fixed number."""
    documents = [path for path in paths if _plain(path).endswith((*JSON_SUFFIXES, ".toml"))]
    others = [path for path in paths if _plain(path).endswith((".csv", ".parquet", *DATABASE_SUFFIXES))]
    yield from (documents + others)[:LOOKED_AT]


def _plain(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def _file(path: Path, name: str) -> tuple[str, str] | None:
    plain = _plain(path)
    if many.is_long_table(path):
        return "diary", f"{name} has the columns of a diary: date, signal and value"
    if plain.endswith(".csv"):
        return "csv", f"{name} is a CSV file"
    if plain.endswith(DATABASE_SUFFIXES):
        return "omop", f"{name} is a database file"
    if plain.endswith(".parquet"):
        return ("meds", f"{name} has the columns of MEDS") if is_meds(path) else ("csv", f"{name} is a Parquet table")
    head = _head(path)
    if not head.strip():
        raise InputError(f"{path}: the file is empty.")
    if mapped.IS_MAP.search(head):
        return "csv", f"{name} is a map of tables"
    if CASE_SCHEMA.search(head):
        return "case", f"{name} names the schema tellapart.case"
    kind = RESOURCE_TYPE.search(head)
    if kind:
        return "fhir", f"{name} holds the FHIR resource {kind.group(1)}"
    if plain.endswith(".toml"):
        return "case", f"{name} is a TOML file"
    if plain.endswith((".ndjson", ".jsonl")):
        return "fhir", f"{name} is newline-delimited JSON"
    if plain.endswith(".json"):
        return _json(path, name, head)
    return None


def _json(path: Path, name: str, head: str) -> tuple[str, str] | None:
    """A JSON file that names neither a schema nor a resource: by its keys, or not at all."""
    text = head.lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        raise InputError(f"{path}: this is not JSON. Expected a FHIR Bundle, a resource or a case file.")
    try:
        content = json.loads(text)
    except ValueError:
        return ("fhir", f"{name} looks like a large JSON document") if len(head) >= SNIFF else None
    if isinstance(content, dict) and "findings" in content and "person" in content:
        return "case", f"{name} has the keys person and findings of a case"
    return None


def _head(path: Path) -> str:
    """The beginning of a file as text."""
    try:
        with cast(IO[bytes], gzip.open(path, "rb")) if path.name.lower().endswith(".gz") else path.open("rb") as opened:
            return opened.read(SNIFF).decode("utf-8", errors="replace")
    except PermissionError as problem:
        raise InputError(f"{path}: the file cannot be read (no permission). Check its permissions.") from problem
    except (OSError, EOFError, zlib.error) as problem:
        raise InputError(f"{path}: the file cannot be read ({problem}). Export or copy it again.") from problem
