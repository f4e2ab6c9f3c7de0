"""A page of this room as PDF, for printing and for the file of a patient: the page itself, its print style, nothing loaded.

Needs the extra `pdf` (WeasyPrint). It does not apply the style of a page to the drawings in it, so each drawing is given
the rules it needs, with the colors of the print style.
"""

from __future__ import annotations

import re

from tellapart.errors import UsageError
from tellapart.rendering.html import environment

_DRAWING = re.compile(r"<svg\b[^>]*>")
_PRINT_COLORS = re.compile(r"@media print \{\s*:root \{([^}]*)\}")
_VARIABLE = re.compile(r"(--[\w-]+):\s*([^;]+);")


def pdf(page: str) -> bytes:
    """The finished page `page` (HTML made by this room) as PDF/UA; the same page gives the same bytes.

    Raises:
        UsageError: the extra `pdf` is not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: its system library (Pango) is missing
        raise UsageError(
            f"PDF cannot be written here ({error}). Install the extra: pip install 'tellapart[pdf]', and Pango "
            "(Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0); or write --html and print it in a browser."
        ) from error
    document = HTML(string=_with_drawing_style(page), url_fetcher=URLFetcher(allowed_protocols=()))
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))


def _with_drawing_style(page: str) -> str:
    """The page with the style of drawings, and the hatching they refer to, in each of them."""
    found = _PRINT_COLORS.search(page)
    colors = dict(_VARIABLE.findall(found[1])) if found else {}
    templates = environment()
    style = re.sub(r"var\((--[\w-]+)\)", lambda m: colors[m[1]].strip(), templates.get_template("drawing.css").render())
    hatch = templates.from_string('{% from "charts.svg.j2" import hatch %}{{ hatch() }}').render()
    pattern = hatch[hatch.index("<defs>") : hatch.index("</svg>")]
    return _DRAWING.sub(lambda m: f"{m[0]}<style>{style}</style>{pattern}", page)
