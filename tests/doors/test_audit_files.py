"""What `audit` leaves in its folder: every file of the contract, whole, countable, the same for the same input."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import people
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import records
from records import Resource
from shell import Run, run_cli

import tellapart.contracts

pytestmark = pytest.mark.proves("silent_loss", "future_leak", "small_count_leaves")

SCHEMAS = Path(tellapart.contracts.__file__).parent / "schemas"
FILES = {
    "persons.parquet", "findings.parquet", "worklist.csv", "report.html", "aggregate.csv", "rejected.ndjson", "run.json",
    "records.parquet", "flares.parquet",
}  # fmt: skip
SETS = (
    "eular_acr_2019",
    "slicc_2012",
    "acr_1997",
    "slerpi",
    "fm_2016",
    "fm_2011",
    "fm_2010",
    "fm_1990",
    "aapt_2019",
    "first",
)
HYPOTHESES = ("sle", "fm", "both", "neither")
CALLS = {*HYPOTHESES, "undetermined"}
CLASSES = ("used", "unmapped", "not_needed", "withdrawn", "duplicate", "after_as_of", "rejected")
DAY = "2022-06-30"
TEXT, REAL, WHOLE, DAY_TYPE, TRUTH = pa.string(), pa.float64(), "whole", pa.date32(), pa.bool_()

PERSONS: list[tuple[str, Any]] = [
    ("person_id", TEXT), ("sex", TEXT), ("birth_date", DAY_TYPE), ("age", WHOLE), ("setting", TEXT), ("call", TEXT),
    *((f"p_{h}{end}", REAL) for h in HYPOTHESES for end in ("", "_low", "_high")),
    *(
        (f"{s}_{column}", kind)
        for s in SETS
        for column, kind in (
            ("points", REAL), ("points_attributed", REAL), ("points_specific", REAL), ("met", TRUTH),
            ("met_attributed", TRUTH), ("met_specific", TRUTH), ("met_date", DAY_TYPE),
        )
    ),
    ("sle_dx_first", DAY_TYPE), ("sle_dx_days", WHOLE), ("fm_dx_first", DAY_TYPE), ("fm_dx_days", WHOLE),
    ("reasons", pa.list_(TEXT)), ("red_flags", pa.list_(TEXT)),
]  # fmt: skip
FINDINGS: list[tuple[str, Any]] = [
    ("person_id", TEXT), ("finding", TEXT), ("state", TEXT), ("first_date", DAY_TYPE), ("last_date", DAY_TYPE),
    ("present_days", WHOLE), ("absent_days", WHOLE), ("by", TEXT), ("fm_explains", TEXT), ("contested_by", TEXT),
    ("reference", TEXT),
]  # fmt: skip


class Audited:
    """A folder of results, read."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder, self.run = folder, run
        self.persons = pq.read_table(folder / "persons.parquet").to_pylist()
        self.findings = pq.read_table(folder / "findings.parquet").to_pylist()
        with (folder / "worklist.csv").open(encoding="utf-8", newline="") as opened:
            self.worklist = list(csv.DictReader(opened))
        self.rejected = [json.loads(line) for line in (folder / "rejected.ndjson").read_text("utf-8").splitlines()]
        self.facts: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))

    def bytes(self, *leave: str) -> dict[str, bytes]:
        """File to content; of `run.json` what has no time in it."""
        found = {p.name: p.read_bytes() for p in self.folder.iterdir() if p.name not in leave}
        if "run.json" in found:
            kept = {k: v for k, v in self.facts.items() if k != "seconds"}
            found["run.json"] = json.dumps(kept, sort_keys=True).encode()
        return found


def audited(source: Path, out: Path, *options: object) -> Audited:
    run = run_cli("audit", source, "--out", out, *options)
    assert run.code in (0, 3), run.err
    return Audited(out, run)


@pytest.fixture(scope="module")
def rows() -> list[Resource]:
    """Some 80 generated persons, and rows that land in every class of the accounting."""
    made = [row for person in people.persons(80, seed=7) for row in person]
    made.append({"resourceType": "Claim", "id": "bill"})
    made.append(records.observation("p00001", "shoe-size", "0000-0", **records.quantity(39)))
    made.append(records.observation("p00001", "future", records.WBC, "2090-01-01", **records.quantity(5, "10*3/uL")))
    made += made[5:9]
    return made


@pytest.fixture(scope="module")
def bulk(rows: list[Resource], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return records.write_bulk(tmp_path_factory.mktemp("bulk"), rows)


@pytest.fixture(scope="module")
def results(bulk: Path, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return audited(bulk, tmp_path_factory.mktemp("audit") / "out", "--threads", 2)


def columns(path: Path) -> list[tuple[str, Any]]:
    return [(f.name, WHOLE if pa.types.is_integer(f.type) else f.type) for f in pq.read_schema(path)]


def plain(columns: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Types as words; the name of a list's element does not matter."""
    return [
        (name, "list" if not isinstance(kind, str) and pa.types.is_list(kind) else str(kind)) for name, kind in columns
    ]


def test_all_files_and_no_other(results: Audited) -> None:
    assert {p.name for p in results.folder.iterdir()} == FILES


def test_persons_has_the_columns_of_the_contract(results: Audited) -> None:
    assert plain(columns(results.folder / "persons.parquet")) == plain(PERSONS)


def test_findings_has_the_columns_of_the_contract(results: Audited) -> None:
    assert plain(columns(results.folder / "findings.parquet")) == plain(FINDINGS)


def test_every_person_read_has_one_row(results: Audited) -> None:
    ids = [p["person_id"] for p in results.persons]
    assert ids == sorted(set(ids)) == [f"p{n:05d}" for n in range(80)]
    assert results.facts["persons"] == 80


def test_values_of_persons_are_possible(results: Audited) -> None:
    for p in results.persons:
        assert p["call"] in CALLS and p["sex"] in ("female", "male", "other", "unknown")
        assert abs(sum(p[f"p_{h}"] for h in HYPOTHESES) - 1) < 5e-6
        assert all(p[f"p_{h}"] == round(p[f"p_{h}"], 6) for h in HYPOTHESES)
        bounded = [p[f"p_{h}_low"] is not None for h in HYPOTHESES]
        assert len(set(bounded)) == 1
        if bounded[0]:
            assert all(p[f"p_{h}_low"] <= p[f"p_{h}"] <= p[f"p_{h}_high"] for h in HYPOTHESES)
        else:
            assert p["call"] == "neither" and p["reasons"] == []
            assert all(p[f"{s}_{c}"] is None for s in SETS[:4] for c in ("points_specific", "met_specific", "met_date"))
        assert p["sle_dx_days"] >= 0 and (p["sle_dx_days"] == 0 or p["call"] in CALLS)


def test_findings_are_those_of_persons_of_interest(results: Audited) -> None:
    interest = {p["person_id"] for p in results.persons if p["p_sle_low"] is not None}
    assert {f["person_id"] for f in results.findings} <= interest
    assert len(interest) == results.facts["persons_of_interest"]
    for f in results.findings:
        assert f["state"] in ("present", "absent")
        assert f["first_date"] is None or f["first_date"] <= f["last_date"]
        assert f["present_days"] + f["absent_days"] >= 1
    pairs = [(f["person_id"], f["finding"]) for f in results.findings]
    assert pairs == sorted(set(pairs))


def test_the_worklist_is_in_order_and_agrees_with_persons(results: Audited) -> None:
    header = (results.folder / "worklist.csv").read_text(encoding="utf-8").split("\n", 1)[0].strip()
    assert header == "rank,person_id,reason,urgency,text,evidence,evidence_reference,next_test"
    assert [int(w["rank"]) for w in results.worklist] == list(range(1, len(results.worklist) + 1))
    assert results.worklist, "the generated persons should give somebody a reason"
    listed: dict[str, list[str]] = {}
    for w in results.worklist:
        listed.setdefault(w["person_id"], []).append(w["reason"])
    assert listed == {p["person_id"]: p["reasons"] for p in results.persons if p["reasons"]}


def test_what_leaves_the_site_is_protected(results: Audited) -> None:
    with (results.folder / "aggregate.csv").open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        cells = list(reader)
    header = "table,row,column,count,denominator,value,low,high,suppressed"
    assert ",".join(reader.fieldnames or ()) == header
    assert cells
    for cell in cells:
        assert cell["suppressed"] in ("true", "false")
        if cell["suppressed"] == "true":
            assert (cell["count"], cell["value"]) == ("", "")
        else:
            assert int(cell["count"]) > 7
            assert int(cell["count"]) % 5 == 0
    for place in {(c["table"], c["row"]) for c in cells}:
        hidden = [c for c in cells if (c["table"], c["row"]) == place and c["suppressed"] == "true"]
        assert len(hidden) != 1, f"{place}: the one suppressed count is the total less the others"
    text = (results.folder / "aggregate.csv").read_text(encoding="utf-8")
    assert "p000" not in text, "a person is named in the file that leaves the site"


def test_the_shareable_report_holds_safe_counts_and_no_person(bulk: Path, results: Audited, tmp_path: Path) -> None:
    shared = audited(bulk, tmp_path / "out", "--shareable")
    page = (shared.folder / "report.html").read_text(encoding="utf-8")
    assert "p000" not in page and "Worklist" not in page and "Accounting" not in page
    assert "80 persons" in page and "suppressed" in page and "changed data" in page
    body = page.split("</style>")[1]
    small = [n for n in re.findall(r'<td class="num">([0-9,]+)</td>', body) if int(n.replace(",", "")) % 5]
    assert not small, f"counts that are not rounded: {small}"
    assert shared.bytes("run.json", "report.html") == results.bytes("run.json", "report.html")


def test_an_earlier_aggregate_of_nearly_the_same_persons_is_warned_of(rows: list[Resource], tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    records.write_bulk(source, rows)
    audited(source, out)
    again = audited(source, out, "--setting", "primary_care")
    said = "made from other data"
    assert said not in (out / "report.html").read_text(encoding="utf-8"), "the same data is safe"
    records.write_bulk(source, [r for r in rows if not str(r["id"]).startswith("p00003")])
    again = audited(source, out)
    assert again.facts["persons"] == 79
    assert said in (out / "report.html").read_text(encoding="utf-8")


def test_few_persons_make_no_shareable_report(tmp_path: Path) -> None:
    source = records.write(tmp_path / "source" / "a.ndjson", *(records.patient(p) for p in "abcdefg")).parent
    run = run_cli("audit", source, "--out", tmp_path / "out", "--shareable")
    assert (run.code, run.out) == (2, "") and "--shareable" in run.said


def test_the_report_is_one_page_that_opens_offline(results: Audited) -> None:
    page = (results.folder / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "<script" not in page and 'src="http' not in page and "<link" not in page
    assert "general population" in page.lower() or "rheumatology" in page.lower()


def test_run_json_keeps_its_contract(results: Audited) -> None:
    jsonschema.validate(results.facts, json.loads((SCHEMAS / "run.schema.json").read_text(encoding="utf-8")))
    assert {f["file"] for f in results.facts["inputs"]} == {
        f"{kind}.ndjson"
        for kind in ("Patient", "Observation", "Condition", "MedicationRequest", "QuestionnaireResponse", "Claim")
    }


def test_the_summary_keeps_its_contract(bulk: Path, tmp_path: Path) -> None:
    from cohort import warm

    from tellapart.tasks.audit import audit
    from tellapart.tasks.session import Options

    summary = audit(warm(), bulk, tmp_path / "out", Options())
    jsonschema.validate(
        json.loads(json.dumps(summary)), json.loads((SCHEMAS / "report.schema.json").read_text(encoding="utf-8"))
    )


def test_every_source_row_is_accounted_for_once(results: Audited, rows: list[Resource]) -> None:
    total = results.facts["accounting"]
    assert total["read"] == len(rows)
    assert total["read"] == sum(total[c] for c in CLASSES)
    assert all(total[c] > 0 for c in CLASSES), f"a class of which the test has no row: {total}"
    by_type = results.facts["accounting_by_source_type"]
    for one in by_type:
        assert one["read"] == sum(one[c] for c in CLASSES), one
        assert one["read"] == sum(r["resourceType"] == one["source_type"] for r in rows), one
    assert {c: sum(one[c] for one in by_type) for c in CLASSES} == {c: total[c] for c in CLASSES}


def test_every_rejected_row_is_listed_with_its_place(results: Audited) -> None:
    assert len({(r["file"], r["line"]) for r in results.rejected}) >= results.facts["accounting"]["rejected"]
    for r in results.rejected:
        assert r["file"] and r["line"] and r["reference"] and r["reason"] and r["what_to_do"], r
    assert results.run.code == 3
    assert "rejected" in results.run.said


def test_the_setting_is_named_on_stderr_and_at_the_head_of_the_report(results: Audited) -> None:
    assert "general_population" in results.run.said and "rheumatology_referral" in results.run.said
    assert "as of" in results.run.said


# -- the same input gives the same bytes


def test_again_with_one_thread_and_little_memory(results: Audited, bulk: Path, tmp_path: Path) -> None:
    again = audited(bulk, tmp_path / "out", "--threads", 1, "--memory", "500MB")
    assert again.bytes() == results.bytes()


def test_again_into_the_same_folder_replaces_every_file(results: Audited, bulk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = audited(bulk, out)
    (out / "persons.parquet.part").write_bytes(b"left by an interrupted run")
    second = audited(bulk, out)
    assert second.bytes() == first.bytes() == results.bytes()


@pytest.mark.parametrize("form", ["bundle", "transaction", "bundles", "packed"])
def test_every_form_of_the_same_records_gives_the_same_persons(
    results: Audited, rows: list[Resource], tmp_path: Path, form: str
) -> None:
    source = tmp_path / "source"
    if form == "packed":
        records.write_bulk(source, rows, packed=True)
    elif form == "bundles":
        for number in range(80):
            name = f"p{number:05d}"
            own = [r for r in rows if r["id"] == name or str(r["id"]).startswith(f"{name}-")]
            records.write(source / f"{name}.json", records.bundle(own, "transaction"))
        loose = [r for r in rows if r["id"] in ("bill", "shoe-size", "future")]
        records.write(source / "loose.json", records.bundle(loose))
    else:
        records.write(source / "all.json", records.bundle(rows, "collection" if form == "bundle" else "transaction"))
    found = audited(source, tmp_path / "out")
    kept = ("run.json", "rejected.ndjson", "report.html")
    assert found.bytes(*kept) == results.bytes(*kept)
    if form != "bundles":  # there the copies were left out
        assert found.facts["accounting"] == results.facts["accounting"]


# -- nothing known after the day leaks into it


def known_day(row: Resource) -> str | None:
    """The day on which a row became known, by the rules of the format; None without any date."""
    dates = [
        row.get(k) for k in ("effectiveDateTime", "onsetDateTime", "issued", "recordedDate", "authoredOn", "authored")
    ]
    days = [f"{d}-01-01"[:10] if len(str(d)) == 4 else f"{d}-01"[:10] for d in dates if d]
    return max(days, default=None)


def test_as_of_a_day_equals_a_source_that_ends_that_day(rows: list[Resource], tmp_path: Path) -> None:
    known = [r for r in rows if r["resourceType"] == "Patient" or (known_day(r) or "9999") <= DAY]
    assert 0.2 < len(known) / len(rows) < 0.8
    whole = audited(records.write_bulk(tmp_path / "whole", rows), tmp_path / "a", "--as-of", DAY)
    ended = audited(records.write_bulk(tmp_path / "ended", known), tmp_path / "b", "--as-of", DAY)
    kept = ("run.json", "rejected.ndjson", "report.html")
    assert whole.bytes(*kept) == ended.bytes(*kept)
    assert whole.facts["accounting"]["after_as_of"] > 100
    for p in whole.persons:
        days = [v for k, v in p.items() if k.endswith("_met_date") or k.endswith("_dx_first")]
        assert all(d is None or d <= date.fromisoformat(DAY) for d in days)


# -- a folder that is not ours


def test_a_folder_with_other_files_is_refused_and_untouched(bulk: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    run = run_cli("audit", bulk, "--out", tmp_path)
    assert (run.code, run.out) == (2, "")
    assert "thesis.docx" in run.said
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_out_cannot_be_a_file_nor_lie_in_the_source(bulk: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    assert run_cli("audit", bulk, "--out", tmp_path / "x").code == 2
    source = records.write(tmp_path / "source" / "a.ndjson", records.patient("a")).parent
    for out in (source, source / "out"):
        run = run_cli("audit", source, "--out", out)
        assert (run.code, run.out) == (2, ""), run.err
    assert [p.name for p in source.iterdir()] == ["a.ndjson"]
