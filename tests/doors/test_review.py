"""The review loop: a sample by a stated scheme, a sheet to fill in, and what the filled sheets say."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from shell import run_cli

from tellapart.tasks.demo import EXAMPLE

pytestmark = pytest.mark.proves("trusted_unchecked")

ANSWERS = ("has_sle", "has_fm", "worth_looking", "record_enough")
Sheet = list[dict[str, str]]


def load(path: Path) -> Sheet:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def save(path: Path, rows: Sheet) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def judged(person: str, reason: str, call: str, of: int, everybody: int, sle: str, **more: str) -> dict[str, str]:
    fixed = {
        "person_id": person,
        "reason": reason,
        "call": call,
        "stratum_persons": str(of),
        "all_persons": str(everybody),
    }
    return {**fixed, "on_record": "", "reviewer": "", **dict.fromkeys(ANSWERS, ""), "has_sle": sle, "note": "", **more}


def read(*files: Path) -> dict[str, object]:
    done = run_cli("review", "read", *files, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audit") / "out"
    assert run_cli("audit", EXAMPLE, "--out", out, "--quiet").code in (0, 3)
    return out


def test_a_sample_is_of_every_stratum_and_says_how_many_each_stands_for(results: Path, tmp_path: Path) -> None:
    done = run_cli("review", "sample", results, "-n", "60", "--out", tmp_path / "sheet.csv")
    assert done.code == 0, done.err
    rows = load(tmp_path / "sheet.csv")
    persons = pq.read_table(results / "persons.parquet").to_pylist()
    strata = Counter(((p["reasons"] or ["none"])[0], p["call"]) for p in persons)
    drawn = Counter((r["reason"], r["call"]) for r in rows)
    assert set(drawn) == set(strata) and len(rows) == len({r["person_id"] for r in rows}) == min(60, len(persons))
    assert all(strata[r["reason"], r["call"]] == int(r["stratum_persons"]) for r in rows)
    assert all(int(r["all_persons"]) == len(persons) for r in rows)
    for stratum, n in drawn.items():
        assert n == strata[stratum] or n >= max(drawn.values()) - 1, "as even as sizes allow"
    assert all(not r[q] for r in rows for q in ANSWERS)
    assert any("(" in r["on_record"] for r in rows), "rows that counted, with their references"


def test_the_same_number_draws_the_same_persons_and_a_sheet_is_never_overwritten(results: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run_cli("review", "sample", results, "-n", "30", "--seed", seed, "--out", tmp_path / name).code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
    again = run_cli("review", "sample", results, "--out", tmp_path / "a")
    assert again.code == 2 and "may hold answers" in again.err


def test_measures_by_hand(tmp_path: Path) -> None:
    """Called lupus: 10 of 10 persons, 8 truly so. Not called: 2 of 90 judged, each stands for 45, one of them has lupus.

    PPV 8 / 10; sensitivity 8 / (8 + 45); specificity 45 / (45 + 2). PPV of the reason: 3 of 4 worth looking at.
    """
    rows = [judged(f"c{n}", "none", "sle", 10, 100, "yes" if n < 8 else "no") for n in range(10)]
    rows += [
        judged("n1", "r", "neither", 90, 100, "yes", worth_looking="yes"),
        judged("n2", "r", "neither", 90, 100, "no"),
    ]
    found = {(m["measure"], m["of"]): m for m in read(save(tmp_path / "s.csv", rows))["measures"]}
    assert found["ppv", "sle"]["value"] == pytest.approx(0.8)
    assert (found["ppv", "sle"]["low"], found["ppv", "sle"]["high"]) == (0.4902, 0.9433), "Wilson, 8 of 10"
    assert found["sensitivity", "sle"]["value"] == pytest.approx(8 / 53, abs=1e-4)
    assert found["specificity", "sle"]["value"] == pytest.approx(45 / 47, abs=1e-4)
    assert found["ppv_of_reason", "r"] == {**found["ppv_of_reason", "r"], "persons": 1, "value": 1.0}
    assert found["ppv", "fm"]["value"] is None, "nobody answered: not known"


def test_no_sensitivity_where_a_stratum_has_nobody_judged(tmp_path: Path) -> None:
    rows = [judged("a", "none", "sle", 10, 100, "yes"), judged("b", "none", "neither", 90, 100, "unsure")]
    measures = read(save(tmp_path / "s.csv", rows))["measures"]
    assert "sensitivity" not in {m["measure"] for m in measures}
    assert next(m for m in measures if (m["measure"], m["of"]) == ("ppv", "sle"))["not_settled"] == 1


def test_agreement_by_hand(tmp_path: Path) -> None:
    """Two reviewers, ten persons, one apart: 0.9; 11 yes and 9 no in all, so chance is 0.55^2 + 0.45^2 = 0.505: kappa 0.798."""
    first = [judged(f"p{n}", "none", "sle", 10, 10, "yes" if n < 6 else "no") for n in range(10)]
    second = [{**r, "has_sle": "no"} if r["person_id"] == "p5" else r for r in first]
    found = read(save(tmp_path / "one.csv", first), save(tmp_path / "two.csv", second))
    agreement = {a["question"]: a for a in found["agreement"]}
    assert (agreement["has_sle"]["pairs"], agreement["has_sle"]["agree"]) == (10, 0.9)
    assert agreement["has_sle"]["kappa"] == pytest.approx((0.9 - 0.505) / 0.495, abs=1e-4)
    assert found["reviewers"] == 2 and found["reviewed"] == 10
    ppv = next(m for m in found["measures"] if (m["measure"], m["of"]) == ("ppv", "sle"))
    assert (ppv["persons"], ppv["not_settled"]) == (9, 1), "whom reviewers judge differently is not counted as either"


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("has_sle", "maybe", "has_sle: 'maybe' is none of yes, no, unsure"), ("stratum_persons", "", "stratum_persons")],
)
def test_a_wrong_cell_is_named_with_its_line(tmp_path: Path, column: str, value: str, says: str) -> None:
    rows = [judged("a", "none", "sle", 10, 10, "yes"), {**judged("b", "none", "sle", 10, 10, "yes"), column: value}]
    done = run_cli("review", "read", save(tmp_path / "s.csv", rows))
    assert done.code == 1 and "s.csv:3" in done.err.replace("\n", "") and says in " ".join(done.err.split())


def test_not_an_audit_and_an_empty_sheet(results: Path, tmp_path: Path) -> None:
    assert run_cli("review", "sample", tmp_path, "--out", tmp_path / "x").code == 1
    assert run_cli("review", "sample", results, "-n", "5", "--out", tmp_path / "s.csv").code == 0
    done = run_cli("review", "read", tmp_path / "s.csv")
    assert done.code == 1 and "no row has an answer" in done.err


def test_the_next_audit_leaves_reviewed_persons_out_of_its_worklist(results: Path, tmp_path: Path) -> None:
    before = load(results / "worklist.csv")
    who = before[0]["person_id"]
    sheet = save(
        tmp_path / "s.csv",
        [judged(who, "none", "sle", 1, 1, "yes"), judged(before[-1]["person_id"], "none", "fm", 1, 1, "")],
    )
    done = run_cli("audit", EXAMPLE, "--out", tmp_path / "out", "--reviewed", sheet)
    assert done.code in (0, 3), done.err
    after = load(tmp_path / "out" / "worklist.csv")
    assert [r["person_id"] for r in after] == [r["person_id"] for r in before if r["person_id"] != who]
    assert [int(r["rank"]) for r in after] == list(range(1, len(after) + 1))
    assert (tmp_path / "out" / "persons.parquet").read_bytes() == (results / "persons.parquet").read_bytes()
    facts = json.loads((tmp_path / "out" / "run.json").read_bytes())
    assert [f["file"] for f in facts["options"]["reviewed"]] == ["s.csv"]
    assert "judged by hand" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
