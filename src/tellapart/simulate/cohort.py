"""A cohort: persons drawn in batches, written as records, and the truth beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import log_ndtr, ndtr

from tellapart import __version__
from tellapart.errors import InputError, UsageError
from tellapart.knowledge.load import Knowledge
from tellapart.simulate import fhir, meds, omop, tables
from tellapart.simulate.model import HYPOTHESES, UNASKED, UNRECORDED, Floats, Ints, Model, model
from tellapart.simulate.recording import missed, record
from tellapart.simulate.rows import Codes, People, Rows, people, rows
from tellapart.simulate.structures import STRUCTURES

BATCH = 5_000  # persons drawn at once; part of what a seed means
TRUTH = "truth.parquet"
ABOUT = "simulation.json"


class Writer(Protocol):
    """What writes batches of rows in one format."""

    def write(self, rows: Rows) -> None: ...

    def close(self) -> None: ...


WRITERS: dict[str, Any] = {"fhir": fhir.Writer, "omop": omop.Writer, "csv": tables.Writer, "meds": meds.Writer}
FOLDERS = {"fhir": fhir.FOLDER, "omop": omop.FOLDER, "csv": tables.FOLDER, "meds": meds.FOLDER}


@dataclass(frozen=True)
class Plan:
    """What to simulate.

    Attributes:
        persons: how many.
        structure: name in `STRUCTURES`.
        prevalence: share of sle, fm and both (the rest is neither).
        completeness: how complete records are, above 0, up to 1.
        formats: formats to write.
        seed: the same number gives the same bytes.
    """

    persons: int
    prevalence: Mapping[str, float]
    structure: str = "severity"
    completeness: float = 0.75
    formats: Sequence[str] = field(default=("fhir",))
    seed: int = 1

    def check(self) -> None:
        """Raise a UsageError if the plan cannot be carried out."""
        if self.persons < 1:
            raise UsageError(f"-n {self.persons}: at least one person.")
        if self.structure not in STRUCTURES:
            raise UsageError(f"--structure {self.structure}: not known. Known: {', '.join(STRUCTURES)}.")
        if not 0.0 < self.completeness <= 1.0:
            raise UsageError(f"--completeness {self.completeness:g}: must lie above 0 and be at most 1.")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: must not be negative.")
        shares = [self.prevalence.get(h, 0.0) for h in HYPOTHESES[:3]]
        if set(self.prevalence) - set(HYPOTHESES[:3]) or min(shares) < 0.0 or sum(shares) > 1.0:
            raise UsageError(
                "--prevalence: give sle, fm and both as shares of at most 1 together; the rest is neither."
            )

    def shares(self) -> Floats:
        """Share of every hypothesis, in the order of `HYPOTHESES`."""
        own = [self.prevalence.get(h, 0.0) for h in HYPOTHESES[:3]]
        return np.array([*own, max(0.0, 1.0 - sum(own))])


def simulate(knowledge: Knowledge, plan: Plan, out: Path) -> dict[str, Any]:
    """Write a cohort into `out`: `fhir/*.ndjson`, `omop/*.parquet`, `truth.parquet`, `simulation.json`.

    Returns:
        What `simulation.json` says.

    Raises:
        UsageError: the plan is impossible, or `out` holds files that are no cohort's.
        InputError: `out` cannot be written.
    """
    plan.check()
    _claim(out)
    made = model(knowledge)
    structure = STRUCTURES[plan.structure](made)
    codes = Codes(made)
    counts = np.zeros(len(HYPOTHESES), dtype=np.int64)
    truth: pq.ParquetWriter | None = None
    writers: list[Writer] = [WRITERS[form](made, out) for form in plan.formats]
    try:
        batches = range(0, plan.persons, BATCH)
        for seed, first in zip(np.random.SeedSequence(plan.seed).spawn(len(batches)), batches, strict=True):
            rng = np.random.Generator(np.random.PCG64(seed))
            size = min(BATCH, plan.persons - first)
            h = rng.choice(len(HYPOTHESES), size, p=plan.shares())
            counts += np.bincount(h, minlength=len(HYPOTHESES))
            who = people(made, rng, h, first + 1)
            states, kind = structure.draw(rng, h)
            recorded = record(made, rng, h, states, plan.completeness)
            unrecorded = missed(made, plan.completeness)
            logs = {
                "evidence": structure.log_evidence(recorded.known, unrecorded),
                "stated": structure.log_evidence(
                    np.where(recorded.known == UNRECORDED, UNASKED, recorded.known), unrecorded
                ),
                "ordering": recorded.log_ordering,
            }
            table = _truth(made, plan, who, states, kind, recorded.known, logs)
            if truth is None:
                truth = pq.ParquetWriter(out / TRUTH, table.schema)
            truth.write_table(table)
            batch = rows(made, rng, who, states, recorded, codes)
            for writer in writers:
                writer.write(batch)
    except OSError as error:
        raise InputError(f"{out}: cannot write ({error.strerror}). Free space or choose another --out.") from error
    finally:
        if truth is not None:
            truth.close()
        for writer in writers:
            writer.close()
    about = {
        "schema": "tellapart.simulation/1", "software": __version__, "knowledge": knowledge.version, "synthetic": True,
        "persons": plan.persons, "seed": plan.seed, "structure": plan.structure, "completeness": plan.completeness,
        "prevalence": dict(zip(HYPOTHESES, plan.shares().tolist(), strict=True)),
        "drawn": dict(zip(HYPOTHESES, counts.tolist(), strict=True)), "formats": list(plan.formats),
    }  # fmt: skip
    (out / ABOUT).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))
    return about


def _claim(out: Path) -> None:
    """Make `out` ready: new, empty, or an earlier cohort, which goes."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = {p.name for p in out.iterdir()}
        own = {TRUTH, ABOUT, *FOLDERS.values()}
        if held - own or (held and ABOUT not in held and TRUTH not in held):
            raise UsageError(
                f"--out {out}: holds files that are no cohort's ({', '.join(sorted(held)[:3])}). "
                "Name an empty or new folder."
            )
        for name in held:
            shutil.rmtree(out / name) if (out / name).is_dir() else (out / name).unlink()
    except OSError as error:
        raise InputError(f"--out {out}: cannot be used ({error.strerror}).") from error


def _truth(
    made: Model, plan: Plan, who: People, states: Ints, kind: Any, known: Ints, logs: Mapping[str, Floats]
) -> pa.Table:
    """One row per person: what is true, and what an observer who knows the generator would make of the record.

    `log_prior_*` (prevalence, sex and age), `log_evidence_*` (findings on record and what is not), `log_ordering_*`
    (which tests were ordered): natural logarithms per hypothesis; their sums, normalized, are the ideal posterior.
    `log_stated_*` is the evidence of an observer who draws nothing from what the record does not say.
    """
    with np.errstate(divide="ignore"):
        prior = np.log(plan.shares())
    prior = np.maximum(prior, -1e9) + _log_person(made, who)

    def date(days: Ints) -> pa.Array:
        return pa.array(days.astype("int32"), pa.int32(), mask=days < 0).cast(pa.date32())

    columns: dict[str, Any] = {
        "person_id": fhir.person_ids(who), "hypothesis": pa.array([HYPOTHESES[i] for i in who.h.tolist()]),
        "female": who.female, "age": who.age, "kind": pa.array(kind.tolist()), "sle_onset": date(who.sle_onset), "fm_onset": date(who.fm_onset),
        "work_up": date(who.work_up),
    }  # fmt: skip
    for name, log in {"prior": prior, **logs}.items():
        for i, h in enumerate(HYPOTHESES):
            columns[f"log_{name}_{h}"] = np.round(log[:, i], 6)
    for finding, (node, rung) in made.place.items():
        columns[f"has_{finding}"] = states[:, node] >= rung
        columns[f"known_{finding}"] = known[:, node] >= 0
    return pa.table(columns)


def _log_person(made: Model, who: People) -> Floats:
    """ln P(sex and age | hypothesis), a column per hypothesis; age by the density of its normal cut to adults."""
    female = made.hypothesis("female")
    sex = np.where(who.female[:, None], np.log(female), np.log1p(-female))
    mean, sd = made.hypothesis("age_mean"), made.hypothesis("age_sd")
    low, high = made.settings["age_low"], made.settings["age_high"]
    z = (who.age[:, None] + 0.5 - mean) / sd
    inside = np.log(ndtr((high - mean) / sd) - ndtr((low - mean) / sd))
    width = np.log(np.exp(log_ndtr(z + 0.5 / sd)) - np.exp(log_ndtr(z - 0.5 / sd)))
    return np.asarray(sex + width - inside)
