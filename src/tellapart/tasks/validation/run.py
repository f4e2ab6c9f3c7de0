"""`tellapart validate`: the whole validation as one document (`tellapart.validation/1`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import __version__
from tellapart.simulate.cohort import Plan
from tellapart.simulate.model import HYPOTHESES
from tellapart.tasks.demo import EXAMPLE
from tellapart.tasks.session import Session
from tellapart.tasks.validation import advice, cells, learners, published
from tellapart.tasks.validation.cells import Cell
from tellapart.tasks.validation.metrics import Estimate, auc, brier, calibration, net_benefit, reliability, share

Floats = NDArray[np.float64]
Say = Callable[[str], None]

STRUCTURES = ("severity", "phenotypes", "cascade")
COMPLETENESS = (0.25, 0.5, 0.75, 1.0)
USUAL = 0.75  # completeness of the cells in which prevalence varies
WHOLE = 1.0  # and once more, to see dependence alone
MIXED = "mixed"  # prevalence of the cells in which completeness varies
PERSONS, QUICK_PERSONS = 2000, 500
CALIBRATED = {WHOLE: 10_000, USUAL: 2_000}  # persons of a calibration cell; many where dependence alone is at stake
ADVISED, QUICK_ADVISED = 1000, 150  # worked up anew after every test
BINS = 10
THRESHOLDS = tuple(t / 20 for t in range(1, 20))
DISEASES = ("sle", "fm")


def validate(session: Session, quick: bool, say: Say) -> dict[str, Any]:
    """Run everything.

    Args:
        quick: fewer persons and cells, to see that it works; the figures then have wide intervals.
        say: told what is being done.
    """
    knowledge = session.knowledge
    say("published performance")
    document: dict[str, Any] = {
        "schema": "tellapart.validation/1", "software": __version__, "knowledge": knowledge.version, "quick": quick,
        "targets": {
            r["target"]: {"low": float(r["low"]), "high": float(r["high"]) if r["high"] else None, "text": r["text"]}
            for r in knowledge["validation_targets"]
        },
        "published": published.table(knowledge), "rebuilt": published.rebuilt(session, quick),
        "cases": published.cases(session, EXAMPLE), "calibration": [], "comparison": [], "criteria": [], "advice": [],
    }  # fmt: skip
    prevalences = {
        r["prevalence"]: {h: float(r[h]) for h in HYPOTHESES[:3]} for r in knowledge["validation_prevalences"]
    }
    persons = QUICK_PERSONS if quick else PERSONS
    seed = 0
    for structure in STRUCTURES[:1] if quick else STRUCTURES:
        kept: dict[float, Cell] = {}
        for whole in (USUAL,) if quick else (WHOLE, USUAL):
            for name, shares in prevalences.items():
                if quick and name != MIXED:
                    continue
                seed += 1
                say(f"calibration: {structure}, {name}, {whole:.0%} on record")
                size = persons if quick else CALIBRATED[whole]
                cell = cells.run(session, Plan(size, shares, structure, whole, ("fhir",), seed))
                document["calibration"].append({"prevalence": name, **_calibrated(document, cell)})
                if name == MIXED:
                    kept[whole] = cell
        for completeness in (USUAL,) if quick else COMPLETENESS:
            say(f"comparison: {structure}, {completeness:.0%} on record")
            if completeness not in kept:
                seed += 1
                plan = Plan(persons, prevalences[MIXED], structure, completeness, ("fhir",), seed)
                kept[completeness] = cells.run(session, plan)
            cell = kept[completeness]
            seed += 1
            with tempfile.TemporaryDirectory(prefix="tellapart-train-") as folder:
                size = persons if quick else int(published.limits(knowledge)["trained_on"])
                plan = Plan(size, prevalences[MIXED], structure, completeness, (), seed)
                models = learners.fitted(*cells.train(knowledge, plan, Path(folder)))
            document["comparison"].append(_compared(document, cell, models))
            if quick or completeness == COMPLETENESS[-1]:
                document["criteria"].append(_criteria(document, cell))
        say(f"next test: {structure}")
        seed += 1
        plan = Plan(QUICK_ADVISED if quick else ADVISED, prevalences[MIXED], structure, USUAL, (), seed)
        document["advice"].append(_advised(document, session, plan))
    return document


def _limit(document: dict[str, Any], name: str) -> float:
    return float(document["targets"][name]["low"])


def _target(document: dict[str, Any], name: str, found: Estimate) -> str:
    wanted = document["targets"][name]
    return found.inside(wanted["low"], wanted["high"])


def _calibrated(document: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Calibration of the presence of either disease: the program, and two observers who know the generator."""
    floor, z = _limit(document, "probability_floor"), _limit(document, "interval_z")
    out: dict[str, Any] = {"cohort": cells.described(cell.plan), "diseases": {}}
    for disease in DISEASES:
        y = cell.has(disease)
        p, best, stated = (x[:, cells.members(disease)].sum(axis=1) for x in (cell.program, cell.ideal, cell.sexless))
        found = calibration(p, y, floor, z)
        out["diseases"][disease] = {
            "persons_with": int(y.sum()), "brier": round(brier(p, y), 4), "brier_ideal": round(brier(best, y), 4),
            "auc": _round(auc(p, y)), "auc_ideal": _round(auc(best, y)),
            **{k: v.document() for k, v in found.items()},
            **{f"{k}_met": _target(document, k, v) for k, v in found.items()},
            "ideal": {k: v.document() for k, v in calibration(best, y, floor, z).items()},
            "stated": {k: v.document() for k, v in calibration(stated, y, floor, z).items()},
            "reliability": reliability(p, y, BINS, z),
        }  # fmt: skip
    return out


def _round(x: float) -> float | None:
    return None if np.isnan(x) else round(float(x), 4)


def _compared(document: dict[str, Any], cell: Cell, models: dict[str, Any]) -> dict[str, Any]:
    """The calls at the shipped thresholds, and everybody beside everybody on the same persons."""
    z, floor = _limit(document, "interval_z"), _limit(document, "probability_floor")
    of = {h: cell.truth == i for i, h in enumerate(HYPOTHESES)}
    decided = cell.calls != "undetermined"
    called = np.array([HYPOTHESES.index(c) if c in HYPOTHESES else -1 for c in cell.calls.tolist()])
    right = called == cell.truth

    def called_as(truth: str, call: str) -> Estimate:
        return share(float((of[truth] & (cell.calls == call)).sum()), float(of[truth].sum()), z)

    everybody = {"tellapart": cell.program, "ideal observer": cell.ideal, "record only": cell.sexless} | {
        name: learners.probabilities(model, cell.features) for name, model in models.items()
    }
    best, told = (float((x.argmax(axis=1) == cell.truth).mean()) for x in (cell.ideal, cell.sexless))
    rows = []
    for name, p in everybody.items():
        accuracy = float((p.argmax(axis=1) == cell.truth).mean())
        entry: dict[str, Any] = {
            "who": name, "accuracy": round(accuracy, 4), "of_ideal": round(accuracy / best, 4), "of_told": round(accuracy / told, 4), "diseases": {},
        }  # fmt: skip
        for disease in DISEASES:
            y, q = cell.has(disease), p[:, cells.members(disease)].sum(axis=1)
            found = calibration(q, y, floor, z)
            entry["diseases"][disease] = {
                "auc": _round(auc(q, y)), "brier": round(brier(q, y), 4), **{k: v.document() for k, v in found.items()},
                "net_benefit": [round(net_benefit(q >= t, y, t), 5) for t in THRESHOLDS],
            }  # fmt: skip
        rows.append(entry)
    wrong = {"fm_called_sle": called_as("fm", "sle"), "sle_called_fm": called_as("sle", "fm")}
    return {
        "cohort": cells.described(cell.plan),
        "decided": share(float(decided.sum()), float(len(decided)), z).document(),
        "right_of_decided": share(float((decided & right).sum()), float(decided.sum()), z).document(),
        "undetermined": share(float((~decided).sum()), float(len(decided)), z).document(),
        **{k: v.document() for k, v in wrong.items()},
        **{f"{k}_met": _target(document, k, v) for k, v in wrong.items()},
        "calls": {
            h: {c: int((of[h] & (cell.calls == c)).sum()) for c in (*HYPOTHESES, "undetermined")} for h in HYPOTHESES
        },
        "accuracy_ideal": round(best, 4), "of_ideal": rows[0]["of_ideal"], "of_told": rows[0]["of_told"], "everybody": rows,
        "gap": _gap(cell),
        "single_rules": _rules(cell, z),
        "thresholds": list(THRESHOLDS),
        "everybody_treated": {
            d: [round(net_benefit(np.ones(len(cell.truth), dtype=bool), cell.has(d), t), 5) for t in THRESHOLDS]
            for d in DISEASES
        },
    }  # fmt: skip


def _gap(cell: Cell) -> dict[str, float]:
    """Accuracy that is lost to the ideal observer, by what the program does not use or does not know."""
    steps = [
        float((p.argmax(axis=1) == cell.truth).mean()) for p in (cell.ideal, cell.stated, cell.sexless, cell.program)
    ]
    lost = (round(a - b, 4) for a, b in pairwise(steps))
    return dict(zip(("silence", "sex_and_age", "dependence"), lost, strict=True))


RULES = (
    # name shown, test of the cell, disease it is a test of, score that ranks persons
    ("EULAR/ACR 2019 alone (points ≥ 10)", "eular_acr_2019_met", "sle", "eular_acr_2019"),
    ("EULAR/ACR 2019 without what FM explains", "eular_acr_2019_met_specific", "sle", ""),
    ("SLICC 2012 alone", "slicc_2012_met", "sle", "slicc_2012"),
    ("SLERPI > 7 alone", "slerpi_met", "sle", "slerpi"),
    ("ANA ≥ 1:80 alone", "ana_ge_80", "sle", ""),
    ("coded lupus alone", "sle_coded", "sle", ""),
    ("ACR 2016 FM form alone", "fm_2016_met", "fm", ""),
    ("coded fibromyalgia alone", "fm_coded", "fm", ""),
)


def _rules(cell: Cell, z: float) -> list[dict[str, Any]]:
    """Each single rule as a test of its disease: what it has no answer for counts as negative."""
    out = []
    for name, test, disease, score in RULES:
        y, positive = cell.has(disease), cell.tests[test]
        fm_only = cell.truth == HYPOTHESES.index("fm")
        out.append(
            {
                "rule": name, "disease": disease,
                "sensitivity": share(float((positive & y).sum()), float(y.sum()), z).document(),
                "specificity": share(float((~positive & ~y).sum()), float((~y).sum()), z).document(),
                "accuracy": round(float((positive == y).mean()), 4),
                "auc": _round(auc(cell.scores[score] if score else positive.astype(float), y)),
                "fm_only_positive": share(float((positive & fm_only).sum()), float(fm_only.sum()), z).document()
                if disease == "sle" else None,
                "net_benefit": [round(net_benefit(positive, y, t), 5) for t in THRESHOLDS],
            }
        )  # fmt: skip
    return out


def _advised(document: dict[str, Any], session: Session, plan: Plan) -> dict[str, Any]:
    found = advice.compared(session, plan, _limit(document, "interval_z"))
    fewer = found["enough"] is not None and found["enough"] < found["panel_tests"]
    return {"cohort": cells.described(plan), **found, "fewer": "yes" if fewer else "no"}


def _criteria(document: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Sets on complete simulated records, against `neither` and against FM: to hold beside what is published."""
    z = _limit(document, "interval_z")
    out: dict[str, Any] = {"cohort": cells.described(cell.plan), "sets": {}}
    for name in cells.SETS:
        met = cell.tests[f"{name}_met"]
        row = {"sensitivity": share(float((met & cell.has("sle")).sum()), float(cell.has("sle").sum()), z).document()}
        for other in ("neither", "fm"):
            who = cell.truth == HYPOTHESES.index(other)
            row[f"specificity_{other}"] = share(float((~met & who).sum()), float(who.sum()), z).document()
        out["sets"][name] = row
    return out
