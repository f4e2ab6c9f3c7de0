"""CSV and Parquet tables by a map: a small TOML file that says what the tables and their columns are (`tellapart.map/1`).

A table holds one statement per row (a code column), or one column per test (`results`). `tellapart map init` writes a first
guess (`mapped_guess`), `tellapart map check` shows what it would read.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError
from tellapart.events.readers.csv_files import named, quoted, read_csv
from tellapart.events.readers.flat import Flat, reading

SCHEMA = "tellapart.map/1"
IS_MAP = re.compile(r"""(?m)^schema\s*=\s*["']tellapart\.map/""")
PERSONS, NOT_NEEDED = "persons", "not_needed"
KINDS = (
    "observation", "condition", "drug", "procedure", "encounter", "instrument", "allergy", "immunization", "family_history",
)  # fmt: skip
PERSON_COLUMNS = {
    "person": "id of the person", "sex": "male, female, other", "birth_date": "date of birth, or its year",
    "death_date": "date of death", "age": "age in years, where there is no date of birth",
}  # fmt: skip
ROW_COLUMNS = {
    "person": "id of the person", "id": "id of the row, for references", "date": "day of onset, specimen, prescription",
    "end_date": "last day", "known_date": "day on which it was recorded", "system": "code system", "code": "the code",
    "display": "the code in words", "value": "result", "comparator": "< or >", "unit": "unit of the result",
    "low": "lower limit of normal", "high": "upper limit of normal", "range_text": "limits of normal in one cell",
    "interpretation": "flag (H, L, N, POS, NEG)", "status": "refuted or entered-in-error where it is so",
    "by": "who says it: measured, clinician, patient", "method": "method of the assay", "text": "notes, directions of a drug",
    "group_key": "id of the filled-in form that the row belongs to",
}  # fmt: skip
RESULT_KEYS = ("system", "code", "display", "unit", "low", "high", "by", "method")
KEYS = (
    "file",
    "rows",
    "columns",
    "fixed",
    "words",
    "results",
    "missing",
    "date_format",
    "decimal",
    "delimiter",
    "encoding",
)
NUMBERS, DATES = ("value", "low", "high"), ("date", "end_date", "known_date", "birth_date", "death_date")
BEGINNING = 4096  # characters of a file in which its schema is looked for
PARQUET, CSV = (".parquet",), (".csv", ".csv.gz", ".tsv", ".tsv.gz")


@dataclass(frozen=True)
class Table:
    """One table of a map.

    Attributes:
        paths: its files.
        rows: a kind of `KINDS`, `PERSONS` or `NOT_NEEDED`.
        columns: our name of a column to theirs.
        fixed: our name to what holds for every row.
        words: our name to their words and what each means.
        results: their column to code, unit, ... of the test in it.
        missing: cells that mean that nothing is known.
        date_format: as of strptime, where dates are not ISO 8601.
        decimal: `.` or `,`.
        csv: options of the CSV reader.
    """

    paths: tuple[Path, ...]
    rows: str
    columns: Mapping[str, str]
    fixed: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    results: Mapping[str, Mapping[str, str]]
    missing: tuple[str, ...]
    date_format: str | None
    decimal: str
    csv: Mapping[str, str]


def map_of(source: Path) -> Path | None:
    """The map that a source is or holds; None if there is none.

    Raises:
        InputError: a folder holds several.
    """
    if source.is_file():
        return source if source.suffix == ".toml" and IS_MAP.search(_beginning(source)) else None
    maps = [p for p in sorted(source.glob("*.toml")) if IS_MAP.search(_beginning(p))]
    if len(maps) > 1:
        raise InputError(
            f"{source}: holds several maps ({', '.join(p.name for p in maps)}). Name one of them as the source."
        )
    return maps[0] if maps else None


def is_table(path: Path) -> bool:
    return path.name.lower().endswith((*PARQUET, *CSV)) and not path.name.startswith(".")


def _beginning(path: Path) -> str:
    """The beginning of a file."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as opened:
            return opened.read(BEGINNING)
    except OSError:
        return ""


def read_map(path: Path) -> list[Table]:
    """The tables of a map.

    Raises:
        InputError: it is no TOML, or has faults; the message lists all of them.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is not TOML ({error}). Correct the line.") from error
    faults: list[str] = []
    if content.get("schema") != SCHEMA:
        faults.append(f'schema: {content.get("schema")!r} is not "{SCHEMA}"')
    if extra := sorted(set(content) - {"schema", "table"}):
        faults.append(f"{', '.join(extra)}: not a key of a map; it has schema and [[table]]")
    given = content.get("table")
    if not isinstance(given, list) or not given or not all(isinstance(t, dict) for t in given):
        faults.append("table: there is no [[table]]. Name at least one table.")
        given = []
    tables = [_table(path.parent, number, raw, faults) for number, raw in enumerate(given, 1)]
    if faults:
        raise InputError(f"{path}: {len(faults)} fault(s):\n  " + "\n  ".join(faults))
    return tables


def _table(folder: Path, number: int, raw: Mapping[str, Any], faults: list[str]) -> Table:
    where = f"table {number}"

    def fault(key: str, what: str) -> None:
        faults.append(f"{where}: {key}: {what}")

    def unknown(key: str, names: Any, allowed: Any, kind: str) -> None:
        for name in names:
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, n=2) or allowed
                fault(key, f"{name!r} is no {kind}; known: {', '.join(near)}")

    def texts(key: str) -> dict[str, str]:
        value = raw.get(key, {})
        if not isinstance(value, dict) or any(isinstance(v, dict | list) for v in value.values()):
            fault(key, "write it as name = value")
            return {}
        return {k: str(v) for k, v in value.items()}

    def nested(key: str) -> dict[str, dict[str, str]]:
        value = raw.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
            fault(key, f"write it as [table.{key}.NAME]")
            return {}
        return {k: {a: str(b) for a, b in v.items()} for k, v in value.items()}

    file = raw.get("file")
    paths: tuple[Path, ...] = ()
    if not isinstance(file, str) or not file:
        fault("file", "is missing; name the file of the table")
    else:
        where = f"table {number} ({file})"
        paths = tuple(p for p in sorted(folder.glob(file)) if p.is_file())
        if not paths:
            fault("file", "there is no such file beside the map")
        elif not all(is_table(p) for p in paths):
            fault("file", "neither Parquet nor CSV")
    unknown("key", raw, KEYS, "key of a table")
    rows = str(raw.get("rows", ""))
    unknown("rows", [rows], (PERSONS, *KINDS, NOT_NEEDED), "kind of rows")
    known = PERSON_COLUMNS if rows == PERSONS else ROW_COLUMNS
    columns, fixed, words, results = texts("columns"), texts("fixed"), nested("words"), nested("results")
    for key, names in (("columns", columns), ("fixed", fixed), ("words", words)):
        unknown(key, names, tuple(known), "column")
    for column, about in results.items():
        unknown(f"results.{column}", about, RESULT_KEYS, "key of a result")
        if not about.get("code"):
            fault(f"results.{column}", 'names no code (a finding: system = "finding", code = its id)')
    if rows != NOT_NEEDED and "person" not in columns:
        fault("columns", "person is missing; name the column with the id of the person")
    if rows in KINDS and "code" not in {*columns, *fixed} and not results:
        fault(
            "columns",
            "code is missing; name the column with the code, or [table.results.COLUMN] for one column per test",
        )
    if results and ("code" in {*columns, *fixed} or "value" in {*columns, *fixed} or rows not in KINDS):
        fault("results", "a table with one column per test has no column for code and value")
    decimal = str(raw.get("decimal", "."))
    if decimal not in (".", ","):
        fault("decimal", f"{decimal!r} is neither '.' nor ','")
    missing = raw.get("missing", [])
    if not isinstance(missing, list):
        fault("missing", 'write it as ["NA", "-9"]')
        missing = []
    csv = {option: str(raw[key]) for key, option in (("delimiter", "delim"), ("encoding", "encoding")) if key in raw}
    date_format = str(raw["date_format"]) if "date_format" in raw else None
    return Table(paths, rows, columns, fixed, words, results, tuple(map(str, missing)), date_format, decimal, csv)


def files_of(path: Path) -> list[Path]:
    """The files that a map reads, itself among them."""
    return sorted({path, *(p for table in read_map(path) for p in table.paths)})


def read_mapped(engine: DuckDB, source: Path) -> str:
    """Read the tables of a map.

    Args:
        engine: holds the knowledge relations and what `normalize.prepare` makes of them.
        source: the map, or the folder that holds it and its tables.

    Returns:
        A clause for the user.

    Raises:
        InputError: there is no map, it has faults, or a table cannot be read.
    """
    path = map_of(source)
    if path is None:
        raise InputError(
            f"{source}: CSV and Parquet tables need a map that says what their columns are. Write a first guess with: "
            f"tellapart map init {source}"
        )
    tables = read_map(path)
    with reading(engine) as flat:
        named_by = [(table, file) for table in tables for file in table.paths]
        opened = [
            _Opened(engine, flat, number, table, file, path.parent) for number, (table, file) in enumerate(named_by)
        ]
        _check_columns(path, opened)
        rows = [o for o in opened if o.table.rows in KINDS]
        _persons(flat, [o for o in opened if o.table.rows == PERSONS], rows)
        for part in rows:
            part.view()
            flat.count(part.view_name, part.stem, wide=bool(part.table.results))
        flat.name_codings()
        flat.understand()
        for part in rows:
            flat.take(part.view_name, part.stem, part.place, part.offset, wide=bool(part.table.results))
    return f"{path.name} says what the columns of {len(opened)} table(s) are"


class _Opened:
    """One file of a table, loaded or as a view, with a number for every row.

    Attributes:
        place: how reports call the file.
        stem: its name without suffix, the source type.
        raw: name of the relation with its rows as they are.
        view_name: name of the view in the shape of a flat table.
        columns: its columns.
        offset: what to add to its row numbers.
    """

    def __init__(self, engine: DuckDB, flat: Flat, number: int, table: Table, path: Path, folder: Path) -> None:
        """Raises InputError: it cannot be read."""
        self.engine, self.table, self.path = engine, table, path
        self.place = path.relative_to(folder).as_posix()
        self.stem = path.name.split(".", 1)[0]
        self.raw, self.view_name = f"flat_raw_{number}", f"flat_view_{number}"
        bad = []
        try:
            if path.name.lower().endswith(PARQUET):
                engine.connection.execute(
                    f"create temp view {self.raw} as select * exclude (file_row_number), file_row_number + 1 as flat_row_no "
                    f"from read_parquet({quoted(str(path))}, file_row_number = true)"
                )
            else:
                bad = read_csv(engine.connection, path, f"create temp table {self.raw}_0 as", table.csv)
                engine.connection.execute(
                    f"create temp view {self.raw} as select *, rowid + 1 as flat_row_no from {self.raw}_0"
                )
            count = engine.one(f"select count(*) from {self.raw}")
        except duckdb.Error as trouble:
            reason = str(trouble).split("\n", 1)[0]
            raise InputError(
                f"{path}: cannot be read ({reason}). Check delimiter and encoding, or export it again."
            ) from trouble
        self.columns = [r["column_name"] for r in engine.rows(f"describe from {self.raw}")][:-1]
        self.offset = flat.place(count)
        for line in bad:
            flat.refuse(self.stem, self.place, *line)
        if table.rows == NOT_NEEDED and count:
            engine.connection.execute(
                "insert into left_out by name select $1 as source_type, 'not_needed' as class, $2 as n",
                [self.stem, count],
            )

    def cell(self, name: str) -> str:
        """A column of ours as an expression over theirs: text, NULL where nothing is known."""
        table = self.table
        if name in table.fixed:
            return quoted(table.fixed[name])
        if name not in table.columns:
            return "cast(null as varchar)"
        return self.read_as(name, table.columns[name])

    def read_as(self, name: str, column: str) -> str:
        """A cell of their column as our column `name`: trimmed, what is missing, words, decimals and dates brought to ours."""
        table = self.table
        text = f"nullif(trim(cast({named(column)} as varchar)), '')"
        if table.missing:
            text = f"case when {text} not in ({', '.join(map(quoted, table.missing))}) then {text} end"
        if words := table.words.get(name):
            cases = " ".join(f"when {quoted(theirs)} then {quoted(ours)}" for theirs, ours in words.items())
            return f"case {text} {cases} else {text} end"
        if table.decimal == "," and name in NUMBERS:
            number = f"replace(replace({text}, '.', ''), ',', '.')"
            return f"case when regexp_full_match({text}, '[<>=]*\\s*-?[0-9][0-9.]*(,[0-9]+)?') then {number} else {text} end"
        if table.date_format and name in DATES:
            return f"coalesce(strftime(try_strptime({text}, {quoted(table.date_format)}), '%Y-%m-%d'), {text})"
        return text

    def view(self) -> None:
        """Make the view `view_name`."""
        results = self.table.results
        parts = [self._part(0, {}, self.cell("value"))] if not results else [
            self._part(n, about, self.read_as("value", column)) for n, (column, about) in enumerate(results.items())
        ]  # fmt: skip
        self.engine.connection.execute(f"create temp view {self.view_name} as {' union all '.join(parts)}")

    def _part(self, part: int, about: Mapping[str, str], value: str) -> str:
        cells = {name: quoted(about[name]) if about.get(name) else self.cell(name) for name in ROW_COLUMNS} | {
            "value": value
        }
        for name in ("system", "code"):
            cells[name] = f"coalesce({cells[name]}, '')"
        listed = ", ".join(f"{cell} as {named(name)}" for name, cell in cells.items())
        return f"select flat_row_no as row, {part} as part, {quoted(self.table.rows)} as kind, {listed} from {self.raw}"


def _check_columns(path: Path, opened: list[_Opened]) -> None:
    """Raise an InputError that lists every column that a map names and its table does not have."""
    faults = list(_missing_columns(opened))
    if faults:
        raise InputError(f"{path}: {len(faults)} fault(s):\n  " + "\n  ".join(faults))


def _missing_columns(opened: list[_Opened]) -> Iterator[str]:
    for part in opened:
        for column in (*part.table.columns.values(), *part.table.results):
            if column not in part.columns:
                near = difflib.get_close_matches(column, part.columns, n=3) or part.columns[:10]
                yield f"{part.place}: has no column {column!r}; nearest: {', '.join(near)}"


def _persons(flat: Flat, tables: list[_Opened], others: list[_Opened]) -> None:
    """Fill `patients` from the tables of persons; without any, everybody whom another table names is one."""
    run = flat.engine.connection.execute
    for part in tables:
        cells = ", ".join(f"{part.cell(name)} as {name}" for name in PERSON_COLUMNS)
        run(
            f"create or replace temp table flat_person as select flat_row_no + {part.offset} as row_no, {cells} from {part.raw}"
        )
        flat.sql("flat_persons", type=part.stem, file=part.place)
    if not tables and others:
        every = " union ".join(f"select {part.cell('person')} as person_id from {part.raw}" for part in others)
        run(f"insert into patients by name select person_id from ({every}) where person_id is not null")
