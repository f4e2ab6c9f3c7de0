"""Yearly diaries of many persons through `audit`: seconds, processor seconds, memory, cost per entry, and how it grows.

    python benchmarks/diaries.py [--persons 1000 10000 100000] [--threads 2] [--memory 4GB]

The diaries are simulated (500 different ones, each given to as many persons as are asked for) and written once, as one
Parquet in order of persons; that is not timed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tellapart.knowledge.load import load
from tellapart.simulate.diary import Maker, Plan

DIFFERENT = 500
EPOCH = dt.date(1970, 1, 1)


def write(path: Path, persons: int) -> int:
    """Write the long table of so many persons; returns how many entries it has."""
    maker = Maker(load(), Plan(DIFFERENT, 365, 0.1))
    signals = pa.array(maker.signals)
    parts = []
    for number in range(1, min(DIFFERENT, persons) + 1):
        diary = maker.diary(number)
        signal, day = np.nonzero(~np.isnan(diary.values))
        days = pa.array(day + (diary.first - EPOCH).days, pa.int32()).cast(pa.date32())
        parts.append(
            (days, pa.DictionaryArray.from_arrays(signal.astype(np.int32), signals), diary.values[signal, day])
        )
    entries = 0
    schema = pa.schema(
        {
            "person_id": pa.string(),
            "date": pa.date32(),
            "signal": pa.dictionary(pa.int32(), pa.string()),
            "value": pa.float64(),
        }
    )
    with pq.ParquetWriter(path, schema) as out:
        for first in range(0, persons, 50):
            tables = []
            for number in range(first, min(first + 50, persons)):
                days, signal, value = parts[number % len(parts)]
                name = pa.repeat(f"synthetic-{number:07d}", len(days))
                tables.append(pa.table([name, days, signal, pa.array(value)], schema=schema))
            table = pa.concat_tables(tables)
            entries += table.num_rows
            out.write_table(table)
    return entries


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--persons", type=int, nargs="+", default=[1000, 10000, 100000])
    asked.add_argument("--threads", default="2")
    asked.add_argument("--memory", default="4GB")
    given = asked.parse_args()
    print("persons  entries  seconds  processor s  ns an entry  MB of the largest process")
    with tempfile.TemporaryDirectory() as folder:
        for persons in given.persons:
            path = Path(folder) / "diaries.parquet"
            entries = write(path, persons)
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            command = [
                sys.executable,
                "-c",
                "from tellapart.doors.cli import main; main()",
                "audit",
                path,
                "--out",
                Path(folder) / f"out{persons}",
            ]
            subprocess.run([*command, "--threads", given.threads, "--memory", given.memory, "--quiet"], check=True)
            seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"{persons:7,}  {entries:11,}  {seconds:7.1f}  {cpu:11.1f}  {cpu / entries * 1e9:11.0f}  {after.ru_maxrss / 1024:6.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
