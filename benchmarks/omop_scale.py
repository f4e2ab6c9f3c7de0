"""Time of a whole audit of an OMOP CDM, as ratios against a full scan of the columns that it reads, in one run.

    python benchmarks/omop_scale.py [--persons 100000] [--events 40] [--data benchmarks/data] [--memory 4GB]

Makes (once) a CDM as Parquet, one file per table: mostly ordinary laboratory values, some conditions and drugs, each on
the day of one of ten visits; one person in ten looks like somebody a rheumatologist would be asked about. Everything is
synthetic, and every row has a concept that is read; there is no vocabulary, so the list that ships tells what a concept is.
The floor is the best of three scans of the columns that the reader reads. Then `tellapart audit` runs as a user meets it, in
a process of its own; the stages are those of its `run.json`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import duckdb

from tellapart.events.readers.omop import PERSON
from tellapart.events.readers.omop_tables import OBSERVED, OBSERVED_TO, TABLES

VISITS = 10  # of a person
FIRST_DAY, DAYS = "2010-01-01", 5400
# LOINC, UCUM, share, normal value, spread, low, high, value when of interest
LABS = (
    ("26464-8", "10*9/L", 14, 7.0, 1.5, 4.0, 11.0, 3.2), ("26515-7", "10*9/L", 14, 260.0, 50.0, 150.0, 400.0, 85.0),
    ("718-7", "g/dL", 14, 13.8, 1.0, 12.0, 15.5, 10.5), ("2160-0", "mg/dL", 12, 0.8, 0.15, 0.5, 1.1, 1.3),
    ("26474-7", "10*9/L", 8, 2.0, 0.5, 1.0, 4.0, 0.8), ("1988-5", "mg/L", 6, 2.0, 1.5, 0.0, 5.0, 14.0),
    ("8331-1", "Cel", 8, 36.8, 0.3, 36.1, 37.5, 38.6), ("3016-3", "", 4, 2.0, 0.8, 0.4, 4.0, 5.0),
    ("3141-9", "kg", 8, 75.0, 12.0, None, None, 75.0), ("4485-9", "g/L", 1, 1.2, 0.15, 0.9, 1.8, 0.6),
    ("2890-2", "mg/g", 1, 100.0, 30.0, 0.0, 150.0, 900.0),
)  # fmt: skip
MEASUREMENTS, CONDITIONS = 82, 92  # of a hundred events those below the first are values, below the second conditions
ORDINARY = ("84229001", "25064002", "57676002", "68962001", "35489007", "48694002", "193462001", "21522001")

TABLES_MADE = {
    "person": """
        select i + 1 as person_id, 'p' || lpad(cast(i as varchar), 9, '0') as person_source_value,
          case when i % 3 = 0 then 8507 else 8532 end as gender_concept_id,
          cast(2005 - i % 60 as integer) as year_of_birth, cast(1 + i % 12 as integer) as month_of_birth, 1 as day_of_birth
        from range({persons}) t(i)""",
    "visit_occurrence": """
        select visit as visit_occurrence_id, visit // {visits} + 1 as person_id, 9202 as visit_concept_id,
          day_of(visit) as visit_start_date, day_of(visit) as visit_end_date
        from range({persons} * {visits}) t(visit)""",
    "observation_period": """
        select i + 1 as observation_period_id, i + 1 as person_id, date '{first}' as observation_period_start_date,
          date '{first}' + {days} as observation_period_end_date
        from range({persons}) t(i)""",
    "measurement": """
        select e.i as measurement_id, e.person as person_id, l.concept as measurement_concept_id, e.day as measurement_date,
          32856 as measurement_type_concept_id, cast(0 as bigint) as operator_concept_id,
          case when e.odd and e.luck < 12 then l.odd else round(l.mean + e.noise * l.spread, 2) end as value_as_number,
          cast(0 as bigint) as value_as_concept_id, l.unit as unit_concept_id, l.low as range_low, l.high as range_high,
          e.visit as visit_occurrence_id, '' as measurement_source_value, cast(0 as bigint) as measurement_source_concept_id,
          l.ucum as unit_source_value, cast(null as varchar) as value_source_value
        from events as e inner join lab_slots as l on l.slot = e.pick % (select count(*) from lab_slots)
        where e.what < {measurements} order by e.i""",
    "condition_occurrence": """
        select e.i as condition_occurrence_id, e.person as person_id, c.concept as condition_concept_id,
          e.day as condition_start_date, cast(null as date) as condition_end_date, 32817 as condition_type_concept_id,
          cast(null as varchar) as condition_status_source_value, e.visit as visit_occurrence_id,
          '' as condition_source_value, cast(0 as bigint) as condition_source_concept_id
        from events as e
        inner join picks as c on c.system = 'snomed' and c.ordinary = not e.odd and c.place = e.pick % c.n
        where e.what >= {measurements} and e.what < {conditions} order by e.i""",
    "drug_exposure": """
        select e.i as drug_exposure_id, e.person as person_id, c.concept as drug_concept_id,
          e.day as drug_exposure_start_date, e.day + 30 as drug_exposure_end_date, 32838 as drug_type_concept_id,
          cast(30 as double) as quantity, 30 as days_supply, cast(null as varchar) as sig, cast(null as varchar) as stop_reason,
          e.visit as visit_occurrence_id, '' as drug_source_value, cast(0 as bigint) as drug_source_concept_id
        from events as e inner join picks as c on c.system = 'rxnorm' and c.place = e.pick % c.n
        where e.what >= {conditions} order by e.i""",
}


def make(folder: Path, persons: int, each: int, threads: int, memory: str) -> None:
    """Write the CDM: `each` events for every person."""
    with tempfile.TemporaryDirectory() as spill:
        con = duckdb.connect(config={"threads": threads, "memory_limit": memory, "temp_directory": spill})
        listed = str(files("tellapart.knowledge") / "tables" / "omop_concepts.csv")
        con.read_csv(listed).create("concepts")
        con.execute(
            'create table labs (loinc varchar, ucum varchar, share integer, mean double, spread double, "low" double, '
            '"high" double, odd double)'
        )
        con.executemany("insert into labs values ($1, $2, $3, $4, $5, $6, $7, $8)", LABS)
        con.execute("""
            create table lab_slots as
            select row_number() over (order by l.loinc, n) - 1 as slot, l.*, c.concept_id as concept,
              coalesce(u.concept_id, 0) as unit
            from labs as l cross join range(200) t(n)
            inner join concepts as c on c.use = 'code' and c.system = 'loinc' and c.code = l.loinc
            left join concepts as u on u.use = 'unit' and u.code = l.ucum
            where n < l.share""")
        con.execute("""
            create table picks as
            select system, ordinary, concept_id as concept,
              row_number() over (partition by system, ordinary order by concept_id) - 1 as place,
              count(*) over (partition by system, ordinary) as n
            from (
              select system, concept_id, false as ordinary from concepts where use = 'code'
              union all
              select system, concept_id, true from concepts where use = 'code' and list_contains($1, code)
            )""", [list(ORDINARY)])  # fmt: skip
        con.execute(f"create macro day_of(visit) as date '{FIRST_DAY}' + cast(hash(visit, 4) % {DAYS} as integer)")
        con.execute(f"""
            create view events as
            select *, day_of(visit) as day from (
              select i, i // {each} + 1 as person, (i // {each}) % 10 = 0 as odd, hash(i, 1) % 100 as what,
                hash(i, 2) as pick, (hash(i, 3) % 2000) / 1000.0 - 1.0 as noise, hash(i, 5) % 100 as luck,
                (i // {each}) * {VISITS} + cast(hash(i, 6) % {VISITS} as bigint) as visit
              from range({persons * each}) t(i)
            )""")
        words = {
            "persons": persons, "visits": VISITS, "first": FIRST_DAY, "days": DAYS, "measurements": MEASUREMENTS,
            "conditions": CONDITIONS,
        }  # fmt: skip
        for table, query in TABLES_MADE.items():
            target = folder / f"{table}.parquet"
            con.execute(f"copy ({query.format(**words)}) to '{target}' (format parquet, compression zstd)")
        con.close()


def needed(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[Path, list[str]]:
    """File of a table to the columns of it that the reader reads."""
    read = {t.name: {name for names in t.columns.values() for name in names} for t in TABLES}
    read |= {"person": set(PERSON), OBSERVED: {"person_id", OBSERVED_TO}}
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        there = [row[0] for row in con.execute(f"describe from '{path}'").fetchall()]
        found[path] = [c for c in there if c in read[path.stem]]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=40, help="events a person, visits apart")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    folder = given.data / f"omop-{given.persons}-{given.events}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        print(f"making {folder.name} ...", flush=True)
        make(part, given.persons, given.events, given.threads, given.memory)
        part.rename(folder)

    con = duckdb.connect(config={"threads": given.threads})
    columns = needed(con, folder)
    rows = sum(con.execute(f"select count(*) from '{path}'").fetchall()[0][0] for path in columns)
    scans = []
    for _ in range(3):
        started = time.perf_counter()
        for path, names in columns.items():
            con.execute("select " + ", ".join(f'max("{c}")' for c in names) + f" from '{path}'").fetchall()
        scans.append(time.perf_counter() - started)
    con.close()
    floor = min(scans)

    with tempfile.TemporaryDirectory(dir=given.data) as name:
        out = Path(name) / "out"
        command = [sys.executable, "-c", "from tellapart.doors.cli import main; main()", "audit", str(folder)]
        command += ["--out", str(out), "--memory", given.memory, "--threads", str(given.threads), "--quiet"]
        started = time.perf_counter()
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        clock = time.perf_counter() - started
        if ran.returncode:
            raise SystemExit(f"tellapart audit {folder} failed ({ran.returncode}):\n{ran.stderr}")
        seconds: dict[str, float] = json.loads((out / "run.json").read_text())["seconds"]
    report(given.persons, rows, floor, seconds, clock)


def report(persons: int, rows: int, floor: float, seconds: dict[str, float], clock: float) -> None:
    print(f"{persons} persons, {rows} rows of the CDM")
    print(f"{'':45s} {'seconds':>8s} {'ratio':>6s}")

    def line(name: str, spent: float) -> None:
        print(f"{name:45s} {spent:8.2f} {spent / floor:6.1f}")

    line("full scan of the columns that are read (floor)", floor)
    for name, spent in seconds.items():
        line(name, spent)
    reading = seconds["read"] + seconds["normalize"]
    line("= reading and normalising", reading)
    line("= whole audit, as a process", clock)
    print(f"reading and normalising: {reading / rows * 1e6:.1f} microseconds a row")
    print(f"peak memory of the audit: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
