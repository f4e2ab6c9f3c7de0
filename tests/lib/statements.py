"""Statements as readers leave them: the cases scored by hand, and rows at random over everything that can be read."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tellapart.contracts.relations import ASKED_FOR, SOURCES, Relation
from tellapart.knowledge.load import load


def papers() -> list[tuple[str, str, dict[str, Any]]]:
    """The cases that were scored by hand, as documents."""
    own = ("title", "source", "expected")
    return [
        (path.name, f"{path.stem}[{i}]", {k: v for k, v in one.items() if k not in own})
        for path in sorted((Path(__file__).parents[1] / "papers").glob("*.json"))
        for i, one in enumerate(json.loads(path.read_text(encoding="utf-8"))["cases"])
    ]


def generated(seed: int, people: int = 40, rows: int = 30) -> Iterator[dict[str, Any]]:
    """Statements at random over everything the knowledge base can read: duplicates, several codings, junk, no dates."""
    draw = random.Random(seed)
    knowledge = load()
    codes = [(r["system"], r["code"], r["rule"]) for r in knowledge["finding_codes"]]
    drugs = [(r["system"], r["code"], "drug") for r in knowledge["drug_codes"]]
    forms = {r["instrument"]: [] for r in knowledge["instruments"]}
    for r in knowledge["instrument_items"]:
        forms[r["instrument"]].append((r["item"], r["low"], r["high"]))
    number = 0
    for person in range(people):
        for _ in range(rows):
            number += 1
            base = {
                "row_no": number, "person_id": f"p{person}", "reference": f"row/{number}", "coding_no": 0, "part": 0,
                "status": draw.choice(["asserted", "asserted", "asserted", "refuted", "withdrawn"]),
                "by": draw.choice([None, "measured", "clinician", "patient", "text"]),
                "date": draw.choice([None, "2024", "2024-05", "0000-01-01"] + 4 * [_day(draw)]),
            }  # fmt: skip
            base["known_date"] = draw.choice([None, base["date"], _day(draw)])
            if draw.random() < 0.1:
                instrument = draw.choice(sorted(forms))
                for part, (item, low, high) in enumerate(forms[instrument], 1):
                    if low and draw.random() < 0.8:
                        answer = str(draw.randint(int(float(low)), int(float(high))))
                        yield base | {"kind": "instrument", "code": f"{instrument}.{item}", "part": part,
                                      "value": answer, "group_key": f"form/{number}", "status": "asserted"}  # fmt: skip
                continue
            for coding in range(draw.choice([1, 1, 1, 2, 3])):
                system, code, rule = draw.choice(drugs if draw.random() < 0.15 else codes)
                kind = (
                    "drug" if rule == "drug" else draw.choice(["condition", "observation", "finding", "family_history"])
                )
                said = draw.choice(["1:320", "Positive", "neg", "3.2", "700", "2+", "<0.5", "junk", None])
                row = base | {"kind": kind, "system": system, "code": code, "coding_no": coding,
                              "value": said if rule == "result" else None,
                              "unit": draw.choice([None, "g/L", "mg/dL", "10*9/L", "{titer}"]),
                              "high": draw.choice([None, "5"]), "low": draw.choice([None, "1"])}  # fmt: skip
                yield row
                if draw.random() < 0.05:  # the same coding twice in one row
                    yield row | {"coding_no": coding + 10}


def _day(draw: random.Random) -> str:
    return (date(2024, 1, 1) + timedelta(days=draw.randrange(0, 900))).isoformat()


def fill(engine: Any, found: list[dict[str, Any]]) -> None:
    """Make the relations that a reader leaves of these statements."""

    def load_one(relation: Relation, rows: list[dict[str, Any]]) -> None:
        engine.load(relation.name, relation.columns, [tuple(r.get(c) for c in relation.columns) for r in rows])

    by_name = {r.name: r for r in (*SOURCES, *ASKED_FOR)}
    people = [*sorted({r["person_id"] for r in found}), "nobody wrote about"]
    load_one(by_name["statements"], found)
    load_one(by_name["source_rows"], [
        {"row_no": r["row_no"], "source_type": "Generated", "file": "generated", "person_id": r["person_id"]}
        for r in {r["row_no"]: r for r in found}.values()
    ] + [{"row_no": -i, "source_type": "Patient", "person_id": p} for i, p in enumerate(people, 1)])  # fmt: skip
    load_one(by_name["patients"], [
        {"person_id": p, "sex": "female", "birth_date": "1980", "row_no": -i} for i, p in enumerate(people, 1)
    ])  # fmt: skip
    load_one(by_name["left_out"], [])
    load_one(by_name["rejected"], [])
