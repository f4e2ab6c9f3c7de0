"""What every test starts from: the builders of `lib` on the path, one hypothesis profile, slow tests off.

Slow tests run with `-m slow` (or any `-m` that names them) and with `TELLAPART_SLOW=1`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

sys.path.insert(0, str(Path(__file__).parent / "lib"))

# The same examples on every machine and in every run: a failure seen once can be seen again. A failing example is not
# made smaller (each step costs an audit); `HYPOTHESIS_PROFILE=search` does that, and looks for new examples.
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "fixed",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=_QUIET,
)
settings.register_profile("search", deadline=None, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow tests unless they were asked for."""
    if "slow" in str(config.getoption("markexpr")) or os.environ.get("TELLAPART_SLOW"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with -m slow"))
