"""The diary as FHIR R4: a Questionnaire with one response a day, out and in; Observations in.

A Bundle holds the Questionnaire `diary` (an item per signal, its id as linkId) and a QuestionnaireResponse per day.
Observations are read by the codes of `diary_codes`, in the unit of that table and no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from tellapart.errors import InputError
from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import Knowledge

ORIGIN = "fhir"
CANONICAL = "urn:tellapart:questionnaire:diary"

Resource = dict[str, Any]


def questionnaire(knowledge: Knowledge) -> Resource:
    """The diary as a Questionnaire."""
    items = [
        {"linkId": row["signal"], "text": row["label"], "type": "boolean" if row["kind"] == "flag" else "decimal"}
        for row in knowledge["diary_signals"]
    ]
    return {
        "resourceType": "Questionnaire", "id": "diary", "url": CANONICAL, "version": knowledge.version,
        "status": "active", "subjectType": ["Patient"], "item": items,
    }  # fmt: skip


def bundle(entries: Iterable[Entry], knowledge: Knowledge) -> bytes:
    """The diary as a Bundle of type collection: the Questionnaire, and a response per day."""
    kinds = {row["signal"]: row["kind"] for row in knowledge["diary_signals"]}
    resources = [questionnaire(knowledge)]
    for day, rows in groupby(entries, key=lambda e: e.day):
        items = [{"linkId": e.signal, "answer": [_answer(kinds[e.signal], e.value)]} for e in rows if e.signal in kinds]
        resources.append(
            {
                "resourceType": "QuestionnaireResponse", "id": f"diary-{day}", "questionnaire": CANONICAL,
                "status": "completed", "authored": day, "item": items,
            }
        )  # fmt: skip
    document = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def _answer(kind: str, value: float) -> dict[str, Any]:
    return {"valueBoolean": bool(value)} if kind == "flag" else {"valueDecimal": value}


def readings(path: Path, document: Any, knowledge: Knowledge) -> Iterator[tuple[str, str, str, str]]:
    """File, day, signal and value (as text) of everything in a resource or Bundle that a diary can hold.

    Raises:
        InputError: nothing in it is of a diary.
    """
    signals = {row["signal"] for row in knowledge["diary_signals"]}
    codes = {(row["system"], row["code"]): row for row in knowledge["diary_codes"]}
    found = False
    for resource in _resources(document):
        if resource.get("status") == "entered-in-error":
            continue
        if resource.get("resourceType") == "QuestionnaireResponse":
            day = resource.get("authored") or ""
            for item in _items(resource):
                if item.get("linkId") in signals and item.get("answer"):
                    found = True
                    yield str(path), day, item["linkId"], _value(item["answer"][0])
        elif resource.get("resourceType") == "Observation":
            for coding in (resource.get("code") or {}).get("coding") or ():
                row = codes.get((coding.get("system", ""), coding.get("code", "")))
                quantity = resource.get("valueQuantity") or {"value": resource.get("valueInteger")}
                if row and quantity.get("value") is not None and _unit_fits(quantity, row["unit"]):
                    found = True
                    yield str(path), resource.get("effectiveDateTime") or "", row["signal"], str(quantity["value"])
                    break
    if not found:
        raise InputError(f"{path}: holds no answer to the diary and no observation of diary_codes.")


def _unit_fits(quantity: dict[str, Any], unit: str) -> bool:
    """Is it the unit of the table, or a count or score, whose unit the code fixes?"""
    return quantity.get("code") == unit or ("code" not in quantity and unit.startswith("{"))


def _resources(document: Any) -> Iterator[Resource]:
    if isinstance(document, dict) and document.get("resourceType") == "Bundle":
        yield from (e["resource"] for e in document.get("entry") or () if isinstance(e.get("resource"), dict))
    elif isinstance(document, dict):
        yield document


def _items(node: Resource) -> Iterator[Resource]:
    for item in node.get("item") or ():
        yield item
        yield from _items(item)


def _value(answer: dict[str, Any]) -> str:
    given = next((v for k, v in answer.items() if k.startswith("value")), "")
    return ("1" if given else "0") if isinstance(given, bool) else str(given)


def parsed(path: Path) -> Any:
    """The JSON of a file.

    Raises:
        InputError: it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}).") from error
