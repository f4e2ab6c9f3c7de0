"""A first guess of a map (`tellapart map init`): by the names of columns and the shape of what stands in them, with comments."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from tellapart.errors import InputError, UsageError
from tellapart.events.readers.csv_files import named, quoted
from tellapart.events.readers.mapped import (
    DATES,
    KINDS,
    NOT_NEEDED,
    NUMBERS,
    PARQUET,
    PERSON_COLUMNS,
    PERSONS,
    ROW_COLUMNS,
    SCHEMA,
    is_table,
)  # fmt: skip

FILE = "tellapart-map.toml"
SAMPLE = 1000  # rows looked at

NAMES: dict[str, str] = {
    "person": "person person_id patient patient_id patid pat_id subject subject_id participant participant_id pid mrn record_id study_id",
    "sex": "sex gender",
    "birth_date": "birth_date birthdate date_of_birth dob born birth year_of_birth yob birth_year",
    "death_date": "death_date date_of_death dod died deceased",
    "age": "age age_years",
    "id": "id row_id result_id event_id",
    "known_date": "known_date recorded recorded_date reported report_date issued result_date entry_date",
    "end_date": "end_date end stop stop_date end_day",
    "date": "date day taken collected collection_date specimen_date effective_date onset onset_date start start_date visit_date "
    "observation_date event_date test_date authored prescribed prescription_date time datetime",
    "system": "system code_system vocabulary coding_system",
    "code": "code loinc loinc_code icd icd10 icd10_code icd_code dx_code diagnosis_code snomed snomed_code rxcui rxnorm atc item "
    "test_code concept_code",
    "display": "display name test test_name description label diagnosis drug medication analyte",
    "value": "value result result_value numeric_value answer",
    "comparator": "comparator operator",
    "unit": "unit units uom",
    "low": "low from lower range_low ref_low lln normal_low",
    "high": "high to upper range_high ref_high uln normal_high",
    "range_text": "range reference_range ref_range normal_range",
    "interpretation": "interpretation flag abnormal_flag abnormal",
    "status": "status verification",
    "by": "by told_by reported_by",
    "method": "method assay",
    "text": "text note notes sig directions dose comment",
    "group_key": "form form_id questionnaire_id",
}  # fmt: skip
"""Names that a column of ours goes by elsewhere, in small letters; the first column that fits is taken."""

FILES = (
    ("drug", "med|drug|presc|rx"), ("encounter", "visit|encounter|admission"), ("instrument", "form|answer|survey|question"),
    ("procedure", "proc|operation"), ("condition", "diag|cond|problem|dx"), ("observation", "lab|result|obs|meas|vital"),
)  # fmt: skip
SHAPES = (
    ("loinc", r"[0-9]{1,7}-[0-9]"), ("atc", r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}"),
    ("icd10cm", r"[A-Z][0-9][0-9A-Z]([.]?[0-9A-Z]{1,4})?"), ("snomed", r"[0-9]{6,18}"), ("rxnorm", r"[0-9]{1,7}"),
)  # fmt: skip
OF_SYSTEM = {"loinc": "observation", "atc": "drug", "rxnorm": "drug", "icd10cm": "condition", "snomed": "condition"}
DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y", "%d-%b-%Y", "%Y/%m/%d")
ISO = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ].*)?)?)?")

Columns = dict[str, list[str]]
"""Column to what stands in it: up to `SAMPLE` values that are not empty."""


def place_of(target: Path) -> Path:
    """Where the map of a folder, of a table, or of this name belongs.

    Raises:
        UsageError: there is one already.
        InputError: there is no such folder or table.
    """
    if target.suffix == ".toml":
        place = target
    elif target.is_dir():
        place = target / FILE
    elif target.is_file() and is_table(target):
        place = target.parent / FILE
    else:
        raise InputError(
            f"{target}: neither a folder nor a CSV or Parquet file. Name the folder that holds the tables."
        )
    if place.exists():
        raise UsageError(f"{place}: is there already. Change it, or delete it first; then: tellapart map check {place}")
    return place


def first_guess(target: Path, findings: Mapping[str, Mapping[str, str]]) -> str:
    """The text of a map for the tables of a folder (of the folder that the map will lie in, or one table).

    Args:
        findings: finding id to its row in the knowledge base, for tables with one column per test.

    Raises:
        InputError: there is no table, or one cannot be read.
    """
    folder = target if target.is_dir() else target.parent
    paths = [target] if target.is_file() else [p for p in sorted(folder.rglob("*")) if p.is_file() and is_table(p)]
    if not paths:
        raise InputError(f"{folder}: holds no CSV or Parquet file. Name the folder that holds the tables.")
    head = [
        "# What the columns of these tables are: a first guess by their names and contents. Read it, correct it, then:",
        "#     tellapart map check " + FILE,
        f"# rows: {', '.join((PERSONS, *KINDS, NOT_NEEDED))}.",
        "# A line that begins with # says nothing. All columns that a table can have stand in docs/guide/sources.md.",
        f'schema = "{SCHEMA}"',
    ]
    return (
        "\n".join(head + [line for p in paths for line in _table(p, p.relative_to(folder).as_posix(), findings)]) + "\n"
    )


def _sample(path: Path) -> Columns:
    source = f"read_parquet({quoted(str(path))})" if path.name.lower().endswith(PARQUET) else (
        f"read_csv({quoted(str(path))}, all_varchar = true, header = true, ignore_errors = true)")  # fmt: skip
    try:
        with duckdb.connect() as connection:
            names = [row[0] for row in connection.execute(f"describe from {source}").fetchall()]
            cells = ", ".join(f"nullif(trim(cast({named(n)} as varchar)), '')" for n in names)
            rows = connection.execute(f"select {cells} from {source} limit {SAMPLE}").fetchall()
    except duckdb.Error as trouble:
        raise InputError(f"{path}: cannot be read ({str(trouble).split(chr(10), 1)[0]}).") from trouble
    return {name: [row[i] for row in rows if row[i] is not None] for i, name in enumerate(names)}


def _table(path: Path, file: str, findings: Mapping[str, Mapping[str, str]]) -> list[str]:
    columns = _sample(path)
    chosen = _columns(columns)
    results = {} if "code" in chosen else _results(columns, chosen, findings)
    system = _system(columns[chosen["code"]]) if "code" in chosen else None
    rows = _rows(file, chosen, bool(results), system)
    known = PERSON_COLUMNS if rows == PERSONS else ROW_COLUMNS
    chosen = {ours: theirs for ours, theirs in chosen.items() if ours in known and rows != NOT_NEEDED}
    out = [
        "",
        "[[table]]",
        f"file = {_text(file)}",
        f"rows = {_text(rows)}",
    ]
    dates = [v for ours in DATES for v in columns.get(chosen.get(ours, ""), [])]
    if form := _date_format(dates):
        out.append(form)
    numbers = [*(chosen[ours] for ours in NUMBERS if ours in chosen), *results]
    if any(re.fullmatch(r"-?[0-9]+,[0-9]+", v) for theirs in numbers for v in columns[theirs]):
        out.append('decimal = ","')
    if rows == NOT_NEEDED:
        out.append(f"# Columns: {', '.join(columns)}. If it says something of persons, name its rows and columns.")
        return out
    out += ["", "[table.columns]"]
    out += [f"{ours} = {_text(theirs)}{_example(columns[theirs])}" for ours, theirs in chosen.items()]
    if "person" not in chosen:
        out.append('# person = "..."  the column with the id of the person must be named')
    left = [c for c in columns if c not in chosen.values() and c not in results]
    out += [f"# not used: {_text(c)}{_example(columns[c])}" for c in left]
    if "system" not in chosen and (rows == "instrument" or system):
        out += ["", "[table.fixed]", f"system = {_text('instrument' if rows == 'instrument' else str(system))}"]
    out += _words("sex", ("male", "female", "other"), columns, chosen)
    for column, finding in results.items():
        unit = findings[finding]["unit"]
        out += [
            "",
            f"[table.results.{_text(column)}]{_example(columns[column])}",
            'system = "finding"',
            f"code = {_text(finding)}",
        ]
        if unit:
            out.append(f"# unit = {_text(unit)}  # the unit of this column: without it numbers are rejected")
    return out


def _columns(columns: Columns) -> dict[str, str]:
    """Our columns to theirs, by name."""
    bare = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in reversed(columns)}
    chosen: dict[str, str] = {}
    for ours, names in NAMES.items():
        for name in names.split():
            if name in bare and bare[name] not in chosen.values():
                chosen[ours] = bare[name]
                break
    if "person" not in chosen and "id" in chosen:
        chosen = {"person": chosen["id"]} | {k: v for k, v in chosen.items() if k != "id"}
    return chosen


def _results(columns: Columns, chosen: Mapping[str, str], findings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Columns named as a finding (one column per test) to its id."""
    by_name = {re.sub(r"[^a-z0-9]+", "_", r["label"].lower()).strip("_"): f for f, r in findings.items()} | {
        f: f for f in findings
    }
    found = {}
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.9)
        if near and column not in chosen.values():
            found[column] = by_name[near[0]]
    return found


def _rows(file: str, chosen: Mapping[str, str], wide: bool, system: str | None) -> str:
    if "code" not in chosen and not wide:
        return PERSONS if {"sex", "birth_date", "age"} & chosen.keys() else NOT_NEEDED
    if wide or ("value" in chosen and "group_key" not in chosen):
        return "observation"
    name = Path(file).name.lower()
    by_file = next((kind for kind, words in FILES if re.search(words, name)), None)
    return by_file or OF_SYSTEM.get(system or "", "condition")


def _system(codes: Sequence[str]) -> str | None:
    """The code system that nearly all codes have the shape of."""
    for system, shape in SHAPES:
        if codes and sum(bool(re.fullmatch(shape, c)) for c in codes) >= 0.9 * len(codes):
            return system
    return None


def _date_format(values: Sequence[str]) -> str | None:
    """A line that says how dates are written, if they are not ISO 8601; with the other way if the values fit two."""
    if not values or all(ISO.fullmatch(v) for v in values):
        return None
    with duckdb.connect() as connection:
        fitting = [
            form for form in DATE_FORMATS
            if connection.execute("select count(*) filter (where try_strptime(v, $2) is null) = 0 from (select unnest($1) as v)",
                                  [list(values), form]).fetchall()[0][0]
        ]  # fmt: skip
    if not fitting:
        return f'# date_format = "%d.%m.%Y"  # dates look like {_text(values[0])}: say how they are written'
    also = f"  # or {fitting[1]}: is the day or the month first?" if len(fitting) > 1 else ""
    return f"date_format = {_text(fitting[0])}{also}"


def _words(ours: str, allowed: Sequence[str], columns: Columns, chosen: Mapping[str, str]) -> list[str]:
    """Lines for words that are not ours, to be filled in."""
    seen = sorted(set(columns.get(chosen.get(ours, ""), [])))
    foreign = [v for v in seen if v.lower() not in (*allowed, "f", "m")][:10]
    if not foreign:
        return []
    return [
        "",
        f"[table.words.{ours}]",
        *(f"# {_text(v)} = {_text(allowed[0])}  # or {', '.join(allowed[1:])}" for v in foreign),
    ]


def _example(values: Sequence[str]) -> str:
    seen = list(dict.fromkeys(values))[:3]
    return f"  # e.g. {', '.join(v[:20] for v in seen)}".replace("\n", " ") if seen else "  # empty"


def _text(value: str) -> str:
    """A TOML string (the escapes of JSON are TOML's too)."""
    return json.dumps(value, ensure_ascii=False)
