"""What may leave the site: the one place where counts are made safe. Reviewed twice, always.

Rules (design §3.8; limits `disclosure_floor`, `disclosure_rounding`; decision 21): a count at or below the floor is
suppressed, and 0 looks like any other; all others are rounded; whatever else must go so that no suppressed count can be
narrowed down from all that is published together goes too, and nothing more.

Why nothing can be had by differencing. Tables are of two kinds, and every small count of either can be moved over the
whole range from 0 to the floor while everything published, here or in another run on the same data, stays as it is:

- a *partition* sorts persons into categories. If any is hidden, at least two are and they hold more than the floor: what
  one gives another takes. The hidden ones are shown together, as one pooled category, which is all that could be
  had anyway as the total less the others.
- a *crossing* of two partitions has pooled categories in place of hidden ones, so all its totals are publishable and
  stay fixed. Within fixed totals, how far a hidden cell can move is a maximum flow through the other hidden cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

POOLED = "+"  # between the names of categories that are shown together
COVERAGE = 0.95
REACH = NormalDist().inv_cdf((1 + COVERAGE) / 2)  # standard errors from the middle of an interval to its ends
Place = tuple[str, str]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Partition:
    """Persons sorted into categories: (table, row) of aggregate.csv, category to whole count.

    Nobody is counted twice, and who is counted does not depend on another published table unless that is a
    publishable category of it.
    """

    table: str
    row: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Crossing:
    """The same persons in two partitions at once: `counts` by (category of `rows`, category of `columns`)."""

    table: str
    rows: Partition
    columns: Partition
    counts: Mapping[Place, int]


@dataclass(frozen=True)
class SafeCell:
    """A count made safe: None where suppressed. `value` is its share of the denominator, with a 95 % interval."""

    table: str
    row: str
    column: str
    count: int | None
    denominator: int | None
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def suppressed(self) -> bool:
        return self.count is None


@dataclass(frozen=True)
class Disclosure:
    """Makes tables safe.

    Args:
        floor: counts at or below it are suppressed.
        step: all other counts are rounded to a multiple of it.
    """

    floor: int
    step: int

    def partition(self, partition: Partition) -> list[SafeCell]:
        """Every category, then the pooled one if any is hidden."""
        counts = partition.counts
        hidden = self._hidden_categories(counts)
        total = sum(counts.values())
        cells = [
            self._cell(partition.table, partition.row, c, None if c in hidden else n, total) for c, n in counts.items()
        ]
        if hidden and len(hidden) < len(counts):
            pool = POOLED.join(c for c in counts if c in hidden)
            cells.append(self._cell(partition.table, partition.row, pool, sum(counts[c] for c in hidden), total))
        return cells

    def crossing(self, crossing: Crossing) -> list[SafeCell]:
        """Every cell of the crossing, hidden categories pooled; nothing if the totals alone would say too much."""
        to_row, to_column = self.pools(crossing.rows.counts), self.pools(crossing.columns.counts)
        rows, columns = list(dict.fromkeys(to_row.values())), list(dict.fromkeys(to_column.values()))
        counts = {(r, c): 0 for r in rows for c in columns}
        for (r, c), n in crossing.counts.items():
            counts[to_row[r], to_column[c]] += n
        hidden = self._hidden_cells(counts) if len(rows) > 1 and len(columns) > 1 else None
        if hidden is None:
            return []
        totals = {r: sum(counts[r, c] for c in columns) for r in rows}
        return [
            self._cell(crossing.table, r, c, None if (r, c) in hidden else n, totals[r]) for (r, c), n in counts.items()
        ]

    def curve(
        self, table: str, row: str, persons: int, points: Sequence[tuple[str, int, int, float]]
    ) -> list[SafeCell]:
        """Points of a cumulative curve, in order: (name, events so far, persons still at risk, share so far).

        A point is shown if more events than the floor came since the last one shown and more persons are still at risk:
        whatever lies between two points, or after the last, can move by the floor and leave every point where it is. Shares are
        whole percent.
        """
        cells, shown = [], 0
        for name, events, at_risk, share in points:
            if events - shown > self.floor and at_risk > self.floor:
                cells.append(SafeCell(table, row, name, self.rounded(events), self.rounded(persons), round(share, 2)))
                shown = events
            else:
                cells.append(SafeCell(table, row, name, None, self.rounded(persons)))
        return cells

    def rounded(self, count: int) -> int:
        """The nearest multiple of the step (halves up)."""
        return (count + self.step // 2) // self.step * self.step

    def pools(self, counts: Mapping[str, int]) -> dict[str, str]:
        """Category to the name under which it may be crossed with others: its own, or that of the pool."""
        hidden = self._hidden_categories(counts)
        pool = POOLED.join(c for c in counts if c in hidden)
        return {c: pool if c in hidden else c for c in counts}

    def _hidden_categories(self, counts: Mapping[str, int]) -> set[str]:
        hidden = self._shown_largest_first(
            counts, lambda some: not some or (len(some) > 1 and sum(counts[c] for c in some) > self.floor)
        )
        return set(counts) if hidden is None else hidden

    def _hidden_cells(self, counts: Mapping[Place, int]) -> set[Place] | None:
        return self._shown_largest_first(counts, lambda some: all(self._free(counts, some, place) for place in some))

    def _shown_largest_first(self, counts: Mapping[Key, int], safe: Callable[[set[Key]], bool]) -> set[Key] | None:
        """What stays hidden: all at first; then shown one by one, the largest first, as long as that is safe.

        None if even all hidden is not safe. What is left hidden is needed: showing any one more would not be safe.
        """
        hidden = set(counts)
        if min(counts.values(), default=0) > self.floor:
            return set()
        if not safe(hidden):
            return None
        for key in sorted(counts, key=lambda k: (-counts[k], str(k))):
            if counts[key] > self.floor and safe(hidden - {key}):
                hidden.remove(key)
        return hidden

    def _free(self, counts: Mapping[Place, int], hidden: set[Place], place: Place) -> bool:
        """Whether a cell could be anything from 0 to the floor; a large one is free: its rounded count could be shown."""
        count, (row, column) = counts[place], place
        if count > self.floor:
            return True
        others = {p: counts[p] for p in hidden if p != place}
        return (
            _flow(others, ("row", row), ("column", column), count) == count
            and _flow(others, ("column", column), ("row", row), self.floor - count) == self.floor - count
        )

    def _cell(self, table: str, row: str, column: str, count: int | None, total: int) -> SafeCell:
        denominator = self.rounded(total) if total > self.floor else None
        if count is None or denominator is None:
            return SafeCell(table, row, column, None, denominator)
        shown = self.rounded(count)
        low, high = wilson(shown, denominator)
        return SafeCell(
            table, row, column, shown, denominator, *(round(v, 4) for v in (shown / denominator, low, high))
        )


def _flow(cells: Mapping[Place, int], source: Place, sink: Place, wanted: int) -> int:
    """How much (up to `wanted`) can be moved from `source` to `sink` through these cells, all totals kept.

    Nodes are rows and columns. From its column to its row a cell passes what it can give up (its count); from its row to
    its column it passes anything (it grows). Ford and Fulkerson, one shortest path after the other.
    """
    room: dict[tuple[str, str, str, str], float] = {}
    for (row, column), count in cells.items():
        room["column", column, "row", row], room["row", row, "column", column] = count, math.inf
    moved = 0
    while moved < wanted:
        came_from: dict[Place, Place] = {source: source}
        nodes = [source]
        for node in nodes:
            for (*one, kind, name), left in room.items():
                if left > 0 and tuple(one) == node and (kind, name) not in came_from:
                    came_from[kind, name] = node
                    nodes.append((kind, name))
        if sink not in came_from:
            break
        path = [sink]
        while path[-1] != source:
            path.append(came_from[path[-1]])
        steps = [(*came_from[node], *node) for node in path[:-1]]
        amount = int(min(wanted - moved, *(room[s] for s in steps)))
        for step in steps:
            room[step] -= amount
            room[(*step[2:], *step[:2])] += amount
        moved += amount
    return moved


def wilson(count: float, total: float) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score (1927)."""
    share, spread = count / total, REACH * REACH / total
    middle = (share + spread / 2) / (1 + spread)
    half = REACH / (1 + spread) * (share * (1 - share) / total + spread / (4 * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
