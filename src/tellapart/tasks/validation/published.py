"""Published performance beside what the program makes of it.

Three things, all from rows of the package: printed sensitivity and specificity from their counts; the published
likelihood ratio of a finding beside the program's weight; and published cohorts rebuilt person by person from their
printed counts, run through the program. Papers print margins only, so findings are dealt out independently there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from tellapart.knowledge.load import Knowledge, Row
from tellapart.tasks.session import Options, Session
from tellapart.tasks.validation.metrics import auc, share

HYPOTHESES = ("sle", "fm", "both", "neither")


def limits(knowledge: Knowledge) -> dict[str, float]:
    """`validation_targets.csv`: lower bound (or the value) by name."""
    return {r["target"]: float(r["low"]) for r in knowledge["validation_targets"]}


def table(knowledge: Knowledge) -> list[dict[str, Any]]:
    """Every published row: printed, computed from its counts with an interval, and the likelihood ratios."""
    z = limits(knowledge)["interval_z"]
    # a rung of a ladder weighs as an interval, which is no likelihood ratio of "this or higher"
    rungs = {r["finding"] for r in knowledge["blocks"] if r["rung"]}
    weights = {(r["finding"], r["state"]): r for r in knowledge["weights"] if r["finding"] not in rungs}
    labels = knowledge.labels() | {r["set"]: r["label"] for r in knowledge["criteria_sets"]}
    out = []
    for r in knowledge["published_performance"]:
        row: dict[str, Any] = {
            "id": r["id"], "test": labels[r["test"]], "rule": r["rule"], "population": r["population"],
            "controls": r["control_kind"], "reference": r["citation"], "verified": r["verified"] == "V",
            "printed": {"sensitivity": float(r["sensitivity"]), "specificity": float(r["specificity"])},
            "computed": None, "ratio": None,
        }  # fmt: skip
        if r["cases"]:
            cases, positive, controls, false = (
                float(r[c]) for c in ("cases", "case_positive", "controls", "control_positive")
            )
            row["computed"] = {
                "sensitivity": share(positive, cases, z).document(),
                "specificity": share(controls - false, controls, z).document(),
            }
            row["ratio"] = _ratios(r, positive / cases, false, controls, weights)
        out.append(row)
    return out


def _ratios(
    r: Row, sensitivity: float, false: float, controls: float, weights: Mapping[tuple[str, str], Row]
) -> dict[str, float | None]:
    """Likelihood ratio of a positive result, published (none where no control was positive) and ours."""
    published = sensitivity / (false / controls) if false else None
    weight = weights.get((r["test"], "present"))
    ours = None
    if weight is not None:
        other = float(weight["fm_bits"]) if r["control_kind"] == "fm" else 0.0
        ours = 2.0 ** (float(weight["sle_bits"]) - other)
    return {"published": published and round(published, 2), "ours": ours and round(ours, 2)}


def rebuilt(session: Session, once: bool = False) -> list[dict[str, Any]]:
    """Published cohorts, each rebuilt `rebuilt_copies` times (or once) from its counts and worked up by the program."""
    given = limits(session.knowledge)
    copies = 1 if once else int(given["rebuilt_copies"])
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    weighed = {r["finding"] for r in session.knowledge["weights"]}
    for r in session.knowledge["published_performance"]:
        if r["cases"] and r["test"] in weighed:
            groups[r["citation"], r["control_kind"]].append(r)
    out = []
    for (citation, kind), rows in groups.items():
        if len(rows) > 1:
            out.append(_rebuild(session, citation, kind, rows, copies, given["interval_z"]))
    return out


def _rebuild(session: Session, citation: str, kind: str, rows: list[Row], copies: int, z: float) -> dict[str, Any]:
    cases, controls = int(rows[0]["cases"]), int(rows[0]["controls"])
    people = cases + controls
    truth = np.arange(people) < cases
    prior = cases / people
    against = "fm" if kind == "fm" else "neither"
    # nobody of these cohorts has anything else: the little that is left keeps the program's prior allowed
    options = Options(
        prior={"sle": prior, "fm": 1.0 - prior - SLIVER if kind == "fm" else SLIVER, "both": SLIVER / people},
        setting="probable_lupus_referral",
    )
    areas, right, p_all = [], [], []
    for copy in range(copies):
        rng = np.random.default_rng(copy)
        has = {r["test"]: _dealt(rng, r, cases, controls) for r in rows if int(r["cases"]) == cases}
        documents = [
            _document(number, {f: bool(state[number]) for f, state in has.items()}) for number in range(people)
        ]
        session.read_documents(documents, options)
        session.analyse(options, list(range(1, people + 1)))
        found = {
            r["person_id"]: [r[f"p_{h}"] for h in HYPOTHESES]
            for r in session.answers.rows(
                "select p.person_id, i.p_sle, i.p_fm, i.p_both, i.p_neither from intervals as i "
                "inner join persons as p on p.person = i.person"
            )
        }
        p = np.array([found[f"rebuilt-{number:04d}"] for number in range(people)])
        lupus = p[:, 0] + p[:, 2]
        p_all.append(lupus)
        areas.append(auc(lupus, truth))
        right.append((lupus > prior) == truth)
    sensitivity = float(np.mean([r[truth].mean() for r in right]))
    specificity = float(np.mean([r[~truth].mean() for r in right]))
    return {
        "reference": citation, "against": against, "cases": cases, "controls": controls, "copies": copies,
        "findings": sorted({r["test"] for r in rows if int(r["cases"]) == cases}),
        "auc": {"value": round(float(np.mean(areas)), 4), "low": round(min(areas), 4), "high": round(max(areas), 4)},
        "sensitivity": share(sensitivity * cases, cases, z).document(),
        "specificity": share(specificity * controls, controls, z).document(),
        "mean_p_cases": round(float(np.mean([p[truth].mean() for p in p_all])), 4),
        "mean_p_controls": round(float(np.mean([p[~truth].mean() for p in p_all])), 4),
    }  # fmt: skip


SLIVER = 1e-4  # share of what a cohort does not hold


def _dealt(rng: np.random.Generator, r: Row, cases: int, controls: int) -> np.ndarray[Any, Any]:
    """Exactly the published number of positives in either group, dealt out at random."""
    out = np.zeros(cases + controls, dtype=bool)
    out[rng.permutation(cases)[: int(r["case_positive"])]] = True
    out[cases + rng.permutation(controls)[: int(r["control_positive"])]] = True
    return out


def _document(number: int, has: Mapping[str, bool]) -> dict[str, Any]:
    return {
        "schema": "tellapart.case/1",
        "person": {"id": f"rebuilt-{number:04d}", "sex": "unknown"},
        "findings": [
            {"finding": finding, "state": "present" if there else "absent", "by": "clinician"}
            for finding, there in has.items()
        ],
    }


def cases(session: Session, example: Any) -> list[dict[str, Any]]:
    """The shipped persons with an expected call, worked up from the example data."""
    options = Options()
    session.read(example, options)
    wanted = {r["person"]: session.person(r["person"]) for r in session.knowledge["validation_cases"]}
    session.analyse(options, sorted(wanted.values()))
    calls = {r["person"]: r["call"] for r in session.answers.rows("select person, call from calls")}
    out = []
    for r in session.knowledge["validation_cases"]:
        call = calls[wanted[r["person"]]]
        out.append(
            {
                "person": r["person"], "why": r["why"], "call": call, "expected": r["calls"].split(";"),
                "never": r["never"].split(";"), "as_expected": call in r["calls"].split(";"),
                "forbidden": call in r["never"].split(";"),
            }
        )  # fmt: skip
    return out
