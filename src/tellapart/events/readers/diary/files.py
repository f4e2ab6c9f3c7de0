"""Any file that can be read into the diary: told apart by what is in it, every bad row listed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tellapart.errors import InputError
from tellapart.events.readers.diary import csv_file, fhir_file, wearables
from tellapart.events.readers.diary.signals import Signals, Unfit
from tellapart.events.readers.diary.store import Entry
from tellapart.knowledge.load import Knowledge

Row = Entry | dict[str, object]
"""An entry, or (as a row of `rejected`) what is wrong with it."""


def read(path: Path, knowledge: Knowledge, signals: Signals) -> Iterator[Row]:
    """Every row of a CSV file, a FHIR file, or the export of a wearable (a file, a zip or a folder).

    Raises:
        InputError: it cannot be read, or nothing in it can be of a diary.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder. Check the path.")
    kind = path.suffix.lower()
    if path.is_dir():
        if (export := next(iter(sorted(path.rglob("export.xml"))), None)) is not None:
            return _checked(wearables.apple(export), signals, wearables.APPLE)
        if files := wearables.fitbit_files(path):
            return _checked(wearables.fitbit(files), signals, wearables.FITBIT)
        raise InputError(
            f"{path}: holds neither export.xml (Apple Health) nor Fitbit's steps, sleep or resting_heart_rate files."
        )
    if kind == ".xml" or (kind == ".zip" and zipfile.is_zipfile(path)):
        return _checked(wearables.apple(path), signals, wearables.APPLE)
    if kind == ".json":
        document = fhir_file.parsed(path)
        if wearables.is_fitbit(document):
            return _checked(wearables.fitbit([path]), signals, wearables.FITBIT)
        return _checked(fhir_file.readings(path, document, knowledge), signals, fhir_file.ORIGIN)
    return csv_file.read(path, signals)


def _checked(readings: Iterable[wearables.Reading], signals: Signals, origin: str) -> Iterator[Row]:
    for file, day, signal, value in readings:
        try:
            yield Entry(*signals.entry(day, signal, value), origin)
        except Unfit as unfit:
            yield {
                "file": file, "line": None, "reference": day, "field": unfit.field, "value": unfit.value,
                "reason": unfit.reason, "what_to_do": unfit.what_to_do,
            }  # fmt: skip
