"""Which items of a criteria set can never hold together, read from the rows of criteria_clauses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import permutations

Row = Mapping[str, str]


def exclusive_items(clauses: Iterable[Row]) -> dict[str, list[tuple[str, str]]]:
    """Criteria set to its pairs of items of which only one can count (SLICC: hemolytic anemia, Coombs test).

    The first of a pair needs a finding in every alternative that the second excludes in every alternative.
    """
    alternatives: dict[str, dict[str, dict[str, list[Row]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for row in clauses:
        alternatives[row["set"]][row["item"]][row["alternative"]].append(row)

    def in_all(item: Mapping[str, list[Row]], role: str) -> set[str]:
        return set.intersection(*({r["finding"] for r in rows if r["role"] == role} for rows in item.values()))

    return {
        name: [
            (needs, excludes)
            for needs, excludes in permutations(items, 2)
            if in_all(items[needs], "needs") & in_all(items[excludes], "excludes")
        ]
        for name, items in alternatives.items()
    }
