"""Nothing suppressed can be had back from all that is published together, and nothing is blanked that need not be.

The attack: a linear program over every published number (each says only that the true count lies within its rounding),
over the equations between tables, and over two runs on the same data with other options.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from cohort import times
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tellapart.answers.disclosure import POOLED, Crossing, Disclosure, Partition, SafeCell, wilson

FLOOR, STEP = 7, 5
SAFE = Disclosure(FLOOR, STEP)
Joint = Mapping[tuple[str, str], int]


@dataclass
class Attack:
    """What an attacker knows: bounds of unknowns and sums of them."""

    names: dict[object, int] = field(default_factory=dict)
    bounds: list[tuple[float, float | None]] = field(default_factory=list)
    equations: list[dict[int, float]] = field(default_factory=list)

    def unknown(self, name: object, low: float = 0, high: float | None = None) -> int:
        if name not in self.names:
            self.names[name] = len(self.bounds)
            self.bounds.append((0, None))
        at = self.names[name]
        old_low, old_high = self.bounds[at]
        self.bounds[at] = (
            max(low, old_low),
            high if old_high is None else old_high if high is None else min(high, old_high),
        )
        return at

    def published(self, name: object, count: int | None) -> int:
        """A number as published: any true count that rounds to it, above the floor."""
        if count is None:
            return self.unknown(name)
        return self.unknown(name, max(FLOOR + 1, count - STEP // 2), count + STEP // 2)

    def adds_up(self, parts: list[int], whole: int) -> None:
        self.equations.append({**{p: 1.0 for p in parts}, whole: -1.0})

    def ranges(self, name: object) -> tuple[float, float]:
        matrix = np.zeros((len(self.equations), len(self.bounds)))
        for i, equation in enumerate(self.equations):
            for at, factor in equation.items():
                matrix[i, at] = factor
        aim = np.zeros(len(self.bounds))
        aim[self.names[name]] = 1
        found = []
        for sign in (1, -1):
            answer = linprog(sign * aim, A_eq=matrix, b_eq=np.zeros(len(matrix)), bounds=self.bounds, method="highs")
            assert answer.status in (0, 3), answer.message
            found.append(np.inf if answer.status == 3 else sign * answer.fun)
        return found[0], found[1]


def see_partition(attack: Attack, partition: Partition, name: object, cells: list[SafeCell]) -> None:
    """Read a published partition of everybody; `name` says whose categories they are."""
    everybody = attack.published("everybody", cells[0].denominator)
    parts = []
    for cell in cells:
        if POOLED in cell.column:
            pool = attack.published((name, cell.column), cell.count)
            attack.adds_up([attack.unknown((name, c)) for c in cell.column.split(POOLED)], pool)
        else:
            parts.append(attack.published((name, cell.column), cell.count))
    attack.adds_up(parts, everybody)
    assert {c.column for c in cells if POOLED not in c.column} == set(partition.counts)


def see_crossing(attack: Attack, name: object, rows: object, columns: object, cells: list[SafeCell]) -> None:
    for cell in cells:
        attack.published((name, cell.row, cell.column), cell.count)
        attack.published((rows, cell.row), cell.denominator)
    for row in {c.row for c in cells}:
        attack.adds_up([attack.names[name, row, c.column] for c in cells if c.row == row], attack.unknown((rows, row)))
    for column in {c.column for c in cells}:
        parts = [attack.names[name, c.row, column] for c in cells if c.column == column]
        attack.adds_up(parts, attack.unknown((columns, column)))


def margins(joint: Joint) -> tuple[dict[str, int], dict[str, int]]:
    rows = {r: 0 for r, _ in joint}
    columns = {c: 0 for _, c in joint}
    for (r, c), n in joint.items():
        rows[r] += n
        columns[c] += n
    return rows, columns


def publish(attack: Attack, joint: Joint, rows: str, run: str) -> dict[object, tuple[int, bool]]:
    """Publish a table with both its margins; unknown to (true count, suppressed)."""
    row_counts, column_counts = margins(joint)
    row_partition, column_partition = Partition(rows, "all", row_counts), Partition("calls", "all", column_counts)
    by_row, by_column = SAFE.partition(row_partition), SAFE.partition(column_partition)
    crossing = Crossing("crossed", row_partition, column_partition, joint)
    crossed = SAFE.crossing(crossing)
    see_partition(attack, row_partition, rows, by_row)
    see_partition(attack, column_partition, run, by_column)
    see_crossing(attack, (rows, run), rows, run, crossed)
    true: dict[object, tuple[int, bool]] = {}
    true |= {(rows, c.column): (row_counts[c.column], c.suppressed) for c in by_row if POOLED not in c.column}
    true |= {(run, c.column): (column_counts[c.column], c.suppressed) for c in by_column if POOLED not in c.column}
    for c in crossed:
        members = itertools.product(c.row.split(POOLED), c.column.split(POOLED))
        true[(rows, run), c.row, c.column] = sum(joint[m] for m in members), c.suppressed
    return true


def withstands(attack: Attack, true: Mapping[object, tuple[int, bool]]) -> None:
    for name, (count, suppressed) in true.items():
        if not suppressed:
            continue
        low, high = attack.ranges(name)
        assert low - 1e-6 <= count <= high + 1e-6, f"{name}: the attack is wrong"
        if count <= FLOOR:  # a large count hidden beside it may be narrowed: rounded, it could have been published
            assert low < 1e-6 and high > FLOOR - 1e-6, f"{name} is {count}, the attacker knows {low:.2f} to {high:.2f}"


counts = st.one_of(st.integers(0, 12), st.integers(0, 60), st.integers(0, 3000))


@st.composite
def tables(draw: st.DrawFn, rows: str = "abcd", columns: str = "wxyz") -> dict[tuple[str, str], int]:
    shape = draw(st.integers(2, len(rows))), draw(st.integers(2, len(columns)))
    return {(r, c): draw(counts) for r in rows[: shape[0]] for c in columns[: shape[1]]}


@settings(max_examples=times(60), deadline=None)
@given(tables())
@example({("a", "w"): 3, ("a", "x"): 500, ("b", "w"): 20, ("b", "x"): 400})
@example({("a", "w"): 5, ("a", "x"): 985, ("b", "w"): 10, ("b", "x"): 0})
@example({("a", "w"): 0, ("a", "x"): 0, ("b", "w"): 0, ("b", "x"): 0})
def test_one_table_and_its_margins_withstand_the_attack(joint: dict[tuple[str, str], int]) -> None:
    attack = Attack()
    withstands(attack, publish(attack, joint, "sex", "run"))


@settings(max_examples=times(25), deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 2000))
def test_all_tables_of_two_runs_on_the_same_data_withstand_the_attack(seed: int, persons: int) -> None:
    """The same persons by sex and by code against the calls of two runs: margins are shared, calls differ."""
    chance = random.Random(seed)
    people = []
    for _ in range(persons):
        sex = chance.choices("fmu", (60, 40, chance.choice((0, 1))))[0]
        code = chance.choices("slnb", (5, 5, 88, 1))[0]
        first = chance.choices("wxyz", (5, 3, 80, 1))[0]
        people.append((sex, code, first, first if chance.random() < 0.97 else chance.choice("wxyz")))
    attack, true = Attack(), {}
    for run in (2, 3):
        for at, (name, categories) in enumerate((("sex", "fmu"), ("code", "slnb"))):
            joint = {(r, c): 0 for r in categories for c in "wxyz"}
            for one in people:
                joint[one[at], one[run]] += 1
            true |= publish(attack, joint, name, f"run {run}")
    withstands(attack, true)


@settings(max_examples=times(60), deadline=None)
@given(tables())
def test_nothing_large_is_blanked_needlessly(joint: dict[tuple[str, str], int]) -> None:
    """A hidden large count is needed: with it shown, some small one could no longer be anything from 0 to the floor."""
    rows, columns = margins(joint)
    partitions = Partition("r", "all", rows), Partition("c", "all", columns)
    crossed = SAFE.crossing(Crossing("t", *partitions, joint))
    to_row, to_column = SAFE.pools(rows), SAFE.pools(columns)
    pooled: dict[tuple[str, str], int] = {}
    for (r, c), n in joint.items():
        pooled[to_row[r], to_column[c]] = pooled.get((to_row[r], to_column[c]), 0) + n
    hidden = {(c.row, c.column) for c in crossed if c.suppressed}
    if crossed and min(pooled.values()) > FLOOR:
        assert not hidden
    for place in hidden:
        if pooled[place] > FLOOR:
            fewer = hidden - {place}
            attack = Attack()
            for (r, c), n in pooled.items():
                free = (r, c) in fewer
                attack.unknown((r, c), 0 if free else n, None if free else n)
            pooled_rows, pooled_columns = margins(pooled)
            for totals, at in ((pooled_rows, 0), (pooled_columns, 1)):
                for name, total in totals.items():
                    whole = attack.unknown(("total", at, name), total, total)
                    attack.adds_up([attack.names[p] for p in pooled if p[at] == name], whole)
            narrow = []
            for other in fewer:
                low, high = attack.ranges(other)
                narrow.append(pooled[other] <= FLOOR and (low > 1e-6 or high < FLOOR - 1e-6))
            assert any(narrow), f"{place} = {pooled[place]} could have been shown"


@given(st.dictionaries(st.sampled_from("abcdefgh"), counts, min_size=1))
def test_a_partition_hides_what_is_small_and_no_more_than_one_large_category(given_counts: dict[str, int]) -> None:
    cells = SAFE.partition(Partition("t", "all", given_counts))
    shown = {c.column: c.count for c in cells}
    for category, n in given_counts.items():
        assert shown[category] is None or (n > FLOOR and abs(shown[category] - n) <= STEP // 2)
    large = [c for c, n in given_counts.items() if n > FLOOR and shown[c] is None]
    assert len(large) <= 1, "one large category is always enough to hide the small ones in"
    if all(n > FLOOR for n in given_counts.values()):
        assert not large


@settings(max_examples=times(60), deadline=None)
@given(st.lists(st.tuples(counts, st.integers(0, 30)), min_size=1, max_size=10), st.integers(0, 60))
@example([(8, 0), (3, 0), (5, 0), (0, 0)], 8)
@example([(7, 0), (1, 0), (7, 0), (7, 0)], 20)
def test_a_curve_withstands_the_attack(years: list[tuple[int, int]], left: int) -> None:
    """Events of every year are unknown, with those who never had one; a point says their sum so far within its rounding."""
    persons = left + sum(events + other for events, other in years)
    points, so_far, gone = [], 0, 0
    for number, (events, other) in enumerate(years):
        so_far, gone = so_far + events, gone + events + other
        points.append((f"y{number}", so_far, persons - gone, so_far / max(persons, 1)))
    cells = SAFE.curve("t", "r", persons, points)
    attack = Attack()
    everybody = attack.published("persons", SAFE.rounded(persons))
    own = [attack.unknown(n) for n in range(len(years))]
    attack.adds_up([*own, attack.unknown("never")], everybody)
    shown_before = 0
    for number, cell in enumerate(cells):
        if not cell.suppressed:
            attack.adds_up(own[: number + 1], attack.published(("so far", number), cell.count))
            assert points[number][1] - shown_before > FLOOR and points[number][2] > FLOOR
            shown_before = points[number][1]
    if persons > FLOOR:  # fewer are not published at all
        withstands(attack, {n: (events, events <= FLOOR) for n, (events, _) in enumerate(years)})


def test_none_and_few_look_the_same() -> None:
    """By hand: 0, 1 and 7 persons in a category give the same cells, byte by byte, where the rest rounds alike."""
    seen = {
        tuple(SAFE.partition(Partition("t", "all", {"a": 500 - few, "b": few, "c": 60}))[1:2]) for few in (0, 1, 2, 7)
    }
    assert len(seen) == 1


def test_what_is_hidden_together_is_shown_together() -> None:
    cells = {c.column: c.count for c in SAFE.partition(Partition("t", "all", {"a": 4, "b": 12, "c": 300, "d": 0}))}
    assert cells == {"a": None, "b": None, "c": 300, "d": None, "a+b+d": 15}


@pytest.mark.parametrize(("count", "total", "low", "high"), [(10, 100, 0.0552, 0.1744), (50, 100, 0.4038, 0.5962)])
def test_the_interval_is_that_of_wilson(count: int, total: int, low: float, high: float) -> None:
    """Newcombe 1998 (Stat Med 17:857), method 3; figures by hand."""
    assert wilson(count, total) == pytest.approx((low, high), abs=1e-4)
