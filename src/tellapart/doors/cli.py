"""The command line: arguments in, exit code out. Nothing is computed here."""

from __future__ import annotations

import codecs
import datetime as dt
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tellapart import __version__
from tellapart.doors.diary import diary_app
from tellapart.doors.maps import map_app
from tellapart.doors.review import review_app
from tellapart.doors.simulate import simulate
from tellapart.doors.validate import validate
from tellapart.errors import EXIT_DONE, EXIT_INPUT, EXIT_REJECTED, InputError, TellapartError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tells systemic lupus erythematosus (SLE) and fibromyalgia (FM) apart in health records, and finds when a "
    "person has both. Decision support with a transparent basis, not a diagnosis.",
)
case_app = typer.Typer(no_args_is_help=True, help="Case files: one person typed by hand.")
knowledge_app = typer.Typer(no_args_is_help=True, help="The knowledge tables everything rests on.")
app.command()(simulate)
app.command()(validate)
app.add_typer(case_app, name="case")
app.add_typer(map_app, name="map")
app.add_typer(review_app, name="review")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(diary_app, name="diary")


class Format(StrEnum):
    """Formats of design §5."""

    auto = "auto"
    fhir = "fhir"
    omop = "omop"
    csv = "csv"
    meds = "meds"
    case = "case"
    diary = "diary"


class Engine(StrEnum):
    duckdb = "duckdb"
    spark = "spark"


class Hash(StrEnum):
    quick = "quick"
    full = "full"


def talk() -> Console:
    """Where progress and messages go."""
    return Console(stderr=True, highlight=False)


def _as_of(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text}: not a date. Write it as 2026-01-31.") from None


def _prior(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    prior: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        if name.strip() in prior:
            raise UsageError(f"--prior {text}: {name.strip()} is named twice.")
        try:
            prior[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"--prior {part.strip()}: write it as sle=0.2,fm=0.3,both=0.05.") from None
    return prior


def _options(
    form: Format, as_of: str | None, setting: str | None, prior: str | None, persons: Path | None = None
) -> Any:
    from tellapart.tasks.session import Options, read_persons

    listed = read_persons(persons) if persons else None
    return Options(format=form.value, as_of=_as_of(as_of), setting=setting, prior=_prior(prior), persons=listed)


def _local(codes: Path | None) -> Any:
    from tellapart.knowledge.load import load
    from tellapart.knowledge.local import read_codes

    return read_codes(codes, load()) if codes else None


def _fetched(address: str, client: Path | None, out: Path, resume: bool, quiet: bool) -> Path:
    """Fetch a bulk export into a folder beside the results, which is then the source."""
    from tellapart.events.readers import fhir_bulk
    from tellapart.events.readers.fhir_fields import FAMILY_OF

    folder = out.resolve().with_name(out.resolve().name + ".export")
    console = talk()

    def tell(what: str) -> None:
        if not quiet:
            console.print(escape(what), soft_wrap=True)

    who = fhir_bulk.read_client(client) if client else None
    fhir_bulk.fetch(address, who, folder, sorted(FAMILY_OF), resume=resume, tell=tell)
    tell(f"the export is kept in {folder}: records of persons; delete it when it is no longer needed")
    return folder


def _source(text: str, stack: list[tempfile.TemporaryDirectory[str]]) -> Any:
    """A source; `-` is copied from standard input to a temporary file."""
    from tellapart.events.address import source_of

    if text != "-":
        return source_of(text)
    folder = tempfile.TemporaryDirectory(prefix="tellapart-")
    stack.append(folder)
    content = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        raise InputError("standard input is empty. Pipe a FHIR Bundle, NDJSON or a case file into it.")
    head = content.lstrip()[:1]
    lines = content.strip().count(b"\n")
    name = (
        "stdin.toml" if head not in (b"{", b"[") else "stdin.ndjson" if lines and _is_lines(content) else "stdin.json"
    )
    path = Path(folder.name) / name
    path.write_bytes(content)
    return path


def _is_lines(content: bytes) -> bool:
    first = content.lstrip().split(b"\n", 1)[0].rstrip()
    return first.startswith(b"{") and first.endswith(b"}")


def _write(target: Path, content: str | bytes) -> None:
    """Write a file the user named (text as UTF-8).

    Raises:
        InputError: it cannot be written there.
    """
    try:
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}). Choose another place.") from error


def _write_page(page: str, html: Path | None, pdf: Path | None) -> None:
    """Write a page as it is, as PDF, or both, and say where.

    Raises:
        InputError: a file cannot be written.
        UsageError: PDF is asked for and cannot be made here.
    """
    made: dict[Path, str | bytes] = {}
    if html:
        made[html] = page
    if pdf:
        from tellapart.rendering.pdf import pdf as as_pdf

        made[pdf] = as_pdf(page)
    _write_all(made)


def _write_all(made: Mapping[Path, str | bytes]) -> None:
    for target, content in made.items():
        _write(target, content)
        talk().print(f"Written: {escape(str(target))}", soft_wrap=True)


def _write_rejected(rows: list[dict[str, Any]], target: Path | None) -> None:
    import orjson

    lines = [orjson.dumps(row).decode() for row in rows]
    if target is not None:
        _write(target, "".join(line + "\n" for line in lines))
    for row in rows[:20]:
        where = " ".join(str(row[k]) for k in ("file", "line", "reference", "field") if row[k] is not None)
        talk().print(f"[yellow]rejected[/] {escape(where)}: {escape(str(row['value'] or ''))} "
                     f"{escape(str(row['reason']))} {escape(str(row['what_to_do'] or ''))}", soft_wrap=True)  # fmt: skip
    if len(rows) > 20:
        talk().print(f"... and {len(rows) - 20} more; see them all with --rejected FILE")


@app.command()
def workup(
    record: Annotated[
        str,
        typer.Argument(
            help="FHIR, OMOP CDM (also postgresql://...), MEDS, mapped tables or case file; - reads standard input."
        ),
    ],
    person: Annotated[str | None, typer.Option(help="Id of the person, if the source holds several.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Use only what was known by this day (2026-01-31).")] = None,
    setting: Annotated[str | None, typer.Option(help="Whose prior applies; see: knowledge show priors.")] = None,
    prior: Annotated[str | None, typer.Option(help="Your own prior: sle=0.2,fm=0.3,both=0.05.")] = None,
    codes: Annotated[Path | None, typer.Option(help="CSV that says what codes of your own mean.")] = None,
    rejected: Annotated[Path | None, typer.Option(help="Write rejected rows to this file as NDJSON.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="Format of the record.")] = Format.auto,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the page as PDF (needs the extra pdf).")] = None,
    fhir: Annotated[Path | None, typer.Option(help="Write the answer as a FHIR R4 Bundle (JSON).")] = None,
) -> None:
    """Work up one person: both diseases side by side, why, since when, what is unknown.

    Examples:

      tellapart workup case.toml

      tellapart workup export/ --person 123 --html workup.html

      tellapart workup export/ --person 123 --fhir answer.json

      cat bundle.json | tellapart workup - --json
    """
    import orjson

    from tellapart.knowledge.load import load
    from tellapart.rendering.fhir import bundle
    from tellapart.rendering.html import workup_page
    from tellapart.rendering.terminal import print_workup
    from tellapart.tasks.session import Session
    from tellapart.tasks.workup import workup as work

    if json and (html or pdf or fhir):
        raise UsageError("--json prints one document and nothing else: leave out --html, --pdf and --fhir.")
    options = _options(format_, as_of, setting, prior)
    options.together = True
    stack: list[tempfile.TemporaryDirectory[str]] = []
    session = Session(load(), codes=_local(codes))
    try:
        try:
            document = work(session, _source(record, stack), options, person)
        except InputError:
            _write_rejected(session.rejections(), rejected)
            raise
        refused = session.rejections()
        labels = session.knowledge.labels()
        if json:
            sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
            sys.stdout.flush()
        elif html or pdf or fhir:
            sources = citations(session.knowledge)
            if fhir:
                answer = bundle(document, sources, dt.datetime.now(dt.UTC))
                _write_all({fhir: orjson.dumps(answer, option=orjson.OPT_INDENT_2)})
            if html or pdf:
                _write_page(workup_page(document, labels, sources), html, pdf)
        else:
            print_workup(document, labels, Console(highlight=False))
        _write_rejected(refused, rejected)
        if refused:
            raise typer.Exit(EXIT_REJECTED)
    finally:
        session.close()
        for folder in stack:
            folder.cleanup()


def citations(knowledge: Any) -> dict[str, str]:
    """Reference id to the words of its citation."""
    return {
        r["id"]: ". ".join(p for p in (r["authors_year"], r["title"], r["locator"]) if p)
        for r in knowledge["references"]
    }


@app.command()
def audit(
    out: Annotated[str, typer.Option(help="Folder for the results; new, empty, or an earlier audit's.")],
    source: Annotated[
        str | None,
        typer.Argument(
            help="FHIR (also https://... of a server), OMOP CDM (also postgresql://...), MEDS, mapped tables, case files or diaries; - reads standard input."
        ),
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="Use only what was known by this day (2026-01-31).")] = None,
    setting: Annotated[str | None, typer.Option(help="Whose prior applies to everybody.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="Format of the source.")] = Format.auto,
    codes: Annotated[
        Path | None, typer.Option(help="CSV that says what codes of your own mean; the report offers one to fill in.")
    ] = None,
    persons: Annotated[Path | None, typer.Option(help="Read only these persons: one id a line.")] = None,
    client: Annotated[
        Path | None, typer.Option(help="For a source https://...: JSON with client_id and private key (jwk).")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Memory limit, for example 4GB; beyond it spills to disk.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Number of threads.")] = None,
    hash_: Annotated[Hash, typer.Option("--hash", help="Fingerprint of input files.")] = Hash.quick,
    reviewed: Annotated[
        list[Path] | None,
        typer.Option(help="A filled sheet of `review sample`: leave whom it judges out of the worklist."),
    ] = None,
    shareable: Annotated[
        bool, typer.Option("--shareable", help="Write the report that may leave the site: safe counts, no person.")
    ] = False,
    flares: Annotated[bool, typer.Option("--flares", help="Find flares of lupus on record too; takes longer.")] = False,
    engine: Annotated[
        Engine, typer.Option(help="Where the stages run: in this process, or on Apache Spark.")
    ] = Engine.duckdb,
    master: Annotated[str | None, typer.Option(help="Spark: local[2], or the address of a cluster.")] = None,
    table_prefix: Annotated[
        str | None, typer.Option(help="Spark: read OMOP tables of the catalogue whose names begin so, no SOURCE.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from what an interrupted run had read; the results are the same.")
    ] = False,
    incremental: Annotated[
        bool,
        typer.Option(
            "--incremental", help="FHIR: keep what is read in --out; next time read only new and changed files."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Audit a whole source: who may be misdiagnosed, who has both, what is missing.

    Examples:

      tellapart audit export/ --out results

      tellapart audit bundles/ --out results --setting rheumatology_referral --memory 4GB

      tellapart audit export/ --out results --codes codes.csv --persons cohort.txt

      tellapart audit postgresql://me@server/cdm --out results

      tellapart audit https://server/fhir/Group/7 --client key.json --out results

      tellapart audit export/ --out results --engine spark --master "local[2]"
    """
    from tellapart.events.address import SERVER

    if engine is Engine.duckdb and (master is not None or table_prefix is not None):
        raise UsageError("--master, --table-prefix: only for --engine spark.")
    if (source is None) is (table_prefix is None):
        raise UsageError("Name one source: SOURCE, or --table-prefix with --engine spark.")
    if engine is Engine.spark and (resume or incremental or hash_ is Hash.full or reviewed):
        raise UsageError("--resume, --incremental, --hash, --reviewed: not with --engine spark.")
    if memory is not None and not _memory_like(memory):
        raise UsageError(f"--memory {memory}: not a size. Write it as 4GB or 800MB.")
    options = _options(format_, as_of, setting, None, persons)
    options.flares = flares
    if source is not None and SERVER.match(source):
        source = str(_fetched(source, client, Path(out), resume, quiet))
    elif client is not None:
        raise UsageError("--client: only for a source that is the address of a FHIR server (https://...).")
    local, console = _local(codes), talk()
    with _progress(console, quiet) as step:
        if engine is Engine.spark:
            summary = _on_spark(
                source, out, options, master or f"local[{threads or '*'}]", memory, table_prefix=table_prefix, codes=local,
                shareable=shareable, progress=step,
            )  # fmt: skip
        else:
            assert source is not None
            summary = _here(
                source, Path(out), options, memory, threads, codes=local, hashing=hash_.value, shareable=shareable,
                resume=resume, incremental=incremental, reviewed=reviewed or (), progress=step,
            )  # fmt: skip
    raise typer.Exit(_told(summary, out, console, quiet))


def _here(
    source: str, out: Path, options: Any, memory: str | None, threads: int | None, *, codes: Any, **ways: Any
) -> Any:
    """The audit in this process."""
    from tellapart.knowledge.load import load
    from tellapart.tasks.audit import audit as run
    from tellapart.tasks.session import Session

    stack: list[tempfile.TemporaryDirectory[str]] = []
    with tempfile.TemporaryDirectory(prefix="tellapart-spill-") as spill:
        session = Session(load(), memory=memory, threads=threads, spill=Path(spill), codes=codes)
        try:
            return run(session, _source(source, stack), out, options, **ways)
        except InputError:
            for why, count in Counter(str(row["reason"]) for row in session.rejections()).most_common(20):
                talk().print(f"rejected {count} time(s): {escape(why)}", soft_wrap=True)
            raise
        finally:
            session.close()
            for folder in stack:
                folder.cleanup()


def _on_spark(source: str | None, out: str, options: Any, master: str, memory: str | None, **ways: Any) -> Any:
    """The audit on Spark: `--memory` is that of the driver, which in `local[n]` does all."""
    from tellapart.engines.spark import Spark, address, local_session
    from tellapart.tasks.cluster import audit as run

    spark_memory = re.sub(r"\s*([KMGT])i?B?$", r"\1", memory.strip(), flags=re.IGNORECASE).lower() if memory else None
    source = source if source is None or "://" in source else address(Path(source))
    out = out if "://" in out else address(Path(out))
    shared = None if master.startswith("local[") else f"{out.rstrip('/')}.checkpoints"
    return run(Spark(local_session(master, spark_memory), shared), source, out, options, **ways)


def _told(summary: Any, out: str, console: Console, quiet: bool) -> int:
    """Say what came out; the exit code."""
    from tellapart.rendering.terminal import print_audit_summary

    if not quiet:
        for setting, count in summary["settings"].items():
            console.print(f"setting {setting}: {count} person(s)")
        console.print(f"as of {summary['as_of']}")
        print_audit_summary(summary, Console(highlight=False))
    if summary["rejected"]["count"]:
        where = escape(f"{out.rstrip('/')}/rejected.ndjson")
        console.print(f"{summary['rejected']['count']} rejected (rows or parts of rows): see {where}", soft_wrap=True)
        return EXIT_REJECTED
    return EXIT_DONE


def _memory_like(text: str) -> bool:
    return bool(re.fullmatch(r"(?=.*[1-9])\d+(\.\d+)? ?[KMGT](i?B)?", text, re.IGNORECASE))


class _progress:
    """A bar on a terminal, plain lines elsewhere, nothing when quiet. No line holds a word of anybody's record."""

    EVERY = 1.0  # seconds: shorter steps are not worth a line

    def __init__(self, console: Console, quiet: bool) -> None:
        self.console, self.quiet = console, quiet
        self.bar: Progress | None = None
        self.started = time.perf_counter()

    def __enter__(self) -> Callable[[str, float], None]:
        from tellapart.pipeline import AUDIT

        if self.quiet:
            return lambda step, seconds: None
        steps, done = len(AUDIT) + 1, 0
        if not self.console.is_terminal:
            self.console.print("reading ...")

            read_by = self.started

            def line(step: str, seconds: float) -> None:
                nonlocal done, read_by
                done, now = done + 1, time.perf_counter()
                read_by = now if done == 1 else read_by
                left = f", about {(now - read_by) / (done - 1) * (steps - done):.0f} s left" if done > 1 else ""
                if seconds >= self.EVERY or done == 1:
                    said = f"{done} of {steps}: {step.replace('_', ' ')}, {seconds:.1f} s{left}"
                    self.console.print(said, soft_wrap=True)

            return line
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
            console=self.console, transient=True,
        )  # fmt: skip
        self.bar.start()
        task = self.bar.add_task("reading", total=steps)
        bar = self.bar

        def step(what: str, seconds: float) -> None:
            if seconds >= self.EVERY and what.startswith("read "):
                bar.console.print(what)
            bar.update(task, advance=1, description=what.replace("_", " "))

        return step

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Keep the results in this folder.")] = None,
) -> None:
    """Run the main job on the example data that ships, then say where to look.

    Example:

      tellapart demo --out demo-results
    """
    from tellapart.tasks.demo import EXAMPLE, TRY_NEXT

    folder = out or Path("tellapart-demo")
    console = talk()
    with _progress(console, False) as step:
        summary = _here(
            str(EXAMPLE), folder, _options(Format.auto, None, None, None), None, None, codes=None, progress=step,
        )  # fmt: skip
    code = _told(summary, str(folder), console, False)
    console = Console(highlight=False)
    name = "tellapart" if shutil.which("tellapart") else sys.argv[0]  # as it can be typed here
    report = escape(str(folder / "report.html"))
    console.print(f"\nOpen [bold]{report}[/] in a browser. Three workups to try next:\n", soft_wrap=True)
    for person, why in TRY_NEXT:
        console.print(f"  {escape(name)} workup {escape(str(EXAMPLE))} --person {person}", soft_wrap=True)
        console.print(f"      [dim]{escape(why)}[/]", soft_wrap=True)
    raise typer.Exit(code)


@case_app.command("new")
def case_new(file: Annotated[Path, typer.Argument(help="File to write (TOML).")]) -> None:
    """Write a commented template that a clinician can fill in.

    Example:

      tellapart case new case.toml
    """
    from tellapart.events.readers.case import new_case

    new_case(file)
    name = escape(str(file))
    talk().print(f"Written: {name}. Fill it in, then: tellapart case check {name}", soft_wrap=True)


@case_app.command("check")
def case_check(file: Annotated[Path, typer.Argument(help="Case file, JSON or TOML.")]) -> None:
    """Say what is wrong with a case file, all at once, with the nearest valid ids.

    Example:

      tellapart case check case.toml
    """
    from tellapart.tasks.case import check

    faults = check(file)
    if faults:
        for fault in faults:
            talk().print(escape(fault), soft_wrap=True)
        raise InputError(f"{file}: {len(faults)} fault(s).")
    Console().print(f"{file}: no fault found.", soft_wrap=True, highlight=False)


@knowledge_app.command("check")
def knowledge_check(
    folder: Annotated[
        Path | None, typer.Option(help="Check tables in this folder instead of the shipped ones.")
    ] = None,
) -> None:
    """Check the knowledge tables as a whole; lists every fault.

    Examples:

      tellapart knowledge check

      tellapart knowledge check --folder tables/
    """
    from tellapart.knowledge.load import TABLES, load

    knowledge = load(folder or TABLES, checked=True)
    rows = sum(len(t) for t in knowledge.tables.values())
    Console().print(
        f"{len(knowledge.tables)} tables, {rows} rows, no fault. Version {knowledge.version}.", highlight=False
    )


@knowledge_app.command("show")
def knowledge_show(
    what: Annotated[str, typer.Argument(help="A table, any id (finding, set, drug, flag, ...), or plan.")],
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    prose: Annotated[bool, typer.Option("--prose", help="A criteria set as sentences to read and sign.")] = False,
) -> None:
    """Show a table, or every row that speaks of an id.

    Examples:

      tellapart knowledge show findings

      tellapart knowledge show malar_rash

      tellapart knowledge show eular_acr_2019 --prose
    """
    import orjson

    from tellapart.knowledge.load import load
    from tellapart.knowledge.show import show, text

    if prose and json:
        raise UsageError("--prose and --json do not go together; choose one.")
    if prose:
        from tellapart.knowledge.prose import prose as sentences

        Console(highlight=False).print(sentences(load(), what), soft_wrap=True, markup=False)
        return
    if what == "plan":
        from tellapart.pipeline import STAGES

        for stage in STAGES:
            Console(highlight=False).print(
                f"{stage.makes}  {stage.file}  reads {', '.join(stage.reads)}", soft_wrap=True
            )
        return
    found = show(load(), what)
    if json:
        sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        Console(highlight=False).print(text(found), soft_wrap=True, markup=False)


@knowledge_app.command("export")
def knowledge_export(
    folder: Annotated[Path, typer.Argument(help="Folder to write the tables to.")],
) -> None:
    """Copy the knowledge tables into a folder, to read or to change.

    Example:

      tellapart knowledge export tables/
    """
    from tellapart.knowledge.load import load
    from tellapart.knowledge.show import export

    count = export(load(), folder)
    talk().print(f"{count} tables written to {escape(str(folder))}", soft_wrap=True)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print software and knowledge version.")] = False,
) -> None:
    if version:
        from tellapart.knowledge.load import load

        Console(highlight=False).print(f"tellapart {__version__}, knowledge {load().version}")
        raise typer.Exit


def _as_typed(message: str) -> str:
    """A message without the temporary file that standard input was copied to."""
    return re.sub(r"\S*[/\\]tellapart-\w+[/\\]stdin\.\w+", "standard input", message)


def main() -> None:
    """Entry point: turns every expected trouble into a message and an exit code."""
    try:
        app(prog_name="tellapart")
    except TellapartError as error:
        _say(_as_typed(str(error)))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_DONE)
    except KeyboardInterrupt:
        talk().print("interrupted; nothing half-written is left under a final name")
        sys.exit(130)
    except Exception as error:
        message = _trouble_of_the_machine(error)
        if message is None and os.environ.get("TELLAPART_DEBUG"):
            raise
        _say(message or _fault(error))
        sys.exit(EXIT_INPUT)


def _say(message: str) -> None:
    talk().print(f"[bold red]error[/] {escape(message)}", soft_wrap=True)


def _trouble_of_the_machine(error: Exception) -> str | None:
    """Words for memory or disk that ran out where no room foresaw it; None for anything else."""
    import duckdb

    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return "not enough memory. Give more with --memory (or leave it out), or fewer --threads."
    if isinstance(error, OSError | duckdb.IOException):
        return str(error).strip().split("\n", 1)[0]
    return None


def _fault(error: Exception) -> str:
    first = str(error).strip().split("\n", 1)[0]
    return (
        f"a fault of the program, not of your input ({type(error).__name__}: {first}). Please report it; "
        "TELLAPART_DEBUG=1 shows where it happened."
    )
