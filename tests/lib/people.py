"""Generated records: persons with a random history in real FHIR, drawn from the codes and thresholds the package knows.

Nothing is copied from a person. The same number gives the same person on every machine.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from functools import cache
from typing import Any

import records
from records import Resource

from tellapart.knowledge.load import load

FIRST_DAY = date(2016, 1, 1)
DAYS = 3600
LAST_DAY = FIRST_DAY + timedelta(days=DAYS)


@cache
def _pools() -> dict[str, Any]:
    """What a statement can be made of: codes by kind, units, thresholds near which a value is interesting."""
    knowledge = load()
    uris = {r["system"]: r["uri"] for r in reversed(knowledge["code_systems"])}
    kinds = {r["finding"]: r["kind"] for r in knowledge["findings"]}
    units: dict[str, list[dict[str, str]]] = defaultdict(list)
    for r in knowledge["units"]:
        units[r["finding"]].append(r)
    cuts: dict[str, list[float]] = defaultdict(list)
    for r in knowledge["value_rules"]:
        if r["test"] in ("lt", "le", "gt", "ge"):
            cuts[r["source"]].append(float(r["threshold"]))
    ranges = {r["finding"]: (r["low"], r["high"]) for r in knowledge["reference_ranges"]}
    codes = [r for r in knowledge["finding_codes"] if r["system"] in ("loinc", "snomed", "icd10cm", "icd9cm")]
    matter = {r["finding"] for r in knowledge["criteria_clauses"]} | {r["finding"] for r in knowledge["blocks"]}
    matter |= {r["finding"] for r in knowledge["red_flag_clauses"]}
    felt = {r["finding"] for r in knowledge["findings"] if r["fm_explains"] == "yes"} | {"fm_dx"}
    states = [r for r in codes if r["rule"] == "state"]
    return {
        "uris": uris,
        "states": states,
        "weighty": [r for r in states if r["finding"] in matter],
        "felt": [r for r in states if r["finding"] in felt],
        "values": [
            r for r in codes if r["rule"] == "result" and kinds[r["finding"]] == "value" and units[r["finding"]]
        ],
        "results": [r for r in codes if r["rule"] == "result" and kinds[r["finding"]] == "state"],
        "units": units,
        "cuts": cuts,
        "ranges": ranges,
        "drugs": [r for r in knowledge["drug_codes"] if r["system"] == "rxnorm"],
        "causes": sorted({r["what"] for r in knowledge["competing_causes"] if r["kind"] == "drug"}),
        "sites": [r["site"] for r in knowledge["pain_sites"] if r["wpi"] == "yes"],
    }


class _Writer:
    """Writes the statements of one person."""

    def __init__(self, name: str, rng: random.Random) -> None:
        self.name, self.rng, self.made = name, rng, 0

    def id(self) -> str:
        self.made += 1
        return f"{self.name}-{self.made}"

    def day(self) -> date:
        return FIRST_DAY + timedelta(days=self.rng.randrange(DAYS))

    def given(self, day: date) -> str | None:
        """The day as records write it: mostly whole, now and then partial, with a time, or not at all."""
        return self.rng.choices(
            [day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}", f"{day}T23:30:00-05:00", None], [80, 6, 3, 8, 3]
        )[0]

    def later(self, day: date) -> str | None:
        """A day on which it became known, if the record says so."""
        return (day + timedelta(days=self.rng.randrange(400))).isoformat() if self.rng.random() < 0.3 else None

    def _observation(self, code: dict[str, str], **value: Any) -> Resource:
        day = self.day()
        made = records.observation(self.name, self.id(), code["code"], self.given(day), **value)
        made["code"] = records.concept(code["code"], _pools()["uris"][code["system"]])
        issued = self.later(day)
        return made | ({"issued": f"{issued}T08:00:00Z"} if issued else {})

    def value(self) -> Resource:
        pools = _pools()
        code = self.rng.choice(pools["values"])
        unit = self.rng.choice(pools["units"][code["finding"]])
        cuts = pools["cuts"][code["finding"]]
        low, high = float(unit["plausible_low"]), float(unit["plausible_high"])
        canonical = (
            self.rng.choice(cuts) * self.rng.choice([0.5, 0.9, 1, 1.1, 2, 4]) if cuts else self.rng.uniform(low, high)
        )
        canonical = min(max(canonical, low), high)
        if self.rng.random() < 0.05:
            canonical *= -1
        factor, offset = float(unit["factor"]), float(unit["offset"])
        shown = round((canonical - offset) / factor, 4)
        if code["finding"] == "ana_titre" and self.rng.random() < 0.7:
            word = self.rng.choice(
                ["1:40", "1:80", "1/160", "1:320", ">1:640", "1:80-1:160", "Negative", "Positive", "odd"]
            )
            return self._observation(code, valueString=word)
        written = self.rng.choices([unit["unit_seen"], None, "parsec"], [92, 5, 3])[0]
        made = self._observation(code, **records.quantity(shown, written, self.rng.choice([None] * 8 + ["<", ">"])))
        if self.rng.random() < 0.4:
            usual_low, usual_high = pools["ranges"].get(code["finding"], ("", ""))
            limits = {
                end: {"value": round((float(x) - offset) / factor, 4)}
                for end, x in (("low", usual_low), ("high", usual_high))
                if x
            }
            if limits:
                made["referenceRange"] = [limits]
        return made

    def result(self) -> Resource:
        code = self.rng.choice(_pools()["results"])
        word = self.rng.choice(["Positive", "Negative", "Detected", "not detected", "borderline", "who knows"])
        form = self.rng.randrange(3)
        if form == 0:
            return self._observation(code, valueString=word)
        if form == 1:
            return self._observation(code, valueCodeableConcept={"text": word})
        return self._observation(
            code, **records.quantity(self.rng.randrange(200), "[IU]/mL"),
            interpretation=[{"coding": [{"code": self.rng.choice(["POS", "NEG", "H", "N"])}]}],
        )  # fmt: skip

    def condition(self, pool: str) -> Resource:
        pools = _pools()
        code = self.rng.choice(pools[pool])
        day = self.day()
        made = records.condition(
            self.name, self.id(), code["code"], pools["uris"][code["system"]], onset=self.given(day),
            verification=self.rng.choices(["confirmed", "refuted", "provisional", "entered-in-error"], [80, 12, 5, 3])[0],
        )  # fmt: skip
        known = self.later(day)
        if self.rng.random() < 0.1:
            made["asserter"] = {"reference": f"Patient/{self.name}"}
        return made | ({"recordedDate": known} if known else {})

    def drug(self) -> Resource:
        pools = _pools()
        pool = pools["drugs"]
        if self.rng.random() < 0.5:
            pool = [r for r in pools["drugs"] if r["drug"] in pools["causes"]]
        return records.prescription(self.name, self.id(), self.rng.choice(pool)["code"], self.given(self.day()))

    def form(self) -> Resource:
        sites = self.rng.sample(_pools()["sites"], self.rng.randrange(1, 19))
        answers: dict[str, Any] = {k: self.rng.randrange(4) for k in ("fatigue", "waking_unrefreshed", "cognitive")}
        answers |= {k: self.rng.random() < 0.5 for k in ("headache", "lower_abdominal_pain", "depression")}
        answers["months"] = self.rng.choice([1, 3, 12])
        for key in [k for k in answers if self.rng.random() < 0.08]:
            del answers[key]
        return records.fm_form(self.name, self.id(), sites, answers, self.day().isoformat())


def person(number: int, seed: int = 1) -> list[Resource]:
    """The Patient resource of person `number`, and some 0 to 40 statements."""
    rng = random.Random(f"{seed}/{number}")
    name = f"p{number:05d}"
    writer = _Writer(name, rng)
    who = records.patient(name, gender=rng.choice(["female", "female", "male", "other"]))
    if rng.random() < 0.9:
        who["birthDate"] = f"{rng.randrange(1935, 2012)}-0{rng.randrange(1, 10)}-15"
    else:
        del who["birthDate"]
    kinds = ["value", "result", "states", "weighty", "felt", "drug", "form"]
    likely = rng.choice([[30, 15, 30, 10, 0, 13, 2], [20, 20, 5, 45, 0, 9, 1], [25, 10, 5, 0, 40, 5, 15]])
    made = [who]
    for kind in rng.choices(kinds, likely, k=rng.choice([0, 2, 5, 10, 20, 40])):
        if kind in ("states", "weighty", "felt"):
            made.append(writer.condition(kind))
        else:
            made.append(getattr(writer, kind)())
    return made


def persons(count: int, seed: int = 1) -> list[list[Resource]]:
    return [person(number, seed) for number in range(count)]
