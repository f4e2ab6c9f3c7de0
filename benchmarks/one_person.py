"""Time of a warm one-person workup (library call), and where it goes.

    python benchmarks/one_person.py [--events 500] [--runs 7]

Works up one synthetic `tellapart.case/1` document of that many findings again and again in one process and prints the best
run by stage. The floor beside it is what Python takes to read the case and write the answer as JSON.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time

from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup_document

VALUES = (("wbc", "10*9/L", 3.4), ("platelets", "10*9/L", 210), ("hemoglobin", "g/dL", 12.9), ("creatinine", "mg/dL", 0.8),
          ("c3", "g/L", 0.7), ("upcr", "g/g", 0.2), ("crp", "mg/L", 3.0), ("lymphocytes", "10*9/L", 0.9))  # fmt: skip
WARM = 3  # the first call makes the relations, the second prepares to fill them again
STATES = ("malar_rash", "fatigue", "oral_ulcers", "widespread_pain", "raynaud", "arthralgia", "headache")


def document(events: int, number: int = 0) -> dict[str, object]:
    """A made-up person with this many dated findings; every number is another person with other days."""
    day = dt.date(2015, 1, 1) + dt.timedelta(days=number)
    findings: list[dict[str, object]] = []
    for i in range(events):
        date = (day + dt.timedelta(days=7 * i)).isoformat()
        if i % 3:
            name, unit, value = VALUES[i % len(VALUES)]
            findings.append({"finding": name, "value": value, "unit": unit, "date": date})
        else:
            findings.append({"finding": STATES[i % len(STATES)], "state": "present", "date": date, "by": "clinician"})
    person = {"id": f"synthetic-benchmark-{number}", "sex": "female", "age": 40}
    return {"schema": "tellapart.case/1", "person": person, "findings": findings}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    session = Session()
    for number in range(WARM):
        workup_document(document(given.events, number), Options(), session)
    best, parts = float("inf"), {}
    for number in range(given.runs):
        case = document(given.events, WARM + number)
        started = time.perf_counter()
        workup_document(case, Options(), session)
        spent = time.perf_counter() - started
        if spent < best:
            best, parts = spent, dict(session.seconds)
    floor = float("inf")
    for number in range(given.runs):
        text = json.dumps(document(given.events, number))
        answer = workup_document(json.loads(text), Options(), session)
        started = time.perf_counter()
        json.loads(text), json.dumps(answer)
        floor = min(floor, time.perf_counter() - started)
    print(f"warm workup of {given.events} events: {1000 * best:.0f} ms (best of {given.runs})")
    print(f"floor, the case read and the answer written as JSON: {1000 * floor:.1f} ms, ratio {best / floor:.0f}")
    named = {k: v for k, v in parts.items() if k != "write"}
    for name, seconds in sorted(named.items(), key=lambda p: -p[1]):
        print(f"  {name:20s} {1000 * seconds:6.1f} ms")
    print(f"  {'reading, document':20s} {1000 * (best - sum(named.values())):6.1f} ms")


if __name__ == "__main__":
    main()
