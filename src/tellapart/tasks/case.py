"""Checks a case file for the command line."""

from __future__ import annotations

from pathlib import Path

from tellapart.events.readers.case import check_case, knowledge_ids
from tellapart.knowledge.load import load


def check(file: Path) -> list[str]:
    """Every fault of the case file in words, in the order of the document; empty when it can be used."""
    return [str(issue) for issue in check_case(file, knowledge_ids(load()))]
