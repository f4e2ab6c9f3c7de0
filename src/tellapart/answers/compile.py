"""What the SQL files of the answers room ask for: names of sets and hypotheses, read from the knowledge tables."""

from __future__ import annotations

from typing import Any

from tellapart.knowledge.load import Knowledge


def context(knowledge: Knowledge) -> dict[str, Any]:
    """Everything the SQL files of this room ask for beyond the common macros."""
    return {
        "hypotheses": ("sle", "fm", "both", "neither"),
        "sle_sets": [r["set"] for r in knowledge["criteria_sets"]],
        "fm_diagnostic_sets": [r["set"] for r in knowledge["fm_sets"] if r["screen"] != "yes"],
        "fm_sets": [r["set"] for r in knowledge["fm_sets"]],
    }
