"""Doses to the milligram: what is written to mg a day, and what stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tellapart.tasks.session import Session

HCQ = "Hydroxychloroquine Sulfate 200 MG Oral Tablet"
# value, unit, text, name of the product: mg a day (a text: per kg), None: not known
CASES: list[tuple[float | None, str | None, str | None, str | None, Any]] = [
    (400, "mg/d", None, None, 400),
    (0.4, "g/d", None, None, 400),
    (400, "mg/day", None, None, 400),
    (500, "ug/d", None, None, 0.5),
    (6.5, "mg/kg/d", None, None, "6.5"),
    (200, "mg", "1 tab BID", HCQ, 400),
    (200, "mg", "200 mg, 2 a day; 2 times every 1 d", HCQ, 400),
    (15, "mg", "1 times every 1 wk", None, 2.142857),
    (1, "g", "1 times every 12 h", None, 2000),
    (1, "g", "twice daily", None, 2000),
    (2, "{tbl}", "once daily", HCQ, 400),
    (1, "TAB", "bid", HCQ, 400),
    (None, None, "1 tab BID", HCQ, 400),
    (None, None, "Take 1 tablet by mouth twice a day", HCQ, 400),
    (None, None, "half tablet daily", HCQ, 100),
    (None, None, "200 mg every other day", None, 100),
    (None, None, "200 mg on alternate days", None, 100),
    (None, None, "400 mg daily", None, 400),
    (None, None, "5 mg/kg/d", None, "5"),
    (None, None, "7.5 mg once daily", "predniSONE 5 MG Oral Tablet", 7.5),
    (None, None, "15 mg once weekly", None, 2.142857),
    # not known
    (200, "mg", None, HCQ, None),
    (None, None, "400 mg", None, None),
    (None, None, "1 tab daily", "hydroxychloroquine", None),
    (None, None, "20 mg daily then 10 mg daily", None, None),
    (None, None, "taper from 20 mg daily", None, None),
    (None, None, "200 mg alternating with 400 mg daily", None, None),
    (None, None, "5 mg daily as needed", None, None),
    (None, None, "1 or 2 tablets daily", HCQ, None),
    (1, "mL", "once daily", "predniSONE 1 MG/ML Oral Solution", None),
    (0, "mg/d", None, None, None),
]


@pytest.mark.parametrize(("value", "unit", "text", "display", "expected"), CASES)
def test_dose(value: float | None, unit: str | None, text: str | None, display: str | None, expected: Any) -> None:
    from tellapart.events import normalize

    engine = SESSION.engine
    engine.connection.execute(
        "create or replace table events as select 'drug' as kind, 'asserted' as status, cast(? as double) as value, "
        "cast(? as varchar) as unit, cast(? as varchar) as text, cast(? as varchar) as display",
        [value, unit, text, display],
    )
    found = engine.rows(normalize.text("doses"))
    if expected is None:
        assert found == []
    else:
        assert [(r["amount"], r["amount_unit"]) for r in found] == [
            (float(expected), "mg/kg/d" if isinstance(expected, str) else "mg/d")
        ]


SESSION = Session()
