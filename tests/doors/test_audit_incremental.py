"""An audit that reads only new and changed files gives what a whole reading gives, whatever came, changed or went."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import people
import pytest
import records
from shell import Run, run_cli

from tellapart.events.readers import fhir
from tellapart.tasks.audit import READINGS

pytestmark = pytest.mark.proves("half_written")

DONE = (0, 3)
LOW = records.quantity(2.1, "10*3/uL")


def audit(source: Path, out: Path, *options: object) -> Run:
    return run_cli("audit", source, "--out", out, "--quiet", "--as-of", "2025-01-31", *options)


def content(out: Path) -> dict[str, bytes]:
    """File to bytes; of run.json what does not say how long it took or what was read again."""
    found = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    facts = json.loads(found["run.json"])
    found["run.json"] = json.dumps({k: v for k, v in facts.items() if k not in ("seconds", "incremental")}).encode()
    return found


def whole(source: Path, earlier: Path) -> dict[str, bytes]:
    """What a whole reading gives in a folder that holds what `earlier` holds: the report tells of earlier results."""
    fresh = earlier.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(earlier, fresh)
    assert audit(source, fresh).code in DONE
    return content(fresh)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that a reading looks into, as it goes."""
    found: list[str] = []
    look = fhir._look

    def watched(file: Any) -> Any:
        found.append(file.name)
        return look(file)

    monkeypatch.setattr(fhir, "_look", watched)
    return found


def lay_out(folder: Path, rows: list[dict[str, Any]], chance: random.Random, part: str) -> None:
    """Write resources over files of every form: by type, mixed, Bundles (one in another), packed, with lines that are none."""
    chance.shuffle(rows)
    thirds = [rows[0::3], rows[1::3], rows[2::3]]
    for kind in {r["resourceType"] for r in thirds[0]}:
        packed = chance.choice(["", ".gz"])
        records.write(folder / f"{part}-{kind}.ndjson{packed}", *(r for r in thirds[0] if r["resourceType"] == kind))
    nameless = [{k: v for k, v in r.items() if k != "id"} for r in thirds[1] if r["resourceType"] == "Observation"][:4]
    odd = ["not JSON", "", json.dumps({"id": "of no type"}), json.dumps({"resourceType": "Basic", "id": part})]
    records.write(folder / part / "mixed.ndjson", *thirds[1], *nameless, *odd)
    inner = records.bundle(thirds[2][:5]) | {"id": f"{part}-inner"}
    records.write(folder / part / "bundle.json", records.bundle([*thirds[2][5:], inner], "transaction"))
    own = records.bundle([records.patient(f"own-{part}"), records.observation("x", f"own-{part}", records.WBC, **LOW)])
    own["entry"][0]["fullUrl"] = "urn:uuid:the-same"
    own["entry"][1]["resource"]["subject"]["reference"] = "urn:uuid:the-same"
    records.write(folder / part / "own.json", own)  # an address that means somebody else in every Bundle
    records.write(folder / part / "single.json", thirds[2][0])
    records.write(folder / part / "empty.ndjson")


@pytest.mark.parametrize("seed", range(4))
def test_what_came_changed_or_went_is_read_and_nothing_else(tmp_path: Path, opened: list[str], seed: int) -> None:
    chance = random.Random(seed)
    everybody = people.persons(24, seed=seed)
    source, out = tmp_path / "source", tmp_path / "out"
    for part, some in (("a", everybody[:10]), ("b", everybody[6:16])):  # persons 6 to 9 are in both, word for word
        lay_out(source, [row for person in some for row in person], chance, part)
    assert audit(source, out, "--incremental").code in DONE
    before = {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file()}
    assert set(opened) == before

    lay_out(source, [row for person in everybody[12:] for row in person], chance, "c")
    changed = source / "a" / "mixed.ndjson"
    changed.write_text("".join(changed.read_text().splitlines(keepends=True)[1:]))
    gone = source / "b" / "single.json"
    gone.unlink()
    expected = whole(source, out)
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    now = {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file()}
    assert sorted(opened) == sorted((now - before) | {"a/mixed.ndjson"})
    told = json.loads((out / "run.json").read_bytes())["incremental"]
    assert told == {"files_read": len(opened), "files_kept": len(now) - len(opened)}

    assert content(out) == expected
    expected = whole(source, out)
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    assert opened == []
    assert content(out) == expected


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return records.write_bulk(tmp_path / "source", [row for person in people.persons(8, seed=9) for row in person])


def test_a_file_of_other_content_but_the_same_size_and_time_is_seen(source: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", source / "Patient.ndjson"
    assert audit(source, out, "--incremental").code in DONE
    stamp, text = file.stat(), file.read_text()
    assert '"female"' in text
    file.write_text(text.replace('"female"', '"male"  '))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    expected = whole(source, out)
    assert audit(source, out, "--incremental").code in DONE
    assert content(out) == expected


def test_a_copy_elsewhere_is_known_by_its_content_if_that_was_hashed(
    source: Path, tmp_path: Path, opened: list[str]
) -> None:
    assert audit(source, tmp_path / "out", "--incremental", "--hash", "full").code in DONE
    shutil.copytree(source, tmp_path / "copy", copy_function=shutil.copyfile)
    opened.clear()
    assert audit(tmp_path / "copy", tmp_path / "out", "--incremental", "--hash", "full").code in DONE
    assert opened == []


@pytest.mark.parametrize("fault", ["torn", "other reader", "no database"])
def test_what_cannot_be_used_is_read_again(source: Path, tmp_path: Path, opened: list[str], fault: str) -> None:
    out = tmp_path / "out"
    assert audit(source, out, "--incremental").code in DONE
    expected = content(out)
    kept = out / READINGS / "fhir.duckdb"
    if fault == "torn":
        kept.write_bytes(kept.read_bytes()[:2000])
    elif fault == "no database":
        kept.write_text("not a database")
    else:
        with duckdb.connect(kept) as database:
            database.execute("update form set form = 'earlier'")
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    assert opened
    assert content(out) == expected
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    assert opened == []


def test_an_interrupted_keeping_leaves_what_was_kept_before(
    source: Path, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert audit(source, out, "--incremental").code in DONE
    records.write(source / "more.ndjson", *people.persons(1, seed=77)[0])
    with monkeypatch.context() as patched:

        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        patched.setattr(fhir._Reading, "families", interrupt)
        patched.setattr("tellapart.events.readers.fhir_kept.Attached.keep", interrupt)
        assert audit(source, out, "--incremental").code == 130
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    assert opened == ["more.ndjson"]


@pytest.mark.parametrize("room", [4096, 100_000])
def test_a_full_disk_is_said_and_harms_nothing(source: Path, tmp_path: Path, room: int) -> None:
    """No file may grow beyond `room` bytes: what a full disk does to whoever writes."""
    out = tmp_path / "out"
    assert audit(source, out).code in DONE
    earlier = content(out)
    program = "from tellapart.doors.cli import main; main()"
    command = [sys.executable, "-c", program, "audit", str(source), "--out", str(out), "--quiet", "--incremental"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
    run = subprocess.run(command, preexec_fn=limit, capture_output=True, check=False)
    said = " ".join(run.stderr.decode().split())
    assert run.returncode == 1 and "cannot be kept" in said and "without --incremental" in said
    assert "Traceback" not in said
    assert content(out) == earlier
    expected = whole(source, out)
    assert audit(source, out, "--incremental").code in DONE
    assert content(out) == expected


def test_other_sources_are_said_to_be_read_whole(source: Path, tmp_path: Path) -> None:
    assert run_cli("simulate", "-n", "5", "--format", "omop", "--out", tmp_path / "s").code == 0
    run = audit(tmp_path / "s" / "omop", tmp_path / "out", "--incremental")
    assert run.code == 2 and "read whole each time" in run.said
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_without_it_leaves_what_is_kept(source: Path, tmp_path: Path, opened: list[str]) -> None:
    out = tmp_path / "out"
    assert audit(source, out, "--incremental").code in DONE
    assert audit(source, out).code in DONE
    opened.clear()
    assert audit(source, out, "--incremental").code in DONE
    assert opened == []
