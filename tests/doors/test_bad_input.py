"""Bad input, from the door to the files: a clear error or a line in `rejected.ndjson`; nothing is lost unsaid."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import records
from records import WBC, Resource, bundle, concept, condition, observation, patient, quantity, write
from shell import Run, run_cli

pytestmark = pytest.mark.proves("hostile_text", "silent_loss", "unit_slip")

CLASSES = ("used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")
ANA_1_320: Resource = observation("a", "good", records.ANA, valueString="1:320")

# Rows that harm only themselves: id, the row, its class, and a word that the reason or the field must hold.
ROWS: list[tuple[Resource, str, str]] = [
    (observation("nobody", "to-nobody", WBC, **quantity(3, "10*9/L")), "rejected", "Patient/nobody"),
    (observation("a", "no-subject", WBC, **quantity(3, "10*9/L")) | {"subject": None}, "rejected", "subject"),
    (observation("a", "year-0", WBC, "0000-00-00", **quantity(3, "10*9/L")), "rejected", "date"),
    (observation("a", "year-2999", WBC, "2999-01-01", **quantity(3, "10*9/L")), "rejected", "date"),
    (observation("a", "30-february", WBC, "2021-02-30", **quantity(3, "10*9/L")), "rejected", "date"),
    (observation("a", "no-unit", WBC, **quantity(3.1)), "rejected", "unit"),
    (observation("a", "odd-unit", WBC, **quantity(3.1, "furlong")), "rejected", "furlong"),
    (observation("a", "negative", WBC, **quantity(-3, "10*9/L")), "rejected", "negative"),
    (observation("a", "text", WBC, **quantity("three", "10*9/L")), "rejected", "three"),
    (observation("a", "huge", WBC, **quantity(1e300, "10*9/L")), "rejected", "plausible"),
    (observation("a", "not-a-number", WBC, **quantity("NaN", "10*9/L")), "rejected", "NaN"),
    (observation("a", "odd-word", records.ANA, valueString="see letter"), "rejected", "wording"),
    (observation("a", "odd-shape", WBC) | {"code": "6690-2"}, "rejected", "code"),
    (condition("a", "future-diagnosis", records.SLE, onset="2999-01-01"), "rejected", "date"),
    ({"resourceType": "Starship", "id": "unknown-type"}, "unmapped", ""),
    ({"resourceType": "Claim", "id": "not-needed"}, "not_needed", ""),
    (observation("a", "odd-code", "0000-0", **quantity(1, "1")), "unmapped", ""),
    (observation("a", "withdrawn", WBC, **quantity(1, "10*9/L")) | {"status": "entered-in-error"}, "withdrawn", ""),
    (ANA_1_320, "used", ""),
]
LINES = [
    '{"resourceType": "Observation", "id": "cut',
    "not json at all",
    "[1, 2]",
    "null",
    '{"id": "no-type"}',
    '"text"',
]


def checked(out: Path, run: Run) -> dict[str, Any]:
    """The accounting of an audit, after checking that it adds up and that nothing rejected is unlisted."""
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))
    total = facts["accounting"]
    assert total["read"] == sum(total[c] for c in CLASSES), total
    for one in facts["accounting_by_source_type"]:
        assert one["read"] == sum(one[c] for c in CLASSES), one
    rejected = listed(out)
    assert len({(r["file"], r["line"], r["reference"]) for r in rejected}) >= total["rejected"]
    assert run.code == (3 if rejected else 0)
    return dict(total)


def listed(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rejected.ndjson").read_text(encoding="utf-8").splitlines()]


def rejected_by(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Resource id to everything that is said of it."""
    made: dict[str, str] = {}
    for row in rows:
        name = str(row["reference"]).split("/")[-1]
        made[name] = made.get(name, "") + " ".join(str(v) for v in row.values())
    return made


# -- rows


@pytest.mark.parametrize("form", ["bundle", "lines"])
def test_bad_rows_harm_only_themselves(tmp_path: Path, form: str) -> None:
    rows = [patient("a"), patient("b"), *(row for row, _, _ in ROWS), ANA_1_320]
    if form == "bundle":
        source, lines = write(tmp_path / "in" / "all.json", bundle(rows)), []
    else:
        lines = [*LINES, "", "   "]
        source = write(
            tmp_path / "in" / "all.ndjson", b"\xef\xbb\xbf" + json.dumps(rows[0]).encode(), *rows[1:], *lines
        )
    run = run_cli("audit", source, "--out", tmp_path / "out", "--as-of", "2026-01-01")
    total = checked(tmp_path / "out", run)
    said = rejected_by(listed(tmp_path / "out"))
    for row, kind, word in ROWS:
        assert (row["id"] in said) == (kind == "rejected"), row["id"]
        assert word in said.get(row["id"], ""), (row["id"], said[row["id"]])
    expected = {c: sum(kind == c for _, kind, _ in ROWS) for c in CLASSES}
    expected["used"] += 2
    expected["duplicate"] += 1
    expected["rejected"] += len(LINES) if lines else 0
    assert {c: total[c] for c in CLASSES} == expected

    work = run_cli(
        "workup", source, "--person", "a", "--as-of", "2026-01-01", "--json", "--rejected", tmp_path / "r.ndjson"
    )
    assert work.code == 3
    assert {f["finding"] for f in work.json["findings"] if not f["implied"]} >= {"ana_ge_320"}
    assert not any("leuko" in f["finding"] or "wbc" in f["finding"] for f in work.json["findings"])
    assert {c: work.json["coverage"][c] for c in CLASSES} == expected
    assert (tmp_path / "r.ndjson").read_text() == (tmp_path / "out" / "rejected.ndjson").read_text()


def test_the_likely_unit_is_named_and_never_applied(tmp_path: Path) -> None:
    rows = [
        patient("a"),
        observation("a", "bare", WBC, **quantity(3100)),
        observation("a", "small", WBC, **quantity(3.1)),
    ]
    run = run_cli("audit", write(tmp_path / "a.ndjson", *rows), "--out", tmp_path / "out")
    checked(tmp_path / "out", run)
    said = rejected_by(listed(tmp_path / "out"))
    assert "likely" in said["bare"] and "/uL" in said["bare"]
    assert "10*9/L" in said["small"]


def test_an_impossible_birth_date_is_said_and_the_person_stays(tmp_path: Path) -> None:
    source = write(tmp_path / "a.json", bundle([patient("a", birthDate="0000-13-99"), ANA_1_320]))
    run = run_cli("audit", source, "--out", tmp_path / "out")
    checked(tmp_path / "out", run)
    (row,) = listed(tmp_path / "out")
    assert (row["field"], row["value"], run.code) == ("birth_date", "0000-13-99", 3)


def test_one_bad_part_of_a_row_is_said_though_the_row_is_used(tmp_path: Path) -> None:
    panel = observation("a", "panel", "58410-2") | {
        "component": [
            {"code": concept(WBC, records.LOINC), **quantity(2.9, "10*9/L")},
            {"code": concept(records.PLATELETS, records.LOINC), **quantity("few", "10*9/L")},
        ]
    }
    run = run_cli("audit", write(tmp_path / "a.json", bundle([patient("a"), panel])), "--out", tmp_path / "out")
    total = checked(tmp_path / "out", run)
    assert (total["used"], total["rejected"], run.code) == (2, 0, 3)
    assert "few" in str(listed(tmp_path / "out"))
    assert run_cli("workup", tmp_path / "a.json", "--json").code == 3


def test_the_same_id_twice_with_other_content_counts_once(tmp_path: Path) -> None:
    rows = [
        patient("a"),
        observation("a", "o", WBC, **quantity(2.9, "10*9/L")),
        observation("a", "o", WBC, **quantity(9, "10*9/L")),
    ]
    run = run_cli("audit", write(tmp_path / "a.ndjson", *rows), "--out", tmp_path / "out")
    total = checked(tmp_path / "out", run)
    assert (total["used"], total["duplicate"]) == (2, 1)


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    """Markup, quotes, console markup and SQL in ids and texts are shown, never run."""
    name = "'; drop table persons; --<script>alert(1)<script>[red]"
    rows = [
        patient(name),
        observation(name, "o[/]", records.ANA, valueString="1:320") | {"note": [{"text": "<b>"}]},
        observation(name, "bad[bold]", WBC, **quantity("<script>alert(2)</script>[/red]", "10*9/L")),
    ]
    source = write(tmp_path / "it's [bold] a file.ndjson", *rows)
    run = run_cli("audit", source, "--out", tmp_path / "o'ut [x]")
    checked(tmp_path / "o'ut [x]", run)
    page = (tmp_path / "o'ut [x]" / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    work = run_cli("workup", source, "--json")
    assert work.json["person"]["id"] == name
    assert "[/red]" in work.said
    assert run_cli("workup", source, "--html", tmp_path / "w.html").code == 3
    assert "<script>" not in (tmp_path / "w.html").read_text(encoding="utf-8")
    shown = run_cli("workup", source)
    assert shown.code == 3 and "[red]" in shown.out


# -- one line as long as a film


def long_line(folder: Path, size: int) -> Path:
    """A good person, and a row with `size` bytes on one line."""
    path = write(folder / "long.ndjson", patient("a"), ANA_1_320)
    with path.open("ab") as opened:
        opened.write(b'{"resourceType": "Observation", "id": "long", "note": [{"text": "')
        for _ in range(size // 1_000_000):
            opened.write(b"x" * 1_000_000)
        opened.write(b'"}]}\n' + json.dumps(condition("a", "after", records.SLE)).encode() + b"\n")
    return path


@pytest.mark.parametrize("megabytes", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_a_very_long_line(tmp_path: Path, megabytes: int) -> None:
    source = long_line(tmp_path, megabytes * 1_000_000)
    run = run_cli("audit", source, "--out", tmp_path / "out", "--memory", "1GB")
    total = checked(tmp_path / "out", run)
    assert total["read"] == 4
    assert total["used"] == 3, "the rows around the long line are read"
    assert run.code == 3
    (row,) = listed(tmp_path / "out")
    assert row["line"] == 3 and row["reason"] and row["what_to_do"]
    assert len(row["value"] or "") < 2000, "the line itself is not copied"


@pytest.mark.slow
def test_a_very_long_line_that_never_ends(tmp_path: Path) -> None:
    source = long_line(tmp_path, 200_000_000)
    with source.open("rb+") as opened:
        opened.truncate(150_000_000)
    run = run_cli("audit", source, "--out", tmp_path / "out", "--memory", "1GB")
    assert checked(tmp_path / "out", run)["rejected"] == 1


# -- files


def cut_gzip(folder: Path) -> Path:
    """A gzip of which the end is missing, after whole rows."""
    rows = [
        patient("a"),
        ANA_1_320,
        *(observation("a", f"o{n}", WBC, note=[{"text": os.urandom(99).hex()}]) for n in range(3000)),
    ]
    path = write(folder / "cut.ndjson.gz", *rows)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def test_a_gzip_that_was_cut_off(tmp_path: Path) -> None:
    run = run_cli("audit", cut_gzip(tmp_path), "--out", tmp_path / "out")
    total = checked(tmp_path / "out", run)
    assert run.code == 3 and total["read"] > 100
    assert any(r["file"] == "cut.ndjson.gz" and "cut off" in r["reason"] for r in listed(tmp_path / "out"))
    assert run_cli("workup", tmp_path / "cut.ndjson.gz", "--json").code == 3


def test_a_bad_file_beside_good_ones(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "a.json", bundle([patient("a"), ANA_1_320]))
    write(folder / "b.json", '{"resourceType": "Bundle", "entry": [')
    write(folder / "c.ndjson.gz", patient("c")).write_bytes(b"\x1f\x8bnot really")
    write(folder / "d.ndjson").write_bytes(b"")
    write(folder / "e.ndjson").write_bytes(bytes(range(256)) * 40)
    (folder / "readme.txt").write_text("not a record")
    run = run_cli("audit", folder, "--out", tmp_path / "out")
    checked(tmp_path / "out", run)
    assert run.code == 3
    assert {r["file"] for r in listed(tmp_path / "out")} >= {"b.json", "c.ndjson.gz", "e.ndjson"}
    assert run_cli("workup", folder, "--json").json["person"]["id"] == "a"


def test_a_small_gzip_that_was_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "small.ndjson.gz", patient("a"), ANA_1_320)
    path.write_bytes(path.read_bytes()[:-12])
    run = run_cli("audit", path, "--out", tmp_path / "out")
    assert run.code in (1, 3)
    if run.code == 1:
        assert ("small.ndjson.gz" in run.said and "cut" in run.said) or "ended" in run.said
    else:
        checked(tmp_path / "out", run)


def named(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


UNUSABLE: dict[str, Callable[[Path], Path]] = {
    "not JSON": named("x.json", b"Dear colleague, thank you for referring"),
    "half a Bundle": named("x.json", b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Pat'),
    "no gzip": named("x.ndjson.gz", b"this is no gzip at all"),
    "gzip cut at once": named("x.ndjson.gz", gzip.compress(b'{"resourceType": "Patient", "id": "a"}')[:12]),
    "empty file": named("x.ndjson", b""),
    "blank file": named("x.json", b" \n\n\t\n"),
    "only a byte order mark": named("x.json", b"\xef\xbb\xbf"),
    "binary": named("x.json", bytes(range(256)) * 100),
    "binary without a known name": named("x.bin", bytes(range(256)) * 100),
    "UTF-16": named("x.json", json.dumps(patient("a")).encode("utf-16")),
    "an empty Bundle": named("x.json", b'{"resourceType": "Bundle", "type": "collection"}'),
    "nobody": named("x.json", json.dumps(bundle([{"resourceType": "Starship", "id": "x"}])).encode()),
    "a statement about nobody": named("x.json", json.dumps(bundle([ANA_1_320])).encode()),
    "empty folder": empty_folder,
    "nowhere": lambda folder: folder / "nowhere",
    "a broken case": named("x.toml", b'schema = "tellapart.case/1"\n[person\n'),
    "a case of a later version": named("x.json", b'{"schema": "tellapart.case/9", "person": {"id": "x"}}'),
}


@pytest.mark.parametrize("what", UNUSABLE)
@pytest.mark.parametrize("command", ["workup", "audit"])
def test_an_unusable_source_is_a_clear_error(tmp_path: Path, command: str, what: str) -> None:
    source = UNUSABLE[what](tmp_path)
    options = ["--json"] if command == "workup" else ["--out", tmp_path / "out"]
    run = run_cli(command, source, *options)
    assert (run.code, run.out) == (1, ""), run.err
    assert "error" in run.said
    assert source.name in run.said, "the source is not named"


@pytest.mark.parametrize("what", ["a statement about nobody", "nobody"])
def test_why_there_is_nobody_is_said(tmp_path: Path, what: str) -> None:
    source = UNUSABLE[what](tmp_path)
    run = run_cli("workup", source, "--rejected", tmp_path / "r.ndjson", "--json")
    assert "Patient" in run.said
    if what != "nobody":
        assert "Patient/a" in run.said
        assert "Patient/a" in (tmp_path / "r.ndjson").read_text()


@pytest.mark.parametrize("command", ["workup", "audit"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, what: str) -> None:
    """As root every file can be read, so there the refusal of the system is played."""
    source = write(tmp_path / "in" / "a.json", bundle([patient("a")]))
    chosen = source if what == "file" else source.parent
    if os.geteuid() != 0:
        chosen.chmod(0)
    else:
        real_open, real_scan = Path.open, os.scandir

        def refuse(path: Path, *arguments: Any, **named: Any) -> Any:
            if Path(path) == source:
                raise PermissionError(13, "Permission denied", str(path))
            return real_open(path, *arguments, **named)

        def refuse_scan(path: Any = ".") -> Any:
            if what == "folder" and isinstance(path, str | Path) and Path(path) == source.parent:
                raise PermissionError(13, "Permission denied", str(path))
            return real_scan(path)

        monkeypatch.setattr(Path, "open", refuse)
        monkeypatch.setattr(os, "scandir", refuse_scan)
    try:
        options = ["--json"] if command == "workup" else ["--out", tmp_path / "out"]
        run = run_cli(command, chosen, *options)
        assert (run.code, run.out) == (1, ""), run.err
        assert "ermission" in run.said and chosen.name in run.said
    finally:
        chosen.chmod(0o755)


def test_out_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "a.json", bundle([patient("a"), ANA_1_320]))
    monkeypatch.setattr(os, "access", lambda *_: False)
    run = run_cli("audit", source, "--out", tmp_path / "out")
    assert (run.code, run.out) == (1, "")
    assert "permission" in run.said


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "a.json", bundle([patient("a"), ANA_1_320]))

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    run = run_cli("audit", source, "--out", tmp_path / "out")
    assert (run.code, run.out) == (1, "")
    assert "No space left" in run.said
    assert not (tmp_path / "out" / "run.json").exists()
