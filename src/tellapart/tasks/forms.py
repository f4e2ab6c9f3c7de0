"""Totals of the questionnaires in a diary, by the statements that score those of any record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tellapart.contracts.relations import FINDINGS
from tellapart.events.readers.diary.signals import form_of
from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import Knowledge

Json = dict[str, Any]
SITE = "site."
HEAD = ("instrument", "date", "by")


def totals(knowledge: Knowledge, entries: Iterable[Entry]) -> list[Json]:
    """Every filled-in form of a diary, as `instruments` of `tellapart.workup/1` has it; none: empty, at no cost."""
    filled: dict[tuple[str, str], dict[str, float]] = {}
    for e in entries:
        if form := form_of(e.signal):
            filled.setdefault((e.day, form), {})[e.signal.partition(".")[2]] = e.value
    if not filled:
        return []
    lists = {r["instrument"]: r["site_list"] for r in knowledge["instruments"]}
    asked = {r["site"] for r in knowledge["pain_sites"] if r["wpi"] == "yes"}
    made = (_form(day, form, given, lists[form], asked) for (day, form), given in sorted(filled.items()))
    forms = [form for form in made if len(form) > len(HEAD)]
    if not forms:
        return []
    # a diary without forms is shown without any of it
    from tellapart import pipeline
    from tellapart.tasks.document import Documents
    from tellapart.tasks.session import Options, Session

    session = Session(knowledge)
    try:
        person = {"id": "diary", "sex": "unknown"}
        session.read_documents([{"schema": "tellapart.case/1", "person": person, "instruments": forms}], Options())
        session.source_held.load("interest", {"person": "BIGINT"}, [(1,)])
        session.source_held.load("findings", FINDINGS.columns, [])
        for _ in pipeline.run(session.source_held, knowledge, pipeline.FORMS + pipeline.TOTALS):
            pass
        return Documents(session.source_held, knowledge).instruments(1)
    finally:
        session.close()


def pain_places(entries: Iterable[Entry]) -> tuple[str, dict[str, bool]] | None:
    """The day of the last form with pain places, and which of its places hurt; None: there is none."""
    places: dict[str, dict[str, bool]] = {}
    for e in entries:
        if SITE in e.signal and form_of(e.signal):
            places.setdefault(e.day, {})[e.signal.rpartition(".")[2]] = bool(e.value)
    return max(places.items()) if places else None


def _form(day: str, form: str, given: dict[str, float], site_list: str, asked: set[str]) -> Json:
    """One form as a case has it: places as a list, if every place was asked for; else they stay unknown."""
    sites = {k.removeprefix(SITE): v for k, v in given.items() if k.startswith(SITE)}
    listed = {site_list: sorted(s for s, v in sites.items() if v)} if sites and set(sites) == asked else {}
    return {
        "instrument": form,
        "date": day,
        "by": "patient",
        **{k: v for k, v in given.items() if not k.startswith(SITE)},
        **listed,
    }
