"""The trouble a user can have, and the exit code of each.

    TellapartError            1   base: show the message, no traceback
    ├── InputError            1   the input cannot be used
    ├── UsageError            2   the command or its options are wrong
    └── KnowledgeError        1   the knowledge tables contradict themselves

`EXIT_REJECTED` (3) is not an error: the work was done, but part of the input was rejected.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_INPUT = 1
EXIT_USAGE = 2
EXIT_REJECTED = 3


class TellapartError(Exception):
    """Something the user can mend; the message says what was wrong, where, and what to do."""

    exit_code = EXIT_INPUT


class InputError(TellapartError):
    """The input is unusable as a whole (missing, unreadable, of no known format)."""

    exit_code = EXIT_INPUT


class UsageError(TellapartError):
    """The command, an option or its value is wrong."""

    exit_code = EXIT_USAGE


class KnowledgeError(TellapartError):
    """The knowledge base failed its check. `faults` lists every fault as `file:row: field: what`."""

    exit_code = EXIT_INPUT

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(f"The knowledge base has {len(faults)} fault(s):\n  " + "\n  ".join(faults))
