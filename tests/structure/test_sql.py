"""Every statement reads exactly what it declares, and makes exactly the columns of its contract; keys are unique."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlglot
from house import (
    EVENTS_MADE,
    INPUTS,
    PACKAGE,
    ROOMS,
    ids,
    knowledge_schema,
    schema,
    sql_files,
    statements,
    tables,
    template_part,
    tree,
    without_comments,
)
from sqlglot.optimizer.qualify import qualify
from statements import fill, generated, papers

from tellapart import pipeline
from tellapart.contracts.relations import ALL, ASKED_FOR, MADE, SOURCES, Relation, expand
from tellapart.events import normalize
from tellapart.events.readers import case
from tellapart.knowledge.load import load
from tellapart.tasks.session import Options, Session

EVERY = sorted(statements())
TODAY = date(2026, 11, 24)

FILE_OF_ANOTHER_NAME = {
    "red_flags_in_force": "red_flags: the knowledge relation has that name",
    "calls": "call: the room's file is named after the answer it finds",
}
"""Relations whose file has another name, with the reason (a cap, not a habit)."""

SHARED_NAMES: dict[str, str] = {}
"""Relations of the walk that have the name of a knowledge relation."""

GIVEN_TO_WORKUP = frozenset({"interest", "suspected", "activity_asked"})
"""In a workup somebody asks about a person: `Session.analyse` says so instead of the stages that search for it."""


# what is read


@pytest.mark.parametrize("relation", EVERY)
def test_reads_exactly_what_it_declares(relation: str) -> None:
    statement = statements()[relation]
    found = tables(tree(relation))
    assert found == statement.reads, (
        f"{statement.file}: reads but does not declare {sorted(found - statement.reads)}; "
        f"declares but does not read {sorted(statement.reads - found)}"
    )


def unmade(stages: tuple[pipeline.Stage, ...], given: frozenset[str]) -> list[str]:
    """Reads of a plan that nothing before them makes."""
    known = set(knowledge_schema()) | set(INPUTS) | set(EVENTS_MADE) | given
    faults = []
    for stage in stages:
        faults += [f"{stage.makes} reads {name}" for name in stage.reads if name not in known]
        known.add(stage.makes)
    return faults


@pytest.mark.parametrize(
    ("plan", "given"), [("AUDIT", frozenset()), ("WORKUP", GIVEN_TO_WORKUP), ("STAGES", frozenset())]
)
def test_what_is_read_was_made_before(plan: str, given: frozenset[str]) -> None:
    assert unmade(getattr(pipeline, plan), given) == []


def test_a_stage_out_of_order_is_caught() -> None:
    assert unmade(pipeline.STAGES[::-1], frozenset()) != []


def test_events_read_what_was_made_before() -> None:
    known = set(knowledge_schema()) | set(INPUTS) | set(normalize.REMEMBERED)
    for name, reads in normalize.EVERY_STEP:
        assert set(reads) <= known, f"{name} reads {sorted(set(reads) - known)}"
        known.add(name)


def test_rooms_read_no_source() -> None:
    """Nothing downstream of events reads a source again (design §1)."""
    source = {r.name for r in SOURCES} | (EVENTS_MADE - {"events", "persons", "horizons", "doses"})
    for statement in statements().values():
        if statement.room in ROOMS:
            assert not statement.reads & source, statement.file


def test_no_relation_is_made_twice_or_never_read() -> None:
    made = [s.makes for s in pipeline.STAGES] + [n for n, _ in normalize.EVERY_STEP]
    assert len(made) == len(set(made))
    assert set(made) & set(knowledge_schema()) == set(SHARED_NAMES)


# what is made


def test_contracts_are_those_of_the_plan() -> None:
    assert {r.name for r in MADE} == set(EVERY)
    assert len(ALL) == len(SOURCES) + len(ASKED_FOR) + len(MADE), "two relations of one name"


@pytest.mark.parametrize("relation", EVERY)
def test_makes_the_columns_of_its_contract(relation: str) -> None:
    columns = tree(relation).named_selects
    if "*" in columns:  # an outer `select *`: ask for the columns behind it
        columns = qualify(
            tree(relation).copy(),
            schema=schema(statements()[relation].room),
            dialect="duckdb",
            validate_qualify_columns=False,
        ).named_selects
    wanted = expand(ALL[relation], ids())
    assert len(columns) == len(set(columns)), "a column twice"
    assert set(columns) == set(wanted), (
        f"{statements()[relation].file}: not in the contract {sorted(set(columns) - set(wanted))}; "
        f"missing {sorted(set(wanted) - set(columns))}"
    )


@pytest.mark.parametrize("relation", [*SOURCES, *ASKED_FOR, *MADE], ids=lambda r: r.name)
def test_contract_is_whole(relation: Relation) -> None:
    assert relation.grain.startswith("one row"), relation.name
    assert set(relation.key) <= set(relation.columns)


# files


@pytest.mark.parametrize("relation", EVERY)
def test_head_comment_names_the_relation_and_its_grain(relation: str) -> None:
    statement = statements()[relation]
    head = statement.text.splitlines()[0]
    assert head.startswith(f"-- {relation}: one row"), f"{statement.file}: starts with {head!r}"


@pytest.mark.parametrize("path", [p for p in sql_files() if template_part(p)], ids=lambda p: p.name)
def test_macro_files_say_what_they_are(path: Any) -> None:
    assert path.read_text(encoding="utf-8").startswith("{#- ")


def test_steered_by_names_tables_that_exist() -> None:
    """`Steered by a, b (c).` in a head names knowledge tables, relations or their columns."""
    knowledge = load()
    known = set(knowledge.tables) | set(knowledge_schema()) | set(ALL) | {r["limit"] for r in knowledge["limits"]}
    known |= {f"{table}.{column}" for table, rows in knowledge.tables.items() for column in rows[0]}
    for path in sql_files():
        text = " ".join(path.read_text(encoding="utf-8").replace("--", " ").split())
        for found in re.finditer(r"Steered by ([^.:;]+(?:\.\w[^.:;]*)?)", text):
            names = re.sub(r"\([^)]*\)", "", found[1])
            unknown = [n for n in re.findall(r"[a-z_0-9]+(?:\.[a-z_]+)?", names) if "_" in n and n not in known]
            unknown = [n for n in unknown if not any(f"{t}{n}" in known for t in ("criteria",))]
            assert not unknown, f"{path.relative_to(PACKAGE)}: steered by {unknown}?"


@pytest.mark.parametrize("relation", EVERY)
def test_file_is_named_after_its_relation(relation: str) -> None:
    stem = statements()[relation].file.split("/")[-1].removesuffix(".sql")
    if relation in FILE_OF_ANOTHER_NAME:
        assert FILE_OF_ANOTHER_NAME[relation].startswith(stem + ":")
    else:
        assert stem == relation


def test_no_file_is_left_over() -> None:
    used = {s.file for s in statements().values()}
    loose = [
        name for path in sql_files()
        if not template_part(path) and (name := str(path.relative_to(PACKAGE))) not in used
        and not name.startswith("events/readers/")
    ]  # fmt: skip
    assert loose == []


@pytest.mark.parametrize("path", sql_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_clock_no_chance_no_engine_hash(path: Any) -> None:
    """The same input gives the same bytes (design §5)."""
    text = without_comments(path.read_text(encoding="utf-8")).lower()
    assert not re.search(
        r"\b(now|today|current_date|current_timestamp|get_current_\w+|random|rand|uuid|gen_random_uuid|hash|md5_number)"
        r"\s*\(|\bcurrent_(date|timestamp)\b|\btablesample\b",
        text,
    )


# keys, on test data


@pytest.fixture(scope="module", params=["papers", "generated", "workup"])
def ran(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session after a run: everybody of the papers, of generated statements, and everybody asked for by name."""
    session = Session(load(), threads=2, keep_all=True)
    options = Options(today=TODAY)
    if request.param == "generated":
        fill(session.engine, list(generated(seed=7)))
    else:
        case.read_documents(session.engine, papers(), case.knowledge_ids(session.knowledge), strict=True)
    normalize.normalize(session.engine, None, options.today)
    people = session.engine.one("select count(*) from persons")
    session.analyse(options, list(range(1, people + 1)) if request.param == "workup" else None)
    plan = pipeline.ITEMS if request.param != "workup" else pipeline.ITEMS[:0]
    for _ in pipeline.run(session.engine, session.knowledge, plan):
        pass
    yield session
    session.close()


def _present(session: Session) -> list[Relation]:
    held = {r["table_name"] for r in session.engine.rows("select table_name from information_schema.tables")}
    return [r for r in ALL.values() if r.name in held]


def test_every_key_is_unique(ran: Session) -> None:
    faults = []
    for relation in _present(ran):
        if relation.key:
            key = ", ".join(f'"{c}"' for c in relation.key)
            rows, keys = (
                ran.engine.one(f'select count(*) from "{relation.name}"'),
                ran.engine.one(f'select count(*) from (select distinct {key} from "{relation.name}")'),
            )
            if rows != keys:
                faults.append(f"{relation.name}: {rows} rows, {keys} keys ({key})")
    assert not faults, "\n".join(faults)


def test_columns_have_the_types_of_the_contract(ran: Session) -> None:
    faults = []
    for relation in _present(ran):
        found = {r["column_name"]: r["column_type"] for r in ran.engine.rows(f'describe "{relation.name}"')}
        wanted = expand(relation, ids())
        faults += [
            f"{relation.name}.{c}: {found.get(c, 'missing')}, contract {t}"
            for c, t in wanted.items()
            if found.get(c) != t
        ]
        faults += [f"{relation.name}.{c}: not in the contract" for c in set(found) - set(wanted)]
    assert not faults, "\n".join(faults)


def test_a_mark_is_one_event_and_what_its_code_says(ran: Session) -> None:
    """`marks` has no key of its own: its lookups must not make two of one, and what has an outcome is not lost."""
    made_twice = """
        select count(*) from (
          select person, row_no, part, count(*) as n from interest_marks
          where reference not in (select reference from form_marks) group by person, row_no, part
        ) as m
        inner join (select person, row_no, part, count(*) as n from interest_events group by all) as e
          on e.person = m.person and e.row_no = m.row_no and e.part = m.part and m.n > e.n"""
    lost = """
        select count(*) from interest_events as e
        inner join code_marks as c on c.code_key = 2 * e.code_id + case when e.status = 'refuted' then 1 else 0 end
        inner join results as r on r.flag_key = c.scale * 8 and c.states
        where not exists (select 1 from interest_marks as m where m.person = e.person and m.row_no = e.row_no and m.part = e.part)"""
    assert ran.engine.one("select count(*) from interest_marks") > 0
    assert ran.engine.one(made_twice) == 0
    assert ran.engine.one(lost) == 0


@pytest.mark.parametrize("ran", ["papers", "generated"], indirect=True)  # a workup makes no points
def test_scores_at_face_value_are_the_points_of_everybody(ran: Session) -> None:
    """`points` and `scores` are made from different words (docs/decisions/0002); they must say the same."""
    columns = [c for c in expand(ALL["points"], ids()) if c != "person"]
    differs = " or ".join(f"p.{c} is distinct from s.{c}" for c in columns)
    found = ran.engine.rows(
        f"select s.person from scores as s left join points as p on p.person = s.person "
        f"where s.basis = 'points' and ({differs})"
    )
    assert found == []


def test_there_was_something_to_check(ran: Session) -> None:
    """Golden rule of tests on data: first assert that there is input."""
    needed = {"marks", "occurrences", "findings", "masks", "scores", "calls", "fm_forms"} & {
        r.name for r in _present(ran)
    }
    assert {"occurrences", "findings", "masks", "scores", "calls", "fm_forms"} <= needed
    for name in needed:
        assert ran.engine.one(f'select count(*) from "{name}"') > 20, name


def test_undeclared_reads_would_be_seen() -> None:
    """The check looks through common table expressions, subqueries and unions."""
    planted = sqlglot.parse_one(
        "with a as (select * from one) select x from a where exists (select 1 from two where two.x = a.x) "
        "union all select x from (select x from three) as t", read="duckdb",
    )  # fmt: skip
    assert tables(planted) == {"one", "two", "three"}
