"""What an audit keeps of the persons of interest, so that any of them can be opened as a workup without the source.

`records.parquet` holds their events as the pipeline reads them: one row per event, the columns of relation `events` with
`person_id` and the person's `as_of` in place of `person`, in a full order. The same stages then run from there.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from tellapart.contracts.relations import DIARY_FLARES, EVENTS, INTEREST_EVENTS
from tellapart.errors import InputError, UsageError
from tellapart.events import normalize
from tellapart.tasks.session import Options, Session

RECORDS = "records.parquet"
MIB = 1 << 20
NUMBERED_ANEW = ("person", "row_no")
KEPT_COLUMNS = ", ".join(f'e."{c}"' for c in EVENTS.columns if c not in NUMBERED_ANEW)

# source rows are numbered within the person: the file must not hang on the order of the source
QUERY = f"""
    select p.person_id, h.as_of, e.row_no, {KEPT_COLUMNS}
    from interest_events as e
    inner join persons as p on p.person = e.person
    inner join horizons as h on h.person = e.person
    order by {", ".join(f'e."{c}"' for c in INTEREST_EVENTS.key)}"""


def fingerprint(path: Path, hashing: str = "quick") -> str:
    """SHA-256 of a file: of its first and last MiB (`quick`), or of the whole (`full`)."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    with path.open("rb") as handle:
        if hashing == "full" or size <= 2 * MIB:
            for chunk in iter(lambda: handle.read(MIB), b""):
                digest.update(chunk)
        else:
            digest.update(handle.read(MIB))
            handle.seek(size - MIB)
            digest.update(handle.read(MIB))
    return digest.hexdigest()


def is_audit(source: Path) -> bool:
    """Whether a folder is the output of an audit."""
    return (source / "run.json").is_file() and (source / "persons.parquet").exists()


def reopen(session: Session, folder: Path, options: Options, person_id: str | None) -> tuple[int, Options]:
    """Make the relations of one person as reading the source made them.

    Returns:
        The person's number, and the options with those of the audit where none are given.

    Raises:
        UsageError: no person, or one whom the audit did not read, is named; or another day is asked for.
        InputError: the folder is not whole, was made with other knowledge, or keeps nothing of this person.
    """
    facts = _facts(folder, session)
    if options.as_of is not None:
        raise UsageError(
            f"--as-of: {folder} is an audit as of {facts['as_of']}. For another day give the source itself."
        )
    persons, records = _sql(folder / "persons.parquet"), _sql(folder / RECORDS)
    if person_id is None:
        raise UsageError(f"{folder}: is an audit of {facts['persons']} persons; name one with --person ID.")
    engine = session.engine
    wanted = person_id.removeprefix("Patient/")
    found = engine.rows(
        f"select person_id, sex, birth_date, age, setting, p_sle_low is not null as kept from {persons} where person_id = ?",
        [wanted],
    )
    if not found:
        raise UsageError(
            f"--person {person_id}: not in this audit. Its worklist.csv and persons.parquet name everybody."
        )
    who = found[0]
    if not who["kept"]:
        raise InputError(
            f"--person {person_id}: nothing in the record called for a closer look, so the audit kept none of it. "
            "Give workup the source itself."
        )
    session.check(options)
    whole, text, small, day = "BIGINT", "VARCHAR", "INTEGER", "DATE"
    engine.load(
        "persons",
        {
            "person": whole,
            "person_id": text,
            "sex": text,
            "birth_date": day,
            "death_date": day,
            "age": small,
            "observed_to": day,
        },
        [(1, wanted, who["sex"], who["birth_date"], None, who["age"], None)],
    )
    engine.load("diary_flares", DIARY_FLARES.columns, [])
    engine.load("patients", {"person_id": text, "setting": text}, [(wanted, who["setting"])])
    quoted = wanted.replace("'", "''")
    engine.make("kept_records", f"select * from {records} where person_id = '{quoted}'")
    engine.make("events", f"select cast(1 as bigint) as person, row_no, {KEPT_COLUMNS} from kept_records as e")
    engine.make("doses", normalize.text("doses"))
    engine.make(
        "horizons",
        "select cast(1 as bigint) as person, max(as_of) as as_of, max(as_of) as document_as_of from kept_records",
    )
    engine.load(
        "accounting",
        {"source_type": text, "class": text, "n": whole},
        [
            (row["source_type"], name, n)
            for row in facts["accounting_by_source_type"]
            for name, n in row.items()
            if name not in ("source_type", "read")
        ],
    )
    session.source = str(folder)
    prior = options.prior if options.prior is not None else facts["options"].get("prior")
    return 1, replace(options, prior=prior)


def _facts(folder: Path, session: Session) -> dict[str, Any]:
    """run.json of an audit that is whole and was made with this knowledge."""
    again = "Run the audit again, or give workup the source itself."
    try:
        facts: dict[str, Any] = orjson.loads((folder / "run.json").read_bytes())
        # a folder of files, as a cluster writes it, has no fingerprint
        kept = (folder / RECORDS).is_dir() or facts["records"]["sha256"] == fingerprint(folder / RECORDS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: run.json or {RECORDS} is missing or cannot be read. {again}") from error
    if not kept:
        raise InputError(f"{folder / RECORDS}: is not the file that this audit wrote. {again}")
    if facts["knowledge"] != session.knowledge.version:
        raise InputError(
            f"{folder}: was made with knowledge {facts['knowledge']}, this is {session.knowledge.version}. {again}"
        )
    return facts


def _sql(path: Path) -> str:
    quoted = str(path / "*.parquet" if path.is_dir() else path).replace("'", "''")
    return f"read_parquet('{quoted}')"
