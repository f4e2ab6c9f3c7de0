"""Small line charts as SVG files: points with intervals, lines, a legend in words. Computes nothing but positions.

Lines differ by dash and marker as well as by shade, so that a chart reads without color; every chart stands beside a
table with the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT, EDGE, LEGEND = 300, 240, 44, 18
STYLES = (("#0b5fa5", ""), ("#a33b00", "6 3"), ("#2f6b2f", "2 3"), ("#5b3a86", "8 3 2 3"), ("#444444", "1 4"),
          ("#7a5c00", "12 3"), ("#8a1550", "4 2 1 2"))  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a chart; `bars` are (low, high) of every point, or empty."""

    name: str
    points: Sequence[tuple[float, float]]
    bars: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Panel:
    """One chart: its title, its lines, the range of the vertical axis, and where the horizontal one ends."""

    title: str
    lines: Sequence[Line]
    low: float = 0.0
    high: float = 1.0
    diagonal: bool = False
    right: float = 1.0


def figure(panels: Sequence[Panel], columns: int, across: str, up: str, described: str) -> str:
    """An SVG of all panels, with `described` for those who cannot see it; names of lines below."""
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    rows = -(-len(panels) // columns)
    height = rows * (HEIGHT + EDGE) + LEGEND * len(names) + EDGE
    width = columns * (WIDTH + EDGE) + EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" '
        f'font-size="11"><title>{escape(described)}</title><rect width="{width}" height="{height}" fill="#ffffff"/>'
    ]
    for number, panel in enumerate(panels):
        x, y = EDGE + number % columns * (WIDTH + EDGE), EDGE // 2 + number // columns * (HEIGHT + EDGE)
        parts += _panel(panel, x, y, names, across, up)
    for number, name in enumerate(names):
        y = rows * (HEIGHT + EDGE) + EDGE // 2 + number * LEGEND
        parts.append(f'<line x1="{EDGE}" y1="{y}" x2="{2 * EDGE}" y2="{y}" {_stroke(names.index(name))}/>')
        parts.append(f'<text x="{2 * EDGE + 8}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _stroke(number: int) -> str:
    color, dash = STYLES[number % len(STYLES)]
    return f'stroke="{color}" stroke-width="1.6" fill="none"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _panel(panel: Panel, x0: int, y0: int, names: list[str], across: str, up: str) -> list[str]:
    def at(x: float, y: float) -> tuple[float, float]:
        kept = min(max(y, panel.low), panel.high)
        return round(x0 + x / panel.right * WIDTH, 1), round(
            y0 + (panel.high - kept) / (panel.high - panel.low) * HEIGHT, 1
        )

    out = [
        f'<text x="{x0}" y="{y0 - 6}" font-weight="bold">{escape(panel.title)}</text>',
        f'<rect x="{x0}" y="{y0}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999999"/>',
        f'<text x="{x0 + WIDTH}" y="{y0 + HEIGHT + 26}" text-anchor="end">{escape(across)}</text>',
        f'<text x="{x0 + 4}" y="{y0 + 14}" fill="#555555">{escape(up)}</text>',
    ]
    for step in range(5):
        along = step / 4 * panel.right
        x, bottom = at(along, panel.low)
        out.append(f'<text x="{x}" y="{bottom + 13}" text-anchor="middle">{along:g}</text>')
        value = panel.low + step / 4 * (panel.high - panel.low)
        out.append(f'<text x="{x0 - 4}" y="{at(0, value)[1] + 4}" text-anchor="end">{value:.2g}</text>')
    if panel.diagonal:
        (xa, ya), (xb, yb) = at(0, 0), at(panel.right, 1)
        out.append(f'<line x1="{xa}" y1="{ya}" x2="{xb}" y2="{yb}" stroke="#999999" stroke-dasharray="3 3"/>')
    for line in panel.lines:
        stroke = _stroke(names.index(line.name))
        path = " ".join(f"{x},{y}" for x, y in (at(*p) for p in line.points))
        out.append(f'<polyline points="{path}" {stroke}/>')
        for (px, _), (low, high) in zip(line.points, line.bars, strict=False):
            (x, top), (_, bottom) = at(px, high), at(px, low)
            out.append(f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" {stroke}/>')
    return out
