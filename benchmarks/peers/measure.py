"""What every side does alike: answer the definitions a few times, and print answers and seconds as JSON.

    python SIDE.py FOLDER DEFINITIONS ROUNDS

With ROUNDS = 1 the answer is given once. With more, the first is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Definitions = list[dict[str, Any]]


def serve(answer: Callable[[Path, Definitions], dict[str, list[str]]], version: str) -> None:
    """Run one side as the command line says."""
    folder, definitions, rounds = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3])
    answers: dict[str, list[str]] = {}
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        answers = answer(folder, definitions)
        seconds.append(time.perf_counter() - begin)
    persons = {name: sorted({p.removeprefix("Patient/") for p in found}) for name, found in answers.items()}
    print(json.dumps({"version": version, "seconds": seconds[1:] or seconds, "answers": persons}))
