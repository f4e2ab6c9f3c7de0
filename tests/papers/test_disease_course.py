"""The course of one person: neither, lupus, fibromyalgia, both, with dates and what says so."""

from __future__ import annotations

from typing import Any

import pytest
from cases import case, fm_form, state

from tellapart.tasks.workup import workup_documents

pytestmark = pytest.mark.proves("one_disease_hides_the_other")

LUPUS = ("ana_ge_80", "anti_dsdna", "acute_cutaneous_lupus", "synovitis")


def lupus(day: str) -> list[dict[str, Any]]:
    return [state(f, day=day) for f in LUPUS]


FIRST = state("fatigue", day="2020-01-01")
COURSES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str | None, str]]]] = {
    "nothing": (case("synthetic-1", [FIRST]), [("neither", "2020-01-01", None, "on record")]),
    "lupus, then fibromyalgia": (
        case("synthetic-2", [FIRST, *lupus("2021-03-01")], instruments=[fm_form(date="2023-05-01")]),
        [("neither", "2020-01-01", "2021-03-01", "on record"), ("sle", "2021-03-01", "2023-05-01", "criteria met"),
         ("both", "2023-05-01", None, "criteria met")],
    ),
    "fibromyalgia, then lupus": (
        case("synthetic-3", [FIRST, *lupus("2023-05-01")], instruments=[fm_form(date="2021-03-01")]),
        [("neither", "2020-01-01", "2021-03-01", "on record"), ("fm", "2021-03-01", "2023-05-01", "criteria met"),
         ("both", "2023-05-01", None, "criteria met")],
    ),
    "both on one day": (
        case("synthetic-4", [FIRST, *lupus("2022-01-01")], instruments=[fm_form(date="2022-01-01")]),
        [("neither", "2020-01-01", "2022-01-01", "on record"), ("both", "2022-01-01", None, "criteria met")],
    ),
    "coded only": (
        case("synthetic-5", [FIRST, state("sle_dx", day="2021-01-01")]),
        [("neither", "2020-01-01", "2021-01-01", "on record"), ("sle", "2021-01-01", None, "coded")],
    ),
    "complaints alone are no lupus": (
        case("synthetic-6", [FIRST, *(state(f, day="2021-01-01", by="patient") for f in ("oral_ulcers", "photosensitivity", "malar_rash"))]),
        [("neither", "2020-01-01", None, "on record")],
    ),
    "lupus on the first day": (case("synthetic-7", lupus("2021-03-01")), [("sle", "2021-03-01", None, "criteria met")]),
}  # fmt: skip


@pytest.mark.parametrize("name", COURSES)
def test_course(name: str) -> None:
    document, expected = COURSES[name]
    (made,) = workup_documents([document])
    assert [(c["state"], c["from"], c["to"], c["basis"]) for c in made["course"]] == expected
