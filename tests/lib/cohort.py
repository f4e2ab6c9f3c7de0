"""Everybody of a source worked up in one pass, and the comparisons that tests make of the documents."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tellapart.knowledge.load import load
from tellapart.tasks.document import Documents
from tellapart.tasks.session import Options, Session

Json = dict[str, Any]
SETTING = "rheumatology_referral"
DAY = date(2026, 1, 1)
HYPOTHESES = ("sle", "fm", "both", "neither")


@cache
def warm() -> Session:
    """One session for all tests of a process."""
    return Session(load(), threads=2)


def everybody(
    source: Path | Sequence[Json], as_of: date | None = DAY, setting: str | None = SETTING
) -> dict[str, Json]:
    """Work up every person of a source (a path, or case documents): person id to `tellapart.workup/1`."""
    session, options = warm(), Options(as_of=as_of, setting=setting)
    if isinstance(source, Path):
        session.read(source, options)
    else:
        with TemporaryDirectory() as folder:
            for number, document in enumerate(source):
                (Path(folder) / f"{number:05d}.json").write_text(json.dumps(document), encoding="utf-8")
            session.read(Path(folder), options)
    count = session.engine.one("select count(*) from persons")
    session.analyse(options, list(range(1, count + 1)))
    documents = Documents(session.answers, session.knowledge)
    made = [documents.workup(number) for number in range(1, count + 1)]
    return {document["person"]["id"]: document for document in made}


def times(few: int) -> int:
    """Number of hypothesis examples: a few, or `TELLAPART_EXAMPLES` times as many to search for new faults."""
    return few * int(os.environ.get("TELLAPART_EXAMPLES", "1"))


def without(document: Json, *keys: str) -> Json:
    """A copy without these keys, wherever they stand."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in keys}
        return [strip(v) for v in value] if isinstance(value, list) else value

    stripped: Json = strip(copy.deepcopy(document))
    return stripped


def sets(document: Json) -> dict[str, Json]:
    return {part["set"]: part for part in document["criteria"]}


def states(document: Json) -> dict[str, str]:
    return {f["finding"]: f["state"] for f in document["findings"]}


def posterior(document: Json) -> dict[str, float]:
    return {h: document["differential"]["posterior"][h]["p"] for h in HYPOTHESES}


def explained(document: Json) -> dict[str, float]:
    """The posterior made again from what is printed: the prior and the bits of the weights that count."""
    differential = document["differential"]
    share = {
        h: differential["prior"][h] * 2 ** sum(w["bits"][h] for w in differential["weights"] if w["used"])
        for h in HYPOTHESES
    }
    total = sum(share.values())
    return {h: s / total for h, s in share.items()}


def differing(one: Mapping[str, Any], other: Mapping[str, Any], path: str = "") -> list[str]:
    """Where two documents differ, in words (the first 20)."""
    found: list[str] = []

    def walk(a: Any, b: Any, where: str) -> None:
        if isinstance(a, dict) and isinstance(b, dict):
            for key in sorted(a.keys() | b.keys()):
                walk(a.get(key, "<no key>"), b.get(key, "<no key>"), f"{where}.{key}")
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            for number, (x, y) in enumerate(zip(a, b, strict=True)):
                walk(x, y, f"{where}[{number}]")
        elif a != b:
            found.append(f"{where}: {a!r} is not {b!r}")

    walk(one, other, path)
    return found[:20]
