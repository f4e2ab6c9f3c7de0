"""From what is on record to dated rows: neutral between FHIR and OMOP, one Arrow table per kind of statement.

Values lie around the cut-off of the rule that reads them, on the side that the state says; every site has its own units,
codes and way to word a result. A test is repeated; a result that was abnormal once may be normal later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tellapart.knowledge.load import Row
from tellapart.simulate.model import HYPOTHESES, Floats, Ints, Model
from tellapart.simulate.recording import Recorded

SITES = 3  # ways of a site to write a result: codes, units and words go round by this number
WORDS = (("Positive", "Negative"), ("positive", "negative"), ("Detected", "Not detected"))  # one pair per site
FORM_PATTERNS = 32  # different ways to tick the places of a form, of either kind
MOST_RESULTS = 6

# Days are counted from 1970-01-01. `code` is a place in Codes.rows; -1 is NULL in every column of whole numbers.
STATEMENT = pa.schema(
    [("person", pa.int32()), ("day", pa.int32()), ("known_day", pa.int32()), ("code", pa.int16())]
)  # fmt: skip


@dataclass(frozen=True)
class People:
    """Who the persons are. Days count from 1970-01-01.

    Attributes:
        first_number: number of the first person of this batch in the cohort.
        h: hypothesis number.
        site: where the record was kept.
        work_up, first, sle_onset, fm_onset, birth: days; an onset is -1 where there is none.
    """

    first_number: int
    h: Ints
    female: NDArray[np.bool_]
    age: Ints
    site: Ints
    birth: Ints
    work_up: Ints
    first: Ints
    sle_onset: Ints
    fm_onset: Ints
    last_day: int


class Codes:
    """The codes in use: (system, code, display) by number."""

    def __init__(self, model: Model) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self._at: dict[tuple[str, str], int] = {}
        named = [*model.knowledge["finding_codes"], *model.knowledge["drug_codes"]]
        self._display = {(r["system"], r["code"]): r["display"] for r in named}

    def number(self, system: str, code: str) -> int:
        """The number of a code, given on first use."""
        if (system, code) not in self._at:
            self._at[system, code] = len(self.rows)
            self.rows.append((system, code, self._display[system, code]))
        return self._at[system, code]

    def of(self, packed: str) -> Ints:
        """Numbers of `system:code;system:code`, one per site."""
        pairs = [p.split(":", 1) for p in packed.split(";")]
        return np.array([self.number(*pairs[site % len(pairs)]) for site in range(SITES)])


@dataclass(frozen=True)
class Rows:
    """Everything on record of a batch, each table ordered by person and day."""

    people: People
    codes: Codes
    conditions: pa.Table  # STATEMENT, refuted, told (said by the patient), in_error, month (day not given)
    results: pa.Table  # STATEMENT, value (canonical), unit (place in units), shown, low, high, word, exam, titre
    drugs: pa.Table  # STATEMENT, dose
    visits: pa.Table  # STATEMENT
    forms: pa.Table  # person, day, sites (place in site_patterns), answers ..
    units: tuple[str, ...]
    words: tuple[str, ...]
    site_patterns: tuple[tuple[str, ...], ...]

    def answers(self, sites: list[str]) -> tuple[Ints, pa.Array, Ints]:
        """Form (place in `forms`), item (`fm_2016.fatigue`) and answer, one per answer.

        Who ticked places of the list was asked for all of `sites`.
        """
        t = self.forms
        pattern = t["sites"].to_numpy()
        ticked = np.array([[1 if s in ticks else 0 for s in sites] for ticks in self.site_patterns])[pattern]
        asked = np.array([bool(ticks) for ticks in self.site_patterns])[pattern]
        items = t.column_names[3:]
        answers = np.column_stack([ticked, *(t[i].to_numpy() for i in items)])
        names = pa.array([f"fm_2016.site.{s}" for s in sites] + [f"fm_2016.{i}" for i in items])
        keep = np.column_stack([np.repeat(asked[:, None], len(sites), axis=1), np.ones((len(t), len(items)), bool)])
        form, item = np.nonzero(keep)
        return form, names.take(pa.array(item)), answers[form, item]


def people(model: Model, rng: np.random.Generator, h: Ints, first_number: int) -> People:
    """Draw sex, age and the days on which things began."""
    n, s = len(h), model.settings
    female = rng.random(n) < model.hypothesis("female")[h]
    age = _ages(model, rng, h)
    last = int(np.datetime64(f"{int(s['last_year'])}-12-31", "D").astype(int))
    work_up = last - rng.integers(int(s["follow_up_min"]), int(s["follow_up_max"]), n)
    later = work_up - int(s["delay_min"]) - rng.exponential(s["delay_mean"], n).astype(np.int64)
    both = h == HYPOTHESES.index("both")
    gap = int(s["gap_min"]) + rng.exponential(s["gap_mean"], n).astype(np.int64)
    sle_first = rng.random(n) < s["sle_first"]
    earlier = np.where(both, later - gap, later)
    has_sle, has_fm = both | (h == HYPOTHESES.index("sle")), both | (h == HYPOTHESES.index("fm"))
    sle = np.where(has_sle, np.where(both & ~sle_first, later, earlier), -1)
    fm = np.where(has_fm, np.where(both & sle_first, later, earlier), -1)
    birth = work_up - age * 365 - age // 4 - rng.integers(1, 360, n)
    return People(first_number, h, female, age, rng.integers(0, SITES, n), birth, work_up, earlier, sle, fm, last)


def _ages(model: Model, rng: np.random.Generator, h: Ints) -> Ints:
    """Whole years at the work-up, normal by hypothesis, adults of 18 to 90."""
    from scipy.special import ndtr, ndtri

    mean, sd = model.hypothesis("age_mean")[h], model.hypothesis("age_sd")[h]
    low, high = (ndtr((x - mean) / sd) for x in (model.settings["age_low"], model.settings["age_high"]))
    return np.asarray(mean + sd * ndtri(low + rng.random(len(h)) * (high - low))).astype(np.int64)


def rows(model: Model, rng: np.random.Generator, who: People, states: Ints, recorded: Recorded, codes: Codes) -> Rows:
    """Everything on record as dated rows."""
    coded = _coded(model, rng, who)
    conditions = [*_complaints(model, rng, who, recorded, codes), *_diagnoses(model, rng, who, coded, codes)]
    units: list[str] = []
    words: list[str] = []
    results = _results(model, rng, who, states, recorded, codes, units, words)
    patterns = _site_patterns(model)
    return Rows(
        who, codes, _table(conditions), _table(results), _table(_drugs(model, rng, who, coded, codes)),
        _table([_visits(model, rng, who, codes)]), _forms(model, rng, who, states, recorded), tuple(units), tuple(words),
        patterns,
    )  # fmt: skip


def _coded(model: Model, rng: np.random.Generator, who: People) -> dict[str, NDArray[np.bool_]]:
    """Who carries which coded diagnosis, right or wrong."""
    return {
        r["coded"]: rng.random(len(who.h)) < model.hypothesis(f"coded_{r['coded']}")[who.h]
        for r in model.table("diagnoses")
    }


def _table(parts: list[dict[str, NDArray[np.generic]]]) -> pa.Table:
    """One Arrow table of the parts, ordered by person, day and then as they were made."""
    columns = {c: np.concatenate([p[c] for p in parts]) for c in parts[0]}
    order = np.lexsort((columns["day"], columns["person"]))
    return pa.table({c: column[order] for c, column in columns.items()})


def _start(model: Model, who: People, family: str) -> Ints:
    """When findings of this family can have begun: with their disease, or with the first complaint."""
    of = {"sle": who.sle_onset, "fm": who.fm_onset}.get(family, np.full(len(who.h), -1))
    return np.where(of >= 0, of, who.first)


def _known_day(model: Model, rng: np.random.Generator, day: Ints, last: int) -> Ints:
    """The day on which it was written down; mostly the day itself."""
    later = np.where(
        rng.random(len(day)) < model.settings["recorded_later"],
        rng.integers(1, int(model.settings["recorded_days"]), len(day)),
        0,
    )
    return np.minimum(day + later, last)


def _statement(
    model: Model, rng: np.random.Generator, who: People, person: Ints, day: Ints, code: Ints
) -> dict[str, NDArray[np.generic]]:
    return {
        "person": person.astype(np.int32), "day": day.astype(np.int32),
        "known_day": _known_day(model, rng, day, who.last_day).astype(np.int32), "code": code.astype(np.int16),
    }  # fmt: skip


def _repeated(
    rng: np.random.Generator, person: Ints, day: Ints, mean: float, apart: float, last: int
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(person, day, is it the first) of each and a Poisson number of later ones, up to the last day."""
    times = 1 + np.minimum(rng.poisson(mean, len(person)), MOST_RESULTS - 1)
    who = np.repeat(np.arange(len(person)), times)
    number = np.arange(len(who)) - np.repeat(np.cumsum(times) - times, times)
    steps = np.where(number == 0, 0, 1 + rng.exponential(apart, len(who)).astype(np.int64))
    along = np.cumsum(steps)
    at = day[who] + along - along[np.repeat(np.cumsum(times) - times, times)]
    keep = (at <= last) | (number == 0)
    return person[who][keep], np.minimum(at, last)[keep], (number == 0)[keep]


def _complaints(
    model: Model, rng: np.random.Generator, who: People, recorded: Recorded, codes: Codes
) -> list[dict[str, NDArray[np.generic]]]:
    """Complaints and signs, there or denied, as diagnoses and symptoms of the record."""
    s, parts = model.settings, []
    for f, node in enumerate(model.nodes):
        if node.how == "test":
            continue
        code = codes.of(node.row["codes"])
        began = _start(model, who, node.row["family"])
        yes = np.flatnonzero(recorded.told[:, f] & (recorded.known[:, f] > 0))
        first = began[yes] + (rng.random(len(yes)) * (who.work_up - began)[yes]).astype(np.int64)
        person, day, _ = _repeated(rng, yes, first, s["again_mean"], s["again_days"], who.last_day)
        no = np.flatnonzero(recorded.told[:, f] & (recorded.known[:, f] == 0))
        both = np.concatenate([person, no]), np.concatenate([day, who.work_up[no]])
        refuted = np.arange(len(both[0])) >= len(person)
        parts.append(
            _statement(model, rng, who, *both, code[who.site[both[0]]])
            | {
                "refuted": refuted, "told": np.full(len(refuted), node.how == "told"),
                "in_error": np.zeros(len(refuted), dtype=bool), "month": rng.random(len(refuted)) < s["partial_date"],
            }
        )  # fmt: skip
    return parts


def _diagnoses(
    model: Model, rng: np.random.Generator, who: People, coded: dict[str, NDArray[np.bool_]], codes: Codes
) -> list[dict[str, NDArray[np.generic]]]:
    """Coded diagnoses of either disease, some of them entered in error."""
    s, parts = model.settings, []
    for r in model.table("diagnoses"):
        carriers = np.flatnonzero(coded[r["coded"]])
        first = np.minimum(who.work_up[carriers] + rng.integers(0, int(s["code_days"]), len(carriers)), who.last_day)
        person, day, _ = _repeated(rng, carriers, first, s["code_days_mean"], s["again_days"], who.last_day)
        no = np.zeros(len(person), dtype=bool)
        parts.append(
            _statement(model, rng, who, person, day, codes.of(r["codes"])[who.site[person]])
            | {"refuted": no, "told": no, "in_error": no, "month": no}
        )
        # withdrawn rows stand beside: anybody can have one, and it says nothing
        wrong = np.flatnonzero(rng.random(len(who.h)) < s["in_error"])
        no = np.zeros(len(wrong), dtype=bool)
        parts.append(
            _statement(model, rng, who, wrong, who.work_up[wrong], codes.of(r["codes"])[who.site[wrong]])
            | {"refuted": no, "told": no, "in_error": ~no, "month": no}
        )
    return parts


def _results(
    model: Model, rng: np.random.Generator, who: People, states: Ints, recorded: Recorded, codes: Codes,
    units: list[str], words: list[str],
) -> list[dict[str, NDArray[np.generic]]]:  # fmt: skip
    """Results of every test that was ordered, and of its repeats."""
    s, parts = model.settings, []
    values: dict[str, list[Row]] = {}
    for r in model.table("values"):
        values.setdefault(r["test"], []).append(r)
    valued = {r["state"] for r in model.table("values") if r["state"]}
    for test, had in recorded.ordered.items():
        persons = np.flatnonzero(had)
        ordered_on = np.minimum(
            who.work_up[persons] + rng.integers(0, int(model.settings["test_days"]), len(persons)), who.last_day
        )
        person, day, first = _repeated(rng, persons, ordered_on, s["again_mean"], s["again_days"], who.last_day)
        exam = np.full(len(person), test.endswith("_count") and test != "blood_count")
        vital = np.full(len(person), test == "vital_signs")

        def made(
            code: Ints, value: Floats, word: Ints, unit: Ints | None = None, shown: Floats | None = None,
            low: Floats | None = None, high: Floats | None = None,
            person: Ints = person, day: Ints = day, exam: NDArray[np.bool_] = exam, vital: NDArray[np.bool_] = vital,
        ) -> dict[str, NDArray[np.generic]]:  # fmt: skip
            nothing = np.full(len(person), np.nan)
            return _statement(model, rng, who, person, day, code[who.site[person]]) | {
                "value": value, "word": word.astype(np.int16),
                "unit": np.full(len(person), -1, np.int16) if unit is None else unit.astype(np.int16),
                "shown": nothing if shown is None else shown, "low": nothing if low is None else low,
                "high": nothing if high is None else high, "exam": exam, "vital": vital,
            }  # fmt: skip

        def state_now(finding: str, person: Ints = person, first: NDArray[np.bool_] = first) -> Ints:
            """The state that this result shows: the true one first, later now and then one less."""
            true = states[person, model.place[finding][0]]
            again = first | (rng.random(len(person)) < s["again_abnormal"])
            return np.asarray(np.where(again, true, np.maximum(true - 1, 0)))

        for r in values.get(test, []):
            code = codes.of(r["codes"])
            if r["side"] == "titre":
                titre = _titres(model, rng, state_now(r["state"]), r["state"])
                shown = np.where(who.site[person] == 1, titre, np.nan)  # the second site gives a number, others words
                word = [_place(words, w) for w in ("Negative", "<1:80")]
                at = np.where(titre > 0, 0, np.where(who.site[person] == 0, word[0], word[1]))
                for height in np.unique(titre[titre > 0]):
                    at = np.where(titre == height, _place(words, f"1:{int(height)}"), at)
                at = np.where(np.isnan(shown), at, -1)
                unit = np.where(np.isnan(shown), -1, _place(units, r["units"]))
                parts.append(made(code, titre, at, unit, shown))
                continue
            abnormal = state_now(r["state"]) > 0 if r["state"] else np.zeros(len(person), dtype=bool)
            value = _values(model, rng, r, abnormal)
            unit, shown, low, high = _shown(model, rng, r, value, who.site[person], units)
            parts.append(made(code, value, np.full(len(person), -1), unit, shown, low, high))
        for node in model.nodes:
            if node.row["test"] == test and node.how == "test" and node.rungs[0] not in valued:
                positive = state_now(node.rungs[0]) > 0
                pair = np.array([[_place(words, w) for w in site] for site in WORDS])
                parts.append(
                    made(codes.of(node.row["codes"]), np.full(len(person), np.nan),
                         pair[who.site[person], np.where(positive, 0, 1)])
                )  # fmt: skip
    return parts


def _place(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)


def _titres(model: Model, rng: np.random.Generator, state: Ints, lowest: str) -> Floats:
    """The denominator of a titre from the rung reached; 0 is negative. Above the highest rung it doubles on."""
    rungs = model.nodes[model.place[lowest][0]].rungs
    heights = np.array([0.0, *(float(r.rsplit("_", 1)[1]) for r in rungs)])
    higher = np.minimum(rng.geometric(1.0 - model.settings["titre_higher"], len(state)) - 1, 2)
    return np.asarray(heights[state] * np.where(state == len(rungs), 2.0**higher, 1.0))


def _values(model: Model, rng: np.random.Generator, row: Row, abnormal: NDArray[np.bool_]) -> Floats:
    """Values beyond the cut-off where abnormal, on the normal side of it elsewhere, rounded away from it."""
    bounds = next(r for r in model.knowledge["units"] if r["finding"] == row["value"])
    sign = -1.0 if row["side"] == "low" else 1.0
    cut = np.where(abnormal, float(row["cut"]), float(row["normal_cut"] or row["cut"]))
    spread = np.where(abnormal, float(row["abnormal_spread"]), float(row["normal_spread"]))
    away = np.where(abnormal, sign, -sign)
    raw = cut * np.exp(away * np.abs(rng.standard_normal(len(abnormal))) * spread)
    grid = 10.0 ** int(row["decimals"])
    rounded = np.where(away > 0, np.ceil(raw * grid), np.floor(raw * grid)) / grid
    return np.asarray(np.clip(rounded, float(bounds["plausible_low"]), float(bounds["plausible_high"])))


def _shown(
    model: Model, rng: np.random.Generator, row: Row, value: Floats, site: Ints, units: list[str]
) -> tuple[Ints, Floats, Floats, Floats]:
    """(unit, number, lower limit, upper limit) as the site prints them; the limits NaN where it prints none."""
    names = row["units"].split(";")
    known = {r["unit_seen"]: r for r in model.knowledge["units"] if r["finding"] == row["value"]}
    of = [known[names[i % len(names)]] for i in range(SITES)]
    factor, offset = (np.array([float(r[c]) for r in of])[site] for c in ("factor", "offset"))
    unit = np.array([_place(units, r["unit_seen"]) for r in of])[site]
    printed = {"yes": 1.0, "no": 0.0, "some": model.settings["range_printed"]}[row["print_range"]]
    prints = rng.random(len(value)) < printed

    def limit(text: str) -> Floats:
        return (
            np.where(prints, np.round((float(text) - offset) / factor, 6), np.nan)
            if text
            else np.full(len(value), np.nan)
        )

    return unit, np.round((value - offset) / factor, 6), limit(row["low"]), limit(row["high"])


def _drugs(
    model: Model, rng: np.random.Generator, who: People, coded: dict[str, NDArray[np.bool_]], codes: Codes
) -> list[dict[str, NDArray[np.generic]]]:
    """Prescriptions: by the diagnosis that is coded, right or wrong."""
    ingredient: dict[str, str] = {}
    for r in model.knowledge["drug_codes"]:
        if r["system"] == "rxnorm" and r["descendants"] == "true":
            ingredient.setdefault(r["drug"], r["code"])
    parts = []
    for r in model.table("drugs"):
        can = coded.get(r["coded"], np.ones(len(who.h), dtype=bool))
        taking = np.flatnonzero(can & (rng.random(len(who.h)) < float(r["share"])))
        start = np.minimum(
            who.work_up[taking] + rng.integers(0, int(model.settings["drug_days"]), len(taking)), who.last_day
        )
        person, day, _ = _repeated(
            rng, taking, start, model.settings["again_mean"], model.settings["again_days"], who.last_day
        )
        code = np.full(len(person), codes.number("rxnorm", ingredient[r["drug"]]))
        parts.append(_statement(model, rng, who, person, day, code) | {"dose": np.full(len(person), float(r["dose"]))})
    return parts


def _visits(model: Model, rng: np.random.Generator, who: People, codes: Codes) -> dict[str, NDArray[np.generic]]:
    seen = np.flatnonzero(rng.random(len(who.h)) < model.settings["visit_known"])
    specialty = next(
        r for r in model.knowledge["finding_codes"] if r["finding"] == "rheumatology_visit" and r["system"] == "snomed"
    )
    code = np.full(len(seen), codes.number("snomed", specialty["code"]))
    return _statement(model, rng, who, seen, who.work_up[seen], code)


def _site_patterns(model: Model) -> tuple[tuple[str, ...], ...]:
    """Ways to tick the places: the first half generalized pain (at least four of five regions), the second not.

    The same in every cohort, so that two cohorts differ by what matters.
    """
    rng = np.random.default_rng(0)
    rows_ = [r for r in model.knowledge["pain_sites"] if r["wpi"] == "yes"]
    regions = sorted({r["region"] for r in rows_ if r["generalized"] == "yes"})
    rule = next(
        r for r in model.knowledge["instrument_findings"]
        if r["instrument"] == "fm_2016" and r["finding"] == "widespread_pain"
    )  # fmt: skip
    out = []
    for number in range(2 * FORM_PATTERNS):
        wide = number < FORM_PATTERNS
        least, most = (int(rule["present_at"]), len(regions)) if wide else (1, int(rule["absent_at"]))
        chosen = rng.permutation(regions)[: rng.integers(least, most + 1)]
        ticked = []
        for region in chosen:
            there = [r["site"] for r in rows_ if r["region"] == region and r["generalized"] == "yes"]
            ticked += list(rng.permutation(there)[: rng.integers(2 if wide else 1, len(there) + 1)])
        out.append(tuple(sorted(str(t) for t in ticked)))
    return tuple(out)


def _forms(model: Model, rng: np.random.Generator, who: People, states: Ints, recorded: Recorded) -> pa.Table:
    """Filled-in forms of 2016: answers that say what the person's states are."""
    persons = np.flatnonzero(recorded.ordered["fm_form"])
    day = np.minimum(
        who.work_up[persons] + rng.integers(0, int(model.settings["test_days"]), len(persons)), who.last_day
    )
    columns: dict[str, NDArray[np.generic]] = {"person": persons.astype(np.int32), "day": day.astype(np.int32)}
    wide = states[persons, model.place["widespread_pain"][0]] > 0
    columns["sites"] = rng.integers(0, FORM_PATTERNS, len(persons)) + np.where(wide, 0, FORM_PATTERNS)
    for r in model.knowledge["instrument_items"]:
        if r["instrument"] == "fm_2016" and r["finding"]:
            there = states[persons, model.place[r["finding"]][0]] > 0
            answer = rng.integers(int(r["present_at"]), int(r["high"]) + 1, len(persons))
            columns[r["item"]] = np.where(there, answer, int(r["absent_at"]))
    rules = model.knowledge["instrument_rules"]
    least = next(int(r["low"]) for r in rules if r["set"] == "fm_2016" and r["variable"] == "months")
    columns["months"] = rng.integers(least, int(model.settings["form_months"]), len(persons))
    return pa.table(columns)
