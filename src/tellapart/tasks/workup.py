"""A workup: one person's record to one `tellapart.workup/1` document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from tellapart.errors import InputError
from tellapart.events.address import Address, Source
from tellapart.tasks.document import Documents
from tellapart.tasks.kept import is_audit, reopen
from tellapart.tasks.session import Options, Session

Json = dict[str, Any]


def workup(session: Session, source: Source, options: Options, person_id: str | None = None) -> Json:
    """Read `source` and work up one person.

    Args:
        source: a source, or the folder of an audit, which is read in its place.
        person_id: id as in the source; may be None when the source holds one person.

    Returns:
        A `tellapart.workup/1` document.

    Raises:
        InputError, UsageError: see `Session.read`, `Session.person` and `kept.reopen`.
    """
    if not isinstance(source, Address) and is_audit(source):
        return _finish(session, *reopen(session, source, options, person_id))
    session.read(source, options)
    return _finish(session, session.person(person_id), options)


def workup_document(
    document: Mapping[str, Any], options: Options | None = None, session: Session | None = None
) -> Json:
    """Work up one `tellapart.case/1` document given as a dictionary (the library call).

    Without a `session` the calls of one process share a warm one, one call at a time.

    Raises:
        InputError: the document has faults; the message lists all of them.
    """
    with _one_at_a_time:
        own = session or _warm_session()
        chosen = options or Options()
        own.read_documents([document], chosen)
        return _finish(own, own.person(None), chosen)


_one_at_a_time = Lock()


@lru_cache(maxsize=1)
def _warm_session() -> Session:
    return Session()


def workup_documents(
    documents: Sequence[Mapping[str, Any]], options: Options | None = None, session: Session | None = None
) -> list[Json]:
    """Work up several `tellapart.case/1` documents in one run; person ids must differ.

    Returns:
        One `tellapart.workup/1` document per input, in the same order.

    Raises:
        InputError: a document has faults (all are listed), or two have the same person id.
    """
    with _one_at_a_time:
        own = session or _warm_session()
        chosen = options or Options()
        own.read_documents(documents, chosen)
        numbers = {r["person_id"]: r["person"] for r in own.source_held.rows("select person_id, person from persons")}
        if len(numbers) != len(documents):
            raise InputError(f"{len(documents)} documents but {len(numbers)} persons: give each its own person.id.")
        own.analyse(chosen, sorted(numbers.values()))
        made = Documents(own.answers, own.knowledge)
        return [made.workup(numbers[str(d["person"]["id"])], chosen.together) for d in documents]


def _finish(session: Session, person: int, options: Options) -> Json:
    session.analyse(options, [person])
    return Documents(session.answers, session.knowledge).workup(person, options.together)
