"""Maps of CSV and Parquet tables: the first guess, and what a map would read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tellapart.errors import InputError
from tellapart.events import normalize
from tellapart.events.readers.mapped_guess import first_guess, place_of
from tellapart.knowledge.load import load
from tellapart.tasks.document import coverage
from tellapart.tasks.session import Options, Session

Json = dict[str, Any]

SHOWN = 3  # events of each table
FIRST = f"""
select s.source_type, e.reference, p.person_id, e.date, e.system, e.code, e.display, e.comparator, e.value, e.unit,
  c.source as meaning
from events as e
inner join persons as p on p.person = e.person
inner join source_rows as s on s.row_no = e.row_no
inner join codes as c on c.code_id = e.code_id
qualify row_number() over (partition by s.source_type order by e.row_no, e.part, c.source) <= {SHOWN}
order by s.source_type, e.row_no, e.part, c.source
"""


def init(target: Path) -> Path:
    """Write a first guess of a map for the tables of a folder.

    Args:
        target: the folder, one table, or the map to write beside its tables.

    Returns:
        Where it was written.

    Raises:
        InputError: there is no table, or the map cannot be written.
        UsageError: there is a map already.
    """
    place = place_of(target)
    findings = {r["finding"]: r for r in load()["findings"]}
    text = first_guess(target if target.exists() else place.parent, findings)
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{place}: cannot be written ({error.strerror}). Choose another place.") from error
    return place


def check(source: Path) -> Json:
    """What a map would read.

    Returns:
        `persons`; `tables`: rows of each in the classes of the accounting; `first`: the first events of each; `unmapped`: the
        most frequent codes that nothing here knows; `rejected`: reasons with their number, an example and what to do.

    Raises:
        InputError: the map has faults, or a table cannot be read.
    """
    session = Session()
    try:
        session.read(source, Options(format="csv"))
        normalize.rank_unmapped(session.engine)
        return {
            "persons": session.engine.one("select count(*) from persons"),
            "tables": coverage(session.engine)["by_type"],
            "first": session.engine.rows(FIRST),
            "unmapped": session.engine.rows(
                "select system, code, display, n from unmapped order by n desc, system, code limit 10"
            ),
            "rejected": session.engine.rows(
                "select reason, min(what_to_do) as what_to_do, count(*) as count, min(reference) as reference, min(value) as value "
                "from rejected group by reason order by count desc, reason limit 10"
            ),
        }
    finally:
        session.close()
