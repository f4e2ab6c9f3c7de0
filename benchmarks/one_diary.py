"""Time of `diary show`, `flares` and `brief` on years of daily entries, as whole commands, beside a command that does nothing.

    python benchmarks/one_diary.py [--years 10] [--runs 5]

The diary is simulated. Prints the best run of each; the floor is `tellapart --version`: Python and the command line starting.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = (
    ("diary", "show"),
    ("diary", "show", "--html", "page.html"),
    ("diary", "flares", "--json"),
    ("diary", "brief", "--html", "page.html"),
)


def best(arguments: tuple[str, ...], folder: Path, runs: int) -> float:
    """Seconds of the fastest of so many runs."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(
            [Path(sys.executable).with_name("tellapart"), *arguments], cwd=folder, check=True, capture_output=True
        )
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        best(("simulate", "--diary", "-n", "1", "--days", str(365 * given.years), "--out", "simulated"), folder, 1)
        (source,) = (folder / "simulated" / "diaries").glob("*.csv")
        best(("diary", "import", str(source), "--diary", "diary.sqlite"), folder, 1)
        floor = best(("--version",), folder, given.runs)
        print(f"{len(source.read_text().splitlines()) - 1:,} entries of {given.years} years")
        print(f"{'floor: --version':32s} {floor:6.2f} s")
        for command in COMMANDS:
            seconds = best((*command, "--diary", "diary.sqlite"), folder, given.runs)
            print(f"{' '.join(command):32s} {seconds:6.2f} s {seconds / floor:5.1f} x")


if __name__ == "__main__":
    main()
