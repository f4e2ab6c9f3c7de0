"""What leads to a finding in the tables: the values, the findings that imply it, and what it is derived from."""

from __future__ import annotations

from functools import cache

from tellapart.knowledge.load import load


@cache
def leads_to(finding: str) -> frozenset[str]:
    """What can be written in a case to state the finding; the finding itself too."""
    tables = load()
    found, left = set[str](), [finding]
    while left:
        one = left.pop()
        if one in found:
            continue
        found.add(one)
        left += [r["source"] for r in tables["value_rules"] if r["finding"] == one]
        left += [r["finding"] for r in tables["finding_implies"] if r["implies"] == one]
        for row in tables["finding_derived"]:
            left += row["members"].split(";") if row["finding"] == one else []
    return frozenset(found)
