"""`tellapart simulate`: a cohort with known truth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tellapart.errors import UsageError


class Structure(StrEnum):
    severity = "severity"
    phenotypes = "phenotypes"
    cascade = "cascade"
    independent = "independent"


class Formats(StrEnum):
    fhir = "fhir"
    omop = "omop"
    csv = "csv"
    meds = "meds"
    both = "both"
    every = "every"


def simulate(
    persons: Annotated[int, typer.Option("-n", "--persons", min=1, help="How many persons.")],
    out: Annotated[Path, typer.Option(help="Folder to write to; new, empty, or an earlier cohort.")],
    seed: Annotated[int, typer.Option(help="The same number gives the same bytes again.")] = 1,
    structure: Annotated[Structure, typer.Option(help="How findings hang together.")] = Structure.severity,
    prevalence: Annotated[
        str, typer.Option(help="A setting (its prior), or shares: sle=0.1,fm=0.2,both=0.02.")
    ] = "rheumatology_referral",
    completeness: Annotated[float, typer.Option(help="How complete records are, above 0 up to 1.")] = 0.75,
    format_: Annotated[
        Formats, typer.Option("--format", help="Format of the records; both: FHIR and OMOP.")
    ] = Formats.fhir,
    diary: Annotated[bool, typer.Option("--diary", help="Diaries with known flares instead of records.")] = False,
    days: Annotated[int, typer.Option(min=1, help="Days of each diary (with --diary).")] = 365,
    missing: Annotated[float, typer.Option(help="Share of its days without an entry (with --diary).")] = 0.1,
) -> None:
    """Simulate a cohort with known truth: records in OUT/fhir (omop, csv, meds), who has what in OUT/truth.parquet.

    With --diary: diaries in OUT/diaries, as `diary import` reads them, their flares in OUT/flares.csv.

    Examples:

      tellapart simulate -n 1000 --out cohort

      tellapart simulate -n 5000 --out cohort --structure cascade --completeness 0.5 --prevalence sle=0.2,fm=0.3,both=0.05

      tellapart simulate -n 1000 --out cohort --format both

      tellapart simulate --diary -n 20 --out diaries --missing 0.4
    """
    import_simulation()
    from tellapart.doors.cli import talk
    from tellapart.knowledge.load import load

    if diary:
        from tellapart.simulate import diary as diaries

        diaries.simulate(load(), diaries.Plan(persons, days, missing, seed), out)
        first = out / diaries.FOLDER / "synthetic-1.csv"
        talk().print(f"{persons} simulated diaries written to {escape(str(out))}", soft_wrap=True)
        talk().print(f"next: tellapart diary import {escape(str(first))} --diary synthetic.sqlite", soft_wrap=True)
        return
    from tellapart.simulate.cohort import FOLDERS, Plan
    from tellapart.simulate.cohort import simulate as make

    knowledge = load()
    formats = {Formats.both: ("fhir", "omop"), Formats.every: tuple(FOLDERS)}.get(format_, (format_.value,))
    plan = Plan(persons, shares(prevalence), structure.value, completeness, formats, seed)
    about = make(knowledge, plan, out)
    drawn = ", ".join(f"{h} {n}" for h, n in about["drawn"].items())
    talk().print(f"{persons} simulated persons ({drawn}) written to {escape(str(out))}", soft_wrap=True)
    for form in formats:
        talk().print(f"next: tellapart audit {escape(str(out / FOLDERS[form]))} --out results", soft_wrap=True)


def import_simulation() -> None:
    """Raise a UsageError that says what to install, if something is missing."""
    try:
        import numpy  # noqa: F401
        import scipy  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is needed: pip install 'tellapart[simulate]'") from None


def shares(text: str) -> dict[str, float]:
    """Shares of sle, fm and both, given as such or by the name of a setting.

    Raises:
        UsageError: neither.
    """
    from tellapart.doors.cli import _prior
    from tellapart.knowledge.load import load

    if "=" in text:
        return _prior(text) or {}
    rows = {r["setting"]: r for r in load()["priors"] if r["sex"] == "any"}
    if text not in rows:
        raise UsageError(
            f"--prevalence {text}: not a setting. Known: {', '.join(sorted(rows))}; or sle=0.1,fm=0.2,both=0.02."
        )
    return {h: float(rows[text][h]) for h in ("sle", "fm", "both")}
