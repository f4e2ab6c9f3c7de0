"""What some tests need of the machine: skipped with the reason where it is missing, never in CI."""

from __future__ import annotations

import os

import pytest


def skip_if(reason: str) -> None:
    """Skip the test for this reason; in CI fail it. An empty reason does nothing."""
    if reason and os.environ.get("CI"):
        pytest.fail(f"CI must run this: {reason}")
    if reason:
        pytest.skip(reason)
