"""OMOP CDM reader: a CDM becomes `statements`, `source_rows`, `left_out`, `rejected` and `patients`.

Two passes over each table. First the distinct codes are counted, and what they mean is found by the same relations as
for any other source (`events/code_map.sql`). Then only rows whose code means something are pulled; the others stay
counted in `left_out`. Both passes are SELECTs that any SQL database can run. Rules:
https://ohdsi.github.io/CommonDataModel/cdm54.html (5.3 differs in nothing that is read).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from importlib.resources import files
from typing import Any

from tellapart.contracts import relations
from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError
from tellapart.events import normalize
from tellapart.events.address import Address, Source
from tellapart.events.readers.csv_files import quoted
from tellapart.events.readers.omop_cdm import Cdm, Database, Folder
from tellapart.events.readers.omop_postgres import Postgres
from tellapart.events.readers.omop_tables import (
    COUNTED,
    ERA,
    EXPOSURE,
    IDS,
    NEEDED,
    OBSERVED,
    OBSERVED_TO,
    STRENGTH,
    STRENGTH_NEEDS,
    TABLES,
    VISIT,
    WORDS,
    Names,
    Table,
)

PERSON = (
    "person_id", "person_source_value", "gender_concept_id", "gender_source_value", "birth_datetime", "year_of_birth",
    "month_of_birth", "day_of_birth",
)  # fmt: skip
NONE = "cast(0 as bigint)"  # no concept


def read_omop(engine: DuckDB, source: Source) -> str:
    """Read a CDM.

    Args:
        engine: holds the knowledge relations and what `normalize.prepare` makes of them.
        source: folder with one file, or one folder of files, per table; a DuckDB file; a PostgreSQL database.

    Returns:
        A clause for the user: how persons are named.

    Raises:
        InputError: the source cannot be opened, or is no CDM.
    """
    order = engine.one("select current_setting('preserve_insertion_order')")
    engine.connection.execute("set preserve_insertion_order = true")  # row numbers must not hang on threads
    try:
        with closing(_cdm(engine, source)) as cdm:
            return _Reading(engine, cdm, str(source)).run()
    finally:
        _clear(engine)
        engine.connection.execute(f"set preserve_insertion_order = {order}")


def _cdm(engine: DuckDB, source: Source) -> Cdm:
    if isinstance(source, Address):
        return Postgres(engine, source)
    return Database(engine, source) if source.is_file() else Folder(engine, source)


def _clear(engine: DuckDB) -> None:
    """Drop what a reading leaves behind."""
    for kind in ("view", "table"):
        for row in engine.rows(f"select {kind}_name as name from duckdb_{kind}s() where temporary"):
            if row["name"].startswith("omop_"):
                engine.connection.execute(f'drop {kind} temp."{row["name"]}"')
    for macro in ("omop_said", "omop_number"):
        engine.connection.execute(f"drop macro if exists temp.{macro}")


class _Reading:
    """One run of the reader."""

    def __init__(self, engine: DuckDB, cdm: Cdm, source: str) -> None:
        self.engine, self.cdm, self.source = engine, cdm, source
        self.con = engine.connection
        self.offset = 1
        self.tables = [t for t in TABLES if t.name in cdm.columns]

    def run(self) -> str:
        self._check()
        for relation in (*relations.SOURCES, relations.PATIENTS):
            self.con.execute(relations.ddl(relation))
        self._sql("bad", offset=self.offset)
        self._count("omop_bad")
        named = self._persons()
        self._codes()
        for table in self.tables:
            self._rows(table)
        for name in COUNTED:
            if name in self.cdm.columns:
                self._count_only(name)
        return named

    def _check(self) -> None:
        """Raise InputError unless there are persons, something about them, and the columns that everything hangs on."""
        columns, places = self.cdm.columns, self.cdm.places
        if "person" not in columns:
            held = ", ".join(sorted(columns)) or "no table of a CDM"
            raise InputError(f"{self.source}: there is no table person, so this is no OMOP CDM. Found: {held}.")
        if not self.tables:
            raise InputError(
                f"{self.source}: beside person there is no clinical table. Expected at least one of: "
                f"{', '.join(t.name for t in TABLES)}."
            )
        needed: list[tuple[str, Names]] = [("person", ("person_id",))]
        needed += [(t.name, t.columns[name]) for t in self.tables for name in NEEDED]
        for table, names in needed:
            if not columns[table] & set(names):
                raise InputError(
                    f"{self.source}: {places[table]}: table {table} has no column {' or '.join(names)}. Expected OMOP "
                    "CDM 5.4 (or 5.3); bring an older model to it first."
                )

    def _sql(self, name: str, **variables: Any) -> None:
        """Run a `.sql` file beside this module with these variables (named `omop_…` there)."""
        for variable, value in variables.items():
            self.con.execute(f"set variable omop_{variable} = $1", [value])
        self.con.execute((files("tellapart.events.readers") / f"omop_{name}.sql").read_text(encoding="utf-8"))

    # --- persons ------------------------------------------------------------------------------------------------------

    def _persons(self) -> str:
        """Fill `patients` (with the end of what they were observed) and the source rows of person and death."""
        there = self.cdm.columns["person"]
        columns = ", ".join(f"cast({f't.{c}' if c in there else 'null'} as varchar) as {c}" for c in PERSON)
        self.cdm.take("omop_person", f"select {columns} from {self.cdm.table('person')} as t order by t.person_id")
        if {"person_id", "death_date"} <= self.cdm.columns.get("death", set()):
            self.cdm.take(
                "omop_death",
                "select cast(t.person_id as varchar) as person_id, cast(t.death_date as varchar) as death_date "
                f"from {self.cdm.table('death')} as t order by t.person_id, t.death_date",
            )
        else:
            self.con.execute("create temp table omop_death (person_id varchar, death_date varchar)")
        if {"person_id", OBSERVED_TO} <= self.cdm.columns.get(OBSERVED, set()):
            self.cdm.take(
                "omop_observed",
                f"select cast(t.person_id as varchar) as person_id, cast(max(t.{OBSERVED_TO}) as varchar) as observed_to "
                f"from {self.cdm.table(OBSERVED)} as t group by t.person_id",
            )
        else:
            self.con.execute("create temp table omop_observed (person_id varchar, observed_to varchar)")
        by_source = self.engine.one(
            "select count(*) > 0 and count(*) = count(distinct nullif(trim(person_source_value), '')) "
            "from (select distinct person_id, person_source_value from omop_person)"
        )
        self._sql("persons", by_source=by_source, offset=self.offset, file=self.cdm.places["person"],
                  death_file=self.cdm.places.get("death"))  # fmt: skip
        self._count("omop_person")
        self._count("omop_death")
        return "persons are named by " + ("person_source_value" if by_source else "person_id")

    def _count(self, name: str) -> None:
        """Row numbers go on after the rows of this table."""
        self.offset += self.engine.one(f"select count(*) from {name}")

    # --- codes --------------------------------------------------------------------------------------------------------

    def _codes(self) -> None:
        """Count the codes of every table, find out what they mean, and which rows are needed for it."""
        self.con.execute(
            "create temp table omop_seen "
            '("table" varchar, kind varchar, concept bigint, source_concept bigint, source_value varchar, n bigint)'
        )
        for table in self.tables:
            place, concept, own, value = self._key(table)
            self.cdm.take(
                "omop_count",
                f"select {concept} as concept, {own} as source_concept, {value} as source_value, count(*) as n "
                f"from {place} group by 1, 2, 3",
            )
            self.con.execute("insert into omop_seen select $1, $2, * from omop_count", [table.name, table.kind])
        self._concepts("omop_name", "select concept from omop_seen union select source_concept from omop_seen")
        self._ancestors()
        self._sql("coding")
        normalize.know_codes(self.engine)
        # with a vocabulary that leads from product to ingredient, exposures say all that eras say
        self._sql("needed", unread=ERA if {EXPOSURE, "concept_ancestor"} <= self.cdm.columns.keys() else None)

    def _key(self, table: Table) -> tuple[str, str, str, str]:
        """FROM, standard concept, source concept and source value of a row; of a visit those of its specialty.

        The source value counts only where no concept is named, or no vocabulary is there to tell what the concept is.
        """
        place = f"{self.cdm.table(table.name)} as t"
        if table.name != VISIT:
            concept, own = (self._whole(table.name, table.columns[c]) for c in ("concept", "source_concept"))
            value = self._text(table.name, table.columns["source_value"])
        elif {"provider_id", "specialty_concept_id"} <= self.cdm.columns.get("provider", set()) and (
            "provider_id" in self.cdm.columns[VISIT]
        ):
            place += f" left join {self.cdm.table('provider')} as p on p.provider_id = t.provider_id"
            concept, own = f"coalesce({self.cdm.whole('p.specialty_concept_id')}, 0)", NONE
            value = self._text("provider", ("specialty_source_value",), "p")
        else:
            return place, NONE, NONE, "cast('' as varchar)"
        value = f"coalesce(trim({value}), '')"
        if "concept" in self.cdm.columns:
            value = f"case when {concept} = 0 and {own} = 0 then {value} else '' end"
        return place, concept, own, value

    def _text(self, table: str, names: Names, alias: str = "t") -> str:
        """The first of these columns that is not NULL, as text."""
        there = [f"cast({alias}.{n} as varchar)" for n in names if n in self.cdm.columns[table]]
        return f"coalesce({', '.join(there)})" if len(there) > 1 else (there or ["cast(null as varchar)"])[0]

    def _whole(self, table: str, names: Names) -> str:
        """An id, 0 for none."""
        there = [self.cdm.whole(f"t.{n}") for n in names if n in self.cdm.columns[table]]
        return f"coalesce({there[0]}, 0)" if there else NONE

    def _ids(self, query: str) -> list[int]:
        """The ids of a query of one column, 0 and NULL apart."""
        return sorted(row[0] for row in self.con.execute(query).fetchall() if row[0])

    def _concepts(self, target: str, query: str) -> None:
        """Make `target`: what the CDM's own vocabulary says of the concepts of a query of one column."""
        wanted = self._ids(query)
        if "concept" in self.cdm.columns and wanted:
            self._vocabulary(target, f"t.concept_id in ({_listed(wanted)})")
        else:
            self.con.execute(
                f"create or replace temp table {target} "
                "(concept_id bigint, system varchar, code varchar, display varchar)"
            )

    def _vocabulary(self, target: str, condition: str) -> None:
        self.cdm.take(
            target,
            f"select {self.cdm.whole('t.concept_id')} as concept_id, cast(t.vocabulary_id as varchar) as system, "
            "cast(t.concept_code as varchar) as code, cast(t.concept_name as varchar) as display "
            f"from {self.cdm.table('concept')} as t where {condition}",
        )

    def _ancestors(self) -> None:
        """Make `omop_pair`: concepts below codes that hold for what is below them too, with the distance."""
        self.con.execute("create temp table omop_pair (concept bigint, ancestor bigint, levels bigint)")
        self.con.execute(
            "create temp table omop_top as select concept_id, system, code from omop_concepts where use = 'code'"
        )
        if "concept_ancestor" not in self.cdm.columns:
            return
        if "concept" in self.cdm.columns:
            codes = self.con.execute("select distinct code from codes where descendants order by code").fetchall()
            self._vocabulary("omop_top", f"t.concept_code in ({', '.join(quoted(c) for (c,) in codes)})")
        self._sql("top")
        if top := self._ids("select concept_id from omop_top"):
            self.cdm.take(
                "omop_pair",
                f"select {self.cdm.whole('t.descendant_concept_id')} as concept, "
                f"{self.cdm.whole('t.ancestor_concept_id')} as ancestor, "
                f"{self.cdm.whole('t.min_levels_of_separation')} as levels "
                f"from {self.cdm.table('concept_ancestor')} as t where t.ancestor_concept_id in ({_listed(top)})",
            )

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _rows(self, table: Table) -> None:
        """Pull the rows of a table whose code means something."""
        place, concept, own, value = self._key(table)
        where = self._where(table, concept, own, value)
        if where is None:
            return
        parts = [f"{concept} as concept", f"{own} as source_concept", f"{value} as source_value"]
        parts += [f"{self._whole(table.name, table.columns.get(c, ()))} as {c}" for c in IDS]
        parts += [f"{self._text(table.name, table.columns.get(c, ()))} as {c}" for c in WORDS]
        self.cdm.take("omop_row", f"select {', '.join(parts)} from {place} where {where}")
        self._strengths(table)
        self._concepts(
            "omop_word",
            "select value_concept from omop_row union select unit_concept from omop_row union select unit_concept from omop_strength",
        )
        self._visits(table, f"select t.visit_occurrence_id from {place} where {where}")
        self._sql("statements", table=table.name, by=table.by, offset=self.offset, file=self.cdm.places[table.name])
        self._count("omop_row")

    def _strengths(self, table: Table) -> None:
        """Make `omop_strength`: how much one piece (a tablet) of a drug of one ingredient holds, where the vocabulary says it."""
        there = self.cdm.columns.get(STRENGTH, set())
        drugs = self._ids("select distinct concept from omop_row") if table.name == EXPOSURE else []
        if drugs and there >= STRENGTH_NEEDS:
            valid = " and t.invalid_reason is null" if "invalid_reason" in there else ""
            self.cdm.take(
                "omop_strengths",
                f"select {self.cdm.whole('t.drug_concept_id')} as concept, cast(t.amount_value as varchar) as amount, "
                f"{self.cdm.whole('t.amount_unit_concept_id')} as unit_concept from {self.cdm.table(STRENGTH)} as t "
                f"where {self.cdm.whole('t.drug_concept_id')} in ({_listed(drugs)}){valid}",
            )
        else:
            self.con.execute(
                "create or replace temp table omop_strengths (concept bigint, amount varchar, unit_concept bigint)"
            )
        self.con.execute(
            "create or replace temp table omop_strength as "
            "select concept, min(try_cast(amount as double)) as amount, min(unit_concept) as unit_concept from omop_strengths "
            "group by concept having count(*) = 1 and min(try_cast(amount as double)) > 0"
        )

    def _where(self, table: Table, concept: str, own: str, value: str) -> str | None:
        """The condition on a row that is needed; None: no row is."""
        conditions = []
        for of, column in (("concept", concept), ("source_concept", own), ("source_value", value)):
            wanted = self.con.execute(
                f'select distinct {of} from omop_needed where "table" = $1 and of = $2 order by 1', [table.name, of]
            ).fetchall()
            if wanted:
                values = ", ".join(quoted(v) if isinstance(v, str) else str(v) for (v,) in wanted)
                conditions.append(f"{column} in ({values})")
        return " or ".join(conditions) or None

    def _visits(self, table: Table, named: str) -> None:
        """Make `omop_visit`: the day of every visit that the rows pulled name."""
        if VISIT in self.cdm.columns and table.name != VISIT and "visit_occurrence_id" in self.cdm.columns[table.name]:
            day = self._text(VISIT, next(t for t in TABLES if t.name == VISIT).columns["date"])
            self.cdm.take(
                "omop_visit",
                f"select {self.cdm.whole('t.visit_occurrence_id')} as visit, {day} as date "
                f"from {self.cdm.table(VISIT)} as t where t.visit_occurrence_id in ({named})",
            )
        else:
            self.con.execute("create or replace temp table omop_visit (visit bigint, date varchar)")

    def _count_only(self, name: str) -> None:
        """Count a table that is not read."""
        self.cdm.take("omop_count", f"select count(*) as n from {self.cdm.table(name)} as t")
        self.con.execute(
            "insert into left_out by name select $1 as source_type, case when $1 in "
            "(select code from not_needed where system = 'omop') then 'not_needed' else 'unmapped' end as class, n "
            "from omop_count where n > 0",
            [name],
        )


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
