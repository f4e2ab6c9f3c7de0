"""How fast bulk NDJSON is read, as a ratio against DuckDB's own `read_ndjson` of the same fields, in one run.

    python benchmarks/read_ndjson.py SOURCE [--size MB] [--threads 2] [--rounds 3] [--all]

SOURCE is a folder of bulk NDJSON (`.ndjson`, `.ndjson.gz`). Its resources are repeated under new ids until there are
about `--size` MB of text. Three things are timed, alternating, and the best of each counts:

- floor: `create table as select <fields> from read_ndjson(...)`, for every file, with the fields and types we read
- typed: our typed reading (the same fields, into typed tables, every row checked for its type)
- whole: `read_fhir` as a user meets it: typed reading, persons, duplicates, one row per coding, source rows

Without `--all` only the resource types that are read are measured; with it also those that are only counted.
Prints floor / typed and floor / whole in percent: 100 % is as fast as DuckDB alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from tellapart.events.readers import fhir
from tellapart.events.readers.fhir_fields import FAMILY_OF, duckdb_type


def repeat(source: Path, target: Path, size: int, everything: bool) -> dict[str, list[str]]:
    """Write the resources of `source`, one file per type, repeated under new ids; returns type -> files."""
    lines: dict[str, list[bytes]] = {}
    for path in sorted(source.rglob("*.ndjson*")):
        opener = gzip.open if path.name.endswith(".gz") else open
        with opener(path, "rb") as opened:
            for line in opened:
                if line.strip():
                    kind = str(json.loads(line)["resourceType"])
                    if everything or kind in FAMILY_OF:
                        lines.setdefault(kind, []).append(line.rstrip(b"\n") + b"\n")
    once = sum(len(line) for group in lines.values() for line in group)
    if not once:
        raise SystemExit(f"{source}: no NDJSON found")
    copies = max(1, round(size / once))
    for kind, group in lines.items():
        whole = b"".join(group)
        with (target / f"{kind}.ndjson").open("wb") as out:
            for copy in range(copies):
                mark = f"copy{copy}-".encode()
                renamed = whole.replace(b'"id":"', b'"id":"' + mark)
                out.write(re.sub(rb'"reference":"([A-Za-z]+)/', rb'"reference":"\1/' + mark, renamed))
    return {kind: [str(target / f"{kind}.ndjson")] for kind in lines}


def connect(threads: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": threads, "checkpoint_threshold": "1TB"})


def floor(files: dict[str, list[str]], threads: int) -> None:
    con = connect(threads)
    for kind, paths in files.items():
        family = FAMILY_OF.get(kind)
        shape = family.shape if family else {"resourceType": "VARCHAR", "id": "VARCHAR"}
        columns = "{" + ", ".join(f"'{name}': '{duckdb_type(part)}'" for name, part in shape.items()) + "}"
        con.execute(f"create table {kind} as select * from read_ndjson($1, columns = {columns})", [paths])
    con.close()


def typed(folder: Path, threads: int) -> None:
    con = connect(threads)
    reading = fhir._Reading(con)
    reading.begin((), fhir.INSTRUMENTS, ())
    reading.files(fhir._files(folder))
    con.close()


def whole(folder: Path, threads: int) -> int:
    con = connect(threads)
    fhir.read_fhir(con, folder)
    row = con.execute("select count(*) from source_rows").fetchone()
    con.close()
    return int(row[0]) if row else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--size", type=int, default=500, help="MB of text to read")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="also the types that are only counted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = repeat(options.source, folder, options.size * 1_000_000, options.all)
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        rows = whole(folder, options.threads)
        steps: dict[str, Callable[[], object]] = {
            "floor": lambda: floor(files, options.threads),
            "typed": lambda: typed(folder, options.threads),
            "whole": lambda: whole(folder, options.threads),
        }
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(options.rounds):
            for step, run in steps.items():
                begin = time.perf_counter()
                run()
                best[step] = min(best[step], time.perf_counter() - begin)
    print(f"{megabytes:.0f} MB, {rows} resources, {options.threads} threads, best of {options.rounds}")
    for step, seconds in best.items():
        print(f"{step}: {seconds:.2f} s, {megabytes / seconds:.0f} MB/s, {best['floor'] / seconds:.0%} of the floor")


if __name__ == "__main__":
    main()
