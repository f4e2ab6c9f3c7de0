"""What may leave the site: the one place where counts are made safe. Reviewed twice, always.

Rules (design §3.8; limits `disclosure_floor`, `disclosure_rounding`): a count at or below the floor is suppressed, and
0 looks like any other suppressed count; all others are rounded; when one cell of a table alone is suppressed, the next
smallest goes too, so that it cannot be had as the total less the others; rates are computed from rounded counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One count of a table that may leave the site."""

    table: str
    row: str
    column: str
    count: int


@dataclass(frozen=True)
class SafeCell:
    """A count made safe: None where suppressed; value is the share of the rounded denominator."""

    table: str
    row: str
    column: str
    count: int | None
    denominator: int | None
    value: float | None
    suppressed: bool


def rounded(count: int, step: int) -> int:
    """The nearest multiple of `step` (halves up)."""
    return (count + step // 2) // step * step


def protect(cells: Sequence[Cell], floor: int, step: int) -> list[SafeCell]:
    """Make the counts of whole tables safe.

    Args:
        cells: every cell of every table; the cells of one (table, row) add up to that row's denominator.
        floor: counts at or below it are suppressed.
        step: all other counts are rounded to a multiple of it.

    Returns:
        One safe cell per cell, in the same order.
    """
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.table, cell.row), []).append(cell)
    hidden: set[Cell] = set()
    for members in groups.values():
        small = [c for c in members if c.count <= floor]
        hidden.update(small)
        if len(small) == 1 and len(members) > 1:
            rest = sorted((c for c in members if c.count > floor), key=lambda c: (c.count, c.column))
            hidden.add(rest[0])
    out = []
    for cell in cells:
        total = sum(c.count for c in groups[(cell.table, cell.row)])
        denominator = rounded(total, step) if total > floor else None
        count = None if cell in hidden else rounded(cell.count, step)
        value = round(count / denominator, 4) if count is not None and denominator else None
        out.append(SafeCell(cell.table, cell.row, cell.column, count, denominator, value, count is None))
    return out
