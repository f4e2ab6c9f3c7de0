"""One session: a source is read, normalised and run through the pipeline; what comes out is asked for by relation.

The same steps serve one person and millions: what differs is only who is wanted, and what is written at the end.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tellapart import pipeline
from tellapart.contracts.relations import DIARY_FLARES, FLARE_SIGNS, OPTIONS
from tellapart.engines.duckdb import DuckDB
from tellapart.engines.sqlite import SQLite
from tellapart.errors import InputError, UsageError
from tellapart.events import normalize
from tellapart.events.address import Address, Source
from tellapart.events.detect import detect
from tellapart.events.readers import case, fhir, fhir_export, mapped, meds, omop
from tellapart.events.readers.fhir_kept import KeptReadings
from tellapart.knowledge.load import Knowledge, load
from tellapart.knowledge.local import NO_CODES, LocalCodes

if TYPE_CHECKING:
    from tellapart.engines.spark import Spark

REJECTIONS = """select file, line, reference, person_id, field, value, reason, what_to_do from rejected
    order by file nulls first, line nulls first, reference nulls first, field nulls first, value, reason, what_to_do"""
GIVEN_SETTINGS = """select q.person, min(p.setting) as setting from patients as p
    inner join persons as q on q.person_id = p.person_id where p.setting is not null group by q.person"""
OF_A_PERSON = ("persons", "horizons", "given_settings", "events")  # what the stages read of one person
OF_ALL = ("doses", "accounting")  # and of the whole source
FEW = 50  # persons for whom planning a statement costs more than running it
Progress = Callable[[str, float], None]


@dataclass
class Options:
    """What the user asked for, already parsed.

    Attributes:
        format: `auto` or a format of design §5.
        as_of: day up to which the record is read; None for the default of design §5.
        setting: whose prior applies; None for the rule of design §5.
        flares: find flares on record in an audit too (a workup always does).
        prior: the user's own prior, hypothesis to share.
        together: find out which tests to order together too (a workup).
        today: the calendar day; caps the default as-of day and nothing else.
        persons: read these persons only; None: everybody.
        kept: where what is read of each FHIR file is kept for the next run; None: nowhere.
    """

    format: str = "auto"
    as_of: dt.date | None = None
    setting: str | None = None
    prior: Mapping[str, float] | None = None
    flares: bool = False
    together: bool = False
    today: dt.date = field(default_factory=dt.date.today)
    persons: PersonList | None = None
    kept: KeptReadings | None = None


@dataclass(frozen=True)
class PersonList:
    """A list of persons that a run is limited to: name and SHA-256 of its file, the ids in it."""

    name: str
    sha256: str
    ids: tuple[str, ...]


def read_persons(path: Path) -> PersonList:
    """Read a list of persons: one id a line, or a CSV whose first line names a column `person_id`.

    Raises:
        InputError: it cannot be read, or names nobody.
    """
    try:
        raw = path.read_bytes()
        lines = [line.strip() for line in raw.decode("utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(f"--persons {path}: cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--persons {path}: is not UTF-8 text. Give one person id a line.") from error
    if lines and "person_id" in next(csv.reader(lines[:1])):
        lines = [(row["person_id"] or "").strip() for row in csv.DictReader(lines)]
    ids = tuple(dict.fromkeys(line.removeprefix("Patient/") for line in lines if line))
    if not ids:
        raise InputError(f"--persons {path}: names nobody. Give one person id a line.")
    return PersonList(path.name, hashlib.sha256(raw).hexdigest(), ids)


class Session:
    """A knowledge base loaded into an engine, ready to read sources one after the other."""

    def __init__(
        self,
        knowledge: Knowledge | None = None,
        *,
        memory: str | None = None,
        threads: int | None = None,
        spill: Path | None = None,
        keep_all: bool = False,
        cluster: Spark | None = None,
        codes: LocalCodes | None = None,
    ) -> None:
        """A session.

        Args:
            codes: what a site's own codes mean, beside those that ship.
            keep_all: keep every relation of an audit, so that each can be looked at (it costs memory).
            cluster: the engine instead, for an audit of what lies where the cluster reads.
        """
        self.keep_all = keep_all
        self.cluster = cluster
        self.codes = codes or NO_CODES
        self.spill = spill
        self.knowledge = knowledge or load()
        # an audit asks both engines the same; all else is for one machine, where the engine is DuckDB
        here = None if cluster else DuckDB(memory, threads, spill)
        self.engine = cast(Any, cluster or here)
        self.source_held: Any = self.engine
        self.answers: Any = self.engine
        self._small: SQLite | None = None
        self.seconds: dict[str, float] = {}
        self.detected: tuple[str, str] = ("", "")
        self.source = "the source"
        self.read_so_far = False
        pipeline.prepare(self.engine, self.knowledge)
        if here:
            normalize.prepare(here, self.codes)

    def close(self) -> None:
        self.engine.close()
        if self._small:
            self._small.close()

    def read(self, source: Source, options: Options) -> None:
        """Read `source` into statements, then events.

        Raises:
            InputError: the source cannot be used as a whole.
            UsageError: an option does not fit.
        """
        self.check(options)
        self.source_held = self.engine
        self.source, self.read_so_far = str(source), False
        started = time.perf_counter()
        form, why = detect(source) if options.format == "auto" else (options.format, "as asked for")
        self.detected = (form, why)
        if options.kept and form != "fhir":
            raise UsageError(f"--incremental: for FHIR files; {source} is {form}, which is read whole each time.")
        self.engine.load("diary_flares", DIARY_FLARES.columns, [])
        if form == "omop":
            self.detected = (form, f"{why}; {omop.read_omop(self.engine, source)}")
        elif isinstance(source, Address):
            raise UsageError(f"--format {form}: a PostgreSQL database is read as an OMOP CDM.")
        elif form == "diary":
            from tellapart.tasks import diaries

            told = diaries.read(self.engine, source, options.as_of, options.today, self.spill)
            self.detected = (form, f"{why}; {told}")
        elif form == "fhir":
            fhir.read_fhir(
                self.engine.connection,
                source,
                not_needed_types=self._not_needed_types(),
                instruments=[r["instrument"] for r in self.knowledge["instruments"]],
                sites=[r["site"] for r in self.knowledge["pain_sites"]],
                wordings={f"{r['kind']}:{r['key']}": r["code"] for r in self.knowledge["questionnaire_words"]},
                sites_asked=int(self.knowledge.limit("questionnaire_sites")),
                report_words=[(r["kind"], r["key"], r["code"]) for r in self.knowledge["report_words"]],
                kept=options.kept,
            )
            fhir_export.honour(self.engine.connection, source)
        elif form == "case":
            case.read_case(self.engine, source, case.knowledge_ids(self.knowledge))
        elif form == "meds":
            self.detected = (form, f"{why}; {meds.read_meds(self.engine, source)}")
        else:
            self.detected = (form, f"{why}; {mapped.read_mapped(self.engine, source)}")
        if options.persons:
            self._limit(options.persons)
        self.seconds["read"] = time.perf_counter() - started
        self.normalize(options)

    def _limit(self, persons: PersonList) -> None:
        """Keep the persons of a list. Raises InputError: the source holds none of them."""
        normalize.keep_only(self.engine, persons.ids)
        if not self.engine.one("select count(*) from patients"):
            raise InputError(
                f"--persons {persons.name}: none of its {len(persons.ids)} persons is in {self.source} "
                f"(first: {', '.join(persons.ids[:3])}). Ids are those of the source, without Patient/."
            )

    def read_documents(self, documents: Sequence[Mapping[str, Any]], options: Options) -> None:
        """Read `tellapart.case/1` documents given as dictionaries: a few into SQLite, where they are worked up."""
        self.check(options)
        named = [(f"case {i}" if len(documents) > 1 else "case", "case", d) for i, d in enumerate(documents, 1)]
        self.source_held = self._few() if len(documents) <= FEW else self.engine
        self.source_held.load("diary_flares", DIARY_FLARES.columns, [])
        case.read_documents(self.source_held, named, case.knowledge_ids(self.knowledge), strict=True)
        self.normalize(options)

    def normalize(self, options: Options) -> None:
        """From the statements that a reader left to events."""
        started = time.perf_counter()
        full = None if self.source_held is self.engine else self.engine
        normalize.normalize(self.source_held, options.as_of, options.today, full)
        self.read_so_far = True
        self.seconds["normalize"] = time.perf_counter() - started

    def _not_needed_types(self) -> set[str]:
        return {r["code"] for r in self.knowledge["not_needed"] if r["system"] == "resource"}

    def check(self, options: Options) -> None:
        """Raise a UsageError if an option has an impossible value."""
        known = sorted({r["setting"] for r in self.knowledge["priors"]})
        if options.setting is not None and options.setting not in known:
            raise UsageError(f"--setting {options.setting}: not a setting. Known: {', '.join(known)}.")
        if options.prior is not None:
            check_prior(options.prior)

    def analyse(self, options: Options, wanted: Sequence[int] | None = None, progress: Progress | None = None) -> None:
        """Run the pipeline; `answers` is the engine that then holds its relations.

        A few persons are worked up on SQLite, whose statements cost little to start; many on DuckDB, or on the cluster.

        Args:
            wanted: work up these persons only; None: everybody, and find out who is of interest.
            progress: called with each relation made and the seconds it took.
        """
        everybody = wanted is None
        audit = pipeline.AUDIT_WITH_FLARES if options.flares else pipeline.AUDIT
        plan = audit if everybody else pipeline.WORKUP_TOGETHER if options.together else pipeline.WORKUP
        self.source_held.make("given_settings", GIVEN_SETTINGS)
        few = wanted is not None and len(wanted) <= FEW
        assert few or self.source_held is self.engine, "a few documents are worked up by name"
        answers = self.answers = self._taken_out(wanted or ()) if few else self.engine
        columns, rows = pipeline.prior_rows(self.knowledge)
        if options.prior is not None:
            own = options.prior
            shares = (own.get("sle", 0.0), own.get("fm", 0.0), own.get("both", 0.0))
            rows = [(setting, sex, *shares, 1.0 - sum(shares)) for setting, sex, *_ in rows]
        answers.load("prior_rows", columns, rows)
        answers.load("options", OPTIONS.columns, [(options.setting, options.flares)])
        if wanted is not None:
            answers.load("interest", {"person": "BIGINT"}, [(p,) for p in wanted])
            answers.load("suspected", {"person": "BIGINT"}, [(p,) for p in wanted])
            answers.load("activity_asked", {"person": "BIGINT", "every_day": "BOOLEAN"}, [(p, True) for p in wanted])
        elif not options.flares:
            answers.load("flare_signs", FLARE_SIGNS.columns, [])
        started = time.perf_counter()
        keep = pipeline.KEPT if everybody and not self.keep_all else None
        for stage in pipeline.run(answers, self.knowledge, plan, keep):
            now = time.perf_counter()
            self.seconds[stage.makes] = now - started
            if progress:
                progress(stage.makes, now - started)
            started = now

    def _few(self) -> SQLite:
        """The engine for a few persons, made when first asked for."""
        if self._small is None:
            self._small = SQLite(cache(partial(pipeline.columns, knowledge=self.knowledge)))
            pipeline.prepare(self._small, self.knowledge)
            normalize.lend(self._small, self.engine)
        return self._small

    def _taken_out(self, wanted: Sequence[int]) -> SQLite:
        """SQLite with all that is read of these persons."""
        small = self._few()
        if self.source_held is self.engine:
            listed = ", ".join(map(str, wanted))
            for name in OF_A_PERSON:
                small.load(name, *self.engine.table(name, f"person in ({listed})"))
            theirs = f"person_id in (select person_id from persons where person in ({listed}))"
            small.load("diary_flares", *self.engine.table("diary_flares", theirs))
            for name in OF_ALL:
                small.load(name, *self.engine.table(name))
        return small

    def rejections(self) -> list[dict[str, Any]]:
        """What could not be used of the source read last, in a full order: the columns of `rejected.ndjson`."""
        if not self.read_so_far:
            return []
        listed: list[dict[str, Any]] = self.source_held.rows(REJECTIONS)
        return listed

    def person(self, person_id: str | None) -> int:
        """The number of the person to work up.

        Raises:
            UsageError: there is no such person, or there are several and none was named.
            InputError: there is nobody in the source.
        """
        count = self.source_held.one("select count(*) from persons")
        if not count:
            raise InputError(
                f"{self.source}: there is nobody in it, no patient could be read. See the rejected rows, and check that "
                "the Patient resources are part of the source."
            )
        first = [r["person_id"] for r in self.source_held.rows("select person_id from persons order by person limit 5")]
        more = ", ..." if count > len(first) else ""
        if person_id is None:
            if count > 1:
                raise UsageError(
                    f"The source holds {count} persons; name one with --person ID. First ids: {', '.join(first)}{more}"
                )
            return 1
        number = self.source_held.one(
            "select person from persons where person_id = ?", [person_id.removeprefix("Patient/")]
        )
        if number is None:
            raise UsageError(f"--person {person_id}: not in this source. First ids: {', '.join(first)}{more}")
        return int(number)


def check_prior(prior: Mapping[str, float]) -> None:
    """Raise a UsageError unless these are shares of sle, fm and both that leave room for neither."""
    for name, share in prior.items():
        if name not in ("sle", "fm", "both"):
            raise UsageError(f"--prior {name}: not a hypothesis. Give sle, fm, both (neither is the rest).")
        if not 0 <= share < 1:
            raise UsageError(f"--prior {name}={share:g}: a share must lie between 0 and 1.")
    total = sum(prior.values())
    if total == 0:
        raise UsageError("--prior: all shares are 0; then no finding could ever change the answer.")
    if total >= 1:
        raise UsageError(f"--prior: the shares add up to {total:g}; less than 1 must be left for neither.")
