"""A set in sentences: everything the rows say is in them, and nothing is hidden."""

from __future__ import annotations

import pytest

from tellapart.errors import UsageError
from tellapart.knowledge.load import load
from tellapart.knowledge.prose import prose

K = load()
SETS = [r["set"] for r in K["criteria_sets"]]
FORMS = [r["set"] for r in K["fm_sets"]]


@pytest.mark.parametrize("name", SETS)
def test_every_item_with_its_points_and_every_finding_it_asks_for(name: str) -> None:
    text = prose(K, name)
    labels = K.labels()
    for item in K["criteria_items"]:
        if item["set"] == name:
            assert f"**{item['label']}: {item['points']} point" in text
    for clause in K["criteria_clauses"]:
        if clause["set"] == name:
            assert labels[clause["finding"]] in text, clause["finding"]
    for domain in K["criteria_domains"]:
        if domain["set"] == name:
            assert f"## {domain['label']}" in text


def test_the_rule_itself_by_hand() -> None:
    assert "when the points add up to 10 or more, at least one clinical item counts and ANA entry criterion" in prose(
        K, "eular_acr_2019"
    )
    assert "when the points add up to more than 7. The highest total is 30.5." in prose(K, "slerpi")
    slicc = prose(K, "slicc_2012")
    assert (
        "It is also met by Lupus nephritis proven by biopsy with ANA positive or Lupus nephritis proven by biopsy with"
        in slicc
    )
    assert "It holds with Direct Coombs test positive and no Autoimmune hemolysis" in slicc
    assert "Leukopenia (< 4.0) on 2 distinct dates" in prose(K, "acr_1997")
    assert "Read from Platelet count below 100 10*9/L." in slicc


def test_fm_sets_by_hand() -> None:
    text = prose(K, "fm_2016")
    assert "It is met when the widespread pain index is 7 or more, the symptom severity scale is 5 or more" in text
    assert "Or it is met when the widespread pain index is 4 or more" in text
    assert "screen, never a diagnosis" in prose(K, "first")
    for name in FORMS:
        assert prose(K, name).count("t is met when") == len(
            {r["alternative"] for r in K["instrument_rules"] if r["set"] == name}
        )


@pytest.mark.parametrize("name", SETS + FORMS)
def test_what_is_from_memory_says_so(name: str) -> None:
    own = [r for t in ("criteria_items", "criteria_clauses", "instrument_rules") for r in K[t] if r["set"] == name]
    if any(r["verified"] != "V" for r in own):
        assert "(unverified)" in prose(K, name)


def test_what_is_no_set_names_the_sets() -> None:
    with pytest.raises(UsageError, match=r"not a criteria set\. Sets: eular_acr_2019"):
        prose(K, "malar_rash")
