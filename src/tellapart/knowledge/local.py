"""Codes of one site (`--codes FILE`): what its own codes mean, added to the codes that ship.

A CSV with the columns of `COLUMNS`, checked as the knowledge tables are: every fault is listed, none is repaired. A code
is read exactly as the shipped code of the finding or drug that it names; nothing but the code, its unit and the assay's
limit can be new. A row that names neither finding nor rule is not filled in yet and says nothing.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tellapart.errors import InputError
from tellapart.knowledge.check import Spec, table
from tellapart.knowledge.encode import code_key, encode
from tellapart.knowledge.load import Knowledge, Row
from tellapart.knowledge.relations import REAL, TEXT, WHOLE, Table

RULES = ("state", "result", "drug", "not_needed")
COLUMNS = {
    "system": "code system as the source writes it, or the short name (loinc, snomed, ...); empty: the source names none",
    "code": "the code itself",
    "finding": "id of a finding (knowledge show findings) or of a drug (knowledge show drugs)",
    "rule": "state (the code says it), result (its result says it), drug, not_needed (irrelevant); empty: as the finding has it",
    "unit": "unit of results that come without one (UCUM)",
    "limit": "upper limit of normal of the assay in `unit`, for results that come without reference range",
}
SPEC = Spec(("system", "code"), needed=("code",), numbers=("limit",), choices={"rule": (*RULES, "")}, cited=False)
RELATION = {
    "system": TEXT, "code_key": TEXT, "code_id": WHOLE, "rule": TEXT, "unit": TEXT, "high": REAL,
}  # fmt: skip


@dataclass(frozen=True)
class LocalCodes:
    """A checked file of codes.

    Attributes:
        name: name of the file.
        sha256: of its bytes, so that a run can say which codes it used.
        rows: one row per code that is filled in, as `RELATION`.
    """

    name: str = ""
    sha256: str = ""
    rows: tuple[tuple[object, ...], ...] = ()

    def relation(self) -> Table:
        """The relation `local_codes`."""
        return RELATION, list(self.rows)


NO_CODES = LocalCodes()


def read_codes(path: Path, knowledge: Knowledge) -> LocalCodes:
    """Read and check a file of codes.

    Raises:
        InputError: it cannot be read, or has faults; the message lists each with file, row and field.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"--codes {path}: cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--codes {path}: is not UTF-8 text. Save it as CSV in UTF-8.") from error
    reader = csv.DictReader(text.splitlines())
    if not {"system", "code", "finding"} <= set(reader.fieldnames or ()):
        raise InputError(
            f"--codes {path}: the first line must name at least the columns system, code and finding (and may name "
            f"{', '.join(c for c in COLUMNS if c not in ('system', 'code', 'finding'))}). Found: "
            f"{', '.join(reader.fieldnames or ()) or 'nothing'}."
        )
    rows = tuple({c: (row.get(c) or "").strip() for c in COLUMNS} for row in reader)
    ids = _Ids(knowledge)
    faults = [
        *table({**knowledge.tables, path.stem: rows}, path.stem, SPEC, path.name),
        *(f"{path.name}:{line}: {fault}" for line, row in enumerate(rows, 2) for fault in ids.faults(row)),
    ]
    if faults:
        raise InputError(f"--codes {path}: {len(faults)} fault(s):\n  " + "\n  ".join(faults))
    filled = tuple(ids.entry(row) for row in rows if row["finding"] or row["rule"])
    return LocalCodes(path.name, hashlib.sha256(raw).hexdigest(), filled)


class _Ids:
    """What a row may name: code systems, findings and drugs, units."""

    def __init__(self, knowledge: Knowledge) -> None:
        _, codes = encode(knowledge).relations["codes"]
        self.shipped = {(system, key): (source, n) for n, system, key, _, source, *_ in codes}
        self.own = {code: (rule, n) for n, system, _, code, _, rule, *_ in codes if system in ("finding", "drug")}
        self.systems = {_bare(r["uri"]): r["system"] for r in knowledge["code_systems"]}
        spelled = {(r["ucum"], r["seen"]) for r in knowledge["unit_aliases"]}
        self.units: dict[str, set[str]] = {}
        for row in knowledge["units"]:
            written = {row["unit_seen"], *(seen for ucum, seen in spelled if ucum == row["unit_seen"])}
            self.units.setdefault(row["finding"], set()).update(written)

    def place(self, row: Row) -> tuple[str, str]:
        """Code system and code of a row, as codes are joined."""
        bare = _bare(row["system"])
        system = self.systems.get(bare, bare)
        return system, code_key(system, row["code"])

    def faults(self, row: Row) -> Iterator[str]:
        """What is wrong with a row beyond the form of its cells, as `field: what`."""
        finding, rule = row["finding"], row["rule"]
        if not finding:
            if rule == "not_needed" and self.place(row) in self.shipped:
                yield f"rule: {row['code']!r} is known here; name the finding that it means at this site"
            elif rule in RULES and rule != "not_needed":
                yield "finding: is empty"
            return
        if finding not in self.own:
            near = difflib.get_close_matches(finding, self.own, n=3)
            yield f"finding: {finding!r} is no finding and no drug" + (f"; nearest: {', '.join(near)}" if near else "")
            return
        fitting, units = self.own[finding][0], self.units.get(finding)
        if rule and rule != fitting:
            yield f"rule: {finding} goes with the rule {fitting}, not {rule}"
        if fitting != "result" and (row["unit"] or row["limit"]):
            yield f"unit, limit: only a result has them, and {finding} goes with the rule {fitting}"
        elif row["unit"] and units and row["unit"] not in units:
            near = difflib.get_close_matches(row["unit"], units, n=5, cutoff=0) or sorted(units)[:5]
            yield f"unit: {row['unit']!r} has no conversion for {finding}; nearest: {', '.join(near)}"
        elif row["limit"] and not row["unit"] and units:
            yield "limit: a limit needs its unit"

    def entry(self, row: Row) -> tuple[object, ...]:
        """A row of the relation `local_codes`; a shipped code of the same finding stays itself, with its method."""
        rule, number = self.own.get(row["finding"], ("not_needed", None))
        source, shipped = self.shipped.get(self.place(row), ("", None))
        number = shipped if source and source == row["finding"] else number
        return *self.place(row), number, rule, row["unit"] or None, float(row["limit"]) if row["limit"] else None


def _bare(system: str) -> str:
    """A name of a code system without version and decoration, as in `system_names.sql`."""
    return re.sub(r"^urn:oid:|[|].*$|/+$", "", system.strip()).lower()
