"""The diary as FHIR R4: a Questionnaire with one response a day, out and in; Observations in.

A Bundle holds the Questionnaire `diary` (an item per signal, its id as linkId) and a QuestionnaireResponse per day, and the same
of every form that was filled in (`phq_9`: linkIds as in a workup's source). PHQ-9, PHQ-2 and GAD-7 are read by LOINC's codes too.
Observations are read by the codes of `diary_codes`, in the unit of that table and no other.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from tellapart.errors import InputError
from tellapart.events.readers.diary.signals import Signals, answers, form_of
from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import Knowledge, Row

ORIGIN = "fhir"
CANONICAL = "urn:tellapart:questionnaire:"
LIMITS = (
    ("low", "http://hl7.org/fhir/StructureDefinition/minValue"),
    ("high", "http://hl7.org/fhir/StructureDefinition/maxValue"),
)

Resource = dict[str, Any]


def questionnaire(knowledge: Knowledge, form: str = "") -> Resource:
    """A form (default: the questions of a day) as a Questionnaire."""
    rows = answers(knowledge, form).values() if form else knowledge["diary_signals"]
    name = form or "diary"
    return {
        "resourceType": "Questionnaire", "id": name.replace("_", "-"), "url": CANONICAL + name, "version": knowledge.version,
        "status": "active", "subjectType": ["Patient"], "item": [_item(row) for row in rows],
    }  # fmt: skip


def _item(row: Row) -> Resource:
    if row["kind"] == "flag":
        return {"linkId": row["signal"], "text": row["label"], "type": "boolean"}
    limits = [{"url": url, "valueDecimal": float(row[end])} for end, url in LIMITS]
    return {"linkId": row["signal"], "text": row["label"], "type": "decimal", "extension": limits}


def bundle(entries: Iterable[Entry], knowledge: Knowledge) -> bytes:
    """The diary as a Bundle of type collection: a Questionnaire per form, and a response per form and day."""
    kinds = {s: row["kind"] for s, row in Signals.of(knowledge, dt.date.max).rows.items()}
    known = sorted((e for e in entries if e.signal in kinds), key=lambda e: (form_of(e.signal), e.day))
    responses, resources = [], [questionnaire(knowledge)]
    for (form, day), rows in groupby(known, key=lambda e: (form_of(e.signal), e.day)):
        if form and resources[-1]["id"] != form.replace("_", "-"):
            resources.append(questionnaire(knowledge, form))
        name = form or "diary"
        responses.append(
            {
                "resourceType": "QuestionnaireResponse", "id": f"{name.replace('_', '-')}-{day}", "questionnaire": CANONICAL + name,
                "status": "completed", "authored": day,
                "item": [{"linkId": e.signal, "answer": [_answer(kinds[e.signal], e.value)]} for e in rows],
            }
        )  # fmt: skip
    document = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in resources + responses],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def _answer(kind: str, value: float) -> dict[str, Any]:
    return {"valueBoolean": bool(value)} if kind == "flag" else {"valueDecimal": value}


def readings(path: Path, document: Any, knowledge: Knowledge) -> Iterator[tuple[str, str, str, str]]:
    """File, day, signal and value (as text) of everything in a resource or Bundle that a diary can hold.

    Raises:
        InputError: nothing in it is of a diary.
    """
    signals = Signals.of(knowledge, dt.date.max).rows
    words = {(r["kind"], r["key"]): r["code"] for r in knowledge["questionnaire_words"]}
    codes = {(row["system"], row["code"]): row for row in knowledge["diary_codes"]}
    found = False
    for resource in _resources(document):
        if resource.get("status") == "entered-in-error":
            continue
        if resource.get("resourceType") == "QuestionnaireResponse":
            day = resource.get("authored") or ""
            for item in _items(resource):
                link = str(item.get("linkId", ""))
                name = words.get(("link", link.lower()), link)
                if name in signals and item.get("answer"):
                    found = True
                    given = _value(item["answer"][0])
                    yield str(path), day, name, words.get(("answer", given.lower()), given)
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
    if isinstance(given, dict):
        given = given.get("code", given.get("value", ""))
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
