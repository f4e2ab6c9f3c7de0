"""Where an interrupted audit goes on from: what was read, kept beside the results until they are whole.

Reading a source of text is most of an audit; all later stages together are quick. So one checkpoint stands after reading, and only if
reading took long. It holds the relations that the stages start from, and what they were made from, written last.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson

from tellapart.tasks.session import Session

FOLDER = "resume.part"
MADE_FROM = "made_from.json"
RELATIONS = ("patients", "persons", "horizons", "events", "doses", "accounting", "rejected", "diary_flares", "unmapped")
WORTH_KEEPING = 60.0
"""Seconds of reading: below, reading again costs less than writing down what was read costs every run."""


def save(session: Session, out: Path, made_from: dict[str, Any]) -> None:
    """Keep what `session` has read. Raises OSError if it cannot be written."""
    if session.seconds["read"] + session.seconds["normalize"] < WORTH_KEEPING:
        return
    folder = out / FOLDER
    discard(out)
    folder.mkdir()
    for name in RELATIONS:
        session.engine.copy(f'select * from "{name}"', folder / f"{name}.parquet", "format parquet")
    told = {**made_from, "detected": session.detected, "seconds": session.seconds}
    part = folder / f"{MADE_FROM}.part"
    part.write_bytes(orjson.dumps(told))
    part.replace(folder / MADE_FROM)


def load(session: Session, out: Path, made_from: dict[str, Any]) -> bool:
    """Take up what an interrupted run had read; False if there is nothing, or it was made from something else."""
    folder = out / FOLDER
    try:
        told = orjson.loads((folder / MADE_FROM).read_bytes())
    except (OSError, ValueError):
        return False
    files = {name: folder / f"{name}.parquet" for name in RELATIONS}
    if {k: told.get(k) for k in made_from} != made_from or not all(f.exists() for f in files.values()):
        return False
    for name, file in files.items():
        quoted = str(file).replace("'", "''")
        session.engine.make(name, f"select * from read_parquet('{quoted}')")
    session.detected = tuple(told["detected"])
    session.seconds.update(told["seconds"])
    session.source, session.read_so_far = str(made_from["source"]), True
    return True


def discard(out: Path) -> None:
    """Let go of what an interrupted run had read; what says that it is whole goes first, for this may be interrupted too."""
    (out / FOLDER / MADE_FROM).unlink(missing_ok=True)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
