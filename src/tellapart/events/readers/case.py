"""Reads `tellapart.case/1`: one person typed by hand, or built by another program (JSON, or the same as TOML).

Source of the rules: design §6. Unknown keys are ignored; an unknown id or an impossible value is an issue that names
the file, the field, the value and the nearest valid ids. Absent keys and `null` are unknown, never absent findings.
One case alone is read strictly: all issues together, then nothing. In a folder a bad entry is rejected and the rest
goes on.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import orjson

from tellapart.contracts.relations import LEFT_OUT, PATIENTS, REJECTED, SOURCE_ROWS, STATEMENTS
from tellapart.errors import InputError, UsageError
from tellapart.knowledge.load import Knowledge, load

SCHEMA = "tellapart.case/1"
TEMPLATE = Path(__file__).parent / "case_template.toml"
SUFFIXES = (".json", ".toml")

SEXES = ("female", "male", "other", "unknown")
STATES = ("present", "absent")
COMPARATORS = ("<", "<=", ">", ">=")
INTERPRETATIONS = ("N", "L", "H", "POS", "NEG", "IND")
BY = ("measured", "clinician", "patient", "text")
SYSTEMS = {"icd10cm": "icd10cm", "icd10": "icd10who", "icd9cm": "icd9cm", "snomed": "snomed"}

DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T.*)?)?)?")  # a day, a month or a year; the time of a day is not looked at
DOCUMENT_KEYS = ("schema", "person", "as_of", "setting", "findings", "instruments", "drugs", "conditions")
PERSON_KEYS = ("id", "sex", "age", "birth_date")
FINDING_KEYS = (
    "finding", "state", "value", "unit", "comparator", "low", "high", "interpretation", "method", "date", "by", "note",
)  # fmt: skip
INSTRUMENT_KEYS = ("instrument", "date", "by", "note")
DRUG_KEYS = ("drug", "dose", "unit", "start", "end", "note")
CONDITION_KEYS = ("code", "system", "date", "by", "note")


class Loader(Protocol):
    """What the reader asks of an engine."""

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None: ...


@dataclass(frozen=True)
class Issue:
    """One fault of a case file.

    Attributes:
        level: `error` (cannot be used) or `warning` (used, but look at it).
        where: file and place in it (`x.json: findings[3].finding`).
        what: what is wrong, with the value as given.
        what_to_do: how to mend it.
    """

    level: str
    where: str
    what: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.what_to_do}".rstrip()


@dataclass(frozen=True)
class FindingForm:
    """How a case may state one finding.

    Attributes:
        label: what a clinician reads.
        is_value: a number is expected (kind `value`).
        by_result: a result is read (value, interpretation), not only a state.
        stateable: `state` may be given.
        unit: canonical unit, '' if it has none.
        units: unit as it may be written, to (factor, offset, lowest and highest plausible canonical value or None).
    """

    label: str
    is_value: bool
    by_result: bool
    stateable: bool
    unit: str
    units: Mapping[str, tuple[float, float, float | None, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class InstrumentForm:
    """How a case may fill in one instrument.

    Attributes:
        items: item to (lowest, highest) answer.
        site_list: the key that lists places (`pain_sites`, `tender_points`, `sites`), '' if there is none.
        sites: place as it may be written, to the place that is recorded.
    """

    items: Mapping[str, tuple[float, float]]
    site_list: str
    sites: Mapping[str, str]


@dataclass(frozen=True)
class KnowledgeIds:
    """The ids and ranges that a case file may use, taken from the knowledge base."""

    findings: Mapping[str, FindingForm]
    drugs: frozenset[str]
    instruments: Mapping[str, InstrumentForm]
    settings: tuple[str, ...]
    year_min: int
    year_max: int


@lru_cache(maxsize=4)
def knowledge_ids(knowledge: Knowledge) -> KnowledgeIds:
    """The ids that a case file may use (tables findings, finding_codes, value_rules, units, drugs, instruments, …)."""
    results = {r["code"] for r in knowledge["finding_codes"] if r["system"] == "finding" and r["rule"] == "result"}
    worded = {r["source"] for r in knowledge["value_rules"] if r["test"] == "positive"}
    spellings: dict[str, list[str]] = {}
    for row in knowledge["unit_aliases"]:
        spellings.setdefault(row["ucum"], []).append(row["seen"])
    units: dict[str, dict[str, tuple[float, float, float | None, float | None]]] = {}
    for row in knowledge["units"]:
        bounds = (
            float(row["factor"]), float(row["offset"] or 0),
            float(row["plausible_low"]) if row["plausible_low"] else None,
            float(row["plausible_high"]) if row["plausible_high"] else None,
        )  # fmt: skip
        own = units.setdefault(row["finding"], {})
        own[row["unit_seen"]] = bounds
        for seen in spellings.get(row["unit_seen"], ()):
            own.setdefault(seen, bounds)
    findings = {}
    for row in knowledge["findings"]:
        name, is_value = row["finding"], row["kind"] == "value"
        findings[name] = FindingForm(
            row["label"], is_value, is_value or name in results, not is_value or name in worded, row["unit"],
            units.get(name, {}),
        )  # fmt: skip
    return KnowledgeIds(
        findings,
        frozenset(r["drug"] for r in knowledge["drugs"]),
        _instruments(knowledge),
        tuple(dict.fromkeys(r["setting"] for r in knowledge["priors"])),
        int(knowledge.limit("date_year_min")),
        int(knowledge.limit("date_year_max")),
    )


def _instruments(knowledge: Knowledge) -> dict[str, InstrumentForm]:
    items: dict[str, dict[str, tuple[float, float]]] = {}
    for row in knowledge["instrument_items"]:
        items.setdefault(row["instrument"], {})[row["item"]] = (float(row["low"]), float(row["high"]))
    places: dict[str, dict[str, str]] = {
        "pain_sites": {r["site"]: r["site"] for r in knowledge["pain_sites"] if r["wpi"] == "yes"},
        "tender_points": {r["site"]: r["site"] for r in knowledge["pain_sites"] if r["region"] == "tender_point"},
        # a site of the 19 counts for the wider AAPT site it lies in
        "sites": {r["site"]: r["aapt_site"] for r in knowledge["pain_sites"] if r["aapt_site"]}
        | {r["aapt_site"]: r["aapt_site"] for r in knowledge["pain_sites"] if r["aapt_site"]},
        "": {},
    }
    return {
        r["instrument"]: InstrumentForm(items.get(r["instrument"], {}), r["site_list"], places[r["site_list"]])
        for r in knowledge["instruments"]
    }


def is_case(document: object) -> bool:
    """Does this parsed document say that it is a case?"""
    return isinstance(document, dict) and str(document.get("schema", "")).startswith("tellapart.case/")


def parse(path: Path) -> Any:
    """The document in a JSON or TOML file; days of TOML become ISO text.

    Raises:
        InputError: not readable, or neither JSON nor TOML as its name says.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    return parse_bytes(raw, str(path), toml=path.suffix.lower() == ".toml")


def parse_bytes(raw: bytes, name: str, toml: bool = False) -> Any:
    """As `parse`, from bytes; `name` is used in messages.

    Raises:
        InputError: not JSON (or TOML).
    """
    try:
        if toml:
            return _texts(tomllib.loads(raw.decode("utf-8-sig")))
        return orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except (tomllib.TOMLDecodeError, orjson.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name}: not {'TOML' if toml else 'JSON'} ({error}).") from None


def _texts(node: Any) -> Any:
    """TOML days and times as ISO text, so that both formats give one document."""
    if isinstance(node, dict):
        return {key: _texts(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_texts(value) for value in node]
    return node.isoformat() if isinstance(node, date | datetime) else node


def new_case(path: Path) -> None:
    """Write the commented template that a clinician can fill in.

    Raises:
        UsageError: the file exists already, its name does not end in .toml, or it cannot be written.
    """
    if path.suffix.lower() != ".toml":
        raise UsageError(f"{path}: the template is TOML (it has comments); choose a name that ends in .toml.")
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(TEMPLATE.read_text(encoding="utf-8"))
    except FileExistsError:
        raise UsageError(f"{path}: exists already; choose another name.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}).") from None


def check_case(path: Path, ids: KnowledgeIds) -> list[Issue]:
    """Every fault of one case file, in the order of the document; an empty list means that it can be used.

    Args:
        path: JSON or TOML file.
        ids: what may be used, from `knowledge_ids`.
    """
    try:
        document = parse(path)
    except InputError as error:
        return [Issue("error", str(path), str(error).removeprefix(f"{path}: "), "Nothing else was checked.")]
    return [issue for _, issues in _Document(document, path.name, path.stem, ids).entries() for issue in issues]


def read_case(engine: Loader, source: Path, ids: KnowledgeIds | None = None) -> list[Issue]:
    """Read one case, or a folder of them, into `statements`, `source_rows`, `patients` and `rejected`.

    Args:
        engine: gets the four relations (replaced).
        source: a JSON or TOML file, or a folder (searched whole) of them.
        ids: what may be used; the shipped knowledge base if None.

    Returns:
        Warnings; for a folder also the errors, which are rows of `rejected` as well.

    Raises:
        InputError: one file: with every error of it. A folder: nothing in it is a case.
    """
    ids = ids or knowledge_ids(load())
    if not source.is_dir():
        return read_documents(engine, [(str(source), source.stem, parse(source))], ids, strict=True)
    documents: list[tuple[str, str, Any]] = []
    for path in sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()):
        name = path.relative_to(source).as_posix()
        try:
            documents.append((name, path.stem, parse(path)))
        except InputError as error:
            documents.append((name, path.stem, error))
    if not any(is_case(document) for _, _, document in documents):
        unread = [str(document) for _, _, document in documents if isinstance(document, InputError)]
        raise InputError(
            "".join(f"{message}\n" for message in unread[:3])
            + f'{source}: no case in this folder. A case is a .json or .toml file with schema = "{SCHEMA}"; '
            "tellapart case new FILE writes a template."
        )
    return read_documents(engine, documents, ids, strict=False)


def read_documents(
    engine: Loader, documents: Sequence[tuple[str, str, Any]], ids: KnowledgeIds, strict: bool
) -> list[Issue]:
    """As `read_case`, from parsed documents.

    Args:
        engine: gets the four relations (replaced).
        documents: file name for messages, default person id, and the document (or the InputError it raised).
        ids: what may be used.
        strict: any error stops all, after all were collected.

    Raises:
        InputError: strict, and there are errors.
    """
    statements: list[tuple[Any, ...]] = []
    source_rows: list[tuple[Any, ...]] = []
    patients: list[tuple[Any, ...]] = []
    rejected: list[tuple[Any, ...]] = []
    issues: list[Issue] = []
    for name, stem, document in documents:
        entries: Iterator[tuple[_Entry, list[Issue]]]
        if isinstance(document, InputError):
            found = Issue("error", name, str(document), f'Mend it, or see the template: schema = "{SCHEMA}".')
            entries = iter([(_Entry("case.file", "", None, stem), [found])])
        else:
            entries = _Document(document, name, stem, ids).entries()
        for entry, faults in entries:
            issues += faults
            errors = [fault for fault in faults if fault.level == "error"]
            row_no = len(source_rows) + 1
            source_rows.append(
                (
                    row_no,
                    entry.source_type,
                    name,
                    None,
                    entry.reference,
                    entry.person_id,
                    "rejected" if errors else None,
                )
            )
            rejected += [
                (name, None, entry.reference, entry.person_id, fault.where.partition(": ")[2] or None,
                 entry.value if entry.value is None or isinstance(entry.value, str) else _short(entry.value),
                 fault.what, fault.what_to_do, row_no)
                for fault in errors
            ]  # fmt: skip
            if entry.patient is not None and (not errors or entry.usable):
                # nobody watches a case from then on
                patients.append((*entry.patient[:4], row_no, *entry.patient[4:], None))
            if not errors:
                for part, said in enumerate(entry.statements):
                    said |= {
                        "row_no": row_no,
                        "part": part,
                        "person_id": entry.person_id,
                        "reference": entry.reference,
                        "coding_no": 0,
                    }
                    statements.append(tuple(map(said.get, STATEMENTS.columns)))
    if strict and (errors := [issue for issue in issues if issue.level == "error"]):
        raise InputError(f"{len(errors)} fault(s) in this case:\n  " + "\n  ".join(str(issue) for issue in errors))
    engine.load("statements", STATEMENTS.columns, statements)
    engine.load("source_rows", SOURCE_ROWS.columns, source_rows)
    engine.load("left_out", LEFT_OUT.columns, [])
    engine.load("patients", PATIENTS.columns, patients)
    engine.load("rejected", REJECTED.columns, rejected)
    return issues


@dataclass
class _Entry:
    """One source row of a case and what it says: statements, or the person."""

    source_type: str
    reference: str
    person_id: str | None
    value: Any = None  # as given
    statements: list[dict[str, Any]] = field(default_factory=list)
    patient: tuple[Any, ...] | None = None
    usable: bool = False  # the person is known although something about the person is wrong


class _Document:
    """One case document on its way to statements. Every check adds to `self.issues` and goes on."""

    def __init__(self, document: Any, file: str, stem: str, ids: KnowledgeIds) -> None:
        self.document, self.file, self.stem, self.ids = document, file, stem, ids
        self.issues: list[Issue] = []
        self.person_id = stem

    # ---- issues -------------------------------------------------------------------------------------------------

    def _error(self, place: str, what: str, what_to_do: str = "") -> None:
        self.issues.append(Issue("error", f"{self.file}: {place}", what, what_to_do))

    def _warn(self, place: str, what: str, what_to_do: str = "") -> None:
        self.issues.append(Issue("warning", f"{self.file}: {place}", what, what_to_do))

    def _unknown_id(self, place: str, value: Any, a_what: str, valid: Iterable[str], show: str) -> None:
        self._error(place, f"{value!r} is not {a_what}.", f"{_did_you_mean(value, valid)}{show}")

    def _unknown_keys(self, place: str, entry: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in entry:
            if key not in known and (near := difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)):
                self._warn(_join(place, key), "is not a key and is ignored.", f"Did you mean {near[0]!r}?")

    # ---- leaves -------------------------------------------------------------------------------------------------

    def _choice(self, place: str, entry: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str | None:
        value = entry.get(key)
        if value is None:
            return None
        if value not in allowed:
            self._error(_join(place, key), f"{value!r} is not possible.", f"Allowed: {', '.join(allowed)}.")
            return None
        return str(value)

    def _text(self, place: str, entry: Mapping[str, Any], key: str) -> str | None:
        value = entry.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self._error(_join(place, key), f"{value!r} is not a text.", "Put it in quotation marks, or leave it out.")
            return None
        return value.strip()

    def _number(self, place: str, entry: Mapping[str, Any], key: str) -> float | int | None:
        value = entry.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            self._error(_join(place, key), f"{value!r} is not a number.", "Give a number without quotation marks.")
            return None
        return value

    def _date(self, place: str, entry: Mapping[str, Any], key: str, whole: bool = False) -> str | None:
        value = entry.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # a year without quotation marks
        shape = "a day such as 2025-10-31" if whole else "such as 2025-10-31, 2025-10 or 2025"
        if not isinstance(value, str) or not DATE.fullmatch(value):
            self._error(_join(place, key), f"{value!r} is not a date.", f"Give {shape}.")
            return None
        try:
            day = date.fromisoformat(f"{value[:10]}{'-01-01'[len(value) - 4 :] if len(value) < 10 else ''}")
        except ValueError:
            self._error(_join(place, key), f"{value!r} is not a possible date.", f"Give {shape}.")
            return None
        if not self.ids.year_min <= day.year <= self.ids.year_max:
            self._error(
                _join(place, key), f"{value!r} is not a possible date.",
                f"Years from {self.ids.year_min} to {self.ids.year_max} are.",
            )  # fmt: skip
            return None
        if whole and len(value) < 10:
            self._error(_join(place, key), f"{value!r} is not a whole day.", f"Give {shape}.")
            return None
        return value

    # ---- the document -------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[tuple[_Entry, list[Issue]]]:
        """Each entry of the document with its issues, the person first."""
        document = self.document
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            given = document.get("schema") if isinstance(document, dict) else None
            self._error("schema", f"{given!r} is not a case that this version reads.", f'Write schema = "{SCHEMA}".')
            yield _Entry("case.file", "", self.stem, given), self._taken()
            return
        self._unknown_keys("", document, DOCUMENT_KEYS)
        yield self._person(document), self._taken()
        for key, read in (
            ("findings", self._finding),
            ("instruments", self._instrument),
            ("drugs", self._drug),
            ("conditions", self._condition),
        ):
            listed = document.get(key)
            if listed is None:
                continue
            if not isinstance(listed, list):
                self._error(key, "is not a list.", "Give a list of entries.")
                yield _Entry(f"case.{key}", f"case:{self.person_id}#{key}", self.person_id), self._taken()
                continue
            for number, entry in enumerate(listed):
                place = f"{key}[{number}]"
                out = _Entry(f"case.{key}", f"case:{self.person_id}#{place}", self.person_id, entry)
                if isinstance(entry, dict):
                    out.statements = read(place, entry, out)
                else:
                    self._error(place, f"{_short(entry)} is not an entry.", "Give an object (JSON) or a table (TOML).")
                yield out, self._taken()

    def _taken(self) -> list[Issue]:
        issues, self.issues = self.issues, []
        return issues

    def _person(self, document: Mapping[str, Any]) -> _Entry:
        person = document.get("person")
        if person is None:
            person = {}
        if not isinstance(person, dict):
            self._error("person", f"{_short(person)} is not an entry.", "Give an object with id, sex, age.")
            person = {}
        self._unknown_keys("person", person, PERSON_KEYS)
        identity = person.get("id")
        if isinstance(identity, int) and not isinstance(identity, bool):
            identity = str(identity)
        if identity is not None and (not isinstance(identity, str) or not identity.strip()):
            self._error("person.id", f"{identity!r} is not a text.", "Leave it out to use the name of the file.")
            identity = None
        self.person_id = identity.strip() if identity else self.stem
        sex = self._choice("person", person, "sex", SEXES)
        born = self._date("person", person, "birth_date")
        age = self._number("person", person, "age")
        as_of = self._date("", document, "as_of", whole=True)
        oldest = self.ids.year_max - self.ids.year_min
        if age is not None and (age != int(age) or not 0 <= age <= oldest):
            self._error("person.age", f"{age!r} is not possible.", f"Allowed: whole years from 0 to {oldest}.")
            age = None
        if born and as_of and born > as_of:
            self._error("person.birth_date", f"{born!r} lies after as_of ({as_of}).", "Correct one of them.")
        setting = self._choice("", document, "setting", self.ids.settings)
        entry = _Entry("case.person", f"case:{self.person_id}#person", self.person_id, person, usable=True)
        entry.patient = (
            self.person_id, sex or "unknown", born, None,
            None if age is None or born else int(age), as_of[:10] if as_of else None, setting,
        )  # fmt: skip
        return entry

    def _finding(self, place: str, entry: Mapping[str, Any], out: _Entry) -> list[dict[str, Any]]:
        self._unknown_keys(place, entry, FINDING_KEYS)
        name = entry.get("finding")
        form = self.ids.findings.get(name) if isinstance(name, str) else None
        if form is None:
            self._unknown_id(
                f"{place}.finding", name, "a finding", self.ids.findings, "All: tellapart knowledge show findings"
            )
        state = self._choice(place, entry, "state", STATES)
        flag = self._choice(place, entry, "interpretation", INTERPRETATIONS)
        comparator = self._choice(place, entry, "comparator", COMPARATORS)
        unit, method = self._text(place, entry, "unit"), self._text(place, entry, "method")
        low, high = self._number(place, entry, "low"), self._number(place, entry, "high")
        if low is not None and high is not None and low > high:
            self._error(f"{place}.low", f"{low!r} is above high ({high!r}).", "Correct one of them.")
        note, by, day = (
            self._text(place, entry, "note"),
            self._choice(place, entry, "by", BY),
            self._date(place, entry, "date"),
        )
        raw = entry.get("value")
        value = raw.strip() if isinstance(raw, str) and raw.strip() else self._number(place, entry, "value")
        if form is None:
            return []
        if (
            state is None
            and raw is None
            and flag is None
            and entry.get("state") is None
            and entry.get("interpretation") is None
        ):
            self._error(
                place, f"{name!r} says nothing.",
                "Give value, or leave the entry out." if form.is_value and not form.stateable
                else "Give state (present or absent), value or interpretation, or leave the entry out.",
            )  # fmt: skip
        if state is not None and not form.stateable:
            self._error(
                f"{place}.state", f"{name!r} is a number and has no state.", f"Give value{_in_unit(form.unit)}."
            )
        if not form.by_result and (raw is not None or flag is not None):
            key = "value" if raw is not None else "interpretation"
            self._error(
                f"{place}.{key}", f"{name!r} is present or absent and has no {key}.",
                "Give state; results go under the name of the test.",
            )  # fmt: skip
        if value is not None and form.is_value:
            self._value(place, form, value, name=str(name), unit=unit, has_range=low is not None or high is not None)
        elif isinstance(value, int | float) and high is None and state is None and flag is None and form.by_result:
            self._warn(
                place, f"{name} {_plain(value)} says nothing without the limit of the laboratory.",
                "Give high, or state (present or absent).",
            )  # fmt: skip
        meaning = {"present": "POS", "absent": "NEG"}.get(state or "")
        if meaning and flag in ("POS", "NEG") and flag != meaning:
            self._error(f"{place}.interpretation", f"{flag!r} contradicts state {state!r}.", "Leave one of them out.")
        text = form.label
        if value is not None:
            text += f" {comparator or ''}{_plain(value)}" + (f" {unit}" if unit else "")
        elif state or flag:
            text += f": {state or flag}"
        if form.by_result:
            status, interpretation = "asserted", meaning or flag
        else:
            status, interpretation = ("refuted" if state == "absent" else "asserted"), None
        return [
            {
                "kind": "finding", "system": "finding", "code": name, "display": form.label,
                "value": None if value is None else _plain(value), "comparator": comparator, "unit": unit,
                "low": None if low is None else _plain(low), "high": None if high is None else _plain(high),
                "interpretation": interpretation, "date": day, "status": status, "by": by, "method": method,
                "text": f"{text} ({note})" if note else text,
            }
        ]  # fmt: skip

    def _value(
        self, place: str, form: FindingForm, value: float | int | str, *, name: str, unit: str | None, has_range: bool
    ) -> None:
        """The unit must be known and the number plausible in it; the value itself is converted later, once, in SQL."""
        if form.unit in ("", "{titer}"):
            if isinstance(value, int | float) and value < 0:
                self._error(f"{place}.value", f"{value!r} is not a titre.", "Give the denominator: 1:640 is 640.")
            return
        if unit is None and form.unit != "1":
            if isinstance(value, int | float) and not has_range:
                self._warn(
                    f"{place}.unit", f"{name} without unit will be rejected: no unit is guessed.",
                    f"Write for example unit = {form.unit!r}.",
                )  # fmt: skip
            return
        bounds = form.units.get(unit or form.unit)
        if bounds is None:
            if unit is not None and unit != form.unit:
                self._unknown_id(
                    f"{place}.unit", unit, f"a unit of {name} that can be converted", form.units,
                    f"For example: {', '.join(list(form.units)[:6]) or form.unit}.",
                )  # fmt: skip
            return
        if not isinstance(value, int | float):
            return
        if not _plausible(value, bounds):
            likely = [u for u, b in form.units.items() if _plausible(value, b)]
            low, high = bounds[2], bounds[3]
            self._error(
                f"{place}.value", f"{_plain(value)}{_spaced(unit)} is not a plausible {name}.",
                f"Allowed: {_plain('' if low is None else low)} to {_plain('' if high is None else high)}"
                f"{_spaced(form.unit)}."
                + (f" Likely unit: {likely[0]}." if likely else ""),
            )  # fmt: skip

    def _instrument(self, place: str, entry: Mapping[str, Any], out: _Entry) -> list[dict[str, Any]]:
        name = entry.get("instrument")
        form = self.ids.instruments.get(name) if isinstance(name, str) else None
        if form is None:
            self._unknown_id(
                f"{place}.instrument", name, "an instrument", self.ids.instruments,
                f"All: {', '.join(sorted(self.ids.instruments))}",
            )  # fmt: skip
            return []
        own = [key for key in form.items if not key.startswith("site.")]
        self._unknown_keys(place, entry, [*INSTRUMENT_KEYS, *own, *filter(None, [form.site_list])])
        day, by = self._date(place, entry, "date"), self._choice(place, entry, "by", BY)
        answers: dict[str, str] = {}
        for item in own:
            answer = entry.get(item)
            if answer is None or (item == form.site_list and isinstance(answer, list)):
                continue
            low, high = form.items[item]
            if isinstance(answer, bool):
                if (low, high) != (0, 1):
                    self._error(
                        f"{place}.{item}", f"{answer!r} is not possible.", f"Allowed: {_plain(low)} to {_plain(high)}."
                    )
                    continue
                answer = int(answer)
            number = self._number(place, {**entry, item: answer}, item)
            if number is None:
                continue
            if not low <= number <= high or (item not in ("months", "total") and number != int(number)):
                yes_no = " (or true, false)" if (low, high) == (0, 1) else ""
                self._error(
                    f"{place}.{item}", f"{answer!r} is not possible.",
                    f"Allowed: {_plain(low)} to {_plain(high)}{yes_no}; leave it out if it was not asked.",
                )  # fmt: skip
                continue
            answers[item] = _plain(number)
        answers |= self._sites(place, entry, form)
        if not answers and not self.issues:
            self._error(place, "has no answer.", "Leave the entry out, or give at least one item.")
        note = self._text(place, entry, "note")
        return [
            {
                "kind": "instrument", "system": "instrument", "code": f"{name}.{item}", "value": answer, "date": day,
                "status": "asserted", "by": by, "group_key": out.reference,
                "text": f"{name} {item.removeprefix('site.')}: {answer}" + (f" ({note})" if note else ""),
            }
            for item, answer in answers.items()
        ]  # fmt: skip

    def _sites(self, place: str, entry: Mapping[str, Any], form: InstrumentForm) -> dict[str, str]:
        """The places listed, as answers: who lists places was asked for all of them, so the others are absent."""
        key = form.site_list
        listed = entry.get(key) if key else None
        if listed is None or (key in form.items and not isinstance(listed, list)):
            return {}
        if not isinstance(listed, list):
            self._error(f"{place}.{key}", f"{_short(listed)} is not a list.", 'Give a list such as ["neck", "hip_l"].')
            return {}
        hurt = set()
        for number, site in enumerate(listed):
            if not isinstance(site, str) or site not in form.sites:
                self._unknown_id(
                    f"{place}.{key}[{number}]", site, "a site", form.sites, f"All: {', '.join(sorted(form.sites))}"
                )
            else:
                hurt.add(form.sites[site])
        if key in form.items:  # only the number is kept
            return {key: str(len(hurt))}
        return {f"site.{site}": str(int(site in hurt)) for site in dict.fromkeys(form.sites.values())}

    def _drug(self, place: str, entry: Mapping[str, Any], out: _Entry) -> list[dict[str, Any]]:
        self._unknown_keys(place, entry, DRUG_KEYS)
        name = entry.get("drug")
        if not isinstance(name, str) or name not in self.ids.drugs:
            self._unknown_id(f"{place}.drug", name, "a drug", self.ids.drugs, "All: tellapart knowledge show drugs")
        dose, unit = self._number(place, entry, "dose"), self._text(place, entry, "unit")
        if dose is not None and dose <= 0:
            self._error(f"{place}.dose", f"{dose!r} is not possible.", "Give a number above 0, or leave it out.")
        start, end = self._date(place, entry, "start"), self._date(place, entry, "end")
        if start and end and end[: len(start)] < start[: len(end)]:
            self._error(f"{place}.end", f"{end!r} lies before start ({start}).", "Correct one of them.")
        note = self._text(place, entry, "note")
        amount = "" if dose is None else f" {_plain(dose)}{_spaced(unit)}"
        return [
            {
                "kind": "drug", "system": "drug", "code": name, "display": str(name).replace("_", " "),
                "value": None if dose is None else _plain(dose), "unit": unit, "date": start, "end_date": end,
                "status": "asserted",
                "text": f"{str(name).replace('_', ' ')}{amount}" + (f" ({note})" if note else ""),
            }
        ]  # fmt: skip

    def _condition(self, place: str, entry: Mapping[str, Any], out: _Entry) -> list[dict[str, Any]]:
        self._unknown_keys(place, entry, CONDITION_KEYS)
        code = entry.get("code")
        if isinstance(code, int) and not isinstance(code, bool):
            code = str(code)
        if not isinstance(code, str) or not code.strip():
            self._error(f"{place}.code", f"{code!r} is not a code.", "Give the code as text, for example M32.9.")
        system = self._choice(place, entry, "system", tuple(SYSTEMS))
        if system is None and entry.get("system") is None:
            self._error(f"{place}.system", "is missing.", f"Allowed: {', '.join(SYSTEMS)}.")
        day, by, note = (
            self._date(place, entry, "date"),
            self._choice(place, entry, "by", BY),
            self._text(place, entry, "note"),
        )
        return [
            {
                "kind": "condition", "system": SYSTEMS.get(system or ""), "code": str(code).strip(), "date": day,
                "status": "asserted", "by": by, "text": f"{code}" + (f" ({note})" if note else ""),
            }
        ]  # fmt: skip


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else str(key)


def _short(value: Any) -> str:
    """A value as it is shown in a message: JSON, cut at 200 characters."""
    return json.dumps(value, default=str, ensure_ascii=False)[:200]


def _plain(value: float | int | str) -> str:
    """A number as text without exponent or a needless `.0`; text unchanged."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _finite(value: float | int) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _spaced(unit: str | None) -> str:
    return f" {unit}" if unit and unit != "1" else ""


def _in_unit(unit: str) -> str:
    return f" in {unit}" if unit and unit != "1" else ""


def _plausible(value: float, bounds: tuple[float, float, float | None, float | None]) -> bool:
    canonical = value * bounds[0] + bounds[1]
    return (bounds[2] is None or canonical >= bounds[2]) and (bounds[3] is None or canonical <= bounds[3])


def _did_you_mean(value: Any, valid: Iterable[str]) -> str:
    """The nearest ids: the best match and those that are about as good."""
    near = difflib.get_close_matches(str(value), list(valid), n=3, cutoff=0.6)
    likeness = [difflib.SequenceMatcher(None, name, str(value)).ratio() for name in near]
    best = [repr(name) for name, ratio in zip(near, likeness, strict=True) if ratio >= likeness[0] - 0.1]
    return f"Did you mean {' or '.join(best)}? " if best else ""
