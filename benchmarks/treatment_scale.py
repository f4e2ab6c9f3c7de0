"""Time of the treatment stages for a population, as a ratio against one scan of its exposures, in one run.

    python benchmarks/treatment_scale.py [--persons 1000000] [--data benchmarks/data] [--memory 4GB]

Every person has ten drug records, half of all events; one person in ten looks like somebody a rheumatologist would be asked
about. The floor is the best of three scans of the drug records alone, in all the columns that an audit reads. Everything is
synthetic. Seconds are processor seconds, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pipeline_scale import AUDIT_NEEDS, floor_of, make_events, now, persons, since

from tellapart import pipeline
from tellapart.engines.duckdb import DuckDB
from tellapart.knowledge.load import load

EACH, OBSERVATIONS, CONDITIONS = 20, 42, 50  # events a person; shares out of a hundred, the rest are drugs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    knowledge = load()
    path = given.data / f"drugs-{given.persons}-{knowledge.version}.parquet"
    with tempfile.TemporaryDirectory() as spill:
        engine = DuckDB(given.memory, given.threads, Path(spill))
        if not path.exists():
            print(f"making {path.name} ...")
            make_events(engine, knowledge, path, given.persons, EACH, OBSERVATIONS, CONDITIONS)
        drugs = Path(spill) / "exposures.parquet"
        engine.copy(f"select * from '{path}' where kind = 'drug'", drugs, "format parquet, compression zstd")
        engine.make("events", f"select *, 0 as codings from '{path}'", view=True)
        pipeline.prepare(engine, knowledge)
        persons(engine, given.persons)
        floor = floor_of(engine, drugs, AUDIT_NEEDS).processor
        treatment = {s.makes for s in (*pipeline.ASKED, *pipeline.ACTIVITY, *pipeline.TREATMENT)}
        seconds, started = {}, now()
        for stage in pipeline.run(engine, knowledge, pipeline.AUDIT, pipeline.KEPT):
            seconds[stage.makes], started = since(started).processor, now()
        print(f"{engine.one(f'''select count(*) from '{drugs}' ''')} exposures of {given.persons} persons, "
              f"{engine.one('select count(*) from interest')} of interest")  # fmt: skip
        print(f"{'one scan of the exposures (floor)':40s} {floor:8.2f}  1.0")
        for name in (n for n in seconds if n in treatment):
            print(f"{name:40s} {seconds[name]:8.2f} {seconds[name] / floor:4.1f}")
        whole = sum(seconds[n] for n in treatment)
        print(f"{'= the whole treatment stage':40s} {whole:8.2f} {whole / floor:4.1f}")


if __name__ == "__main__":
    main()
