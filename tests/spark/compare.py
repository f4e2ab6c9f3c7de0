"""Are two relations equal, row for row? Doubles within 1e-9, everything else exactly."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

CLOSE = 1e-9


def rows(table: pa.Table, columns: list[str]) -> list[tuple[Any, ...]]:
    listed = table.select(columns).to_pylist()
    return sorted((tuple(r[c] for c in columns) for r in listed), key=lambda row: tuple(_order(v) for v in row))


def _order(value: Any) -> tuple[bool, str]:
    """A place for any value; doubles by their first digits, so that the last ones do not change the order."""
    if isinstance(value, float):
        return value is None, f"{value:.6g}"
    return value is None, str(value)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (
            one == other
            or (math.isnan(one) and math.isnan(other))
            or abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
        )
    if one is None or other is None:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def difference(name: str, one: pa.Table, other: pa.Table) -> str:
    """The first difference in words (of the person with the lowest number, so the smallest to look at), or nothing."""
    if one.column_names != other.column_names:
        return f"{name}: columns {one.column_names} and {other.column_names}"
    columns = one.column_names
    left, right = rows(one, columns), rows(other, columns)
    if len(left) != len(right):
        missing = next((r for r in left if r not in right), None) or next((r for r in right if r not in left), None)
        return f"{name}: {len(left)} rows and {len(right)}; only on one side: {dict(zip(columns, missing or (), strict=False))}"
    for a, b in zip(left, right, strict=True):
        for column, x, y in zip(columns, a, b, strict=True):
            if not same(x, y):
                return f"{name}: {column}: {x!r} and {y!r} in {dict(zip(columns, a, strict=True))}"
    return ""
