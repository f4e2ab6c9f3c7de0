"""`tellapart diary`: a minute a day, kept on this machine."""

from __future__ import annotations

import datetime as dt
import locale
import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tellapart.errors import EXIT_REJECTED, UsageError

if TYPE_CHECKING:
    from tellapart.events.readers.diary.store import Entry

diary_app = typer.Typer(no_args_is_help=True, help="The diary: symptoms day by day, kept in one file on this machine.")

Diary = Annotated[Path | None, typer.Option("--diary", help="The diary's file; default: in your data folder.")]

Country = Annotated[str | None, typer.Option(help="Whose crisis lines to show (US, ES, ...); default: your locale's.")]


class Language(StrEnum):
    en = "en"
    es = "es"


def _day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: not a date. Write it as 2026-01-31.") from None


def _place(diary: Path | None) -> Path:
    from tellapart.tasks.diary import default_path

    return diary or default_path()


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("new", "changed", "same") if counts[kind]) or "nothing"


@diary_app.command("add")
def add(
    settings: Annotated[list[str] | None, typer.Argument(help="More settings: fatigue=7.", show_default=False)] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Write this without asking: pain=6.")] = None,
    date: Annotated[str | None, typer.Option(help="The day it is for (2026-01-31); default: today.")] = None,
    form: Annotated[
        str | None, typer.Option(help="Ask a questionnaire instead: fm_2016, phq_9, gad_7, fiqr, ...")
    ] = None,
    medicine: Annotated[list[str] | None, typer.Option(help="A medicine you take, as a note for the visit.")] = None,
    stopped: Annotated[list[str] | None, typer.Option(help="A medicine you no longer take, written as before.")] = None,
    helped: Annotated[list[str] | None, typer.Option(help="Something that helps.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="A test that was done.")] = None,
    question: Annotated[list[str] | None, typer.Option(help="A question for the visit.")] = None,
    country: Country = None,
    diary: Diary = None,
) -> None:
    """Write a day: asks in the terminal (Enter leaves a question out), or takes what --set says.

    Examples:

      tellapart diary add

      tellapart diary add --set pain=6 fatigue=7

      tellapart diary add --date 2026-01-31 --set missed_medicine=yes

      tellapart diary add --form phq_9

      tellapart diary add --medicine "hydroxychloroquine 200 mg" --helped "short walks"
    """
    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load
    from tellapart.tasks import diary as task

    knowledge, path = load(), _place(diary)
    given = [*(set_ or ()), *(settings or ())]
    day = task.day_of(path, _day(date, "--date"))
    kinds = {"medicine": medicine, "stopped": stopped, "helped": helped, "test": test, "question": question}
    notes = [(kind, text) for kind, texts in kinds.items() for text in texts or ()]
    if given:
        entries = task.entries_of(knowledge, day, given)
        _advise(entries, country)
        counts = task.add(path, entries)
    else:
        counts = Counter() if notes and not form else _ask(path, day, country, form)
    if notes:
        task.add_notes(path, day, notes)
        counts["new"] += len(notes)
    talk().print(f"{day}: {_said(counts)} in {escape(str(path))}", soft_wrap=True)


def _advise(entries: list[Entry], country: str | None) -> None:
    """Say what needs help the same day before anything else is said."""
    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load
    from tellapart.tasks.brief import advice

    for one in advice(load(), entries, "en", country or _country()):
        talk().print(f"[bold red]{escape(one['text'])}[/]", soft_wrap=True)


def _country() -> str | None:
    """The country of this computer's locale (`en_US`), if it has one."""
    region = (locale.getlocale()[0] or "").rpartition("_")[2]
    return region if len(region) == len("US") else None


def _ask(path: Path, day: dt.date, country: str | None, form: str | None = None) -> Counter[str]:
    """Ask for one signal after the other; every answer is kept at once, so that an interruption loses none."""
    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load
    from tellapart.tasks import diary as task

    knowledge, console, counts = load(), talk(), Counter[str]()
    rows = task.questions(knowledge, form) if form else task.asked(knowledge)
    console.print(f"[bold]{day}[/]  Enter leaves a question out; Ctrl-D ends.")
    note = ""
    for row in rows:
        if form and row["note"] != note:
            note = row["note"]
            console.print(escape(note), style="dim")
        span = "yes or no" if row["kind"] == "flag" else f"{row['low']} to {row['high']} {row['unit']}".rstrip()
        while True:
            console.print(f"{escape(row['label'])} [dim]({escape(span)})[/]: ", end="")
            line = sys.stdin.readline()
            if not line:
                console.print()
                return counts
            if not line.strip():
                break
            try:
                entry = task.entry(knowledge, day, row["signal"], line.strip())
                counts += task.add(path, [entry])
                _advise([entry], country)
                break
            except UsageError as error:
                console.print(f"[yellow]{escape(str(error))}[/]", soft_wrap=True)
    return counts


@diary_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, FHIR JSON, or the export of a wearable.")],
    rejected: Annotated[Path | None, typer.Option(help="Write rejected rows to this file as NDJSON.")] = None,
    diary: Diary = None,
) -> None:
    """Read a file into the diary; reading it again changes nothing.

    Long CSV (date,signal,value); FHIR QuestionnaireResponses of the diary and Observations; Apple Health (export.xml or its
    zip); Fitbit or Google Takeout (the unpacked folder, or one of its JSON files).

    Examples:

      tellapart diary import symptoms.csv

      tellapart diary import Takeout/
    """
    from tellapart.doors.cli import _write_rejected, talk
    from tellapart.knowledge.load import load
    from tellapart.tasks import diary as task

    path = _place(diary)
    counts, refused = task.import_file(load(), path, file)
    talk().print(f"{escape(str(file))}: {_said(counts)} in {escape(str(path))}", soft_wrap=True)
    _write_rejected(refused, rejected)
    if refused:
        raise typer.Exit(EXIT_REJECTED)


@diary_app.command("show")
def show(
    since: Annotated[str | None, typer.Option(help="First day to show (2026-01-31).")] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days up to the last entry.")] = 90,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    diary: Diary = None,
) -> None:
    """Look back: every signal as a line of its own, in the terminal or as a page.

    Examples:

      tellapart diary show

      tellapart diary show --since 2025-01-01 --html diary.html
    """
    from tellapart.doors.cli import _write, talk
    from tellapart.knowledge.load import load
    from tellapart.rendering.brief import form_lines
    from tellapart.rendering.diary import diary_page, print_diary
    from tellapart.tasks import diary as task
    from tellapart.tasks.brief import latest_forms
    from tellapart.tasks.forms import pain_places

    knowledge, path = load(), _place(diary)
    entries = task.entries_of_diary(path)
    document = task.history(knowledge, entries, _day(since, "--since"), None if since else days)
    texts = task.words_of(knowledge, "en")
    document["flares"] = task.flares_of(knowledge, entries)["flares"]
    document["forms"] = form_lines(latest_forms(knowledge, entries, dt.date.min), texts)
    document["places"] = pain_places(entries)
    if html is not None:
        _write(html, diary_page(document, texts))
        talk().print(f"Written: {escape(str(html))}", soft_wrap=True)
    else:
        print_diary(document, Console(highlight=False))


@diary_app.command("flares")
def flares(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document (tellapart.flares/1).")] = False,
    diary: Diary = None,
) -> None:
    """When symptoms rose above your usual, for how long, and what to ask for.

    Examples:

      tellapart diary flares

      tellapart diary flares --json
    """
    import orjson

    from tellapart.knowledge.load import load
    from tellapart.rendering.diary import print_flares
    from tellapart.tasks import diary as task

    knowledge = load()
    document = task.flares_document(knowledge, _place(diary))
    if json:
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.flush()
    else:
        print_flares(document, task.words_of(knowledge, "en"), Console(highlight=False))


@diary_app.command("brief")
def brief(
    html: Annotated[Path | None, typer.Option(help="The page to write.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="The page to write, as PDF (needs the extra pdf).")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the page.")] = Language.en,
    days: Annotated[int, typer.Option(min=1, help="How many days back, up to the last entry.")] = 90,
    country: Country = None,
    diary: Diary = None,
) -> None:
    """Make one page for the visit: what changed, flares, what helps, medicines, tests, questions.

    Examples:

      tellapart diary brief --html visit.html

      tellapart diary brief --pdf visita.pdf --lang es --days 180
    """
    from tellapart.doors.cli import _write_page
    from tellapart.errors import UsageError
    from tellapart.knowledge.load import load
    from tellapart.rendering.brief import brief_page
    from tellapart.tasks.brief import brief as make
    from tellapart.tasks.diary import words_of

    if not (html or pdf):
        raise UsageError("Name the file to write: --html FILE, --pdf FILE, or both.")
    knowledge = load()
    document = make(knowledge, _place(diary), lang.value, country or _country(), days, dt.date.today())
    _write_page(brief_page(document, words_of(knowledge, lang.value)), html, pdf)


@diary_app.command("export")
def export(
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    fhir: Annotated[bool, typer.Option("--fhir", help="As a FHIR Bundle: Questionnaire and responses.")] = False,
    diary: Diary = None,
) -> None:
    """Hand the diary out as CSV (date,signal,value) or as FHIR; import reads both.

    Examples:

      tellapart diary export --out symptoms.csv

      tellapart diary export --fhir --out diary.json
    """
    from tellapart.doors.cli import _write
    from tellapart.knowledge.load import load
    from tellapart.tasks import diary as task

    path = _place(diary)
    text = task.export_fhir(load(), path) if fhir else task.export(path)
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text)
