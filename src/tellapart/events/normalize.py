"""From `statements` (text, as every reader leaves them) to `events` (typed, in canonical units), with the accounting.

Each step is one `.sql` file beside this module, named after the relation it makes; this module only runs them in order.
The same statements run for one person and for millions. Relations read: `statements`, `source_rows`, `patients`,
`left_out`, `rejected` (from a reader) and knowledge (`codes`, `code_systems`, `finding_kinds`, `units`, `unit_aliases`,
`reference_ranges`, `result_words`, `not_needed`, `limits`, `instrument_items`, `instrument_sites`,
`pain_sites`).

Limits needed: `date_year_min`, `date_year_max` (a date outside is impossible), `titre_min` (a smaller number without a
unit is an index, not the denominator of a titre), `range_proof_factor` (how far a laboratory's limits may lie from the
usual ones and still prove the unit).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from tellapart.contracts.relations import DOSES
from tellapart.errors import TellapartError
from tellapart.knowledge.local import NO_CODES, LocalCodes

CLASSES = ("used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")
"""The classes of design §5, in the order in which they are printed after `read`."""

KNOWLEDGE_STEPS = (
    ("reading_limits", ("limits",)),
    ("system_names", ("code_systems",)),
    ("unit_map", ("units", "unit_aliases", "finding_kinds")),
    ("meanings", ("codes", "local_codes", "drugs", "finding_kinds", "units", "unit_map")),
    ("item_codes", ("instrument_items", "instrument_sites", "pain_sites")),
    ("ignored_codes", ("not_needed", "local_codes")),
    ("flag_words", ()),
)
"""Relations made of knowledge alone, once per session: relation made and relations read, in order."""

STEPS = (
    ("registered", ("patients", "reading_limits")),
    ("new_codes", ("statements", "code_map")),
    ("code_map", ("new_codes", "system_names", "meanings", "item_codes", "ignored_codes")),
    ("new_texts", ("statements", "code_map", "texts", "result_words")),
    ("texts", ("new_texts", "result_words")),
    ("unit_proofs", ("statements", "code_map", "texts", "unit_map", "reference_ranges", "reading_limits")),
    ("readings", ("statements", "source_rows", "registered", "code_map", "texts", "flag_words", "unit_map",
                  "unit_proofs", "reading_limits")),
    ("horizons", ("readings", "registered", "patients", "asked")),
    ("persons", ("registered", "horizons")),
    ("reported", ("readings", "registered", "usual_ranges")),
    ("events", ("reported", "horizons")),
    ("doses", ("events", "dose_words")),
    ("rejections", ("readings", "source_rows", "registered", "patients", "unit_map")),
    ("row_classes", ("source_rows", "statements", "code_map", "readings", "events", "not_needed", "patients")),
    ("accounting", ("row_classes", "left_out")),
)  # fmt: skip
"""Relations made of each source: relation made and relations read, in order (checked against the SQL by the tests)."""

VIEWS = frozenset({"reported"})
"""Relations of which no rows are kept."""

AUDIT_STEPS = (("unmapped", ("statements", "row_classes", "left_out")),)
"""What only an audit asks for of a source, in order."""

EVERY_STEP = (*KNOWLEDGE_STEPS, *STEPS, *AUDIT_STEPS)

OPTIONAL_PATIENT_COLUMNS = {"age": "integer", "as_of": "varchar", "setting": "varchar", "observed_to": "varchar"}
"""What only some sources know of a person: age without birth date, the document's own as-of day and setting, until when it
heard of them."""


SOURCE = ("statements", "source_rows", "patients", "left_out", "rejected")
"""What a reader leaves."""

FULL = ("doses", "rejections")
"""Relations of `STEPS`, beside those remembered, whose text needs more of DuckDB's SQL than SQLite can be taught."""

WRITTEN = "(select distinct value, unit, text, display from events where kind = 'drug' and status = 'asserted') as w"


def _same(other: str) -> str:
    return " and ".join(f"{other}.{c} is not distinct from w.{c}" for c in DOSES.key)


NEW = f"where not exists (select 1 from known_doses as k where {_same('k')})"
NEW_DOSES = f"select 1 as due from {WRITTEN} {NEW} limit 1"
KNOWN_DOSES = f"select k.* from known_doses as k inner join {WRITTEN} on {_same('k')} where k.amount is not null"
"""What a dose as written comes to never changes: an engine for few persons remembers it, also that it cannot be read."""

REJECTIONS_DUE = """
select 1 as due from readings where class = 'rejected'
union all
select 1 as due from patients as t inner join registered as p on p.person_id = t.person_id
where (t.birth_date <> '' and p.birth_date is null) or (t.death_date <> '' and p.death_date is null)
limit 1
"""
"""Is there anything for `rejections` to say? (Asking is cheaper than making it.)"""


class Engine(Protocol):
    """What normalisation asks of an engine."""

    def load(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None: ...

    def make(self, name: str, sql: str, view: bool = False) -> None: ...

    def append(self, name: str, sql: str) -> None: ...

    def table(self, name: str) -> tuple[Mapping[str, str], list[tuple[Any, ...]]]: ...

    def columns(self, name: str) -> Mapping[str, str]: ...

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class AsOf:
    """The day up to which a source is read.

    Attributes:
        day: the latest as-of day of any person; None when nothing in the source has a date and none was asked for.
        given: True if it was asked for or the document names it, False if it is the latest day in the source.
    """

    day: date | None
    given: bool


class AccountingError(TellapartError):
    """The classes of the source rows do not add up: a fault of the program, never of the input."""


@cache
def text(relation: str) -> str:
    """The SQL that makes this relation of the room."""
    return (Path(__file__).parent / f"{relation}.sql").read_text(encoding="utf-8")


REMEMBERED = {"code_map": "new_codes", "texts": "new_texts"}
"""Relations that only grow within a session, by what is new: what a code or a wording means never changes."""


def prepare(engine: Engine, codes: LocalCodes = NO_CODES) -> None:
    """Make what is made of knowledge alone, and empty the session's memory of codes and wordings.

    Once per session, after the knowledge relations are loaded; again when they change.

    Args:
        codes: what a site's own codes mean.
    """
    engine.load("local_codes", *codes.relation())
    for name, _ in KNOWLEDGE_STEPS:
        engine.make(name, text(name))
    nothing = "cast(null as varchar)"
    engine.make(
        "new_codes",
        f"select {nothing} as kind, {nothing} as system, {nothing} as code, {nothing} as bare_system, "
        f"{nothing} as kind_group where false",
    )
    engine.make("new_texts", f"select {nothing} as text where false")
    for name in REMEMBERED:
        engine.make(name, text(name))


def keep_only(engine: Engine, person_ids: Iterable[str]) -> None:
    """Of what a reader left keep these persons; the rows of all others count as not needed."""
    engine.load("wanted", {"person_id": "VARCHAR"}, [(p,) for p in person_ids])
    listed = "person_id in (select person_id from wanted)"
    for name in ("statements", "patients", "diary_flares"):
        engine.make(name, f"select * from {name} where {listed}")
    engine.make("rejected", f"select * from rejected where person_id is null or {listed}")
    engine.make(
        "source_rows",
        f'select * replace (case when person_id is null or {listed} then "class" else \'not_needed\' end as "class") '
        "from source_rows",
    )


def lend(engine: Engine, full: Engine) -> None:
    """Give an engine for a few persons what `prepare` made on the one that knows all of DuckDB's SQL. Once per session."""
    for name in (*(name for name, _ in KNOWLEDGE_STEPS), *REMEMBERED):
        engine.load(name, *full.table(name))
    engine.load("known_doses", DOSES.columns, [])


def know_codes(engine: Engine) -> None:
    """Find out what the codes of `statements` mean that `code_map` does not hold yet.

    A reader that pulls only the rows it needs asks this with the codes alone.
    """
    _remember(engine, "code_map", None)


def _remember(engine: Engine, name: str, full: Engine | None) -> None:
    new = REMEMBERED[name]
    engine.make(new, text(new))
    if not engine.rows(f"select 1 as new from {new} limit 1"):
        return
    if full:
        full.load(new, *engine.table(new))
        full.make("remembered", text(name))
        engine.load("remembered", *full.table("remembered"))
        engine.append(name, "select * from remembered")
    else:
        engine.append(name, text(name))


def _make(engine: Engine, name: str, full: Engine | None) -> None:
    if full and name == "doses" and not engine.rows(NEW_DOSES):
        engine.make(name, KNOWN_DOSES)
    elif full and name in FULL:
        made = dict(STEPS)
        for read in made[name]:
            if read in SOURCE or read in made:
                full.load(read, *engine.table(read))
        full.make(name, text(name))
        engine.load(name, *full.table(name))
        if name == "doses":
            engine.append(
                "known_doses",
                f"select w.*, d.amount, d.amount_unit from {WRITTEN} left join doses as d on {_same('d')} {NEW}",
            )
    else:
        engine.make(name, text(name), view=name in VIEWS)


def normalize(engine: Engine, as_of: date | None, today: date, full: Engine | None = None) -> AsOf:
    """Make `persons`, `events`, `horizons`, `row_classes` and `accounting`, and add to `rejected`.

    Source of the rules: design §1 (dates, as-of), §2 (units), §5 (accounting). Call `prepare` once before.

    Args:
        engine: holds the relations named above.
        as_of: read only what was known by this day; None: the document's own day, else the latest `known_date` of the
            source that is not after `today`.
        today: the calendar day, used for nothing but that default.
        full: the engine to make `FULL` on, if this one does not know all of DuckDB's SQL (see `lend`).

    Returns:
        The as-of day (`horizons` has it per person: in a folder of cases every document has its own).

    Raises:
        AccountingError: the classes do not add up to the rows read.
    """
    _complete_patients(engine)
    engine.load("asked", {"as_of": "DATE", "today": "DATE"}, [(as_of, today)])
    for name, _ in STEPS:
        if name in REMEMBERED:
            _remember(engine, name, full)
        elif name in REMEMBERED.values():
            continue
        elif name != "rejections":
            _make(engine, name, full)
        elif engine.rows(REJECTIONS_DUE):
            _make(engine, name, full)
            engine.append("rejected", "select * from rejections")
    check_accounting(engine)
    row = engine.rows(
        "select max(h.as_of) as day, count(p.as_of) > 0 as own from horizons as h "
        "left join persons as q on q.person = h.person left join patients as p on p.person_id = q.person_id"
    )[0]
    return AsOf(row["day"], as_of is not None or bool(row["own"]))


def rank_unmapped(engine: Engine) -> None:
    """Make what only an audit asks for, after `normalize`."""
    for name, _ in AUDIT_STEPS:
        engine.make(name, text(name))


def _complete_patients(engine: Engine) -> None:
    """Give `patients` the columns that not every reader fills."""
    present = engine.columns("patients")
    missing = [
        f"cast(null as {kind}) as {name}" for name, kind in OPTIONAL_PATIENT_COLUMNS.items() if name not in present
    ]
    if missing:
        engine.make("patients", f"select *, {', '.join(missing)} from patients")


def check_accounting(engine: Engine) -> dict[str, int]:
    """Assert that every source row is in exactly one class.

    Returns:
        `read` and the seven classes of design §5, whole numbers.

    Raises:
        AccountingError: a row is missing, counted twice or in an unknown class.
    """
    found: dict[str, int] = {row["class"]: row["n"] for row in engine.rows(
        'select "class", cast(sum(n) as bigint) as n from accounting group by "class"'
    )}  # fmt: skip
    read = sum(r["n"] for r in engine.rows(
        "select count(*) as n from source_rows union all select coalesce(sum(n), 0) as n from left_out"
    ))  # fmt: skip
    unknown = sorted(set(found) - set(CLASSES))
    if unknown or sum(found.values()) != read:
        raise AccountingError(
            f"{read} source rows were read but {sum(found.values())} are accounted for {found}"
            + (f"; unknown classes {unknown}" if unknown else "")
        )
    return {"read": read} | {name: found.get(name, 0) for name in CLASSES}
