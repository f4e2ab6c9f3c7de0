"""FHIR R4 reader: Bundles, bulk NDJSON and single resources become `statements`, `source_rows`, `rejected`, `patients`.

The way of a file:

- NDJSON whose lines are of one type is read by DuckDB straight into the typed table of its family (`fhir_fields.py`),
  strictly: a wrong shape is an error, not a NULL.
- Everything else (Bundles, mixed files, files that failed) is first isolated, one resource as JSON text per row
  (`fhir_text`), and then typed; a resource whose shape differs is rejected by name, the rest goes on. Lines are split
  in Python, JSON is read by DuckDB.
- From the typed tables on there is one path: duplicates, persons, source rows, then one `.sql` file per family.

Rules: http://hl7.org/fhir/R4 (references.html, bundle.html, the pages of the resources).
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, cast

import duckdb
import pyarrow as pa

from tellapart.contracts import relations
from tellapart.errors import InputError
from tellapart.events.readers.fhir_fields import FAMILIES, FAMILY_OF, Family, duckdb_type, misfits
from tellapart.events.readers.fhir_kept import KeptReadings

MIB = 1024 * 1024
LINE_LIMIT = 64 * MIB  # the longest resource read: beyond any real one; protects the memory
DOCUMENT_LIMIT = 160 * MIB  # the largest Bundle file read as one document; DuckDB holds it whole, several times
OBJECT_SIZE = 16 * MIB  # DuckDB's own default; larger lines are read again as text
BATCH = 128 * MIB  # Bundles isolated at once
LINES_BATCH = 32 * MIB  # text of lines handed to DuckDB at once
FAST_BATCH = 2048 * MIB  # NDJSON read by one statement
SNIFF = MIB
BUNDLE_DEPTH = 5  # Bundles inside Bundles (batch responses) are opened so deep

LINE_SUFFIXES = (".ndjson", ".jsonl")
SUFFIXES = (".json", *LINE_SUFFIXES)

INSTRUMENTS = frozenset({"fm_2016", "fm_2011", "fm_2010", "fm_1990", "aapt_2019", "first"})

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class _File:
    """One file of the source: where it is, how it is named in reports, how long it is."""

    path: Path
    name: str
    size: int

    @property
    def compressed(self) -> bool:
        return self.path.name.lower().endswith(".gz")

    @property
    def stem(self) -> str:
        name = self.path.name.lower()
        return name.removesuffix(".gz")

    def open(self) -> IO[bytes]:
        if self.compressed:
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")


@dataclass(frozen=True)
class _Look:
    """What the beginning of a file tells: `lines`, `document` or `empty`, and the type of the first line's resource."""

    form: str
    first_type: str | None = None


@lru_cache
def _sql(name: str) -> str:
    return (files("tellapart.events.readers") / f"{name}.sql").read_text(encoding="utf-8")


def read_fhir(
    con: Connection,
    source: Path,
    not_needed_types: Iterable[str] = (),
    instruments: Iterable[str] = INSTRUMENTS,
    sites: Iterable[str] = (),
    wordings: Mapping[str, str] | None = None,
    sites_asked: int = 0,
    report_words: Iterable[tuple[str, str, str]] = (),
    kept: KeptReadings | None = None,
) -> None:
    """Read a FHIR R4 source into `statements`, `source_rows`, `rejected` and `patients` of a connection.

    Args:
        con: connection outside a transaction; the four tables are created or replaced, working tables are dropped.
        source: a Bundle or a single resource (`.json`), NDJSON (`.ndjson`, `.jsonl`), each also with `.gz`, or a folder
            of such files; the type of a resource is read from the resource, never from the name of the file.
        not_needed_types: resource types that cannot matter; they are counted as `not_needed`, other unread types as
            `unmapped`.
        instruments: ids of the questionnaires whose answers are read.
        sites: ids of the pain sites that a list of sites is chosen from (the others are then answered with no).
        wordings: `link:` or `text:` and the key, to the item that it means, for questionnaires that are not ours.
        sites_asked: from how many pain sites on such a questionnaire is read by its wording.
        report_words: kind (about, leaves_open, class), word and code, for the class of nephritis in the words of a report.
        kept: where to keep what is read of each file, and to take it from while the file stays as it was.

    Raises:
        InputError: the path does not exist or cannot be read, or holds no FHIR resource at all.

    Example:
        >>> read_fhir(duckdb.connect(), Path("export/"))  # doctest: +SKIP
    """
    found = _files(source)
    settings = {name: _setting(con, name) for name in ("preserve_insertion_order", "checkpoint_threshold")}
    # Row numbers come from the place of a row in its table; they must not hang on threads.
    con.execute("set preserve_insertion_order = true")
    # A checkpoint after every few MB costs as much as the work itself, and nothing here needs one.
    con.execute("set checkpoint_threshold = '1TB'")
    reading = _Reading(con)
    try:
        reading.begin(not_needed_types, instruments, sites)
        reading.word(wordings or {}, sites_asked)
        reading.report(report_words)
        if kept:
            reading.files_changed(found, kept)
        else:
            reading.files(found)
        con.execute("set preserve_insertion_order = false")
        reading.families()
        reading.check(source)
    finally:
        reading.end()
        for name, value in settings.items():
            con.execute(f"set {name} = '{value}'")


def _setting(con: Connection, name: str) -> str:
    row = con.execute("select cast(current_setting($1) as varchar)", [name]).fetchone()
    return str(row[0]) if row else ""


def _files(source: Path) -> list[_File]:
    """The files of a source, in the order of their names."""
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder. Check the path.")
    if source.is_file():
        return [_File(source, source.name, source.stat().st_size)]
    try:
        os.scandir(source).close()
    except OSError as trouble:
        reason = f"{source}: the folder cannot be read ({trouble.strerror}). Check its permissions."
        raise InputError(reason) from trouble
    found = [
        _File(path, path.relative_to(source).as_posix(), path.stat().st_size)
        for path in sorted(source.rglob("*"))
        if path.is_file()
        and path.name.lower().removesuffix(".gz").endswith(SUFFIXES)
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    ]
    if not found:
        raise InputError(f"{source}: the folder holds no FHIR file. Expected files ending in .json, .ndjson or .jsonl.")
    return found


def _look(file: _File) -> _Look:
    """Tell lines from a document, and the type of the first line. Raises OSError, EOFError or zlib.error."""
    head = b""
    with file.open() as opened:
        try:
            while len(head) < SNIFF and (piece := cast(Any, opened).read1(SNIFF)):
                head += piece
        except EOFError:  # cut off: what is there tells enough
            if not head:
                raise
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        return _Look("empty")
    first, newline, rest = head.partition(b"\n")
    try:
        resource = json.loads(first)
    except (ValueError, RecursionError):
        resource = None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    kind = kind if isinstance(kind, str) else None
    if file.stem.endswith(LINE_SUFFIXES):
        # a pretty-printed document under the wrong name begins with a lone bracket
        return _Look("document") if first.strip() in (b"{", b"[") else _Look("lines", kind)
    if isinstance(resource, dict) and newline and rest.strip():
        return _Look("lines", kind)
    return _Look("document", kind)


def _size(file: _File) -> int:
    """Length of the text of a file; of a compressed one as its last four bytes say (modulo 4 GiB)."""
    if not file.compressed or file.size < 18:
        return file.size
    with file.path.open("rb") as opened:
        opened.seek(-4, os.SEEK_END)
        return max(int.from_bytes(opened.read(4), "little"), file.size)


def _is_line_per_row(file: _File, rows: int) -> bool:
    """Are there as many lines as rows, so that the place of a row is its line? Only looked up where it is cheap."""
    if file.compressed:
        return False
    count, last = 0, b"\n"
    with file.path.open("rb") as opened:
        while chunk := opened.read(MIB):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n") == rows


def _reason(problem: Exception) -> str:
    """The first sentence of a DuckDB or system error, without the path."""
    if isinstance(problem, EOFError):
        return "The compressed file is cut off."
    if isinstance(problem, PermissionError):
        return "The file cannot be opened: no read permission."
    if isinstance(problem, (OSError, zlib.error)):
        return f"The file cannot be read: {problem}."
    text = str(problem).split("\n", maxsplit=1)[0]
    text = re.sub(r"^[A-Za-z ]+ Error: ", "", text)
    return re.sub(r' in file "[^"]*",?', "", text).strip()


class _Reading:
    """One run of the reader over one connection."""

    def __init__(self, con: Connection) -> None:
        self.con = con
        self.bundles = 0
        self.fitting: dict[str, set[str]] = {family.name: set() for family in FAMILIES}
        self.offset = 1

    # --- begin and end ------------------------------------------------------------------------------------------

    def begin(self, not_needed_types: Iterable[str], instruments: Iterable[str], sites: Iterable[str]) -> None:
        """Create the four relations and the working tables."""
        for relation in relations.SOURCES:
            self.con.execute(relations.ddl(relation))
        self.con.execute(
            "create or replace table patients "
            "(person_id varchar, sex varchar, birth_date varchar, death_date varchar, row_no bigint)"
        )
        self.run("fhir_macros")
        self.run("fhir_tables")
        for family in FAMILIES:
            columns = ", ".join(f'"{name}" {duckdb_type(shape)}' for name, shape in family.shape.items())
            self.con.execute(
                f"create or replace temp table fhir_{family.name} "
                f"(filename varchar, line bigint, bundle bigint, full_url varchar, {columns})"
            )
        self.let("fhir_not_needed", sorted({*not_needed_types, "Bundle.entry"}))
        self.let("fhir_instruments", sorted(instruments))
        self.con.execute("set variable fhir_sites = cast($1 as varchar[])", [sorted(sites)])
        self.let("fhir_types", sorted(FAMILY_OF))

    def word(self, wordings: Mapping[str, str], sites_asked: int) -> None:
        """Say how items of questionnaires that are not ours are recognized."""
        for name, values in (("keys", list(wordings)), ("codes", list(wordings.values()))):
            self.con.execute(f"set variable fhir_word_{name} = cast($1 as varchar[])", [values])
        self.con.execute("set variable fhir_sites_asked = cast($1 as integer)", [sites_asked])

    def report(self, words: Iterable[tuple[str, str, str]]) -> None:
        """Say how the class of a nephritis is recognized in the conclusion of a report."""
        kinds: dict[str, list[str]] = {"about": [], "leaves_open": [], "class": [], "code": []}
        for kind, key, code in words:
            kinds[kind].append(key)
            if kind == "class":
                kinds["code"].append(code)
        for name, values in kinds.items():
            self.con.execute(f"set variable fhir_report_{name} = cast($1 as varchar[])", [values])

    def end(self) -> None:
        """Drop everything temporary."""
        for what, listing in (
            ("view", "select view_name as name from duckdb_views() where temporary"),
            ("table", "select table_name as name from duckdb_tables() where temporary"),
            ("macro", "select distinct function_name as name from duckdb_functions() where function_type = 'macro'"),
        ):
            for (name,) in self.con.execute(f"from ({listing}) where starts_with(name, 'fhir_')").fetchall():
                self.con.execute(f'drop {what} if exists temp."{name}"')

    def run(self, name: str) -> None:
        """Run a `.sql` file beside this module."""
        self.con.execute(_sql(name))

    def make(self, name: str) -> None:
        """Make the temporary table that a `.sql` file defines by its query."""
        self.con.execute(f"create or replace temp table {name} as {_sql(name)}")

    def let(self, name: str, value: Any) -> None:
        """Set a variable of the SQL files."""
        self.con.execute(f"set variable {name} = $1", [value])

    def one(self, query: str, parameters: Any = None) -> Any:
        row = self.con.execute(query, parameters).fetchone()
        return row[0] if row else None

    # --- files --------------------------------------------------------------------------------------------------

    def files_changed(self, found: list[_File], kept: KeptReadings) -> None:
        """As `files`, but open only those that are not kept as they are, and keep these."""
        prefix = str(found[0].path)[: -len(found[0].name)]
        named = {str(file.path)[len(prefix) :]: file for file in found}
        with kept.attached(self.con, [f"fhir_{family.name}" for family in FAMILIES]) as held:
            same = held.take(prefix, named)
            self.bundles = held.bundles()
            self.files([file for name, file in named.items() if name not in same])
            held.keep(named.keys() - same)

    def files(self, found: list[_File]) -> None:
        """Bring every file into the typed tables, the other types or the bad rows."""
        by_type: dict[str, list[_File]] = {}
        mixed: list[_File] = []
        documents: list[_File] = []
        for file in found:
            try:
                look = _look(file)
            except (OSError, EOFError, zlib.error) as problem:
                self.bad_file(file, _reason(problem))
                continue
            if look.form == "document":
                documents.append(file)
            elif look.form == "lines":
                if look.first_type is None or look.first_type == "Bundle":
                    mixed.append(file)
                else:
                    by_type.setdefault(look.first_type, []).append(file)
        for kind, group in by_type.items():
            for batch in _batches(group, FAST_BATCH, lambda file: file.size):
                mixed += self.fast(kind, batch)
        for file in mixed:
            self.lines(file)
        for batch in _batches(documents, BATCH, _size):
            self.documents(batch)

    def register(self, file: _File, first_row: int | None = None, rows: int = 0) -> None:
        exact = first_row is not None and _is_line_per_row(file, rows)
        self.con.execute("insert into fhir_file values ($1, $2, $3, $4)", [str(file.path), file.name, first_row, exact])

    def bad_file(self, file: _File, reason: str, what_to_do: str = "Export or copy the file again.") -> None:
        """A file, or the rest of it, cannot be read."""
        if not self.one("select count(*) from fhir_file where filename = $1", [str(file.path)]):
            self.register(file)
        self.bad(file, None, reason, what_to_do)

    def bad(self, file: _File, line: int | None, reason: str, what_to_do: str, value: str | None = None) -> None:
        self.con.execute(
            "insert into fhir_bad values ($1, $2, $3, null, null, $4, $5, $6)",
            [str(file.path), line, "line" if line else "file", value, reason, what_to_do],
        )

    def fast(self, kind: str, group: list[_File]) -> list[_File]:
        """Read NDJSON of one type straight into its typed table; returns the files that need the other path."""
        family = FAMILY_OF.get(kind)
        table = f"fhir_{family.name}" if family else "fhir_other"
        shape = family.shape if family else {"resourceType": "VARCHAR", "id": "VARCHAR"}
        types = family.types if family else (kind,)
        columns = "{" + ", ".join(f"'{name}': '{duckdb_type(part)}'" for name, part in shape.items()) + "}"
        names = ", ".join(f'"{name}"' for name in shape)
        start = self.one(f"select coalesce(max(rowid) + 1, 0) from {table}")
        largest = max(_size(file) for file in group)
        try:
            self.con.execute(
                f"insert into {table} (filename, bundle, {names}) select filename, 0, {names} "
                f"from read_ndjson($1, columns = {columns}, filename = true, "
                f"maximum_object_size = {min(OBJECT_SIZE, max(MIB, largest))})",
                [[str(file.path) for file in group]],
            )
        except duckdb.Error:
            if len(group) == 1:
                return group
            return [late for file in group for late in self.fast(kind, [file])]
        other = {
            row[0]
            for row in self.con.execute(
                f"select distinct filename from {table} "
                'where rowid >= $1 and not coalesce("resourceType" in $2, false)',
                [start, list(types)],
            ).fetchall()
        }
        if other:
            self.con.execute(f"delete from {table} where rowid >= $1 and filename in $2", [start, sorted(other)])
        places = {
            name: (first, rows)
            for name, first, rows in self.con.execute(
                f"select filename, min(rowid), count(*) from {table} where rowid >= $1 group by filename", [start]
            ).fetchall()
        }
        for file in group:
            if str(file.path) in places:
                self.register(file, *places[str(file.path)])
        return [file for file in group if str(file.path) in other]

    def lines(self, file: _File) -> None:
        """Read a file line by line as text, so that a bad line harms only itself."""
        self.register(file)
        numbers: list[int] = []
        texts: list[str] = []
        size = 0
        for number, line in self.split(file):
            numbers.append(number)
            texts.append(line)
            size += len(line)
            if size > LINES_BATCH:
                self.text(file, numbers, texts)
                numbers, texts, size = [], [], 0
        if texts:
            self.text(file, numbers, texts)

    def split(self, file: _File) -> Iterator[tuple[int, str]]:
        """Lines of a file with their numbers (from 1); blank ones are skipped, unreadable ones become bad rows."""
        number = 0
        try:
            with file.open() as opened:
                while line := opened.readline(LINE_LIMIT + 1):
                    number += 1
                    if len(line) > LINE_LIMIT:
                        while line and not line.endswith(b"\n"):
                            line = opened.readline(MIB)
                        self.bad(
                            file,
                            number,
                            f"The line is longer than {LINE_LIMIT // MIB} MiB.",
                            "Split it: one resource per line.",
                        )
                        continue
                    if number == 1:
                        line = line.removeprefix(b"\xef\xbb\xbf")
                    line = line.strip()
                    if not line:
                        continue
                    try:
                        yield number, line.decode("utf-8")
                    except UnicodeDecodeError:
                        self.bad(file, number, "The line is not UTF-8 text.", "Save the file as UTF-8.")
        except (OSError, EOFError, zlib.error) as problem:
            self.bad_file(file, f"{_reason(problem)} {number} lines could be read.")

    def text(self, file: _File, numbers: list[int], texts: list[str]) -> None:
        """Hand lines to DuckDB and type the resources among them."""
        incoming = pa.table({"line": pa.array(numbers, pa.int64()), "json": pa.array(texts, pa.large_string())})
        self.con.execute("delete from fhir_line")
        self.con.register("fhir_incoming", incoming)
        try:
            self.con.execute("insert into fhir_line select $1, line, json from fhir_incoming", [str(file.path)])
        finally:
            self.con.unregister("fhir_incoming")
        self.run("fhir_lines")
        self.typed()

    def documents(self, batch: list[_File]) -> None:
        """Read files that hold one JSON document each: Bundles and single resources."""
        readable = []
        for file in batch:
            if _size(file) > DOCUMENT_LIMIT:
                self.bad_file(
                    file,
                    f"The document is longer than {DOCUMENT_LIMIT // MIB} MiB.",
                    "Split the Bundle, or export it as NDJSON with one resource per line.",
                )
            else:
                readable.append(file)
        if not readable:
            return
        try:
            self.load_documents(readable)
        except duckdb.Error as problem:
            if len(readable) > 1:
                for file in readable:
                    self.documents([file])
            else:
                self.whole(readable[0], problem)
            return
        for file in readable:
            self.register(file)
        self.typed()

    def load_documents(self, batch: list[_File]) -> None:
        """Isolate the entries of Bundles and the single resources of these files. Raises duckdb.Error."""
        names = [str(file.path) for file in batch]
        options = f"filename = true, maximum_object_size = {max(_size(file) for file in batch) + MIB}"
        self.con.execute(
            'create or replace temp table fhir_doc as select filename, "resourceType", entry from read_json($1, '
            "columns = {'resourceType': 'VARCHAR', 'entry': 'STRUCT(\"fullUrl\" VARCHAR, resource JSON)[]'}, "
            f"format = 'auto', {options})",
            [names],
        )
        single = [
            row[0]
            for row in self.con.execute(
                "select distinct filename from fhir_doc where \"resourceType\" is distinct from 'Bundle' order by 1"
            ).fetchall()
        ]
        if single:
            self.con.execute(
                "insert into fhir_text select filename, 1, 0, null, json_extract_string(json, '$.resourceType'), "
                f"cast(json as varchar) from read_json_objects($1, format = 'auto', {options}) "
                "where json_extract_string(json, '$.resourceType') is distinct from 'Bundle'",
                [single],
            )
        self.let("fhir_bundle", self.bundles)
        self.run("fhir_document")
        self.bundles += self.one("select count(*) from fhir_doc")
        self.con.execute("drop table fhir_doc")

    def whole(self, file: _File, problem: Exception) -> None:
        """Read a document that DuckDB refused as one text, to reject only what is wrong in it."""
        self.con.execute("delete from fhir_text")
        self.register(file)
        try:
            with file.open() as opened:
                content = opened.read(LINE_LIMIT + 1)
            text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        except (OSError, EOFError, zlib.error) as trouble:
            self.bad_file(file, _reason(trouble))
            return
        except UnicodeDecodeError:
            self.bad_file(file, "The file is not UTF-8 text.", "Save the file as UTF-8.")
            return
        if len(content) > LINE_LIMIT or not self.one("select json_valid($1)", [text]):
            reason = f"This is not a JSON document: {_reason(problem)}"
            self.bad_file(file, reason, "Correct the file or export it again.")
            return
        self.text(file, [1], [text])

    # --- from JSON text to typed rows ------------------------------------------------------------------------------

    def typed(self) -> None:
        """Move the isolated resources of `fhir_text` into the typed tables; what has another shape becomes bad rows."""
        for _ in range(BUNDLE_DEPTH):
            count = self.one("select count(*) from fhir_text where kind = 'Bundle'")
            if not count:
                break
            self.let("fhir_bundle", self.bundles)
            self.run("fhir_entries")
            self.bundles += count
        self.run("fhir_sorted")
        kinds = {row[0] for row in self.con.execute("select distinct kind from fhir_text").fetchall()}
        for family in FAMILIES:
            if kinds & set(family.types):
                self.type_family(family)
        self.con.execute("delete from fhir_text")

    def type_family(self, family: Family) -> None:
        types = list(family.types)
        fitting = self.fitting[family.name]
        faults = []
        for (structure,) in self.con.execute(
            "select distinct cast(json_structure(json) as varchar) from fhir_text where kind in $1", [types]
        ).fetchall():
            if structure in fitting:
                continue
            wrong = misfits(json.loads(structure), family.shape)
            if wrong:
                faults.append((structure, wrong[0]))
            else:
                fitting.add(structure)
        bad = ""
        if faults:
            self.con.execute("delete from fhir_misfit")
            self.con.executemany("insert into fhir_misfit values ($1, $2)", faults)
            self.let("fhir_types_wrong", types)
            self.run("fhir_misfits")
            bad = "and cast(json_structure(json) as varchar) not in (select structure from fhir_misfit)"
        names = ", ".join(f't.s."{name}"' for name in family.shape if name not in ("resourceType", "id"))
        self.con.execute(
            f"insert into fhir_{family.name} select filename, line, bundle, full_url, t.kind, "
            "coalesce(t.s.id, nullif(regexp_extract(full_url, '([^/:]+)$', 1), '')), "
            f"{names} from (select *, json_transform(json, $1) as s from fhir_text where kind in $2 {bad}) as t",
            [json.dumps(family.shape), types],
        )

    # --- from typed rows to relations ------------------------------------------------------------------------------

    def families(self) -> None:
        """Make the four relations from the typed tables, family by family."""
        offsets: dict[str, int] = {}
        for family in FAMILIES:
            offsets[family.name] = self.offset
            rows = self.one(f"select coalesce(max(rowid) + 1, 0) from fhir_{family.name}")
            if rows:
                self.let("fhir_offset", self.offset)
                self.family(family)
                self.offset += rows
            if family.name not in ("patient", "medication", "role"):
                self.con.execute("drop view if exists fhir_concept")
                self.con.execute("drop view if exists fhir_row")
                self.con.execute(f"drop table fhir_{family.name}")
        self.let("fhir_offset", offsets["medication"])
        self.run("fhir_medication_class")
        self.let("fhir_offset", self.offset)
        self.offset += self.one("select coalesce(max(rowid) + 1, 0) from fhir_other")
        self.let("fhir_bad_offset", self.offset)
        self.run("fhir_other")

    def family(self, family: Family) -> None:
        """One family: duplicates, persons, problems, source rows, then its statements."""
        table = f"fhir_{family.name}"
        subject = f'fhir_subject_key(r."{family.subject}")' if family.subject else "''"
        fields = ", ".join(f'"{name}" := r."{name}"' for name in family.fields)
        person = "r.id" if family.name == "patient" else "cast(null as varchar)"
        self.con.execute(
            "create or replace temp view fhir_row as "
            "select r.rowid as rid, r.rowid + getvariable('fhir_offset') as row_no, r.filename, r.line, r.bundle, "
            'r."resourceType", r.id, r.meta."lastUpdated" as last_updated, r.meta."versionId" as version_id, '
            f"{subject} as subject_key, {family.status} as status, {person} as person_id, "
            f"cast(struct_pack({fields}) as varchar) as canonical from {table} as r"
        )
        self.con.execute("delete from fhir_problem")
        if family.name in ("patient", "medication"):
            self.run(f"{table}_lookup")
        self.make("fhir_duplicate")
        self.make("fhir_subject")
        if family.name == "drug":
            self.run("fhir_drug_medication")
        if family.subject:
            self.run("fhir_problem")
        if family.name == "patient":
            self.run("fhir_patient_problem")
        self.run("fhir_source_rows")
        self.run("fhir_rejected")
        self.con.execute(f"delete from {table} where rowid in (select rid from fhir_duplicate)")
        # A resource without an id is named by its place; '#' cannot be part of a FHIR id.
        self.con.execute(
            f"update {table} set id = (select s.reference from source_rows as s "
            f"where s.row_no = {table}.rowid + getvariable('fhir_offset')) where id is null"
        )
        self.statements(family)

    def statements(self, family: Family) -> None:
        """Run the file of a family."""
        if family.name == "medication":
            return
        self.run(f"fhir_{family.name}")
        if family.name not in ("patient", "role", "observation", "questionnaire"):
            self.run("fhir_concepts")

    def check(self, source: Path) -> None:
        """Raise InputError when there is not one resource in the source."""
        if self.one("select count(*) from source_rows where source_type not in ('file', 'line', 'unknown')"):
            return
        first = self.con.execute(
            "select file, line, reason, what_to_do from rejected order by file, line nulls first, reason limit 1"
        ).fetchone()
        if first is None:
            raise InputError(f"{source}: there is no FHIR resource in it (empty). Check the path or export it again.")
        file, line, reason, what_to_do = first
        place = str(source) if source.is_file() else str(source / file)
        raise InputError(f"{place}{f', line {line}' if line else ''}: {reason} {what_to_do}")


def _batches(group: list[_File], limit: int, size: Callable[[_File], int]) -> Iterator[list[_File]]:
    """Files in their order, in batches of about `limit` bytes."""
    batch: list[_File] = []
    total = 0
    for file in group:
        length = size(file)
        if batch and total + length > limit:
            yield batch
            batch, total = [], 0
        batch.append(file)
        total += length
    if batch:
        yield batch
