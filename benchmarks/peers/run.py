"""The same five definitions for the same persons, by tellapart and by what exists: equal answers, seconds side by side.

    python benchmarks/peers/run.py [--copies 4] [--rounds 4] [--only NAME ...] [--work FOLDER]

The persons are those of the shipped example, repeated under new ids. The definitions are taken from the knowledge
tables: a code for lupus, a code for fibromyalgia, low platelets, low white cells, low haemoglobin.

Every peer is installed in an environment of its own below the working folder (by default a temporary one, removed
at the end), never beside tellapart, and runs in a process of its own. `warm` is the library call in a running process
(files to answers, the first call not counted, the best of the others), `process` is the whole of a process that answers
once. Ends with 1 when two of them differ in one person.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tellapart.knowledge.load import Knowledge, load

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "src" / "tellapart" / "examples"
ASKED = ("sle_dx", "fm_dx", "thrombocytopenia", "leukopenia", "hemoglobin_low")
TYPES = ("Patient", "Condition", "Observation")  # what the definitions are about
URIS = {
    "snomed": "http://snomed.info/sct",
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "loinc": "http://loinc.org",
}


@dataclass(frozen=True)
class Side:
    """One way to answer.

    Attributes:
        script: what runs beside this file.
        packages: what is installed for it; none: it runs in the environment of tellapart.
        all_types: gets the folder with every type of resource, not only those the definitions are about.
    """

    script: str
    packages: tuple[str, ...] = ()
    all_types: bool = False

    @property
    def node(self) -> bool:
        return self.script.endswith(".js")


SIDES = {
    "duckdb": Side("duckdb_side.py"),
    "tellapart": Side("tellapart_side.py"),
    "tellapart-all-types": Side("tellapart_side.py", all_types=True),
    "fhir4ds": Side("fhir4ds_side.py", ("fhir4ds==0.5.1", "duckdb==2.0.1")),
    "fhir4ds-v2": Side("fhir4ds_cql_side.py", ("fhir4ds-v2==0.0.17", "pandas")),
    "cql-execution": Side("cql_side.js", ("cql-execution@3.3.2", "cql-exec-fhir@2.2.0")),
}


def definitions(knowledge: Knowledge, records: dict[str, bytes]) -> list[dict[str, Any]]:
    """The definitions as data: codes that these records hold, and below what or with what flag a result counts.

    `places` is how many codings a resource of the type has at most.
    """
    seen = {kind: set(re.findall(rb'"code":"([^"]+)"', text)) for kind, text in records.items()}
    places = {kind: max(len(json.loads(r)["code"]["coding"]) for r in records[kind].splitlines()) for kind in TYPES[1:]}
    rules = {r["finding"]: r for r in knowledge["value_rules"]}
    listed = []
    for name in ASKED:
        rule = rules.get(name)
        source, kind = (rule["source"], "Observation") if rule else (name, "Condition")
        codes = [
            (URIS[r["system"]], r["code"])
            for r in knowledge["finding_codes"]
            if r["finding"] == source and r["system"] in URIS and r["code"].encode() in seen[kind]
        ]
        one = {"name": name, "resource": kind, "codes": codes, "places": places[kind]}
        if rule and rule["test"] == "lt":
            one["below"] = float(rule["threshold"])
        elif rule and rule["test"] == "below_range":
            one["flag"] = "L"
        listed.append(one)
    return listed


def write_records(records: dict[str, bytes], folder: Path, copies: int) -> float:
    """Write the records `copies` times under new ids; returns MB."""
    folder.mkdir()
    for kind, text in records.items():
        with (folder / f"{kind}.ndjson").open("wb") as out:
            for copy in range(copies):
                mark = f"copy{copy}-".encode()
                out.write(
                    re.sub(
                        rb'"reference":"([A-Za-z]+)/',
                        rb'"reference":"\1/' + mark,
                        text.replace(b'"id":"', b'"id":"' + mark),
                    )
                )
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def install(side: Side, home: Path) -> list[str]:
    """Make the environment of a side; returns the command that runs it, without its arguments."""
    if not side.packages:
        return [sys.executable, str(HERE / side.script)]
    home.mkdir(parents=True, exist_ok=True)
    if side.node:
        (home / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--silent", *side.packages], cwd=home, check=True, stdout=sys.stderr)
        return ["node", "--max-old-space-size=8192", str(HERE / side.script)]
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *side.packages], check=True, stdout=sys.stderr)
    return [str(python), str(HERE / side.script)]


def ask(command: list[str]) -> tuple[dict[str, Any], float]:
    """Run one side; returns what it printed and the seconds of the whole process."""
    begin = time.perf_counter()
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1]), time.perf_counter() - begin


def differences(answers: dict[str, dict[str, list[str]]]) -> list[str]:
    """What the sides do not agree on, against the first of them."""
    (first, expected), *others = answers.items()
    told = []
    for side, given in others:
        for name in expected:
            odd = sorted(set(expected[name]) ^ set(given.get(name, ())))
            if odd:
                told.append(f"{name}: {first} and {side} differ in {len(odd)} persons, first {odd[0]}")
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=4, help="how often the 67 persons of the example are repeated")
    parser.add_argument("--rounds", type=int, default=4, help="calls in one process; the first is not counted")
    parser.add_argument("--only", nargs="+", choices=SIDES, default=list(SIDES), metavar="NAME", help=", ".join(SIDES))
    parser.add_argument("--work", type=Path, help="where to install and write; kept afterwards")
    options = parser.parse_args()
    records = {
        p.name.split(".", maxsplit=1)[0]: gzip.decompress(p.read_bytes()) for p in sorted(EXAMPLE.glob("*.ndjson.gz"))
    }
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        data = Path(temporary) / "data"
        data.mkdir()
        few, every = data / "few", data / "every"
        size = write_records({kind: records[kind] for kind in TYPES}, few, options.copies)
        if any(SIDES[name].all_types for name in options.only):
            write_records(records, every, options.copies)
        asked = data / "definitions.json"
        asked.write_text(json.dumps(definitions(load(), records)))
        persons = records["Patient"].count(b"\n") * options.copies
        resources = sum(records[kind].count(b"\n") for kind in TYPES) * options.copies
        print(f"{persons} persons, {resources} resources, {size:.0f} MB: {', '.join(TYPES)}")
        commands, left_out = {}, []
        for name in options.only:
            try:
                commands[name] = install(SIDES[name], work / name)
            except (OSError, subprocess.CalledProcessError) as error:
                left_out.append(f"{name}: cannot be installed here ({error})")
        warm, whole, answers = {}, {}, {}
        for name, command in commands.items():
            folder = every if SIDES[name].all_types else few
            arguments = [*command, str(folder), str(asked)]
            if SIDES[name].node:
                told, whole[name] = ask([*arguments, str(work / name)])
            else:
                _, whole[name] = ask([*arguments, "1"])
                told, _ = ask([*arguments, str(options.rounds)])
            warm[name], answers[name] = min(told["seconds"]), told["answers"]
            print(f"{name}: warm {warm[name]:.2f} s, process {whole[name]:.2f} s ({told['version']})", flush=True)
    print("persons found: " + ", ".join(f"{name} {len(found)}" for name, found in next(iter(answers.values())).items()))
    for name, seconds in warm.items():
        if "tellapart" in warm and not name.startswith("tellapart"):
            print(f"{name} / tellapart: {seconds / warm['tellapart']:.1f}")
    for told in left_out:
        print(told)
    wrong = differences(answers)
    print("\n".join(wrong) or f"equal answers of {len(answers)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
