"""Which finding, if it were wrong, would change the call: against the differential of the record without it (design §3.3)."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from cases import case, clear_fm, fm_form, state

from tellapart.knowledge.load import load
from tellapart.rendering.words import sensitivity_sentence
from tellapart.tasks.demo import EXAMPLE
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_document

Json = dict[str, Any]
HYPOTHESES = ("sle", "fm", "both", "neither")


@cache
def session() -> Session:
    return Session()


def work(findings: list[Json], **more: Any) -> Json:
    return workup_document(case("synthetic-doubt", findings, **more), Options(), session())


SIGNS = [state(f) for f in ("ana_ge_80", "anti_dsdna", "synovitis")]
BOTH = [*SIGNS, state("anti_sm"), state("low_c3"), state("malar_rash", by="clinician")]
RECORDS: dict[str, Json] = {
    "signs": {"findings": SIGNS},
    "more signs": {"findings": BOTH},
    "a form beside them": {"findings": BOTH, "instruments": [fm_form()]},
    "told not to be there": {"findings": [*SIGNS, state("low_c3", "absent"), state("malar_rash", "absent")]},
    "nothing": {"findings": []},
}


def posterior(document: Json, without: str | None = None) -> dict[str, float]:
    """Prior times 2 to the bits printed, one finding left out: by hand from what the document prints."""
    differential = document["differential"]
    raised = {
        h: differential["prior"][h] * 2 ** math.fsum(w["bits"][h] for w in differential["weights"] if w["used"] and w["finding"] != without)
        for h in HYPOTHESES
    }  # fmt: skip
    return {h: of / sum(raised.values()) for h, of in raised.items()}


@pytest.mark.parametrize("name", RECORDS)
def test_it_is_the_posterior_of_the_other_findings(name: str) -> None:
    document = work(**RECORDS[name])
    for one in document["differential"]["sensitive_to"]:
        assert one["posterior"] == pytest.approx(posterior(document, one["finding"]), abs=2e-6)


def decided(p: dict[str, float]) -> bool:
    """What the point alone asks of a call (limits call_min_p and call_min_ratio)."""
    first, second = sorted(p.values(), reverse=True)[:2]
    return first >= load().limit("call_min_p") and first >= load().limit("call_min_ratio") * second


@pytest.mark.parametrize("name", RECORDS)
def test_none_that_would_change_the_call_is_left_out(name: str) -> None:
    """A finding without which another hypothesis leads, or none is separated any more, must be named."""
    document = work(**RECORDS[name])
    call = document["differential"]["call"]
    named = {one["finding"]: one["call"] for one in document["differential"]["sensitive_to"]}
    for weight in (w for w in document["differential"]["weights"] if w["used"]):
        p = posterior(document, weight["finding"])
        if call in p and (not decided(p) or max(p, key=lambda h: p[h]) != call):
            assert weight["finding"] in named, weight
    assert call not in named.values()


def test_one_finding_decides() -> None:
    """Fibromyalgia that a form and an examination bear out stays when any one finding goes; two signs of lupus do not make it so."""
    sure = workup_document(clear_fm("synthetic-sure"), Options(), session())
    assert sure["differential"]["call"] == "fm" and sure["differential"]["sensitive_to"] == []
    assert "the call would stay the same" in sensitivity_sentence(sure)
    shipped = workup(session(), EXAMPLE, Options(), "synthetic-sle-with-fm")
    assert shipped["differential"]["call"] == "both"
    assert [one["finding"] for one in shipped["differential"]["sensitive_to"]], (
        "what makes it both rests on single findings"
    )
    assert all(one["call"] != "both" for one in shipped["differential"]["sensitive_to"])
    said = sensitivity_sentence(shipped)
    assert (
        said.startswith("Were one of these wrong")
        and shipped["differential"]["sensitive_to"][0]["label"].lower() in said.lower()
    )


def test_without_findings_there_is_nothing_to_doubt() -> None:
    document = work([])
    assert document["differential"]["sensitive_to"] == [] and sensitivity_sentence(document) == ""
