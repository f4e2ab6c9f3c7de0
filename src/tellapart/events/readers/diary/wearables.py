"""Days from the exports of wearables: Apple Health (`export.xml`) and Fitbit or Google Takeout (JSON files).

The day is the person's own: the date as the export writes it, never converted. A night belongs to the day of waking; its
length is counted between instants, so that a change of the clock adds and takes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from statistics import fmean
from typing import IO, Any
from xml.etree import ElementTree

from tellapart.errors import InputError

APPLE = "apple_health"
FITBIT = "fitbit"

Reading = tuple[str, str, str, str]
"""File, day, signal and value, as text."""

_OF_DAY: dict[str, tuple[str, str, Callable[[list[float]], float]]] = {
    "HKQuantityTypeIdentifierRestingHeartRate": ("heart_rate", "count/min", fmean),
    "HKQuantityTypeIdentifierBodyTemperature": ("temperature", "degC", max),  # a fever is not averaged away
}
_FITBIT_FILE = re.compile(r"(steps|sleep|resting_heart_rate)-\d{4}-\d{2}-\d{2}\.json")
Span = tuple[dt.datetime, dt.datetime]


def apple(path: Path) -> Iterator[Reading]:
    """Steps, sleep, resting heart rate and temperature per day of an `export.xml`, or of the zip that holds it.

    Steps are those of the device that counted most on the day: a telephone and a watch count the same steps. Sleep is
    the time that any device took for sleep.

    Raises:
        InputError: it is no XML, or damaged.
    """
    steps: dict[tuple[str, str], float] = defaultdict(float)
    asleep: dict[str, list[Span]] = defaultdict(list)
    others: dict[tuple[str, str], list[float]] = defaultdict(list)
    with _xml(path) as stream:
        try:
            for _, node in ElementTree.iterparse(stream):
                if node.tag == "Record":
                    _apple_record(node.attrib, steps, asleep, others)
                node.clear()
        except (ElementTree.ParseError, KeyError, ValueError) as error:
            raise InputError(f"{path}: is no export of Apple Health that can be read ({error}).") from error
    best: dict[str, float] = {}
    for (day, _), count in steps.items():
        best[day] = max(best.get(day, 0.0), count)
    found = [(day, "steps", f"{count:g}") for day, count in best.items()]
    found += [(day, "sleep_hours", f"{_hours(spans):.2f}") for day, spans in asleep.items()]
    for (day, kind), values in others.items():
        signal, _, of_day = _OF_DAY[kind]
        found.append((day, signal, f"{of_day(values):.2f}"))
    for day, signal, value in sorted(found):
        yield str(path), day, signal, value


def _xml(path: Path) -> IO[bytes]:
    if path.suffix.lower() != ".zip":
        return path.open("rb")
    archive = zipfile.ZipFile(path)
    for name in archive.namelist():
        if PurePath(name).name == "export.xml":
            return archive.open(name)
    raise InputError(f"{path}: holds no export.xml of Apple Health. Of a Takeout archive, name the unpacked folder.")


def _apple_record(
    record: dict[str, str],
    steps: dict[tuple[str, str], float],
    asleep: dict[str, list[Span]],
    others: dict[tuple[str, str], list[float]],
) -> None:
    kind, day = record.get("type", ""), record.get("startDate", "")[:10]
    if kind == "HKQuantityTypeIdentifierStepCount":
        steps[day, record.get("sourceName", "")] += float(record["value"])
    elif kind == "HKCategoryTypeIdentifierSleepAnalysis" and "Asleep" in record.get("value", ""):
        span = (_instant(record["startDate"]), _instant(record["endDate"]))
        asleep[record["endDate"][:10]].append(span)
    elif kind in _OF_DAY and record.get("unit") == _OF_DAY[kind][1]:  # another unit is left out, not converted
        others[day, kind].append(float(record["value"]))


def _instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")


def _hours(spans: Iterable[Span]) -> float:
    """Length of the union of spans, in hours."""
    total, until = dt.timedelta(0), None
    for start, end in sorted(spans):
        begin = start if until is None or start > until else until
        if end > begin:
            total += end - begin
            until = end
    return total / dt.timedelta(hours=1)


def fitbit_files(folder: Path) -> list[Path]:
    """The files of a Takeout folder that hold steps, sleep or resting heart rate."""
    return sorted(p for p in folder.rglob("*.json") if _FITBIT_FILE.fullmatch(p.name))


def fitbit(files: Iterable[Path]) -> Iterator[Reading]:
    """Steps, sleep and resting heart rate per day of Fitbit's JSON files.

    Raises:
        InputError: a file is no such JSON.
    """
    steps: dict[str, float] = defaultdict(float)
    asleep: dict[str, float] = defaultdict(float)
    other: list[Reading] = []
    name = ""
    for path in files:
        name = str(path)
        try:
            for row in json.loads(path.read_bytes()):
                if "dateOfSleep" in row:
                    asleep[row["dateOfSleep"]] += float(row["minutesAsleep"])
                elif isinstance(row["value"], dict):
                    if row["value"].get("date") and float(row["value"]["value"]) > 0:  # 0: not worn
                        rate = f"{float(row['value']['value']):.1f}"
                        other.append((name, _american(row["value"]["date"]), "heart_rate", rate))
                else:
                    steps[_american(row["dateTime"])] += float(row["value"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path}: is no Fitbit file that can be read ({error}).") from error
    yield from ((name, day, "steps", f"{count:g}") for day, count in sorted(steps.items()))
    yield from ((name, day, "sleep_hours", f"{minutes / 60:.2f}") for day, minutes in sorted(asleep.items()))
    yield from other


def _american(text: str) -> str:
    """`01/31/26 08:00:00` as an ISO day."""
    return dt.datetime.strptime(text.split(maxsplit=1)[0], "%m/%d/%y").date().isoformat()


def is_fitbit(document: Any) -> bool:
    """Does parsed JSON look like one of these files?"""
    return (
        isinstance(document, list)
        and bool(document)
        and isinstance(document[0], dict)
        and ("dateOfSleep" in document[0] or {"dateTime", "value"} <= set(document[0]))
    )
