"""How a source on a cluster is cut into shards of whole persons: every shard is a small source of the same format.

A shard is rows of text with the name of the resource type or table that they belong to. What tells about no one person
(medications, roles, vocabulary) goes to every shard. Spark moves the rows and never looks inside; what they mean is
found by the same readers as anywhere (`tasks/cluster.py` runs them shard by shard).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import PurePosixPath
from typing import Any

from tellapart.engines.spark import Folder, Spark
from tellapart.errors import InputError
from tellapart.events.readers.fhir import LINE_SUFFIXES
from tellapart.events.readers.fhir_fields import FAMILY_OF
from tellapart.events.readers.omop import PERSON
from tellapart.events.readers.omop_tables import (
    COUNTED,
    NAMES,
    OBSERVED,
    OBSERVED_TO,
    STRENGTH,
    STRENGTH_NEEDS,
    TABLES,
    VISIT,
)

FORMATS = ("fhir", "omop")
LOOKUPS = ("Medication", "PractitionerRole")
OTHER = "unknown"
"""Name of lines that are no resource."""


@dataclass(frozen=True)
class Cut:
    """A source cut into shards.

    Attributes:
        format: of the source, one of `FORMATS`.
        why: a clause for the user.
        rows: Spark rows of `key` (the same for all rows of a person), `name`, `file`, `text`.
        persons: Spark rows of `key` and `person_id`, one for every person.
        columns: name of a table to its columns; empty if the text says itself what it holds.
        everywhere: name of a table to its rows (Arrow), for every shard.
        lookups: names in `rows` that go to every shard.
        counted: name of a table that is not read to its number of rows.
    """

    format: str
    why: str
    rows: Any
    persons: Any
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    everywhere: Mapping[str, Any] = field(default_factory=dict)
    lookups: tuple[str, ...] = ()
    counted: Mapping[str, int] = field(default_factory=dict)


def cut(spark: Spark, source: str | None, form: str, table_prefix: str | None, codes: Iterable[str]) -> Cut:
    """Cut a source into shards.

    Args:
        source: a folder or file at any address that Spark reads; None with a `table_prefix`.
        form: a format of design §5, or `auto`.
        table_prefix: what stands before the names of the CDM's tables in the catalogue (`clinic.cdm.`, `omop_`).
        codes: codes that hold for what a vocabulary has below them.

    Raises:
        InputError: nothing is there, or nothing that can be read on a cluster.
    """
    if table_prefix is not None:
        names = {
            t: f"{table_prefix}{t}" for t in sorted(NAMES) if spark.session.catalog.tableExists(f"{table_prefix}{t}")
        }
        return _omop(spark, {t: spark.session.table(n) for t, n in names.items()}, names, table_prefix, codes)
    assert source is not None
    folder = Folder(spark.session, source)
    files = [f.name for f in folder.files() if not any(part.startswith((".", "_")) for part in f.name.split("/"))]
    if not files:
        raise InputError(f"{source}: there is no such file or folder, or nothing in it. Check the address.")
    tables = {t: name for name in files if (t := _table_of(name)) in NAMES}
    lines = [f for f in files if f.lower().removesuffix(".gz").endswith(LINE_SUFFIXES)]
    if form == "omop" or (form == "auto" and "person" in tables):
        frames = {t: spark.session.read.parquet(folder.address(place)) for t, place in _places(files).items()}
        return _omop(spark, frames, _places(files), source, codes)
    if lines and form in ("auto", "fhir"):
        return _fhir(spark, folder, lines)
    raise InputError(
        f"{source}: on a cluster bulk NDJSON and OMOP tables as Parquet are read; this is neither. "
        "Everything else is read with --engine duckdb."
    )


def _table_of(name: str) -> str:
    """The CDM table that a Parquet file belongs to: by its own name, or that of its folder."""
    path = PurePosixPath(name)
    if path.suffix.lower() != ".parquet":
        return ""
    own = path.name.lower().split(".")[0]
    return own if own in NAMES or len(path.parts) == 1 else path.parent.name.lower()


def _places(files: Iterable[str]) -> dict[str, str]:
    """Table to its file or folder."""
    found: dict[str, str] = {}
    for name in files:
        if (table := _table_of(name)) in NAMES:
            path = PurePosixPath(name)
            found[table] = str(path if path.name.lower().split(".")[0] == table else path.parent)
    return found


# --- FHIR -------------------------------------------------------------------------------------------------------------

HEAD = "resourceType string, id string, subject struct<reference: string>, patient struct<reference: string>"
REFERRED = "regexp_extract({}, '(?:^|/)Patient/([^/?#|]+)(?:/_history/[^/?#]+)?$|^urn:(?:uuid|oid):(.+)$', {})"


def _fhir(spark: Spark, folder: Folder, files: list[str]) -> Cut:
    """Bulk NDJSON: a resource belongs to the person that its subject names by id."""
    session = spark.session
    root = folder.root.replace("'", "\\'")
    read = ", ".join(f"'{kind}'" for kind in sorted(FAMILY_OF))
    pointed = "coalesce(head.subject.reference, head.patient.reference)"
    rows = (
        session.read.text([folder.address(name) for name in files])
        .selectExpr(
            "regexp_replace(value, '^\ufeff', '') as text", f"replace(_metadata.file_path, '{root}', '') as file"
        )
        .where("trim(text) <> ''")
        .selectExpr("text", "file", f"from_json(text, '{HEAD}', map('mode', 'PERMISSIVE')) as head")
        .selectExpr(
            "coalesce(case when head.resourceType = 'Patient' then head.id else "
            f"nullif(concat({REFERRED.format(pointed, 1)}, {REFERRED.format(pointed, 2)}), '') end, text) as key",
            f"case when head.resourceType rlike '^[A-Za-z]+$' then head.resourceType else '{OTHER}' end as name",
            "file",
            # of a type that is not read nothing but the type counts
            f"case when head.resourceType rlike '^[A-Za-z]+$' and head.resourceType not in ({read}, 'Bundle') "
            """then concat('{"resourceType":"', head.resourceType, '"}') else text end as text""",
        )
    )
    persons = rows.where("name = 'Patient'").selectExpr("key", "key as person_id").distinct()
    return Cut("fhir", f"{len(files)} files of NDJSON", rows, persons, lookups=LOOKUPS)


# --- OMOP -------------------------------------------------------------------------------------------------------------


def _omop(spark: Spark, frames: dict[str, Any], places: dict[str, str], source: str, codes: Iterable[str]) -> Cut:
    """A CDM: a row belongs to the person it names; of the vocabulary what the rows name goes everywhere."""
    held = {t: {c.lower() for c in frame.columns} for t, frame in frames.items()}
    if "person" not in frames or "person_id" not in held["person"]:
        raise InputError(
            f"{source}: there is no table person with a column person_id, so this is no OMOP CDM. Found: "
            f"{', '.join(sorted(frames)) or 'no table of a CDM'}."
        )
    if not any(t.name in frames for t in TABLES):
        raise InputError(
            f"{source}: beside person there is no clinical table. Expected at least one of: {', '.join(t.name for t in TABLES)}."
        )
    by_source = "person_source_value" in held["person"] and bool(
        frames["person"]
        .selectExpr("count(*) > 0 and count(distinct person_id) = count(distinct nullif(trim(person_source_value), ''))"
                    " and count(*) = count(nullif(trim(person_source_value), ''))")
        .first()[0]
    )  # fmt: skip
    wanted: dict[str, set[str]] = {"person": set(PERSON) - (set() if by_source else {"person_source_value"}),
                                   "death": {"person_id", "death_date"}, OBSERVED: {"person_id", OBSERVED_TO}}  # fmt: skip
    wanted |= {t.name: {c for names in t.columns.values() for c in names} | {"provider_id"} for t in TABLES}
    columns = {t: tuple(sorted(held[t] & wanted[t])) for t in sorted(wanted) if t in frames}
    parts = []
    for table, names in columns.items():
        row = "to_json(named_struct(" + ", ".join(f"'{c}', cast({c} as string)" for c in names) + "))"
        whose = "cast(person_id as string)" if "person_id" in names else "cast(null as string)"
        parts.append(
            frames[table].selectExpr(
                f"coalesce({whose}, {row}) as key", f"'{table}' as name", f"'{places[table]}' as file", f"{row} as text"
            )
        )
    said = "trim(person_source_value)" if by_source else "cast(person_id as string)"
    return Cut(
        "omop",
        f"{len(frames)} tables, persons are named by " + ("person_source_value" if by_source else "person_id"),
        reduce(lambda one, other: one.unionAll(other), parts),
        frames["person"].selectExpr("cast(person_id as string) as key", f"{said} as person_id").dropna().distinct(),
        columns,
        _vocabulary(frames, held, codes),
        counted={t: frames[t].count() for t in COUNTED if t in frames and t not in columns},
    )


def _vocabulary(frames: dict[str, Any], held: dict[str, set[str]], codes: Iterable[str]) -> dict[str, Any]:
    """Of vocabulary and providers what the rows name, and what stands above it, as Arrow tables of text."""
    seen = None
    for t in (*TABLES, None):
        table = t.name if t else "provider"
        names = {c for key in ("concept", "source_concept", "value_concept", "unit_concept") for c in t.columns.get(key, ())} \
            if t else {"specialty_concept_id"}  # fmt: skip
        for column in sorted(names & held.get(table, set())):
            part = (
                frames[table].selectExpr(f"cast({column} as bigint) as concept_id").where("concept_id <> 0").distinct()
            )
            seen = part if seen is None else seen.unionAll(part)
    kept: dict[str, Any] = {}
    if seen is not None and held.get(STRENGTH, set()) >= STRENGTH_NEEDS:
        valid = ("invalid_reason",) if "invalid_reason" in held[STRENGTH] else ()
        strength = (
            frames[STRENGTH]
            .selectExpr("cast(drug_concept_id as bigint) as drug_concept_id", "cast(amount_value as string) as amount_value",
                        "cast(amount_unit_concept_id as bigint) as amount_unit_concept_id", *valid)
            .join(seen.withColumnRenamed("concept_id", "drug_concept_id").distinct(), "drug_concept_id", "left_semi")
        )  # fmt: skip
        kept[STRENGTH] = strength
        seen = seen.unionAll(strength.selectExpr("amount_unit_concept_id as concept_id").where("concept_id <> 0"))
    if (
        "provider" in frames
        and {"provider_id", "specialty_concept_id"} <= held["provider"]
        and "provider_id" in held.get(VISIT, ())
    ):
        own = sorted(held["provider"] & {"provider_id", "specialty_concept_id", "specialty_source_value"})
        kept["provider"] = frames["provider"].selectExpr(*(f"cast({c} as string) as {c}" for c in own))
    if seen is not None and "concept" in frames:
        seen = seen.distinct()
        listed = ", ".join("'" + c.replace("'", "\\'") + "'" for c in sorted(codes)) or "''"
        concept = frames["concept"].selectExpr(
            "cast(concept_id as bigint) as concept_id", "cast(vocabulary_id as string) as vocabulary_id",
            "cast(concept_code as string) as concept_code", "cast(concept_name as string) as concept_name",
        )  # fmt: skip
        above = concept.where(f"concept_code in ({listed})")
        kept["concept"] = concept.join(seen, "concept_id", "left_semi").unionAll(above).distinct()
        if "concept_ancestor" in frames:
            kept["concept_ancestor"] = (
                frames["concept_ancestor"]
                .selectExpr("cast(descendant_concept_id as bigint) as descendant_concept_id",
                            "cast(ancestor_concept_id as bigint) as ancestor_concept_id",
                            "cast(min_levels_of_separation as bigint) as min_levels_of_separation")
                .join(seen.withColumnRenamed("concept_id", "descendant_concept_id"), "descendant_concept_id", "left_semi")
                .join(above.selectExpr("concept_id as ancestor_concept_id").distinct(), "ancestor_concept_id", "left_semi")
            )  # fmt: skip
    return {name: frame.toArrow() for name, frame in kept.items()}
