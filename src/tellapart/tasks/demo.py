"""What `tellapart demo` runs on, and which workups it suggests next.

The data is made by tools/make_example.py; its README.md says how and under which licence.
"""

from __future__ import annotations

from pathlib import Path

EXAMPLE: Path = Path(__file__).resolve().parents[1] / "examples"
"""Folder of the shipped data: FHIR R4, one `.ndjson.gz` per resource type, every person synthetic."""

TRY_NEXT: tuple[tuple[str, str], ...] = (
    ("synthetic-fm-coded-as-sle", "coded and treated as lupus for years; what was measured says fibromyalgia"),
    ("synthetic-sle-with-fm", "lupus proved and quiet, then pain everywhere: how much of each?"),
    ("synthetic-fm-coded-red-flag", "coded fibromyalgia, with protein in the urine and low platelets nobody explained"),
)
"""Person id and one line of why, in the order in which they are printed."""
