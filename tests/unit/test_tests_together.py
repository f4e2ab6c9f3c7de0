"""Tests ordered together: what is promised is what the record says with all of them, and the choice is near the best there is."""

from __future__ import annotations

import math
from contextlib import closing
from itertools import combinations, product
from typing import Any

import pytest
from cases import case, state

from tellapart.knowledge.load import load
from tellapart.pipeline import TOGETHER, statements
from tellapart.rendering.words import together_lines
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup_documents

Json = dict[str, Any]
KNOWLEDGE = load()
HYPOTHESES = ("sle", "fm", "both", "neither")
CALLS = (*HYPOTHESES, "undetermined")
RESULTS = {t: [r for r in KNOWLEDGE["test_results"] if r["test"] == t] for t in {r["test"] for r in KNOWLEDGE["tests"]}}
SHOWN = {r["test"]: set(r["findings"].split(";")) for r in KNOWLEDGE["tests"]}
SUSPECTED = [state("arthralgia"), state("fatigue"), state("photosensitivity", by="clinician")]
QUIET = [state(f, "absent") for f in ("ana_positive", "malar_rash", "synovitis", "photosensitivity", "oral_ulcers", "widespread_pain",
         "fatigue", "unrefreshing_sleep", "cognitive_symptoms", "headache", "tender_points_ge_11")]  # fmt: skip
RECORDS = {
    "little known": SUSPECTED,
    "ANA 1:160": [*SUSPECTED, state("ana_ge_80"), state("ana_ge_160"), state("ana_ge_320", "absent")],
    "pain all over": [state("widespread_pain"), state("fatigue"), state("raynaud"), state("ana_ge_80")],
    "rash and ulcers": [state("malar_rash", by="clinician"), state("oral_ulcers", by="clinician"), state("widespread_pain")],
    "ANA 1:640 and rash": [state("ana_ge_640"), state("photosensitivity", by="clinician"), state("fatigue"), state("arthralgia")],
    "ulcers and sleep": [state("oral_ulcers", by="clinician"), state("unrefreshing_sleep"), state("widespread_pain"), state("ana_ge_160")],
    "quiet": QUIET,
}  # fmt: skip


def documents(records: dict[str, list[Json]], session: Session | None = None) -> list[Json]:
    return workup_documents(
        [case(f"synthetic-{i}", f) for i, f in enumerate(records.values())], Options(together=True), session
    )


def p(doc: Json) -> dict[str, float]:
    return {h: doc["differential"]["posterior"][h]["p"] for h in HYPOTHESES}


def stated(row: dict[str, str]) -> list[Json]:
    return [state(f, how, by="clinician") for how in ("present", "absent") for f in row[how].split(";") if f]


@pytest.mark.parametrize("name", ["little known", "ANA 1:160"])
def test_promised_is_what_the_records_say_with_all_results(name: str) -> None:
    """Every combination of results is written into the record: how far the posteriors come apart is what was promised."""
    (now,) = documents({name: RECORDS[name]})
    single = {t["test"]: {r["result"]: r["chance"] for r in t["results"]} for t in now["next_tests"]}
    pair = now["tests_together"][0]
    assert len(pair["tests"]) == 2 and set(pair["tests"]) <= set(single)
    first, second = (RESULTS[t] for t in pair["tests"])
    combined = list(product(first, second))
    later = documents({f"{i}": [*RECORDS[name], *stated(a), *stated(b)] for i, (a, b) in enumerate(combined)})
    # within a disease the results of two tests are independent: the chance of both follows from the weights' rates
    rates = [{h: _rate(a, h) * _rate(b, h) for h in HYPOTHESES} for a, b in combined]
    total = {h: sum(r[h] for r in rates) for h in HYPOTHESES}
    chances = [sum(p(now)[h] * r[h] / total[h] for h in HYPOTHESES) for r in rates]
    taught = sum(
        c * sum(q * math.log2(q / p(now)[h]) for h, q in p(doc).items() if q)
        for c, doc in zip(chances, later, strict=True)
    )
    assert pair["expected_bits"] == pytest.approx(taught, abs=2e-3)
    assert sum(pair["calls"].values()) == pytest.approx(1, abs=1e-5)
    for call in CALLS:
        expected = sum(c for c, doc in zip(chances, later, strict=True) if doc["differential"]["call"] == call)
        assert pair["calls"][call] == pytest.approx(expected, abs=1e-3), call


def _rate(result: dict[str, str], hypothesis: str) -> float:
    """How often a disease has this result: the product of the rates of the weights that it adds, of the ANA ladder its rung alone."""
    present = [f for f in result["present"].split(";") if f]
    absent = [f for f in result["absent"].split(";") if f and not (present and f.startswith("ana_"))]
    found = {(r["finding"], r["state"]): r for r in KNOWLEDGE["weights"]}
    rate = 1.0
    for key in [(f, "present") for f in present] + [(f, "absent") for f in absent]:
        if row := found.get(key):
            rate *= float(row["neither_rate"]) * 2.0 ** float(row.get(f"{hypothesis}_bits") or 0)
    return rate


def test_two_tests_that_a_call_waits_for_go_together() -> None:
    """Each alone leaves the call open; the pair is named for closing it."""
    (now,) = documents({"quiet": QUIET})
    deciding = {r["test"] for r in KNOWLEDGE["workup_tests"] if r["decides"] == "yes"} - {"ana"}
    pair = now["tests_together"][0]
    assert set(pair["tests"]) == deciding and pair["calls"]["neither"] > 0.5
    assert all(r["call"] == "undetermined" for t in now["next_tests"] if t["awaited"] for r in t["results"])


def test_no_two_tests_that_show_the_same_and_each_adds() -> None:
    limit = KNOWLEDGE.limit("next_test_min_bits")
    for now in documents(RECORDS):
        before = now["next_tests"][0]["expected_bits"]
        waits = any(t["awaited"] for t in now["next_tests"])
        for entry in now["tests_together"]:
            assert not any(SHOWN[a] & SHOWN[b] for a, b in combinations(entry["tests"], 2))
            assert waits or entry["expected_bits"] >= before + limit - 1e-5
            before = entry["expected_bits"]


def test_the_tests_named_hold_a_pair_and_a_triple_near_the_best_of_all() -> None:
    """The search among the few tests named, beside the search through every combination of all tests."""
    chosen: dict[int, dict[int, float]] = {}
    waits: set[int] = set()  # there the tests that the call waits for come first, whatever they teach
    with closing(Session(KNOWLEDGE)) as session:
        for number, now in enumerate(documents(RECORDS, session)):
            chosen[number] = {len(e["tests"]): e["expected_bits"] for e in now["tests_together"]}
            waits |= {number} if any(t["awaited"] for t in now["next_tests"]) else set()
        who = {
            r["person"]: int(r["person_id"].split("-")[1])
            for r in session.answers.rows("select person, person_id from persons")
        }
        columns = {
            "person": "BIGINT",
            "test": "VARCHAR",
            "place": "BIGINT",
            "expected_bits": "DOUBLE",
            "awaited": "BOOLEAN",
        }
        every = session.answers.rows("select distinct about, test from imagined order by about, test")
        names = sorted(RESULTS)
        session.answers.load(
            "next_tests", columns, [(r["about"], r["test"], 1 + names.index(r["test"]), 0.0, False) for r in every]
        )
        for stage in TOGETHER[:2]:
            session.answers.make(stage.makes, statements(KNOWLEDGE)[stage.makes])
        text = statements(KNOWLEDGE)["tests_together"].partition(",\nsized as")[0]
        best = session.answers.rows(
            f"""{text} select w.person, s.tests, max(w.expected_bits) as bits from worth as w
                inner join (select distinct about, test, tests from together) as s on s.about = w.person and s.test = w.test
                group by w.person, s.tests"""
        )
    compared = 0
    for row in best:
        own = chosen[who[row["person"]]].get(row["tests"])
        if own is not None and who[row["person"]] not in waits:
            compared += 1
            assert own >= 0.9 * row["bits"], (row, own)
            assert own <= row["bits"] + 1e-5
    assert compared >= 6


def test_in_words_and_only_when_asked() -> None:
    (now,) = documents({"little known": SUSPECTED})
    for line, entry in zip(together_lines(now), now["tests_together"], strict=True):
        assert line.startswith(" + ".join(entry["labels"])) and "bits expected; call then: " in line
    (silent,) = workup_documents([case("synthetic-0", SUSPECTED)])
    assert silent["tests_together"] is None and together_lines(silent) == []
