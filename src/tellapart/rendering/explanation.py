"""From prior to posterior on a terminal: every bit that was added, SLE against FM, as a table.

The rows are those of the waterfall of the page (`charts.waterfall_chart`), so both show the same steps.
"""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tellapart.rendering import charts
from tellapart.rendering.words import Document, Labels

TITLE = "From prior to posterior: SLE against FM"
CAPTION = "Odds of SLE alone against FM alone in bits, 0 is even. Prior odds plus every change are the posterior odds."


def steps_table(doc: Document, labels: Labels) -> Table | None:
    """One row per finding that was added, between prior and posterior odds; None where the page has no waterfall."""
    waterfall = charts.waterfall_chart(doc, labels)
    if waterfall is None:
        return None
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Step", ratio=1, overflow="fold")
    table.add_column("Change", justify="right", no_wrap=True)
    table.add_column("Odds", justify="right", no_wrap=True)
    for row in waterfall["rows"]:
        style = "bold" if row["finding"] is None else ""
        table.add_row(Text(row["name"]), row["exact_change"], row["exact_level"], style=style)
    return table
