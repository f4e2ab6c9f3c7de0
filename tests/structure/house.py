"""The house as the structure tests see it: every statement, its file, what it declares to read, and every type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from tellapart import pipeline
from tellapart.contracts.relations import ALL, ASKED_FOR, SOURCES, expand
from tellapart.differential import compile as differential
from tellapart.events import normalize
from tellapart.knowledge import relations
from tellapart.knowledge.load import load

PACKAGE = Path(pipeline.__file__).parent
ROOT = PACKAGE.parent.parent
ROOMS = ("findings", "criteria", "differential", "answers")

INPUTS = frozenset(r.name for r in (*SOURCES, *ASKED_FOR))
"""Relations that come from outside the plan: a reader's, and what the user asked for."""

EVENTS_MADE = frozenset(name for name, _ in normalize.EVERY_STEP)


@dataclass(frozen=True)
class Statement:
    """One relation's SQL, as it runs."""

    makes: str
    file: str
    reads: frozenset[str]
    text: str

    @property
    def room(self) -> str:
        return self.file.split("/")[0]


@cache
def ids() -> dict[str, list[str]]:
    """The ids that stand for the placeholders of contracts/relations.py in the shipped knowledge base."""
    return pipeline.placeholders(load())


@cache
def knowledge_schema() -> dict[str, dict[str, str]]:
    """The knowledge relations with their columns, as `pipeline.prepare` loads them."""
    made = {name: columns for name, (columns, _) in relations.relations(load()).items()}
    return made | {name: columns for name, (columns, _) in differential.relations(load()).items()}


@cache
def schema(room: str) -> dict[str, dict[str, str]]:
    """Every relation with its columns, as a room sees it.

    A name that the walk and the knowledge tables share means the table in `events` and the walk's relation after it.
    """
    walk = {name: expand(relation, ids()) for name, relation in ALL.items()}
    return walk | knowledge_schema() if room == "events" else knowledge_schema() | walk


@cache
def statements() -> dict[str, Statement]:
    """Every statement of the house by the relation it makes, in the order in which they run."""
    steps = {
        name: Statement(name, f"events/{name}.sql", frozenset(reads), normalize.text(name))
        for name, reads in normalize.EVERY_STEP
    }
    texts = pipeline.statements(load())
    stages = {s.makes: Statement(s.makes, s.file, frozenset(s.reads), texts[s.makes]) for s in pipeline.STAGES}
    return steps | stages


@cache
def tree(relation: str) -> exp.Expr:
    return sqlglot.parse_one(statements()[relation].text, read="duckdb")


def tables(statement: exp.Expr) -> set[str]:
    """The relations a statement reads, without its own common table expressions."""
    return {
        source.name
        for scope in traverse_scope(statement)
        for source in scope.sources.values()
        if isinstance(source, exp.Table)
    }


def sql_files() -> list[Path]:
    """Every SQL file of the package, templates and readers too."""
    return sorted([*PACKAGE.rglob("*.sql"), *PACKAGE.rglob("*.sql.j2")])


def template_part(path: Path) -> bool:
    """Is this a file of macros that other files draw in?"""
    return path.name.endswith(".sql.j2")


def without_comments(text: str) -> str:
    """SQL or template text without its comments (line numbers stay)."""
    text = re.sub(r"\{#.*?#\}", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    return re.sub(r"--[^\n]*", "", text)
