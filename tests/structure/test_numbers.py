"""No clinical number outside the knowledge tables: every number in SQL, and every one that Python compares with, is
on a list with its reason (models.md part 2; 0, 1 and -1 need none)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import PACKAGE, sql_files, without_comments

FREE = {0.0, 1.0}
NUMBER = re.compile(r"(?<![\w.#{'])(\d+\.?\d*(?:[eE][+-]?\d+)?)(?![\w#])")

SQL_REASONS: tuple[tuple[str, str], ...] = (
    # a pattern that holds the number, and why it is not clinical
    (r"decimal\(\d+, ?\d+\)", "a type: points and bits are exact decimals"),
    (r"split_part\([^()]*(?:\(\d+\))?[^()]*, \d+\)", "the part of a packed text"),
    (r"power\(2\.0, cast", "bits are logarithms to base 2"),
    (r"ln\(2\.0\)", "bits to natural logarithms"),
    (r"\}, 2\.0\)", "a square: coefficients of a variance"),
    (r"round\([^\n]*, 6\)", "design §5: written to six decimals; canonical values are rounded to the same grid"),
    (r"\[:3\]", "the hypotheses that have weights: all but `neither`"),
    (r", 1, 10\)", "the length of an ISO date"),
    (r", 11, 1\)", "the separator after an ISO date"),
    (r"\) \+ 2\)", "the text after a name and its dot"),
    (r"\bwhen 4 (?:[^\n]*\n)?[^\n]*when 7 ", "the lengths of `2021` and `2021-03`"),
    (r"- 1\) / 2e0", "statistics: the mean rank of equal values"),
    (r"\(alike \+ \d\) // 2", "statistics: the middle of an ordered list, odd or even"),
    (r"\(2e0 \* beyond\)", "statistics: Cohen's kappa of a fourfold table"),
    (r"365\.25e0", "days of a year"),
    (r"code_id \* 2 \+ case", "a code and its status (asserted or refuted) packed into one key"),
)
"""Numbers in SQL files other than 0, 1, -1 that may stand there."""

READERS = "events/readers/"
"""Readers take source formats apart: positions in texts and lists. They see no finding, so they are not scanned."""

PYTHON_ROOMS = ("findings", "criteria", "differential", "answers", "tasks", "rendering", "simulate")

PYTHON_REASONS: dict[tuple[str, str], str] = {
    # (file, the comparison as Python writes it, or the name a number is given): why it is not clinical
    ("findings/compile.py", "DAY_SPAN"): "bits of a packed place: how many days since the first can be told apart",
    ("findings/compile.py", "ROW_SPAN"): "bits of a packed place: how many source rows can be told apart",
    ("findings/compile.py", "PART_SPAN"): "bits of a packed place: how many parts of a row can be told apart",
    ("tasks/shards.py", "SHARD_ROWS"): "rows of a source that one task reads at a time; changes no row",
    ("tasks/session.py", "FEW"): "up to how many persons run on SQLite; changes no row",
    ("rendering/words.py", "MOST_SAID"): "how many findings a line names before it says how many more there are",
    ("rendering/worksheet.py", "SHOWN"): "how many records a form names per item; all stand under the findings",
    ("answers/disclosure.py", "COVERAGE"): "statistics: the usual 95 % of an interval",
    ("tasks/maps.py", "SHOWN"): "how many rows of a table are shown as an example",
    ("tasks/checkpoint.py", "WORTH_KEEPING"): "seconds: when a run is worth a checkpoint",
    ("rendering/flares.py", "_MOST"): "layout: lines shown",
    ("rendering/charts.py", "_EDGE"): "layout of a chart",
    ("rendering/charts.py", "_STEPS"): "layout: months between ticks",
    ("rendering/charts.py", "_MOST_TICKS"): "layout: ticks of an axis",
    ("rendering/charts.py", "_BIT_STEPS"): "layout: steps between ticks",
    ("rendering/charts.py", "_MOST_BIT_TICKS"): "layout: ticks of an axis",
    ("rendering/charts.py", "p in (0.25, 0.75)"): "layout: minor ticks of the axis of percent",
    ("rendering/charts.py", "len(span) > 5"): "layout: which ticks are minor",
    ("rendering/charts.py", "step >= 12"): "layout: a step of a year is shown as years (12 months)",
    ("rendering/charts.py", "step < 12"): "layout: a step of a year is shown as years (12 months)",
    ("rendering/report.py", "WORKLIST_ROWS"): "layout: rows of the worklist on the page; the file has all",
    ("rendering/terminal.py", "_MOST_WEIGHTS"): "layout: lines shown",
    ("rendering/terminal.py", "_MOST_EVIDENCE"): "layout: lines shown",
    ("rendering/terminal.py", "_MOST_ROWS"): "layout: lines shown",
    ("rendering/terminal.py", "_INDENT"): "layout",
    ("rendering/activity.py", "_MOST_DAYS"): "layout: rows shown",
    ("answers/flares.py", "BATCH"): "persons worked on at once; changes no row",
    ("answers/flares.py", "WEEK"): "days of a week",
    ("answers/flares.py", "TO_SD"): "the median deviation of a normal distribution, as its standard deviation",
    ("answers/triggers.py", "WEEK"): "days of a week",
    ("answers/triggers.py", "FARTHEST"): "bounds a search, far beyond any odds ratio",
    ("answers/triggers.py", "HALVINGS"): "beyond double precision",
    ("rendering/brief.py", "_MOST_CHANGES"): "layout: lines shown",
    ("rendering/brief.py", "_MOST_FLARES"): "layout: lines shown",
    ("rendering/brief.py", "_MOST_NOTES"): "layout: lines shown",
    ("simulate/diary.py", "WEEK"): "days of a week",
    ("rendering/diary.py", "_WHOLE"): "digits shown",
    ("rendering/diary.py", "_NARROWEST"): "layout: width of a chart",
    ("rendering/diary.py", "_BESIDE"): "layout: width of the columns beside a chart",
    ("rendering/words.py", "len(items) < 2"): "grammar: one word needs no `and`",
    ("rendering/words.py", "whole > 99"): "never 100 %, which would claim certainty",
    ("rendering/words.py", "factor < 10"): "digits shown",
    ("tasks/document.py", "shown > 99"): "never 100 %, which would claim certainty",
    ("tasks/document.py", "ROUND"): "design §5: written to six decimals",
    ("simulate/cohort.py", "BATCH"): "persons drawn at once; part of what a seed means",
    ("simulate/omop.py", "LOCAL"): "ids of local concepts begin above it (OMOP)",
    ("simulate/omop.py", "EHR"): "id of the type of a record (OMOP)",
    ("simulate/omop.py", "OUTPATIENT"): "id of a kind of visit (OMOP)",
    ("simulate/omop.py", "DAYS"): "packs a person and a day into one number",
    ("simulate/model.py", "UNASKED"): "a mark, not a count",
    ("simulate/rows.py", "SITES"): "kinds of site, by which codes, units and words go round",
    ("simulate/rows.py", "FORM_PATTERNS"): "how many ways to tick a form are made",
    ("simulate/rows.py", "MOST_RESULTS"): "bounds the size of a record, far above the mean of its row",
    ("simulate/structures.py", "NODES"): "fineness of a quadrature",
    ("simulate/structures.py", "BISECTIONS"): "beyond double precision",
    ("rendering/plots.py", "(WIDTH, HEIGHT, EDGE, LEGEND)"): "layout of a chart",
    ("tasks/validation/learners.py", "ITERATIONS"): "of a numerical fit",
    ("tasks/validation/metrics.py", "STEPS"): "of a numerical fit",
    ("tasks/validation/metrics.py", "RIDGE"): "of a numerical fit",
    ("tasks/validation/published.py", "SLIVER"): "keeps a prior of a rebuilt cohort allowed",
    ("tasks/validation/run.py", "COMPLETENESS"): "cells of the validation, as issue and page name them",
    ("tasks/validation/run.py", "USUAL"): "a cell of the validation",
    ("tasks/validation/run.py", "(PERSONS, QUICK_PERSONS)"): "size of the validation's cohorts",
    ("tasks/validation/run.py", "(ADVISED, QUICK_ADVISED)"): "size of the validation's cohorts",
    ("tasks/validation/run.py", "BINS"): "groups of a reliability plot",
    ("tasks/kept.py", "MIB"): "bytes of a MiB",
    ("tasks/kept.py", "size <= 2 * MIB"): "design §5: the fingerprint is of the first and last MiB",
    ("tasks/audit.py", "len(foreign) > 3"): "names listed in a message",
}
"""Numbers in the rooms' Python other than 0, 1, -1 that may decide something."""


def numbers(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, number, where it stands) of every number in SQL text that no reason covers."""
    bare = without_comments(text)
    # text in quotes is no number; jinja's own strings (in double quotes) hold SQL, so they stay
    bare = re.sub(r"'[^'\n]*'", lambda m: "'" + " " * (len(m[0]) - 2) + "'", bare)
    covered = [m.span() for pattern, _ in SQL_REASONS for m in re.finditer(pattern, bare, re.M)]
    for found in NUMBER.finditer(bare):
        if float(found[1]) in FREE or any(start <= found.start() < end for start, end in covered):
            continue
        line = bare.count("\n", 0, found.start()) + 1
        yield line, found[1], text.splitlines()[line - 1].strip()


@pytest.mark.parametrize(
    "path",
    [p for p in sql_files() if READERS not in p.as_posix()],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_sql_holds_no_number(path: Path) -> None:
    found = [f"line {line}: {number} in: {where}" for line, number, where in numbers(path.read_text(encoding="utf-8"))]
    assert not found, f"{path.relative_to(PACKAGE)}: make it a row of knowledge/tables\n" + "\n".join(found)


def test_every_sql_reason_is_needed() -> None:
    texts = [re.sub(r"'[^'\n]*'", "''", without_comments(p.read_text(encoding="utf-8"))) for p in sql_files()]
    idle = [pattern for pattern, _ in SQL_REASONS if not any(re.search(pattern, t, re.M) for t in texts)]
    assert idle == []


@pytest.mark.parametrize(
    "planted",
    [
        "select a from t where value < 4",
        "select a from t where value >= 0.5",
        "select case when age < 18 then null end as met from t",
        'select {{ each("case when p# > 3 then 1 else 0 end as p#") }} from t',
        "select points * 2 as points from t",
        "select a from t where date_diff('day', a, b) <= 30",
        "select a from t where x between -7 and 1",
        "select 1e3 as a",
    ],
)
def test_a_planted_number_in_sql_is_caught(planted: str) -> None:
    assert list(numbers(planted))


@pytest.mark.parametrize(
    "fine",
    [
        "select p1, a2, f.p_lo3 from t where x <> 0 and y = 1 and z > -1",
        "select 'less than 30' as a -- 12 of 40",
        'select {{ each("p# & ~{x}") }} from t {# 17 #}',
        "select cast(a as decimal(6, 2)), power(2.0, cast(b as double)), split_part(f, '.', 3) from t",
    ],
)
def test_names_texts_and_comments_hold_no_number(fine: str) -> None:
    assert list(numbers(fine)) == []


# Python


def _constants(node: ast.AST) -> list[float]:
    """Numbers that a comparison's side is, or is made of by arithmetic."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return [float(node.value)]
    if isinstance(node, ast.UnaryOp):
        return _constants(node.operand)
    if isinstance(node, ast.BinOp):
        return _constants(node.left) + _constants(node.right)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [n for item in node.elts for n in _constants(item)]
    return []


def suspicious(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of numbers that decide something: compared with, named at module level, or compared in SQL text."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(n not in FREE for side in sides for n in _constants(side)):
                yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in re.finditer(r"(?:[<>]=?|\bbetween)\s*-?(\d+\.?\d*)(?![\w#])", node.value):
                if float(found[1]) not in FREE and re.search(r"\b(?:select|case|where|and|or)\b", node.value):
                    yield node.lineno, found[0]
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(n not in FREE for n in _constants(node.value)):
                yield node.lineno, ", ".join(ast.unparse(n) for n in names)


PYTHON_FILES = sorted(p for room in PYTHON_ROOMS for p in (PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_python_compares_with_no_number(path: Path) -> None:
    name = str(path.relative_to(PACKAGE))
    found = [
        f"line {line}: {text}" for line, text in suspicious(path.read_text(encoding="utf-8"))
        if (name, text) not in PYTHON_REASONS
    ]  # fmt: skip
    assert not found, f"{name}: make it a row of knowledge/tables, or give the reason here\n" + "\n".join(found)


def test_every_python_reason_is_needed() -> None:
    found = {
        (str(p.relative_to(PACKAGE)), text)
        for p in PYTHON_FILES
        for _, text in suspicious(p.read_text(encoding="utf-8"))
    }
    assert sorted(set(PYTHON_REASONS) - found) == []


@pytest.mark.parametrize(
    "planted",
    [
        "def f(titre):\n    return titre >= 80",
        "def f(age):\n    return 18 <= age",
        "def f(p):\n    return p < 0.5 + 0.1",
        "def f(x):\n    return x in (7, 12)",
        "CUT = 4.5",
        "LIMITS = (10, 20)",
        "SQL = 'case when wbc < 4 then 1 else 0 end'",
    ],
)
def test_a_planted_number_in_python_is_caught(planted: str) -> None:
    assert list(suspicious(planted))


def test_counting_and_words_are_fine() -> None:
    assert list(suspicious("ZERO = 0\nif len(x) > 1 or y == -1 or z == 'a' or t is True:\n    pass")) == []
