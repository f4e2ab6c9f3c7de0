"""The review loop: a sample of an audit's persons as a sheet to fill in, and what the filled sheets say of the calls.

The scheme is a stratified sample: everybody in `persons.parquet` is in one stratum, by the first reason on the worklist and the
call; strata share the sample as evenly as their sizes allow. A person stands for as many as the stratum has for each one judged.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from tellapart import __version__
from tellapart.answers.disclosure import wilson
from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError, UsageError
from tellapart.knowledge.load import Knowledge
from tellapart.tasks.kept import is_audit

Json = dict[str, Any]
Row = dict[str, str]
FIXED = ("person_id", "reason", "call", "stratum_persons", "all_persons", "on_record", "reviewer")
NOTE = "note"
NO_REASON = "none"
PREDICTS = {"sle": ("sle", "both"), "fm": ("fm", "both")}


def sample(knowledge: Knowledge, folder: Path, size: int, seed: int) -> list[Row]:
    """Draw persons of the audit in `folder`: the rows of the sheet, answers empty.

    Raises:
        InputError: `folder` is no audit or cannot be read.
    """
    if not is_audit(folder):
        raise InputError(f"{folder}: is no audit. Name the folder that `tellapart audit --out` wrote.")
    engine = DuckDB()
    try:
        persons = engine.rows(
            """select person_id, call, coalesce(reasons[1], ?) as reason from read_parquet(?) order by person_id""",
            [NO_REASON, str(folder / "persons.parquet")],
        )
        strata: dict[tuple[str, str], list[str]] = defaultdict(list)
        for p in persons:
            strata[p["reason"], p["call"]].append(p["person_id"])
        drawn = {
            person: stratum
            for stratum, n in _shares({s: len(people) for s, people in strata.items()}, size).items()
            for person in sorted(strata[stratum], key=lambda p: hashlib.sha256(f"{seed}:{p}".encode()).digest())[:n]
        }
        found = engine.rows(
            """select person_id, string_agg(
                 case when state = 'absent' then 'no ' else '' end || finding || coalesce(' ' || cast(first_date as varchar), '')
                 || coalesce(' (' || reference || ')', ''), '; ' order by first_date, finding) as said
               from read_parquet(?) where list_contains(?, person_id) group by person_id""",
            [str(folder / "findings.parquet"), list(drawn)],
        )
    finally:
        engine.close()
    said = {r["person_id"]: r["said"] for r in found}
    blank = dict.fromkeys((*(q["question"] for q in knowledge["review_questions"]), NOTE), "")
    return [
        {
            "person_id": person,
            "reason": reason,
            "call": call,
            "stratum_persons": str(len(strata[reason, call])),
            "all_persons": str(len(persons)),
            "on_record": said.get(person, ""),
            "reviewer": "",
            **blank,
        }
        for person, (reason, call) in sorted(drawn.items())
    ]


def _shares(sizes: dict[tuple[str, str], int], size: int) -> dict[tuple[str, str], int]:
    """How many of each stratum: one more for each in turn, the largest first, until all are drawn or none is left."""
    shares = dict.fromkeys(sizes, 0)
    order = sorted(sizes, key=lambda s: (-sizes[s], s))
    left = min(size, sum(sizes.values()))
    while left:
        for stratum in order:
            if left and shares[stratum] < sizes[stratum]:
                shares[stratum] += 1
                left -= 1
    return shares


def sheet(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read(knowledge: Knowledge, files: Sequence[Path]) -> Json:
    """What filled sheets say: PPV, sensitivity and specificity of the calls, PPV of reasons, agreement of reviewers.

    Returns:
        `tellapart.review/1`. Persons whom reviewers judge differently, or nobody surely, are left out of a measure and counted.

    Raises:
        InputError: a sheet cannot be read, or holds an answer that is none; the message names file, line, column and value.
    """
    questions = [q["question"] for q in knowledge["review_questions"]]
    rows = [row for file in files for row in _filled(knowledge, file)]
    answered = [row for row in rows if any(row[q] for q in questions)]
    if not answered:
        raise InputError(
            f"{', '.join(map(str, files))}: no row has an answer. Fill in the columns {', '.join(questions)}."
        )
    people: dict[str, list[Row]] = defaultdict(list)
    for row in answered:
        people[row["person_id"]].append(row)
    settled = {q: {p: _settled(row[q] for row in own) for p, own in people.items()} for q in questions}
    about = {p: own[0] for p, own in people.items()}
    sampled = {(r["reason"], r["call"]): int(r["stratum_persons"]) for r in rows}
    measures = []
    for question in knowledge["review_questions"]:
        truth = {p: a == "yes" for p, a in settled[question["question"]].items() if a in ("yes", "no")}
        judged = Counter((about[p]["reason"], about[p]["call"]) for p in truth)
        weights = {
            p: sampled[about[p]["reason"], about[p]["call"]] / judged[about[p]["reason"], about[p]["call"]]
            for p in truth
        }
        unsettled = len(people) - len(truth)

        def measure(
            name: str, of: str, among: Callable[[str], bool], hit: Callable[[str], bool],
            weights: dict[str, float] = weights, unsettled: int = unsettled,
        ) -> Json:  # fmt: skip
            return {"measure": name, "of": of, "not_settled": unsettled, **_share(weights, among, hit)}

        if question["disease"]:
            disease, calls = question["disease"], PREDICTS[question["disease"]]
            whole = set(sampled) == set(judged) and sum(sampled.values()) == int(rows[0]["all_persons"])

            def called(p: str, calls: tuple[str, ...] = calls) -> bool:
                return about[p]["call"] in calls

            measures.append(measure("ppv", disease, called, truth.__getitem__))
            if whole:
                measures.append(measure("sensitivity", disease, truth.__getitem__, called))
                measures.append(
                    measure("specificity", disease, lambda p, t=truth: not t[p], lambda p, c=called: not c(p))  # type: ignore[misc]
                )
        elif question["question"] == "worth_looking":
            for reason in sorted({r for r, _ in sampled} - {NO_REASON}):
                measures.append(
                    measure("ppv_of_reason", reason, lambda p, r=reason: about[p]["reason"] == r, truth.__getitem__)  # type: ignore[misc]
                )
    return {
        "schema": "tellapart.review/1",
        "software": __version__,
        "knowledge": knowledge.version,
        "persons": len({row["person_id"] for row in rows}),
        "reviewed": len(people),
        "reviewers": len({row["reviewer"] for row in answered}),
        "measures": measures,
        "agreement": [_agreement(q, people) for q in questions],
    }


def reviewed(knowledge: Knowledge, files: Sequence[Path]) -> list[str]:
    """Persons of whom filled sheets hold an answer, in order (raises as `read`)."""
    questions = [q["question"] for q in knowledge["review_questions"]]
    rows = (row for file in files for row in _filled(knowledge, file))
    return sorted({row["person_id"] for row in rows if any(row[q] for q in questions)})


def _filled(knowledge: Knowledge, file: Path) -> list[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = [dict(row) for row in reader]
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read ({error}). Save the sheet as CSV in UTF-8.") from error
    answers = {q["question"]: q["answers"].split(";") for q in knowledge["review_questions"]}
    missing = [c for c in (*FIXED, *answers) if c not in columns]
    if missing:
        raise InputError(f"{file}: has no column {missing[0]!r}. Fill in the sheet that `review sample` wrote.")
    seen: dict[tuple[str, str], int] = {}
    for line, row in enumerate(rows, 2):
        for column in ("stratum_persons", "all_persons"):
            if not (row[column] or "").isdecimal() or int(row[column]) == 0:
                raise InputError(
                    f"{file}:{line}: {column}: {row[column]!r} is not what was drawn. Leave that column as it is."
                )
        for question, allowed in answers.items():
            row[question] = (row[question] or "").strip().lower()
            if row[question] and row[question] not in allowed:
                raise InputError(f"{file}:{line}: {question}: {row[question]!r} is none of {', '.join(allowed)}.")
        # a sheet without names is one reviewer's
        row["reviewer"] = (row["reviewer"] or "").strip() or file.stem
        key = row["person_id"], row["reviewer"]
        if key in seen:
            raise InputError(
                f"{file}:{line}: {key[0]} by {key[1]} stands in line {seen[key]} too. Keep one, or name reviewers."
            )
        seen[key] = line
    return rows


def _settled(answers: Iterable[str]) -> str | None:
    """What most reviewers say, blanks apart; None if nobody says anything or two answers are as frequent."""
    counts = Counter(a for a in answers if a).most_common(2)
    if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


def _share(weights: dict[str, float], among: Callable[[str], bool], hit: Callable[[str], bool]) -> Json:
    """A weighted share with a 95 % interval by Wilson at the effective size of Kish: the square of the sum over the sum of squares."""
    inside = [p for p in weights if among(p)]
    if not inside:
        return {"persons": 0, "value": None, "low": None, "high": None}
    total = sum(weights[p] for p in inside)
    value = sum(weights[p] for p in inside if hit(p)) / total
    effective = total * total / sum(weights[p] ** 2 for p in inside)
    low, high = wilson(value * effective, effective)
    return {"persons": len(inside), "value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def _agreement(question: str, people: dict[str, list[Row]]) -> Json:
    """How often two reviewers of a person say the same, over all pairs of them, and Cohen's kappa by both orders of a pair."""
    pairs = [
        (one[question], two[question])
        for own in people.values()
        for one, two in combinations(own, 2)
        if one[question] and two[question]
    ]
    if not pairs:
        return {"question": question, "pairs": 0, "agree": None, "low": None, "high": None, "kappa": None}
    same = sum(one == two for one, two in pairs)
    counts = Counter(answer for pair in pairs for answer in pair)
    chance = sum((n / (len(pairs) + len(pairs))) ** 2 for n in counts.values())
    low, high = wilson(same, len(pairs))
    return {
        "question": question,
        "pairs": len(pairs),
        "agree": round(same / len(pairs), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "kappa": round((same / len(pairs) - chance) / (1 - chance), 4) if chance < 1 else None,
    }


def write(rows: Sequence[Row], out: Path) -> None:
    """Write the sheet, never over one that somebody may have filled in.

    Raises:
        UsageError: `out` exists.
        InputError: it cannot be written, or nobody could be drawn.
    """
    if not rows:
        raise InputError("the audit has no person to draw.")
    try:
        with out.open("x", encoding="utf-8", newline="") as handle:
            handle.write(sheet(rows))
    except FileExistsError as error:
        raise UsageError(f"--out {out}: exists, and may hold answers. Name another file.") from error
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror}).") from error
