"""The diary to look at: one line per signal, on a terminal and as a page. A day without an entry is a gap, never zero.

The document is what `tasks.diary.history` makes. Nothing is computed here but where a point goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tellapart.rendering import body_map, charts, words
from tellapart.rendering.html import environment

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"
GAP = " "
_WHOLE = 100  # from here on decimals say nothing
_NARROWEST = 10
_BESIDE = 46  # characters taken by the columns beside the chart

Document = Mapping[str, Any]


def print_diary(document: Document, console: Console) -> None:
    """Print the diary: per signal its course (a character is one day, or the mean of several), mean and last value."""
    unicode = console.encoding.lower().startswith("utf")
    width = max(_NARROWEST, console.width - _BESIDE)
    console.print(
        f"{document['from']} to {document['to']}: {words.counted(document['days_with_entry'], 'day')} with an entry "
        f"of {words.number(document['days'])}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    table.add_column("", max_width=24)
    table.add_column(_each(document["days"], width), no_wrap=True)
    table.add_column("mean", justify="right")
    table.add_column("last", justify="right")
    for signal in document["signals"]:
        values = [value for _, value in signal["values"]]
        table.add_row(
            Text(signal["label"]),
            spark(signal, document, width, BLOCKS if unicode else ASCII_BLOCKS),
            amount(sum(values) / len(values)),
            amount(values[-1]),
        )
    console.print(table)
    for line in document["forms"]:
        console.print(line, markup=False)


def print_flares(document: Document, texts: Mapping[str, str], console: Console) -> None:
    """Print the flares of a `tellapart.flares/1` in the words of the patient's pages: no type of disease."""
    console.print(
        f"{words.counted(document['days_with_entry'], 'day')} with an entry of {words.number(document['days'])}"
    )
    if not document["flares"]:
        console.print(texts["no_flare" if document["enough_data"] else "too_few_days"])
    for flare in document["flares"]:
        console.print()
        console.print(Text(flare_dates(flare, texts), style="bold"))
        for line in flare_lines(flare, texts):
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    for line in trigger_lines(document, texts):
        console.print(f"\n{line}", markup=False)
    console.print()
    console.print(texts["posture"], style="dim")


def flare_dates(flare: Document, texts: Mapping[str, str]) -> str:
    """`2026-01-02 to 2026-01-20 (19 days), moderate`."""
    return texts["flare_dates"].format(
        start=flare["start"],
        end=flare["end"] or texts["now"],
        days=words.number(flare["days"]),
        severity=texts[flare["severity"]],
    )


def flare_lines(flare: Document, texts: Mapping[str, str]) -> list[str]:
    """What rose and what it means, in the words of the patient's pages."""
    return [
        texts[f"pattern_{flare['type']}"],
        texts["flare_signals"].format(signals=_named(flare["signals"], texts), peak=flare["peak"]),
    ]


def trigger_lines(document: Document, texts: Mapping[str, str]) -> list[str]:
    """What went before flares more often than not; which candidates have too few data."""
    known = [t for t in document["triggers"] if t["enough_data"]]
    out = [
        texts["trigger_found"].format(signal=texts[t["signal"]], before=t["before"], flares=t["flares"])
        for t in known
        if t["low"] is not None and t["low"] > 1
    ]
    unknown = [t["signal"] for t in document["triggers"] if not t["enough_data"]]
    return out + ([texts["trigger_unknown"].format(signals=_named(unknown, texts))] if unknown else [])


def _named(signals: Sequence[str], texts: Mapping[str, str]) -> str:
    return words.listed([words.inside(texts[signal]) for signal in signals], texts["and"])


def _each(days: int, width: int) -> str:
    per = -(-days // width)
    return "each sign: a day" if per == 1 else f"each sign: {per} days"


def spark(signal: Document, document: Document, width: int, blocks: str = BLOCKS) -> str:
    """The course of a signal in signs: the mean of the days of each, a blank where there is no entry.

    A scale is drawn on its own range, anything else on the range that was seen.
    """
    start = date.fromisoformat(document["from"]).toordinal()
    per = -(-document["days"] // width)
    cells: list[list[float]] = [[] for _ in range(-(-document["days"] // per))]
    for day, value in signal["values"]:
        cells[(date.fromisoformat(day).toordinal() - start) // per].append(value)
    low, high = span(signal)
    top = len(blocks) - 1
    return "".join(blocks[round((sum(cell) / len(cell) - low) / (high - low) * top)] if cell else GAP for cell in cells)


def span(signal: Document) -> tuple[float, float]:
    """The range a signal is drawn on."""
    if signal["kind"] != "number":
        return signal["low"], signal["high"]
    seen = [value for _, value in signal["values"]]
    low, high = min(seen), max(seen)
    return (low, high) if high > low else (low, low + 1)


def amount(value: float) -> str:
    """A value as a person reads it: one decimal at most, none for thousands."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{round(value, 1):g}"


def lines(signal: Document, document: Document) -> list[str]:
    """The stretches of days without a gap, each as the points of an SVG line: x in days, y from 0 (high) to 100."""
    start = date.fromisoformat(document["from"]).toordinal()
    low, high = span(signal)
    stretches: list[list[tuple[int, float]]] = []
    for day, value in signal["values"]:
        x = date.fromisoformat(day).toordinal() - start
        if not stretches or x - stretches[-1][-1][0] > 1:
            stretches.append([])
        stretches[-1].append((x, round(100 * (high - value) / (high - low), 1)))
    return [_points(stretch) for stretch in stretches]


def _points(stretch: Sequence[tuple[int, float]]) -> str:
    drawn = stretch if len(stretch) > 1 else [stretch[0], (stretch[0][0] + 1, stretch[0][1])]  # a lone day is seen
    return " ".join(f"{x},{y:g}" for x, y in drawn)


def shown_flares(document: Document) -> list[Document]:
    """The flares that reach into the days shown."""
    return [f for f in document["flares"] if (f["end"] or document["to"]) >= document["from"]]


def bands(document: Document) -> list[dict[str, int]]:
    """The flares as bands behind the lines: first day and width, in days."""
    first, last = (date.fromisoformat(document[end]).toordinal() for end in ("from", "to"))
    spans = [
        (date.fromisoformat(f["start"]).toordinal(), date.fromisoformat(f["end"] or document["to"]).toordinal())
        for f in shown_flares(document)
    ]
    return [{"x": max(a, first) - first, "width": min(b, last) - max(a, first) + 1} for a, b in spans]


def _body(places: tuple[str, Mapping[str, bool]] | None) -> Document | None:
    """The last body map: its day, its places and what they say."""
    if places is None:
        return None
    day, sites = places
    return {"day": day, "shapes": body_map.shapes(sites), "caption": body_map.caption(sites)}


def diary_page(document: Document, texts: Mapping[str, str]) -> str:
    """The diary as one page that opens offline: a line and the numbers per signal."""
    rows = []
    for signal in document["signals"]:
        values = [value for _, value in signal["values"]]
        low, high = span(signal)
        rows.append(
            {
                "name": signal["label"], "unit": signal["unit"].strip("{}"), "lines": lines(signal, document),
                "low": amount(low), "high": amount(high), "mean": amount(sum(values) / len(values)),
                "last": amount(values[-1]), "days": words.number(len(values)),
            }
        )  # fmt: skip
    return (
        environment()
        .get_template("diary.html.j2")
        .render(
            title="Diary",
            synthetic=bool(document.get("synthetic")),
            synthetic_words=words.SYNTHETIC,
            posture=texts["posture"],
            versions=words.versions(document),
            schema="tellapart.diary/1",
            document=document,
            rows=rows,
            bands=bands(document),
            body=_body(document["places"]),
            ticks=charts.date_ticks(document["from"], document["to"]),
            flares=[{"dates": flare_dates(f, texts), "lines": flare_lines(f, texts)} for f in shown_flares(document)],
        )
    )
