"""One cell of the validation: a simulated cohort through the whole audit, beside what others make of the same persons."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tellapart.knowledge.load import Knowledge
from tellapart.simulate.cohort import TRUTH, Plan, simulate
from tellapart.simulate.model import HYPOTHESES
from tellapart.tasks.audit import audit
from tellapart.tasks.session import Options, Session

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SETS = ("eular_acr_2019", "slicc_2012", "acr_1997", "slerpi")


@dataclass(frozen=True)
class Cell:
    """Everybody of one simulated cohort.

    Attributes:
        truth: hypothesis number per person.
        program: the program's probability of every hypothesis.
        calls: the program's call.
        ideal: the ideal observer's probability of every hypothesis.
        stated: the same of an observer who knows the generator but draws nothing from what the record does not say.
        sexless: the same as `stated`, sex and age unknown as well: what the program is given.
        tests: name of a single rule to who is positive by it (lupus, or FM for `fm_*`).
        scores: points of every SLE set, at face value.
        features: what is on record, for those who learn from it.
    """

    plan: Plan
    truth: NDArray[np.int64]
    program: Floats
    calls: NDArray[np.str_]
    ideal: Floats
    stated: Floats
    sexless: Floats
    tests: Mapping[str, Flags]
    scores: Mapping[str, Floats]
    features: Floats

    def has(self, disease: str) -> Flags:
        """Who has `sle` or `fm`, alone or with the other."""
        return np.asarray(np.isin(self.truth, members(disease)))


def members(disease: str) -> list[int]:
    """Numbers of the hypotheses in which a disease is present."""
    return [i for i, h in enumerate(HYPOTHESES) if h in (disease, "both")]


def run(session: Session, plan: Plan) -> Cell:
    """Simulate the cohort, audit it with its true prevalence as prior, and read both back."""
    with tempfile.TemporaryDirectory(prefix="tellapart-validate-") as folder:
        cohort, results = Path(folder) / "cohort", Path(folder) / "results"
        simulate(session.knowledge, plan, cohort)
        audit(session, cohort / "fhir", results, Options(prior=dict(plan.prevalence)))
        truth = pq.read_table(cohort / TRUTH).sort_by("person_id")
        persons = pq.read_table(results / "persons.parquet").sort_by("person_id")
    if truth["person_id"].to_pylist() != persons["person_id"].to_pylist():
        raise AssertionError("an audit lost or made up persons")
    return Cell(
        plan,
        hypotheses(truth),
        np.column_stack([numbers(persons, f"p_{h}") for h in HYPOTHESES]),
        np.array(persons["call"].to_pylist()),
        observer(logs(truth, "prior"), logs(truth, "evidence"), logs(truth, "ordering")),
        observer(logs(truth, "prior"), logs(truth, "stated")),
        observer(np.log(np.maximum(plan.shares(), np.finfo(float).tiny)), logs(truth, "stated")),
        {
            **{f"{s}_met": flags(persons, f"{s}_met") for s in SETS},
            "eular_acr_2019_met_specific": flags(persons, "eular_acr_2019_met_specific"),
            "ana_ge_80": flags(truth, "has_ana_ge_80") & flags(truth, "known_ana_ge_80"),
            "sle_coded": numbers(persons, "sle_dx_days") > 0,
            "fm_coded": numbers(persons, "fm_dx_days") > 0,
            "fm_2016_met": flags(persons, "fm_2016_met"),
        },
        {s: numbers(persons, f"{s}_points") for s in SETS},
        features(truth),
    )


def train(knowledge: Knowledge, plan: Plan, folder: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Features and hypotheses of a cohort of its own to learn from; no records are written."""
    simulate(knowledge, plan, folder)
    truth = pq.read_table(folder / TRUTH)
    return features(truth), hypotheses(truth)


def hypotheses(truth: pa.Table) -> NDArray[np.int64]:
    """Hypothesis numbers."""
    return np.array([HYPOTHESES.index(h) for h in truth["hypothesis"].to_pylist()])


def logs(truth: pa.Table, part: str) -> Floats:
    """One part of what the generator knows: a natural logarithm per hypothesis."""
    return np.column_stack([numbers(truth, f"log_{part}_{h}") for h in HYPOTHESES])


def observer(*parts: Floats) -> Floats:
    """The posterior of an observer who knows these parts of the generator."""
    total = sum(parts)
    shares = np.exp(total - np.max(total, axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def features(truth: pa.Table) -> Floats:
    """What is on record of every simulated finding, two columns each (there, not there), sex and age."""
    columns = [truth["female"].to_numpy().astype(float), truth["age"].to_numpy().astype(float)]
    for name in truth.column_names:
        if name.startswith("has_"):
            there, known = flags(truth, name), flags(truth, "known_" + name.removeprefix("has_"))
            columns += [(known & there).astype(float), (known & ~there).astype(float)]
    return np.column_stack(columns)


def flags(table: pa.Table, column: str) -> Flags:
    """A column of yes and no; unknown is no."""
    return np.array([bool(x) for x in table[column].to_pylist()])


def numbers(table: pa.Table, column: str) -> Floats:
    """A column of numbers; NULL is 0."""
    return np.array([0.0 if x is None else float(x) for x in table[column].to_pylist()])


def described(plan: Plan) -> dict[str, Any]:
    """What was simulated, in words of the document."""
    return {
        "structure": plan.structure, "completeness": plan.completeness, "seed": plan.seed, "persons": plan.persons,
        "prevalence": {h: round(float(s), 6) for h, s in zip(HYPOTHESES, plan.shares(), strict=True)},
    }  # fmt: skip
