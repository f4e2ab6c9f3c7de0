"""Reads the knowledge tables and hands them out, checked whole.

Everything a rheumatologist could dispute is a row of `tables/*.csv` with a citation. The version is the date of the
release and a fingerprint of all tables, so that two outputs with one version rest on the same rows.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tellapart.errors import KnowledgeError
from tellapart.knowledge import check

TABLES = Path(__file__).parent / "tables"
RELEASE = "2026.11"

Row = dict[str, str]


@dataclass(frozen=True, eq=False)  # hashed by identity, so that what is made of it can be cached
class Knowledge:
    """All knowledge tables.

    Attributes:
        tables: table name (file name without `.csv`) to its rows, in file order; every cell is text.
        version: release and fingerprint, printed in every output.
    """

    tables: Mapping[str, tuple[Row, ...]]
    version: str

    def __getitem__(self, table: str) -> tuple[Row, ...]:
        return self.tables[table]

    def labels(self) -> dict[str, str]:
        """Finding id to the words a clinician reads."""
        return {row["finding"]: row["label"] for row in self["findings"]}

    def limit(self, name: str) -> float:
        """A threshold of `limits.csv` by name.

        Raises:
            KeyError: there is no such row.
        """
        for row in self["limits"]:
            if row["limit"] == name:
                return float(row["value"])
        raise KeyError(name)


def read_tables(folder: Path = TABLES) -> tuple[dict[str, tuple[Row, ...]], str]:
    """Every `*.csv` of `folder`, and the fingerprint of their bytes."""
    digest = hashlib.sha256()
    tables: dict[str, tuple[Row, ...]] = {}
    for path in sorted(folder.glob("*.csv")):
        raw = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + raw)
        tables[path.stem] = tuple(
            {k: (v or "") for k, v in row.items() if k is not None}
            for row in csv.DictReader(raw.decode("utf-8").splitlines())
        )
    return tables, digest.hexdigest()[:8]


@lru_cache(maxsize=4)
def load(folder: Path = TABLES, checked: bool = False) -> Knowledge:
    """The knowledge base.

    Args:
        folder: where the tables are; the shipped ones by default.
        checked: also run every check of `check.faults` (the shipped tables are checked by the tests and by
            `tellapart knowledge check`, so the default saves that time).

    Raises:
        KnowledgeError: with every fault, if `checked`.
    """
    tables, fingerprint = read_tables(folder)
    if checked and (faults := check.faults(tables)):
        raise KnowledgeError(faults)
    return Knowledge(tables, f"{RELEASE}+{fingerprint}")
