"""What must hold for every record: order, copies and form change nothing; unknown is never absent; scores are ordered;
the posterior is the prior and the printed bits; safety comes before any call.

All persons of an example are worked up in one pass (`cohort.everybody`), so that an example costs one audit.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cases
import people
import pytest
import records
from cohort import DAY, HYPOTHESES, Json, differing, everybody, explained, posterior, sets, states, times, without
from hypothesis import given, settings
from hypothesis import strategies as st
from records import Resource
from ways import leads_to

from tellapart.knowledge.encode import encode
from tellapart.knowledge.load import load

PAPERS = Path(__file__).parents[1] / "papers"
KNOWLEDGE = load()
SLE_SETS = [r["set"] for r in KNOWLEDGE["criteria_sets"]]


RULE = {r["block"]: r["rule"] for r in KNOWLEDGE["dependence"]}
BOTH_FROM = {r["finding"]: r["both_from"] for r in KNOWLEDGE["blocks"]}
SEEN_IN_BOTH = {r["finding"] for r in KNOWLEDGE["finding_evidence"] if r["hypothesis"] == "both" and r["role"] == "use"}
IMPLIED = encode(KNOWLEDGE).implied


def assert_nothing_counts_twice(used: list[Json]) -> None:
    """Of one observation one weight, of what is implied none, of the rest a share; `both` by the rule of the block."""
    for w in used:
        for h in HYPOTHESES:
            assert w["bits"][h] == pytest.approx(w["bits_alone"][h] * w["share"], abs=1e-6), (w["finding"], h)
        others = [o for o in used if o is not w and o["domain"] == w["domain"]]
        assert not others or RULE[w["domain"]] == "sum", (w["domain"], "is one observation")
        twice = [o["finding"] for o in others if o["state"] == w["state"] and w["finding"] in IMPLIED[o["finding"]]]
        assert not twice, (w["finding"], "is implied by", twice)
        if BOTH_FROM[w["finding"]] in ("sle", "fm") and w["finding"] not in SEEN_IN_BOTH:
            assert w["bits"]["both"] == w["bits"][BOTH_FROM[w["finding"]]], w["finding"]


# -- the form of a source


def rewritten(rows: list[Resource], form: str, rng: random.Random, folder: Path) -> Path:
    """The same records, shuffled and with copies, in another form."""
    shuffled = rows + rng.sample(rows, len(rows) // 4)
    rng.shuffle(shuffled)
    if form == "lines":
        return records.write(folder / "all.ndjson", *shuffled)
    if form == "bulk":
        return records.write_bulk(folder, shuffled, packed=True)
    if form == "split":
        for number in range(0, len(shuffled), 9):
            records.write(folder / f"{number}.json", records.bundle(shuffled[number : number + 9]))
        return folder
    return records.write(folder / "all.json", records.bundle(shuffled, form))


@settings(max_examples=times(4))
@given(
    st.lists(st.integers(0, 9999), min_size=6, max_size=12, unique=True),
    st.randoms(use_true_random=False),
    st.sampled_from(["lines", "bulk", "split", "transaction", "searchset"]),
)
def test_order_copies_and_form_change_no_document(numbers: list[int], rng: random.Random, form: str) -> None:
    rows = [row for number in numbers for row in people.person(number, seed=3)]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        expected = everybody(records.write(Path(one) / "all.json", records.bundle(rows)))
        found = everybody(rewritten(rows, form, rng, Path(other)))
    assert not differing(without(expected, "coverage"), without(found, "coverage"))


def test_the_first_of_equals_does_not_hang_on_order() -> None:
    """Two drugs on record explain one count: the one that is named is the same whichever row came first."""
    rows = [row for number in (6070, 2682, 8535) for row in people.person(number, seed=3)]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        forward = everybody(records.write(Path(one) / "all.json", records.bundle(rows)))
        backward = everybody(records.write(Path(other) / "all.json", records.bundle(rows[::-1])))
    assert not differing(without(forward, "coverage"), without(backward, "coverage"))


@settings(max_examples=times(4))
@given(st.lists(cases.histories(), min_size=4, max_size=10), st.randoms(use_true_random=False))
def test_order_of_entries_and_copies_change_no_case(histories: list[Json], rng: random.Random) -> None:
    documents = []
    for number, history in enumerate(histories):
        other = {k: v + rng.sample(v, len(v) // 2) for k, v in copy.deepcopy(history).items()}
        for entries in other.values():
            rng.shuffle(entries)
        documents += [cases.named(f"{number}-as-given", history), cases.named(f"{number}-mixed", other)]
    made = everybody(documents)
    for number in range(len(histories)):
        one, other = (_bare(made[f"{number}-{kind}"]) for kind in ("as-given", "mixed"))
        assert not differing(one, other)


def _bare(document: Json) -> Json:
    """Without what names the place of an entry in its file (copies change places)."""
    bare = without(document, "coverage", "reference", "id", "evidence")
    bare["instruments"] = sorted(json.dumps(i, sort_keys=True) for i in {json.dumps(i) for i in bare["instruments"]})
    return bare


# -- unknown is never absent


def negative(entry: Json) -> bool:
    return entry.get("state") == "absent"


@settings(max_examples=times(5))
@given(st.lists(cases.histories(), min_size=6, max_size=12), st.data())
def test_removing_a_negative_test_is_never_evidence_against(histories: list[Json], data: st.DataObject) -> None:
    documents = []
    for number, history in enumerate(histories):
        denied = data.draw(cases.statements(("absent",)))
        whole = copy.deepcopy(history) | {"findings": [*history["findings"], denied]}
        less = copy.deepcopy(whole)
        less["findings"].remove(next(e for e in less["findings"] if negative(e)))
        documents += [cases.named(f"{number}-whole", whole), cases.named(f"{number}-less", less)]
    made = everybody(documents)
    for number in range(len(histories)):
        whole, less = made[f"{number}-whole"], made[f"{number}-less"]
        assert_no_evidence_came_of_silence(whole, less)


def assert_no_evidence_came_of_silence(whole: Json, less: Json) -> None:
    """`less` is the record `whole` without a negative test."""
    for name, part in sets(whole).items():
        for score in ("points", "points_attributed", "points_specific"):
            assert part[score] == sets(less)[name][score], (name, score)
        if part["met"] is True:
            assert sets(less)[name]["met"] is True
        if sets(less)[name]["met"] is False:
            assert part["met"] is False
        if part["points_possible"] is not None:
            assert sets(less)[name]["points_possible"] >= part["points_possible"]
    before, after = states(whole), states(less)
    assert {f for f, s in after.items() if s == "present"} == {f for f, s in before.items() if s == "present"}
    assert {f for f, s in after.items() if s == "absent"} <= {f for f, s in before.items() if s == "absent"}
    listed = {(w["finding"], w["state"]) for w in whole["differential"]["weights"]}
    assert {(w["finding"], w["state"]) for w in less["differential"]["weights"]} <= listed
    gone = {f for f in before if f not in after}
    touched = {w["domain"] for w in whole["differential"]["weights"] if w["finding"] in gone}
    for block in {w["domain"] for w in whole["differential"]["weights"]} - touched:
        assert used_bits(whole, block) == used_bits(less, block), block


def used_bits(document: Json, block: str) -> list[Any]:
    used = [w for w in document["differential"]["weights"] if w["used"] and w["domain"] == block]
    return [(w["finding"], w["state"], w["bits"]) for w in used]


@pytest.mark.parametrize("finding", ["ana_positive", "anti_dsdna", "anti_sm", "synovitis", "proteinuria_ge_500"])
def test_without_the_negative_test_lupus_is_no_less_likely(finding: str) -> None:
    whole = cases.clear_fm("whole", extra=[cases.state(finding, "absent")])
    less = cases.clear_fm("less")
    less["findings"] = [e for e in less["findings"] if e["finding"] != finding]
    made = everybody([whole, less])
    lupus = {k: posterior(d)["sle"] + posterior(d)["both"] for k, d in made.items()}
    assert lupus["less"] >= lupus["whole"]


# -- more evidence


NEGATIVE_ITEMS = {(r["set"], r["item"]) for r in KNOWLEDGE["criteria_items"] if float(r["points"]) < 0}
DOMAIN = {(r["set"], r["item"]): r["domain"] for r in KNOWLEDGE["criteria_items"]}
TAKING = [
    (r["set"], DOMAIN[r["set"], r["item"]], leads_to(r["finding"]))
    for r in KNOWLEDGE["criteria_clauses"]
    if r["role"] == "excludes" or (r["set"], r["item"]) in NEGATIVE_ITEMS
]
"""Set and domain from which findings take points away, and what states them: those are shown by hand in tests/papers."""
FALLING = {(name, domain) for name, domain, _ in TAKING}


def taken_from(document: Json, name: str) -> bool:
    """Whether anything in the document can take points away from a set."""
    stated = {f["finding"] for f in document["findings"] if f["state"] == "present"}
    return any(set_ == name and stated & findings for set_, _, findings in TAKING)


def assert_not_less(less: Json, more: Json, name: str) -> None:
    """In no domain fewer points, but for those that findings take points from; the total and the set hold where none is."""
    before, after = sets(less)[name], sets(more)[name]
    now = {d["domain"]: d["points"] for d in after["domains"]}
    for domain in before["domains"]:
        if (name, domain["domain"]) not in FALLING:
            assert now[domain["domain"]] >= domain["points"], (name, domain["domain"])
    if not taken_from(more, name):
        assert after["points"] >= before["points"], name
        assert not (before["met"] is True and after["met"] is not True), name


def test_only_three_items_take_points_away() -> None:
    """Psychosis with delirium, the Coombs test with hemolysis, lung disease: every other item of every set only adds."""
    assert {
        ("eular_acr_2019", "neuropsychiatric"), ("slicc_2012", "direct_coombs"), ("slerpi", "interstitial_lung_disease"),
    } == FALLING  # fmt: skip


@settings(max_examples=times(5))
@given(st.lists(cases.histories(), min_size=6, max_size=12), st.data())
def test_more_presence_never_lowers_points(histories: list[Json], data: st.DataObject) -> None:
    documents = []
    for number, history in enumerate(histories):
        more = copy.deepcopy(history)
        more["findings"].append(data.draw(cases.statements(("present",))))
        documents += [cases.named(f"{number}-less", history), cases.named(f"{number}-more", more)]
    made = everybody(documents)
    for number in range(len(histories)):
        for name in SLE_SETS:
            assert_not_less(made[f"{number}-less"], made[f"{number}-more"], name)


@pytest.mark.parametrize(
    "item", [r for r in KNOWLEDGE["criteria_items"] if r["set"] == "slerpi"], ids=lambda r: r["item"]
)
def test_each_item_of_slerpi_adds_what_its_row_says(item: Json) -> None:
    """To any two other items, whatever they are; lung disease takes one point."""
    every = {
        r["item"]: r["finding"]
        for r in KNOWLEDGE["criteria_clauses"]
        if r["set"] == "slerpi" and r["alternative"] == "1"
    }
    both = {"low_c3_and_c4": ["low_c3", "low_c4"]}
    told = {name: [cases.state(f) for f in both.get(name, [finding])] for name, finding in every.items()}
    others = [name for name in told if name != item["item"]]
    pairs = list(zip(others, others[1:] + others[:1], strict=True))
    documents = [
        cases.case(f"{n}-{word}", [*told[a], *told[b], *(told[item["item"]] if word == "more" else [])])
        for n, (a, b) in enumerate(pairs)
        for word in ("less", "more")
    ]
    made = everybody(documents)
    for n, pair in enumerate(pairs):
        added = sets(made[f"{n}-more"])["slerpi"]["points"] - sets(made[f"{n}-less"])["slerpi"]["points"]
        assert added == pytest.approx(float(item["points"])), pair


# -- as of a day: nothing of later days leaks in

DATED = ("issued", "recordedDate", "effectiveDateTime", "onsetDateTime", "authoredOn", "authored", "date", "start")
LAST = 3200
"""Days before the as-of day of the cases within which all their dates lie."""


def known_from(said: Json) -> str | None:
    """The day from which a resource or an entry of a case could be known: partial dates mean their first day."""
    days = [str(said[k])[:10] for k in DATED if said.get(k)]
    return max((day + "-01-01"[len(day) - 4 :] for day in days), default=None)


@settings(max_examples=times(5))
@given(
    st.lists(st.integers(0, 9999), min_size=6, max_size=12, unique=True),
    st.dates(people.FIRST_DAY, people.LAST_DAY),
)
def test_what_becomes_known_later_changes_no_answer(numbers: list[int], day: date) -> None:
    rows = [row for number in numbers for row in people.person(number, seed=9)]
    dated = [row for row in rows if row["resourceType"] == "Patient" or known_from(row)]
    then = [row for row in dated if row["resourceType"] == "Patient" or str(known_from(row)) <= day.isoformat()]
    with TemporaryDirectory() as folder:
        later = everybody(records.write(Path(folder) / "later.ndjson", *dated), as_of=day)
        at_once = everybody(records.write(Path(folder) / "then.ndjson", *then), as_of=day)
    for person, document in at_once.items():
        # the accounting also counts what is left out
        assert not differing(without(document, "coverage"), without(later[person], "coverage")), person


@settings(max_examples=times(5))
@given(st.lists(cases.histories(20), min_size=6, max_size=12), st.integers(0, LAST))
def test_what_a_case_says_of_later_days_changes_no_answer(histories: list[Json], back: int) -> None:
    """Undated entries too: they count from the day of the document on, whose own as-of day stays."""
    day = cases.AS_OF - timedelta(days=back)
    then = [
        {part: [e for e in said if (known_from(e) or "") <= day.isoformat()] for part, said in history.items()}
        for history in histories
    ]
    later = everybody([cases.named(str(n), h) for n, h in enumerate(histories)], as_of=day)
    at_once = everybody([cases.named(str(n), h) for n, h in enumerate(then)], as_of=day)
    for person, document in at_once.items():
        places = ("coverage", "reference")  # the place of an entry in its document
        assert not differing(without(document, *places), without(later[person], *places)), person


@settings(max_examples=times(5))
@given(st.lists(cases.histories(20), min_size=6, max_size=12), st.lists(st.integers(0, LAST), min_size=2, max_size=4))
def test_points_never_fall_as_days_pass(histories: list[Json], back: list[int]) -> None:
    """In the domains from which no finding takes points away, where nothing is said to be both present and absent on one day."""
    documents = [cases.named(str(n), h) for n, h in enumerate(histories)]
    days = [cases.AS_OF - timedelta(days=n) for n in sorted({*back, 0}, reverse=True)]
    made = [everybody(documents, as_of=day) for day in days]
    sound = [p for p, document in made[-1].items() if not any(f["conflict"] for f in document["findings"])]
    for person in sound:
        for earlier, later in itertools.pairwise(on_day[person] for on_day in made):
            for name in SLE_SETS:
                assert_not_less(earlier, later, name)


# -- what every document keeps


@pytest.fixture(scope="module")
def crowd() -> dict[str, Json]:
    """Generated persons in FHIR."""
    with TemporaryDirectory() as folder:
        rows = [row for person in people.persons(100, seed=5) for row in person]
        return everybody(records.write(Path(folder) / "all.ndjson", *rows))


@pytest.fixture(scope="module")
def examples() -> dict[str, Json]:
    """The worked examples of the papers."""
    found = [case for path in sorted(PAPERS.glob("*.json")) for case in json.loads(path.read_text("utf-8"))["cases"]]
    return everybody(found, as_of=None, setting=None)


def assert_sound(document: Json) -> None:
    day = document["as_of"]
    for part in document["criteria"]:
        name = part["set"]
        taken = any(
            (name, i["item"]) in NEGATIVE_ITEMS and i["state"] == "present" for d in part["domains"] for i in d["items"]
        )
        if not taken:
            assert (
                part["points"] >= part["points_attributed"] >= part["points_specific"] >= part["points_partly"] >= 0
            ), name
        assert part["points_possible"] is None or part["points_possible"] >= part["points"], name
        for dated in ("met_date", "known_met_date", "met_attributed_date", "met_specific_date"):
            assert part[dated] is None or part[dated] <= day, (name, dated)
        if part["met_date"] and part["known_met_date"] and not taken:  # what takes points away may be known late
            assert part["met_date"] <= part["known_met_date"], name
        if part["condition"] == "fm" and part["domains"]:
            assert sum(d["points"] for d in part["domains"]) == pytest.approx(part["points"]), name
        if part["condition"] == "sle":
            assert sum(d["points"] for d in part["domains"]) == pytest.approx(part["points"]), name
            if part["met_date"]:
                assert part["met"] is True, name
        if part["met_specific"] is True:
            assert part["met_attributed"] is True and part["met"] is True, name
    differential = document["differential"]
    shares = differential["posterior"]
    assert sum(shares[h]["p"] for h in HYPOTHESES) == pytest.approx(1, abs=5e-6)
    assert all(0 <= shares[h]["low"] <= shares[h]["p"] <= shares[h]["high"] <= 1 for h in HYPOTHESES)
    for h, p in explained(document).items():
        assert p == pytest.approx(shares[h]["p"], abs=1e-6), f"the printed bits do not explain {h}"
    assert_nothing_counts_twice([w for w in differential["weights"] if w["used"]])
    assert all(w["references"] for w in differential["weights"])
    for f in document["findings"]:
        assert f["first_date"] is None or f["first_date"][:10] <= day
        assert f["derived"] or f["days"] >= 1
    if any(f["forbids_fm"] for f in document["red_flags"]):
        assert differential["call"] != "fm"
    if differential["call"] == "fm":
        assert "no lupus" not in differential["reason"].lower()


def test_every_generated_person_is_sound(crowd: dict[str, Json]) -> None:
    assert len(crowd) == 100
    for person, document in crowd.items():
        try:
            assert_sound(document)
        except AssertionError as wrong:
            raise AssertionError(f"{person}: {wrong}") from wrong


def test_every_worked_example_is_sound(examples: dict[str, Json]) -> None:
    for person, document in examples.items():
        try:
            assert_sound(document)
        except AssertionError as wrong:
            raise AssertionError(f"{person}: {wrong}") from wrong


@settings(max_examples=times(4))
@given(st.lists(cases.histories(20), min_size=5, max_size=15))
def test_every_drawn_case_is_sound(histories: list[Json]) -> None:
    for document in everybody([cases.named(str(n), h) for n, h in enumerate(histories)]).values():
        assert_sound(document)


def test_two_forms_of_one_day_are_never_mixed() -> None:
    """Points and domains are those of one form, whichever stands first in the file."""
    one, other = cases.fm_form(pain_sites=["neck"], fatigue=1), cases.fm_form(pain_sites=["neck", "hip_l", "hip_r"])
    made = everybody([cases.case("ab", instruments=[one, other]), cases.case("ba", instruments=[other, one])])
    for document in made.values():
        assert_sound(document)
    for name in ("fm_2016", "fm_2011"):
        ab, ba = sets(made["ab"])[name], sets(made["ba"])[name]
        assert (ab["points"], ab["domains"]) == (ba["points"], ba["domains"])


def test_a_set_has_a_date_only_while_it_is_met() -> None:
    """What excludes an item may come later: then the set is not met, and has no day on which it was."""
    found = [cases.state(f, day="2022-01-01", by="clinician") for f in ("malar_rash", "discoid_rash", "oral_ulcers")]
    found.append(cases.state("direct_coombs", day="2023-01-01"))
    hemolysis = cases.state("autoimmune_hemolysis", day="2024-01-01")
    made = everybody([cases.case("before", found), cases.case("after", [*found, hemolysis])])
    before, after = sets(made["before"])["slicc_2012"], sets(made["after"])["slicc_2012"]
    assert (before["met"], before["met_date"]) == (True, "2023-01-01")
    assert after["met"] is None
    assert [after[k] for k in after if k.endswith("met_date") or (k.startswith("met_") and k.endswith("_date"))] == [
        None
    ] * 4


def test_what_is_present_with_a_likelier_cause_is_no_evidence_of_absence() -> None:
    """Protein in the urine that diabetes explains, and none years before: neither for nor against lupus."""
    made = everybody(
        [
            cases.case(
                "both",
                [
                    cases.state("proteinuria_ge_500", "absent", day="2020-01-01"),
                    cases.state("proteinuria_ge_500", day="2024-01-01"),
                    cases.state("diabetic_nephropathy_dx", day="2019-01-01"),
                ],
            )
        ]
    )
    assert_sound(made["both"])
    assert states(made["both"])["proteinuria_ge_500"] == "present"
    assert posterior(made["both"]) == made["both"]["differential"]["prior"]


def test_a_value_without_limits_is_held_against_the_usual_range_and_marked() -> None:
    made = everybody([cases.case("high", [cases.value("creatinine", 3.0, "mg/dL")])])
    (flag,) = made["high"]["red_flags"]
    assert flag["flag"] == "creatinine_raised" and flag["forbids_fm"]
    assert "usual range" in flag["evidence"][0]["text"]


def test_what_was_measured_is_on_record_though_it_decides_nothing() -> None:
    """Without a sex there is no usual range of creatinine; it was measured all the same."""
    who = {"id": "x", "age": 40}
    made = everybody([cases.case("x", [cases.value("creatinine", 0.8, "mg/dL")], person=who)])
    assert "kidney_function" not in {m["test"] for m in made["x"]["missing_tests"]}


# -- safety first


def alternatives() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for r in KNOWLEDGE["red_flag_clauses"]:
        found.setdefault((r["flag"], r["alternative"]), []).append(r["finding"])
    return found


@pytest.fixture(scope="module")
def flagged() -> dict[str, Json]:
    """Clear fibromyalgia with every alternative of every red flag, in force and long past."""
    documents = [cases.clear_fm("plain")]
    for (flag, alternative), findings in alternatives().items():
        for kind, day in (("now", "2025-12-28"), ("undated", None), ("past", "1999-01-01")):
            said = [cases.state(f, day=day, by="clinician") for f in findings]
            document = cases.clear_fm(f"{flag}/{alternative}/{kind}", extra=said)
            document["findings"] = [e for e in document["findings"] if not (negative(e) and e["finding"] in findings)]
            documents.append(document)
    return everybody(documents)


def test_clear_fibromyalgia_is_called(flagged: dict[str, Json]) -> None:
    assert flagged["plain"]["differential"]["call"] == "fm"
    assert flagged["plain"]["red_flags"] == []


def test_a_red_flag_in_force_is_shown_and_forbids_the_call(flagged: dict[str, Json]) -> None:
    rows = {r["flag"]: r for r in KNOWLEDGE["red_flags"]}
    for flag, alternative in alternatives():
        for kind in ("now", "undated"):
            document = flagged[f"{flag}/{alternative}/{kind}"]
            shown = {f["flag"]: f for f in document["red_flags"]}
            assert flag in shown, f"{flag}/{alternative}/{kind} is not shown"
            assert shown[flag]["evidence"] and shown[flag]["references"]
            if rows[flag]["forbids_fm"] == "yes" and shown[flag]["contested_by"] is None:
                assert shown[flag]["forbids_fm"], f"{flag}/{alternative}/{kind} does not forbid"
                assert document["differential"]["call"] != "fm"


def test_a_flag_long_past_is_not_in_force(flagged: dict[str, Json]) -> None:
    for flag, alternative in alternatives():
        assert flag not in {f["flag"] for f in flagged[f"{flag}/{alternative}/past"]["red_flags"]}, (flag, alternative)


def test_the_forbidden_call_names_the_flag(flagged: dict[str, Json]) -> None:
    led = 0
    for document in flagged.values():
        forbidding = [f for f in document["red_flags"] if f["forbids_fm"]]
        differential = document["differential"]
        p = posterior(document)
        if (
            forbidding
            and differential["call"] == "undetermined"
            and max(p, key=lambda h: p[h]) == "fm"
            and differential["posterior"]["fm"]["low"] > KNOWLEDGE.limit("call_min_low")
            and p["fm"] > KNOWLEDGE.limit("call_min_p")
            and p["fm"] > KNOWLEDGE.limit("call_min_ratio") * max(p[h] for h in HYPOTHESES if h != "fm")
        ):
            led += 1
            assert forbidding[0]["text"] in differential["reason"], document["person"]["id"]
        if forbidding and differential["call"] == "neither":
            assert forbidding[0]["text"] in differential["reason"][: len(forbidding[0]["text"]) + 40]
    assert led, "in no case did fibromyalgia lead against a flag"


def test_a_flag_with_a_likelier_cause_is_shown_and_does_not_forbid() -> None:
    known = cases.state("epilepsy_dx", day="2015-01-01")
    made = everybody(
        [
            cases.clear_fm("cause", extra=[cases.state("seizure", day="2025-12-28", by="clinician"), known]),
            cases.clear_fm("none", extra=[cases.state("seizure", day="2025-12-28", by="clinician")]),
        ]
    )
    (flag,) = [f for f in made["cause"]["red_flags"] if f["flag"] == "seizure"]
    assert flag["contested_by"] and not flag["forbids_fm"]
    (flag,) = [f for f in made["none"]["red_flags"] if f["flag"] == "seizure"]
    assert flag["contested_by"] is None and flag["forbids_fm"]
    assert made["none"]["differential"]["call"] != "fm"


# -- the minimum safe work-up

TESTS = {name: number for number, (name, _, _) in enumerate(cases.NORMAL_TESTS)}
SAFE = {"blood_count": ("wbc", "platelets", "lymphocytes"), "urine_protein": ("upcr",), "kidney_function": ("creatinine",),
        "inflammation": ("crp", "esr"), "creatine_kinase": ("ck",), "thyroid": ("tsh",)}  # fmt: skip
LABELS = {r["test"]: r["label"] for r in KNOWLEDGE["workup_tests"]}


@pytest.fixture(scope="module")
def worked_up() -> dict[str, Json]:
    """Clear fibromyalgia with all tests, with none, and without each of them."""
    documents = [cases.clear_fm("all"), cases.clear_fm("none", tests=())]
    for test, names in SAFE.items():
        left = tuple(t for t in cases.NORMAL_TESTS if t[0] not in names)
        documents.append(cases.clear_fm(test, tests=left))
    return everybody(documents)


def test_a_call_of_fm_names_the_missing_tests_and_no_other(worked_up: dict[str, Json]) -> None:
    assert {d["differential"]["call"] for d in worked_up.values()} == {"fm"}
    for name, document in worked_up.items():
        reason = document["differential"]["reason"]
        for test in SAFE:
            missing = name in (test, "none")
            assert (LABELS[test] in reason) == missing, f"without {name}: {test} in {reason!r}"
            assert (test in {m["test"] for m in document["missing_tests"]}) == missing, (name, test)


@pytest.mark.parametrize("without", ["none", "blood_count", "urine_protein"])
def test_without_blood_count_and_urine_protein_lupus_is_not_excluded(worked_up: dict[str, Json], without: str) -> None:
    assert worked_up[without]["differential"]["reason"].startswith("FM is supported; lupus not excluded:")


def test_as_of_is_the_day_of_the_test(crowd: dict[str, Json]) -> None:
    assert {d["as_of"] for d in crowd.values()} == {DAY.isoformat()}
