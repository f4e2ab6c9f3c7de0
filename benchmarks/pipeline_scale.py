"""Time of the pipeline on typed events, as ratios against a full scan of the columns it needs, in one run.

    python benchmarks/pipeline_scale.py [--persons 1000000] [--events 40] [--data benchmarks/data] [--memory 4GB]

Makes (once) a Parquet file of typed events: mostly ordinary laboratory values, some codes and drugs; one person in ten
looks like somebody a rheumatologist would be asked about. Everything is synthetic. Prints a table of seconds and ratios;
a floor is the best of three scans, in the same process, of the columns needed: for what is made for everybody those that
finding states need, for the whole audit every column, which the records that it keeps have. Two
ratios are printed: of seconds on the clock and of processor seconds (which other work on the machine disturbs less).
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tellapart import pipeline
from tellapart.contracts.relations import DIARY_FLARES, EVENTS, FLARE_SIGNS, OPTIONS
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.encode import encode
from tellapart.knowledge.load import Knowledge, load
from tellapart.tasks import audit

# source, share of an ordinary person's events, normal value, spread, low, high, (share and value when of interest)
LABS = (
    ("wbc", 14, 7.0, 1.5, 4.0, 11.0, 3.2), ("platelets", 14, 260.0, 50.0, 150.0, 400.0, 85.0),
    ("hemoglobin", 14, 13.8, 1.0, 12.0, 15.5, 10.5), ("creatinine", 12, 0.8, 0.15, 0.5, 1.1, 1.3),
    ("lymphocytes", 8, 2.0, 0.5, 1.0, 4.0, 0.8), ("crp", 6, 2.0, 1.5, 0.0, 5.0, 14.0),
    ("body_temperature", 8, 36.8, 0.3, 36.1, 37.5, 38.6), ("tsh", 4, 2.0, 0.8, 0.4, 4.0, 5.0),
    ("body_weight", 8, 75.0, 12.0, None, None, 75.0), ("c3", 1, 1.2, 0.15, 0.9, 1.8, 0.6),
    ("upcr", 1, 0.1, 0.03, 0.0, 0.15, 0.9),
)  # fmt: skip
STATES_NEED = (
    "person", "code_id", "date", "known_date", "value", "value_to", "comparator", "low", "high", "interpretation",
    "status", "by", "method", "shape",
)  # fmt: skip
AUDIT_NEEDS = tuple(c for c in EVENTS.columns if c != "codings")  # it keeps whole records of persons of interest
ORDINARY = ("fatigue", "headache", "arthralgia", "myalgia", "depression", "anxiety", "insomnia", "abdominal_pain")
TELLING = (
    "sle_dx", "fm_dx", "malar_rash", "synovitis", "oral_ulcers", "photosensitivity", "raynaud", "widespread_pain",
    "unrefreshing_sleep", "alopecia_nonscarring", "pleural_effusion", "infection_dx",
)  # fmt: skip


def make_events(
    engine: DuckDB,
    knowledge: Knowledge,
    path: Path,
    persons: int,
    each: int,
    observations: int = 82,
    conditions: int = 92,
) -> None:
    """Write `path`: `each` events for every person, all of knowledge codes.

    Args:
        observations, conditions: of a hundred events those below the first are values, those below the second codes, the rest drugs.
    """
    by_source: dict[tuple[str, str], int] = {}
    for number, _, _, _, source, rule, *_ in encode(knowledge).relations["codes"][1]:
        by_source.setdefault((source, rule), number)
    labs = [
        (i, by_source[(s, "result")], share, mean, spread, low, high, odd)
        for i, (s, share, mean, spread, low, high, odd) in enumerate(LABS)
    ]
    engine.load(
        "labs",
        {"i": "INTEGER", "code_id": "INTEGER", "share": "INTEGER", "mean": "DOUBLE", "spread": "DOUBLE",
         "low": "DOUBLE", "high": "DOUBLE", "odd": "DOUBLE"},
        labs,
    )  # fmt: skip
    engine.make(
        "lab_slots", "select row_number() over (order by i, n) - 1 as slot, labs.* from labs, range(share) t(n)"
    )
    slots = engine.one("select count(*) from lab_slots")
    states = [(i, by_source[(f, "state")]) for i, f in enumerate(ORDINARY + TELLING)]
    drugs = [(i, n) for i, ((s, r), n) in enumerate(sorted(by_source.items())) if r == "drug"]
    engine.load("state_codes", {"i": "INTEGER", "code_id": "INTEGER"}, states)
    engine.load("drug_ids", {"i": "INTEGER", "code_id": "INTEGER"}, [(i, n) for i, (_, n) in enumerate(drugs)])
    part = path.with_suffix(".part")
    engine.connection.execute(
        f"""
        copy (
          with raw as (
            select cast(i // {each} + 1 as bigint) as person, i, (i // {each}) % 10 = 0 as odd,
              hash(i, 1) % 100 as what, cast(hash(i, 2) % {slots} as integer) as slot,
              (hash(i, 3) % 2000) / 1000.0 - 1.0 as noise, cast(hash(i, 4) % 5400 as integer) as day,
              hash(i, 5) % 100 as luck, hash(i, 6) as pick
            from range({persons * each}) t(i)
          )
          select r.person, r.i as row_no, 0 as part, 'Observation/' || r.i as reference,
            case when r.what < {observations} then 'observation' when r.what < {conditions} then 'condition' else 'drug' end as kind,
            coalesce(case when r.what < {observations} then l.code_id when r.what < {conditions} then s.code_id else d.code_id end, 1) as code_id,
            cast(null as varchar) as system, cast(null as varchar) as code, cast(null as varchar) as display,
            date '2010-01-01' + r.day as date, 'day' as date_precision, date '2010-01-01' + r.day as known_date,
            'day' as known_precision, cast(null as date) as end_date,
            case when r.what < {observations} then round(case when r.odd and r.luck < 12 then l.odd else l.mean + r.noise * l.spread end, 2)
              end as value,
            cast(null as double) as value_to, cast(null as varchar) as comparator, cast(null as varchar) as unit,
            case when r.what < {observations} then l.low end as low, case when r.what < {observations} then l.high end as high,
            cast(null as varchar) as interpretation, 'asserted' as status,
            case when r.what < {observations} then 'measured' else 'clinician' end as "by", cast(null as varchar) as method,
            case when r.what < {observations} then 'quantity' end as shape, cast(null as varchar) as text, cast(null as varchar) as group_key,
            cast(null as varchar) as range_from
          from raw as r
          left join lab_slots as l on l.slot = r.slot
          left join state_codes as s on s.i = case when r.odd then r.pick % {len(states)} else r.pick % {len(ORDINARY)} end
          left join drug_ids as d on d.i = r.pick % {len(drugs)}
          order by r.i
        ) to '{part}' (format parquet, compression zstd, row_group_size 500000)"""
    )
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    knowledge = load()
    # code numbers belong to a knowledge version
    path = given.data / f"events-{given.persons}-{given.events}-{knowledge.version}.parquet"
    with tempfile.TemporaryDirectory() as spill:
        engine = DuckDB(given.memory, given.threads, Path(spill))
        if not path.exists():
            print(f"making {path.name} ...")
            make_events(engine, knowledge, path, given.persons, given.events)
        engine.make("events", f"select *, 0 as codings from '{path}'", view=True)
        pipeline.prepare(engine, knowledge)
        persons(engine, given.persons)
        floor, whole_floor = floor_of(engine, path, STATES_NEED), floor_of(engine, path, AUDIT_NEEDS)
        seconds: dict[str, Spent] = {}
        started = now()
        for stage in pipeline.run(engine, knowledge, pipeline.AUDIT, pipeline.KEPT):
            seconds[stage.makes], started = since(started), now()
        out = Path(spill) / "out"
        out.mkdir()
        audit.leave_out(engine, ())
        audit.write_tables(engine, knowledge, out)
        seconds["files"] = since(started)
        report(engine, seconds, floor, whole_floor)


class Spent(NamedTuple):
    """Seconds on the clock and of the processors."""

    clock: float
    processor: float


def now() -> Spent:
    return Spent(time.perf_counter(), time.process_time())


def since(start: Spent) -> Spent:
    end = now()
    return Spent(end.clock - start.clock, end.processor - start.processor)


def floor_of(engine: DuckDB, path: Path, columns: tuple[str, ...]) -> Spent:
    """Time to read every one of these columns once, the best of three."""
    assert set(columns) <= set(EVENTS.columns)
    scans = []
    for _ in range(3):
        started = now()
        engine.rows("select " + ", ".join(f'max("{c}")' for c in columns) + f" from '{path}'")
        scans.append(since(started))
    return Spent(min(f.clock for f in scans), min(f.processor for f in scans))


def total(seconds: dict[str, Spent], chosen: Sequence[str]) -> Spent:
    return Spent(sum(seconds[n].clock for n in chosen), sum(seconds[n].processor for n in chosen))


def persons(engine: DuckDB, count: int) -> None:
    """The run inputs that reading a source would have made."""
    engine.make(
        "persons",
        f"""select cast(i + 1 as bigint) as person, 'p' || lpad(cast(i as varchar), 9, '0') as person_id,
              case when i % 3 = 0 then 'male' else 'female' end as sex, cast(null as date) as birth_date,
              cast(null as date) as death_date, cast(20 + i % 60 as integer) as age, cast(null as date) as observed_to from range({count}) t(i)""",
    )
    engine.load("given_settings", {"person": "BIGINT", "setting": "VARCHAR"}, [])
    engine.load("options", OPTIONS.columns, [(None, False)])
    engine.load("flare_signs", FLARE_SIGNS.columns, [])
    engine.load("diary_flares", DIARY_FLARES.columns, [])
    day = dt.date(2025, 1, 1)
    engine.make(
        "horizons",
        f"select person, date '{day}' as as_of, cast(null as date) as document_as_of from persons",
    )
    engine.load("doses", pipeline.columns("doses", load()), [])
    engine.make("rejected", "select cast(null as varchar) as file, cast(null as bigint) as line, '' as reference, "
                "'' as person_id, '' as field, '' as value, '' as reason, '' as what_to_do where false")  # fmt: skip


def report(engine: DuckDB, seconds: dict[str, Spent], floor: Spent, whole_floor: Spent) -> None:
    everybody = [s.makes for s in pipeline.EVERYBODY]
    states = ("marks", "forms", "form_marks", "states", "points", "fm_forms", "fm_points")
    differential = (
        "suspected",
        "settings",
        "person_priors",
        "weights_used",
        "posterior",
        "interest_weights",
        "intervals",
        "calls",
    )
    dates = ("interest_events", "interest_marks", "exposures", "stated", "contests", "series", "occurrences", "weighed",
             "masks", "scores", "course", "met_dates")  # fmt: skip
    print(
        f"persons of interest: {engine.one('select count(*) from interest')} of {engine.one('select count(*) from persons')}"
    )
    print(f"{'':45s} {'clock':>8s} {'ratio':>6s} {'processor':>10s} {'ratio':>6s}")

    def line(name: str, spent: Spent, floor: Spent = floor) -> None:
        print(f"{name:45s} {spent.clock:8.2f} {spent.clock / floor.clock:6.1f} "
              f"{spent.processor:10.2f} {spent.processor / floor.processor:6.1f}")  # fmt: skip

    line("full scan of the columns states need (floor)", floor)
    line("full scan of the columns an audit needs", whole_floor)
    for name, spent in seconds.items():
        line(name, spent)
    for label, chosen in (
        ("states and points of all sets (everybody)", states),
        ("all stages for everybody", everybody),
        ("attribution and met dates (persons of interest)", dates),
        ("differential", differential),
        ("whole audit with its files", tuple(seconds)),
    ):
        line("= " + label, total(seconds, chosen))
    line("= the same, against the columns an audit needs", total(seconds, tuple(seconds)), whole_floor)
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
