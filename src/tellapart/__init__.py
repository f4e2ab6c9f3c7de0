"""tellapart tells systemic lupus erythematosus and fibromyalgia apart, and finds when a person has both.

Decision support with a transparent basis, not a diagnosis.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tellapart")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
