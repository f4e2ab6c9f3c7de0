"""How fast bulk NDJSON is read, as a ratio against DuckDB's own `read_ndjson` of the same fields, in one run.

    python benchmarks/read_ndjson.py SOURCE [--size 500MB] [--threads 2] [--memory 4GB] [--rounds 3] [--all]

SOURCE is a folder of bulk NDJSON (`.ndjson`, `.ndjson.gz`). Its resources are repeated under new ids until there are
about `--size` of text; it is written in chunks, so that 10GB and more need disk and not memory. Three things are timed,
alternating, and the best of each counts:

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
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import duckdb

from tellapart.events.readers import fhir
from tellapart.events.readers.fhir_fields import FAMILY_OF, duckdb_type

CHUNK = 8_000_000  # bytes of lines that are held at a time


def size(text: str) -> int:
    """Bytes of "500", "500MB" (both megabytes) or "10GB"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB)?", text.strip(), re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 500MB or 10GB")
    return round(float(found[1]) * (1_000_000_000 if (found[2] or "MB").upper() == "GB" else 1_000_000))


def repeat(source: Path, target: Path, wanted: int, everything: bool) -> dict[str, list[str]]:
    """Write the resources of `source`, one file per type, repeated under new ids; returns type -> files.

    Only a chunk of lines is held at a time, so that the memory needed does not grow with `wanted`.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        sorted_out = by_type(source, Path(name), everything)
        once = sum(path.stat().st_size for path in sorted_out.values())
        if not once:
            raise SystemExit(f"{source}: no NDJSON found; give a folder of .ndjson or .ndjson.gz files")
        copies = max(1, round(wanted / once))
        for kind, path in sorted_out.items():
            with (target / f"{kind}.ndjson").open("wb") as out, path.open("rb") as opened:
                for copy in range(copies):
                    mark = f"copy{copy}-".encode()
                    opened.seek(0)
                    while lines := opened.readlines(CHUNK):  # whole lines, so that no id is cut
                        renamed = b"".join(lines).replace(b'"id":"', b'"id":"' + mark)
                        out.write(re.sub(rb'"reference":"([A-Za-z]+)/', rb'"reference":"\1/' + mark, renamed))
    return {kind: [str(target / f"{kind}.ndjson")] for kind in sorted_out}


def by_type(source: Path, target: Path, everything: bool) -> dict[str, Path]:
    """Write the lines of `source` once, one file per resource type; returns type -> file."""
    found: dict[str, Path] = {}
    with ExitStack() as stack:
        outs: dict[str, IO[bytes]] = {}
        for path in sorted(source.rglob("*.ndjson*")):
            opener = gzip.open if path.name.endswith(".gz") else open
            with opener(path, "rb") as opened:
                for line in opened:
                    if not line.strip():
                        continue
                    kind = str(json.loads(line)["resourceType"])
                    if not (everything or kind in FAMILY_OF):
                        continue
                    if kind not in outs:
                        found[kind] = target / f"{kind}.once"
                        outs[kind] = stack.enter_context(found[kind].open("wb"))
                    outs[kind].write(line.rstrip(b"\r\n") + b"\n")
    return found


class Place(NamedTuple):
    """What a connection may use, and where it puts what does not fit."""

    threads: int
    memory: str
    spill: Path

    def connect(self) -> duckdb.DuckDBPyConnection:
        given: dict[str, str | int] = {
            "threads": self.threads, "memory_limit": self.memory, "temp_directory": str(self.spill),
            "checkpoint_threshold": "1TB",
        }  # fmt: skip
        return duckdb.connect(config=given)


def floor(files: dict[str, list[str]], place: Place) -> int:
    con = place.connect()
    for kind, paths in files.items():
        family = FAMILY_OF.get(kind)
        shape = family.shape if family else {"resourceType": "VARCHAR", "id": "VARCHAR"}
        columns = "{" + ", ".join(f"'{name}': '{duckdb_type(part)}'" for name, part in shape.items()) + "}"
        con.execute(f"create table {kind} as select * from read_ndjson($1, columns = {columns})", [paths])
    con.close()
    return 0  # resources are counted in `whole`


def typed(folder: Path, place: Place) -> int:
    con = place.connect()
    reading = fhir._Reading(con)
    reading.begin((), fhir.INSTRUMENTS, ())
    reading.files(fhir._files(folder))
    con.close()
    return 0


def whole(folder: Path, place: Place) -> int:
    con = place.connect()
    fhir.read_fhir(con, folder)
    row = con.execute("select count(*) from source_rows").fetchone()
    con.close()
    return int(row[0]) if row else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--size", type=size, default=size("500MB"), help="text to read, as 500MB or 10GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="4GB", help="limit of DuckDB; the rest goes to the disk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="also the types that are only counted")
    parser.add_argument("--data", type=Path, help="where the text is written and removed again (else: temporary files)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.data) as name:
        folder = Path(name) / "ndjson"
        folder.mkdir()
        begin = time.perf_counter()
        files = repeat(options.source, folder, options.size, options.all)
        written = time.perf_counter() - begin
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        place = Place(options.threads, options.memory, Path(name) / "spill")
        print(f"{megabytes:.0f} MB written in {written:.0f} s, peak memory {peak():.2f} GB", flush=True)
        steps: dict[str, Callable[[Place], int]] = {
            "floor": partial(floor, files), "typed": partial(typed, folder), "whole": partial(whole, folder),
        }  # fmt: skip
        rows = 0
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(options.rounds):
            for step, run in steps.items():
                begin = time.perf_counter()
                rows = max(rows, run(place))
                best[step] = min(best[step], time.perf_counter() - begin)
    print(f"{megabytes:.0f} MB, {rows} resources, {options.threads} threads, best of {options.rounds}")
    for step, seconds in best.items():
        print(f"{step}: {seconds:.2f} s, {megabytes / seconds:.0f} MB/s, {best['floor'] / seconds:.0%} of the floor")
    print(f"peak memory of the process: {peak():.1f} GB")


def peak() -> float:
    """GB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
