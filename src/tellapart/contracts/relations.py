"""The shape of every relation that walks from room to room: columns, types, grain and key.

A relation's grain is its "one row per …"; its key is unique on every engine and every data set (tested).
Types are DuckDB names that mean the same on Spark. A change here is a change of contract.

Some relations have columns that knowledge rows make: one per word of finding bits, set or item. They are written once
with a placeholder (`p<word>`, `<sle_set>_points`); `expand` puts the ids of a knowledge base in. Columns are read by
name, so their order is not part of the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TEXT, WHOLE, REAL, DAY, FLAG = "VARCHAR", "BIGINT", "DOUBLE", "DATE", "BOOLEAN"
SMALL = "INTEGER"
POINTS = "DECIMAL(6,2)"  # added and compared only, so that engines agree exactly
BITS = "DECIMAL(38,6)"  # a sum of exact micro-bits; cast to DOUBLE before it is raised


@dataclass(frozen=True)
class Relation:
    """One relation of the house.

    Attributes:
        name: name of the table or view.
        grain: what one row stands for, in words ("one row per …").
        key: columns that together are unique (empty: a log without a key).
        columns: column name to type, in order.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, str]


STATEMENTS = Relation(
    "statements",
    "one row per clinical statement of the source and coding of it; every leaf is text as given",
    (),
    {
        "row_no": WHOLE, "part": SMALL, "person_id": TEXT, "kind": TEXT, "reference": TEXT,
        "system": TEXT, "code": TEXT, "display": TEXT, "coding_no": SMALL,
        "value": TEXT, "value_to": TEXT, "comparator": TEXT, "unit": TEXT,
        "low": TEXT, "high": TEXT, "range_text": TEXT, "interpretation": TEXT,
        "date": TEXT, "end_date": TEXT, "known_date": TEXT,
        "status": TEXT, "by": TEXT, "method": TEXT, "text": TEXT, "absent_reason": TEXT, "group_key": TEXT,
    },
)  # fmt: skip

SOURCE_ROWS = Relation(
    "source_rows",
    "one row per source row (a resource, a case entry); class is its place in the accounting",
    ("row_no",),
    {
        "row_no": WHOLE, "source_type": TEXT, "file": TEXT, "line": WHOLE, "reference": TEXT,
        "person_id": TEXT, "class": TEXT,
    },
)  # fmt: skip

LEFT_OUT = Relation(
    "left_out",
    "one row per source type, kind, code and class of source rows that a reader only counted: they say nothing here",
    ("source_type", "kind", "system", "code", "class"),
    {
        "source_type": TEXT, "kind": TEXT, "system": TEXT, "code": TEXT, "display": TEXT, "class": TEXT, "n": WHOLE,
    },
)  # fmt: skip

REJECTED = Relation(
    "rejected",
    "one row per thing that could not be used, with where, why and what to do",
    (),
    {
        "file": TEXT, "line": WHOLE, "reference": TEXT, "person_id": TEXT, "field": TEXT, "value": TEXT,
        "reason": TEXT, "what_to_do": TEXT, "row_no": WHOLE,
    },
)  # fmt: skip

PERSONS = Relation(
    "persons",
    "one row per person read, with the age on the as-of day (or at death) in whole years; person is the rank of person_id",
    ("person",),
    {
        "person": WHOLE,
        "person_id": TEXT,
        "sex": TEXT,
        "birth_date": DAY,
        "death_date": DAY,
        "age": SMALL,
        "observed_to": DAY,
    },
)

REGISTERED = Relation(
    "registered",
    "one row per person read, as the source has it; person is the rank of person_id, age that of the source",
    ("person",),
    PERSONS.columns,
)

EVENTS = Relation(
    "events",
    "one row per clinical statement and known code of it, typed, in canonical units",
    ("row_no", "part", "system", "code", "code_id"),
    {
        "person": WHOLE, "row_no": WHOLE, "part": SMALL, "codings": SMALL, "reference": TEXT, "kind": TEXT,
        "code_id": SMALL, "system": TEXT, "code": TEXT, "display": TEXT,
        "date": DAY, "date_precision": TEXT, "known_date": DAY, "known_precision": TEXT, "end_date": DAY,
        "value": REAL, "value_to": REAL, "comparator": TEXT, "unit": TEXT, "low": REAL, "high": REAL,
        "interpretation": TEXT, "status": TEXT, "by": TEXT, "method": TEXT, "shape": TEXT, "text": TEXT,
        "group_key": TEXT, "range_from": TEXT,
    },
)  # fmt: skip

REPORTED = Relation(
    "reported",
    "one row per clinical statement and known code of it, typed, in canonical units, whenever it became known",
    EVENTS.key,
    EVENTS.columns,
)

# what a reader leaves beside statements, and what a run is asked for

PATIENTS = Relation(
    "patients",
    "one row per patient record of the source, as text",
    ("row_no",),
    {
        "person_id": TEXT, "sex": TEXT, "birth_date": TEXT, "death_date": TEXT, "row_no": WHOLE,
        "age": SMALL, "as_of": TEXT, "setting": TEXT, "observed_to": TEXT,
    },
)  # fmt: skip

DIARY_FLARES = Relation(
    "diary_flares",
    "one row per flare found in a person's diary, where the source holds diaries",
    ("person_id", "start_date"),
    {
        "person_id": TEXT, "start_date": DAY, "peak_date": DAY, "end_date": DAY, "type": TEXT, "basis": TEXT, "severity": TEXT,
        "certainty": REAL, "signals": TEXT,
    },
)  # fmt: skip

ASKED = Relation(
    "asked",
    "one row: the as-of day asked for (NULL: the default) and the calendar day",
    (),
    {"as_of": DAY, "today": DAY},
)

OPTIONS = Relation(
    "options",
    "one row: the setting that the user gave for all, or NULL; are flares asked for in an audit",
    (),
    {"setting": TEXT, "flares": FLAG},
)

GIVEN_SETTINGS = Relation(
    "given_settings",
    "one row per person whose own document names a setting",
    ("person",),
    {"person": WHOLE, "setting": TEXT},
)

LOCAL_CODES = Relation(
    "local_codes",
    "one row per code of the site's own file, with the shipped code that it is read as (NULL: irrelevant)",
    ("system", "code_key"),
    {"system": TEXT, "code_key": TEXT, "code_id": SMALL, "rule": TEXT, "unit": TEXT, "high": REAL},
)

# the events room: from statements to events

READING_LIMITS = Relation(
    "reading_limits",
    "one row: the days between which a date is possible, and the limits for numbers without a unit",
    (),
    {"first_day": DAY, "day_after": DAY, "titre_min": REAL, "proof": REAL},
)

SYSTEM_NAMES = Relation(
    "system_names",
    "one row per name of a code system, bare of version and decoration",
    ("bare_system",),
    {"bare_system": TEXT, "short_system": TEXT},
)

UNIT_MAP = Relation(
    "unit_map",
    "one row per finding and unit as it may be written, with its conversion",
    ("finding", "seen", "unit"),
    {
        "finding": TEXT, "seen": TEXT, "unit": TEXT, "factor": REAL, "shift": REAL,
        "plausible_low": REAL, "plausible_high": REAL,
    },
)  # fmt: skip

MEANINGS = Relation(
    "meanings",
    "one row per group of statements, code system, code and knowledge code that it means there",
    ("kind_group", "system", "code_key", "code_id", "borrowed", "own"),
    {
        "kind_group": TEXT, "system": TEXT, "code_key": TEXT, "code_id": SMALL, "source": TEXT, "rule": TEXT,
        "method": TEXT, "by_prefix": FLAG, "borrowed": SMALL, "by_default": TEXT, "canonical": TEXT, "mode": TEXT,
        "unit_finding": TEXT, "default_unit": TEXT, "own": SMALL, "own_unit": TEXT, "own_high": REAL, "own_limit": REAL,
    },
)  # fmt: skip

ITEM_CODES = Relation(
    "item_codes",
    "one row per code of an instrument's item or site, with the range of its answers",
    ("code",),
    {"code": TEXT, "low": REAL, "high": REAL},
)

IGNORED_CODES = Relation(
    "ignored_codes",
    "one row per code that is listed as irrelevant",
    ("short_system", "code_key"),
    {"short_system": TEXT, "code_key": TEXT},
)

CODE_MAP = Relation(
    "code_map",
    "one row per distinct kind, system and code of the statements, and knowledge code that it means (if any)",
    ("kind", "system", "code", "code_id"),
    {
        "kind": TEXT, "system": TEXT, "code": TEXT, "short_system": TEXT, "code_id": SMALL, "source": TEXT,
        "rule": TEXT, "method": TEXT, "by_default": TEXT, "canonical": TEXT, "mode": TEXT, "unit_finding": TEXT,
        "default_unit": TEXT, "own_unit": TEXT, "own_high": REAL, "own_limit": REAL, "item_low": REAL, "item_high": REAL, "class": TEXT,
    },
)  # fmt: skip

NEW_CODES = Relation(
    "new_codes",
    "one row per distinct kind, system and code of the statements that code_map does not hold yet",
    ("kind", "system", "code"),
    {"kind": TEXT, "system": TEXT, "code": TEXT, "bare_system": TEXT, "kind_group": TEXT},
)

NEW_TEXTS = Relation(
    "new_texts", "one row per distinct wording that texts does not hold yet", ("text",), {"text": TEXT}
)

FLAG_WORDS = Relation(
    "flag_words",
    "one row per HL7 code of an interpretation, with the flag that it means here",
    ("code",),
    {"code": TEXT, "flag": TEXT},
)

TEXTS = Relation(
    "texts",
    "one row per distinct wording of a result, a flag or a reference range that is not a plain number, as read",
    ("text",),
    {
        "text": TEXT, "number": REAL, "number_to": REAL, "comparator": TEXT, "unit_text": TEXT, "shape": TEXT,
        "interpretation": TEXT, "low": REAL, "high": REAL,
    },
)  # fmt: skip

UNIT_PROOFS = Relation(
    "unit_proofs",
    "one row per finding and reference range, as written beside numbers without unit, that proves the unit",
    ("source", "low_text", "high_text", "range_text"),
    {
        "source": TEXT, "low_text": TEXT, "high_text": TEXT, "range_text": TEXT, "factor": REAL, "shift": REAL,
        "plausible_low": REAL, "plausible_high": REAL,
    },
)  # fmt: skip

READINGS = Relation(
    "readings",
    "one row per statement, coding of it and knowledge code, typed, with what is wrong with it",
    ("row_no", "part", "coding_no", "code_id"),
    {
        "person": WHOLE, "row_no": WHOLE, "part": SMALL, "coding_no": SMALL, "reference": TEXT, "kind": TEXT,
        "code_id": SMALL, "source": TEXT, "system": TEXT, "code": TEXT, "display": TEXT,
        "date": DAY, "date_precision": TEXT, "known_date": DAY, "known_precision": TEXT, "end_date": DAY,
        "value": REAL, "value_to": REAL, "comparator": TEXT, "unit": TEXT, "low": REAL, "high": REAL,
        "interpretation": TEXT, "status": TEXT, "by": TEXT, "method": TEXT, "shape": TEXT, "text": TEXT,
        "group_key": TEXT, "class": TEXT, "fault": TEXT, "fault_value": TEXT, "raw_number": REAL, "raw_unit": TEXT,
    },
)  # fmt: skip

HORIZONS = Relation(
    "horizons",
    "one row per person: the day up to which the record is read, and that of the document itself",
    ("person",),
    {"person": WHOLE, "as_of": DAY, "document_as_of": DAY},
)

REJECTIONS = Relation(
    "rejections",
    "one row per reading, or date of a person, that could not be used, with where, why and what to do",
    (),
    REJECTED.columns,
)

DOSES = Relation(
    "doses",
    "one row per distinct dose of a drug as written that can be read: mg a day, or mg per kg and day",
    ("value", "unit", "text", "display"),
    {"value": REAL, "unit": TEXT, "text": TEXT, "display": TEXT, "amount": REAL, "amount_unit": TEXT},
)

ROW_CLASSES = Relation(
    "row_classes",
    "one row per source row with its one class in the accounting",
    ("row_no",),
    {"row_no": WHOLE, "source_type": TEXT, "class": TEXT},
)

ACCOUNTING = Relation(
    "accounting",
    "one row per source type and class: how many source rows of it there are",
    ("source_type", "class"),
    {"source_type": TEXT, "class": TEXT, "n": WHOLE},
)

UNMAPPED = Relation(
    "unmapped",
    "one row per code system and code that nothing here knows, with how often it stands in the source",
    ("system", "code"),
    {"system": TEXT, "code": TEXT, "display": TEXT, "n": WHOLE, "unit": TEXT},
)

# the findings room

WORDS = {"p<word>": WHOLE, "a<word>": WHOLE}
"""Finding states as bits: present and absent (docs/decisions/0001-states-as-bits.md)."""

MARK = {
    "person": WHOLE, "date": DAY, "date_precision": TEXT, "known_date": DAY, "row_no": WHOLE, "part": SMALL, "codings": SMALL, "by": TEXT,
    "reference": TEXT, "text": TEXT, "seen": FLAG, "suggests": FLAG, "outcome": SMALL,
    "outcome_lo": SMALL, "outcome_hi": SMALL, "outcome_ratio_lo": SMALL, "outcome_ratio_hi": SMALL, **WORDS,
}  # fmt: skip

MARKS = Relation("marks", "one row per event that can say something about a finding, as words", (), MARK)

FORMS = Relation(
    "forms",
    "one row per person, filled-in instrument and variable of it, as an interval",
    ("person", "group_key", "instrument", "variable"),
    {
        "person": WHOLE, "group_key": TEXT, "instrument": TEXT, "date": DAY, "known_date": DAY, "by": TEXT,
        "row_no": WHOLE, "part": SMALL, "variable": TEXT, "lo": REAL, "hi": REAL,
    },
)  # fmt: skip

FORM_MARKS = Relation("form_marks", "one row per filled-in form and finding that its answers state, as words", (), MARK)

STATES = Relation(
    "states", "one row per person with any finding, as closed words", ("person",), {"person": WHOLE, **WORDS}
)

INTEREST_EVENTS = Relation(
    "interest_events",
    "one row per event of a person of interest, its source row numbered within the person",
    ("person", "row_no", "part", "system", "code", "code_id"),
    {
        "person": WHOLE, "row_no": WHOLE, "source_row_no": WHOLE, "part": SMALL, "codings": SMALL, "reference": TEXT, "kind": TEXT,
        "code_id": SMALL, "date": DAY, "date_precision": TEXT, "known_date": DAY, "end_date": DAY,
        "value": REAL, "value_to": REAL, "comparator": TEXT, "unit": TEXT, "low": REAL, "high": REAL,
        "interpretation": TEXT, "status": TEXT, "by": TEXT, "method": TEXT, "shape": TEXT, "text": TEXT, "display": TEXT,
        "system": TEXT, "code": TEXT, "known_precision": TEXT, "group_key": TEXT, "range_from": TEXT,
    },
)  # fmt: skip

INTEREST_MARKS = Relation("interest_marks", "one row per mark of a person of interest, from events and forms", (), MARK)

EXPOSURES = Relation(
    "exposures",
    "one row per drug statement of a person of interest",
    (),
    {
        "person": WHOLE, "drug": TEXT, "drug_class": TEXT, "start_date": DAY, "end_date": DAY, "days_after": SMALL,
        "known_date": DAY, "row_no": WHOLE, "part": SMALL, "reference": TEXT, "dose": REAL, "dose_unit": TEXT, "text": TEXT, "ongoing": FLAG,
    },
)  # fmt: skip

STATED = Relation(
    "stated",
    "one row per person of interest, finding, state and source row (part), before attribution",
    ("person", "finding", "state", "row_no", "part"),
    {
        "person": WHOLE, "finding": TEXT, "finding_no": SMALL, "state": TEXT, "row_no": WHOLE, "part": SMALL, "date": DAY,
        "known_date": DAY, "by": TEXT, "implied": FLAG, "vouched": FLAG, "vouched_late": FLAG,
    },
)  # fmt: skip

CONTESTS = Relation(
    "contests",
    "one row per occurrence with a likelier cause on record: the first such cause and the row that holds it",
    ("person", "finding", "row_no", "part"),
    {
        "person": WHOLE, "finding": TEXT, "row_no": WHOLE, "part": SMALL, "cause": TEXT, "cause_row_no": WHOLE,
    },
)  # fmt: skip

SERIES = Relation(
    "series",
    "one row per person of interest, finding that a series or an order of records makes, and source row (part)",
    ("person", "finding", "row_no", "part"),
    {
        "person": WHOLE, "finding": TEXT, "row_no": WHOLE, "part": SMALL, "date": DAY, "known_date": DAY, "by": TEXT,
        "vouched": FLAG,
    },
)  # fmt: skip

OCCURRENCES = Relation(
    "occurrences",
    "one row per person of interest, finding, state and source row (part), with the likelier cause and its row",
    STATED.key,
    {**STATED.columns, "contested_by": TEXT, "contested_row_no": WHOLE},
)

WEIGHED = Relation(
    "weighed",
    "one row per mark of a person of interest, as words: present, present without a likelier cause, absent",
    (),
    {"person": WHOLE, "date": DAY, "known_date": DAY, "p<word>": WHOLE, "c<word>": WHOLE, "a<word>": WHOLE},
)

MASKS = Relation(
    "masks",
    "one row per person of interest and basis, as closed words, over the whole record",
    ("person", "basis"),
    {"person": WHOLE, "basis": TEXT, **WORDS},
)

COURSE = Relation(
    "course",
    "one row per person to date, clock, day and basis, as closed words: what was known by that day",
    ("person", "clock", "on_day", "basis"),
    {"person": WHOLE, "clock": TEXT, "on_day": DAY, "basis": TEXT, **WORDS},
)

FINDINGS = Relation(
    "findings",
    "one row per person of interest and finding: state ever, dates, days, who says it, the first reference",
    ("person", "finding"),
    {
        "person": WHOLE, "finding": TEXT, "state": TEXT, "first_date": DAY, "last_date": DAY, "undated": FLAG,
        "present_days": SMALL, "absent_days": SMALL, "by": TEXT, "contested_by": TEXT, "contested_row_no": WHOLE,
        "conflict": FLAG, "reference": TEXT, "first_precision": TEXT, "implied": FLAG, "vouched": FLAG,
        "derived": FLAG, "last_absent_date": DAY,
    },
)  # fmt: skip

ON_RECORD = Relation(
    "on_record",
    "one row per person of interest and finding whose state is known or whose value was measured",
    ("person", "finding"),
    {"person": WHOLE, "finding": TEXT},
)

RED_FLAGS_IN_FORCE = Relation(
    "red_flags_in_force",
    "one row per person of interest and red flag in force on the as-of day",
    ("person", "flag"),
    {
        "person": WHOLE, "flag": TEXT, "urgency_rank": SMALL, "last_date": DAY, "alternative": TEXT, "forbids": FLAG,
        "vouched": FLAG, "contested_by": TEXT,
    },
)  # fmt: skip

# the criteria room

SCORE = {"<sle_set>_points": POINTS, "<sle_set>_met": FLAG}

SCORE_POINTS = Relation(
    "points",
    "one row per person with any finding: points of all sets at face value, and whether each is met (three values)",
    ("person",),
    {"person": WHOLE, **SCORE},
)

FM_FORMS = Relation(
    "fm_forms",
    "one row per person, filled-in form and FM set: met on that day (three values) and points",
    ("person", "group_key", "instrument", "set"),
    {
        "person": WHOLE, "group_key": TEXT, "instrument": TEXT, "date": DAY, "known_date": DAY, "by": TEXT, "set": TEXT,
        "approximate": FLAG, "points": REAL, "points_possible": REAL, "wpi_low": REAL, "wpi_high": REAL, "sss_low": REAL, "sss_high": REAL,
        "applicable": FLAG, "met": FLAG,
    },
)  # fmt: skip

FM_POINTS = Relation(
    "fm_points",
    "one row per person with a filled-in form: for every FM set points, met ever, and its first day",
    ("person",),
    {
        "person": WHOLE, "any_met": FLAG, "<fm_set>_form": TEXT, "<fm_set>_points": POINTS, "<fm_set>_possible": POINTS, "<fm_set>_met": FLAG,
        "<fm_set>_date": DAY, "<fm_set>_known_date": DAY,
    },
)  # fmt: skip

SCORES = Relation(
    "scores",
    "one row per person of interest and basis (points, attributed, specific, strict), over the whole record",
    ("person", "basis"),
    {"person": WHOLE, "basis": TEXT, **SCORE, "<sle_set>_possible": POINTS, "<sle_set>_entry": FLAG},
)

MET_DATES = Relation(
    "met_dates",
    "one row per person of interest, clock (course, known) and basis: the first day on which each set was met",
    ("person", "clock", "basis"),
    {"person": WHOLE, "clock": TEXT, "basis": TEXT, "<sle_set>_date": DAY},
)

ITEMS = Relation(
    "items",
    "one row per person of interest and basis: the state of every item of every set (present, absent, unknown)",
    ("person", "basis"),
    {"person": WHOLE, "basis": TEXT, "<item>": TEXT},
)

ITEM_DATES = Relation(
    "item_dates",
    "one row per person of interest and item of a set: the first day on which it was met, and could be known to be",
    ("person", "set", "item"),
    {"person": WHOLE, "set": TEXT, "item": TEXT, "first_date": DAY, "known_first_date": DAY},
)

WHATIF = Relation(
    "whatif",
    "one row per person of interest, set and change that would decide it: fewest unknown items to add, each item to drop",
    ("person", "set", "change", "items"),
    {"person": WHOLE, "set": TEXT, "change": TEXT, "items": TEXT, "place": WHOLE, "points": REAL},
)

INSTRUMENT_TOTALS = Relation(
    "instrument_totals",
    "one row per person of interest, filled-in form and scale of it: its total as an interval, its band, the change since the one before",
    ("person", "group_key", "instrument", "scale"),
    {
        "person": WHOLE, "group_key": TEXT, "instrument": TEXT, "scale": TEXT, "date": DAY, "by": TEXT, "low": REAL,
        "high": REAL, "band": TEXT, "band_table": TEXT, "minimal_change": REAL, "change": REAL, "changed": TEXT,
    },
)  # fmt: skip

DRUG_INDUCED = Relation(
    "drug_induced",
    "one row per person of interest, culprit drug taken and finding that its rule asks about: state and order",
    ("person", "drug", "finding", "role"),
    {
        "person": WHOLE, "drug": TEXT, "tier": TEXT, "kind": TEXT, "start_date": DAY, "last_date": DAY, "row_no": WHOLE,
        "first_sign": DAY, "resolution": TEXT, "finding": TEXT, "role": TEXT, "state": TEXT, "counts": TEXT, "when": TEXT,
        "counted": FLAG, "verdict": TEXT,
    },
)  # fmt: skip

ACTIVITY_ASKED = Relation(
    "activity_asked",
    "one row per person of interest whose activity is asked for: on every day, or on the as-of day alone",
    ("person",),
    {"person": WHOLE, "every_day": FLAG},
)

LUPUS = Relation(
    "lupus",
    "one row per person of interest who has lupus by the call or by a coded diagnosis and whose activity is asked for",
    ("person",),
    {"person": WHOLE, "every_day": FLAG},
)

ACTIVITY = Relation(
    "activity",
    "one row per person with lupus, activity index, day and item of it: its state, and the total of the day",
    ("person", "index", "on_day", "item"),
    {
        "person": WHOLE, "index": TEXT, "on_day": DAY, "item": TEXT, "state": TEXT, "weight": REAL, "contested_by": TEXT,
        "contested_row_no": WHOLE, "low": REAL, "high": REAL, "stated": FLAG, "category": TEXT, "at_least": TEXT,
    },
)  # fmt: skip

FLARE_SIGNS = Relation(
    "flare_signs",
    "one row per flare of a person with lupus, or change that is none, and sign of it: kind, pattern, course; rule and day of the sign",
    ("person", "start_date", "is_flare", "rule", "day"),
    {
        "person": WHOLE, "start_date": DAY, "is_flare": FLAG, "type": TEXT, "pattern": TEXT, "severity": TEXT, "urgent": FLAG,
        "certainty": REAL, "peak_date": DAY, "end_date": DAY, "rule": TEXT, "axis": TEXT, "day": DAY, "sure": FLAG,
    },
)  # fmt: skip

DUKE_GROUPS = Relation(
    "duke_groups",
    "one row per person with lupus, day of assessment and published version: is Type 1, is Type 2 high, and the group",
    ("person", "on_day", "version"),
    {"person": WHOLE, "on_day": DAY, "version": TEXT, "type1": FLAG, "type2": FLAG, "group": TEXT},
)

TYPE2_COURSE = Relation(
    "type2_course",
    "one row per person with lupus and forms of distress: does Type 2 stay when Type 1 is quiet",
    ("person",),
    {"person": WHOLE, "visits": WHOLE, "quiet_visits": WHOLE, "quiet_median": REAL, "rho": REAL, "course": TEXT},
)

# the differential room

SETTINGS = Relation(
    "settings",
    "one row per person: the setting whose prior applies",
    ("person",),
    {"person": WHOLE, "sex": TEXT, "age": SMALL, "setting": TEXT},
)

SUSPECTED = Relation(
    "suspected", "one row per person in whose record somebody asked the question", ("person",), {"person": WHOLE}
)

PERSON_PRIORS = Relation(
    "person_priors",
    "one row per person: the prior share of each hypothesis",
    ("person",),
    {
        "person": WHOLE, "setting": TEXT, "prior_sle": REAL, "prior_fm": REAL, "prior_both": REAL,
        "prior_neither": REAL,
    },
)  # fmt: skip

WEIGHTS_USED = Relation(
    "weights_used",
    "one row per person and finding that counts: the number of its weight, at face value",
    ("person", "number"),
    {"person": WHOLE, "number": SMALL},
)

ADDED = {**PERSON_PRIORS.columns, "bits_sle": BITS, "bits_fm": BITS, "bits_both": BITS}

POSTERIOR = Relation(
    "posterior",
    "one row per person: the point posterior from findings at face value",
    ("person",),
    {**ADDED, "p_sle": REAL, "p_fm": REAL, "p_both": REAL, "p_neither": REAL},
)

INTEREST = Relation(
    "interest",
    "one row per person of interest, for whom dates, references, attribution and intervals are worked out",
    ("person",),
    {"person": WHOLE},
)

INTEREST_WEIGHTS = Relation(
    "interest_weights",
    "one row per person of interest and finding that counts: the number of its weight",
    ("person", "number"),
    {"person": WHOLE, "number": SMALL},
)

SHARES = {
    "p_sle": REAL, "p_sle_low": REAL, "p_sle_high": REAL, "p_fm": REAL, "p_fm_low": REAL, "p_fm_high": REAL,
    "p_both": REAL, "p_both_low": REAL, "p_both_high": REAL, "p_neither": REAL, "p_neither_low": REAL,
    "p_neither_high": REAL,
}  # fmt: skip

INTERVALS = Relation(
    "intervals", "one row per person of interest: posterior with interval", ("person",), {**ADDED, **SHARES}
)

CALLS = Relation(
    "calls",
    "one row per person of interest: the call and why",
    ("person",),
    {
        "person": WHOLE, "lead": TEXT, "p_lead": REAL, "low_lead": REAL, "forbidding_flags": WHOLE, "missing": WHOLE,
        "call": TEXT, "ground": TEXT,
    },
)  # fmt: skip

IMAGINED = Relation(
    "imagined",
    "one row per person of interest, test not on record and result that it could have: the record with it, as closed words",
    ("person",),
    {
        "person": WHOLE, "about": WHOLE, "test": TEXT, "result": TEXT, "number": SMALL, "decides": SMALL,
        "p<word>": WHOLE, "a<word>": WHOLE,
    },
)  # fmt: skip

IMAGINED_WEIGHTS = Relation(
    "imagined_weights",
    "one row per imagined result and finding that would count then: the number of its weight",
    ("person", "number"),
    {"person": WHOLE, "number": SMALL},
)

NEXT_TESTS = Relation(
    "next_tests",
    "one row per person of interest, test worth naming and result: how likely, the posterior and the call after it",
    ("person", "test", "result"),
    {
        "person": WHOLE, "test": TEXT, "place": WHOLE, "expected_bits": REAL, "awaited": FLAG, "number": SMALL,
        "result": TEXT, "chance": REAL, "call": TEXT, "p_sle": REAL, "p_fm": REAL, "p_both": REAL, "p_neither": REAL,
    },
)  # fmt: skip

TOGETHER = Relation(
    "together",
    "one row per person of interest, two or three of the tests named and a result of each: the record with them, as closed words",
    ("person",),
    {
        "person": WHOLE, "about": WHOLE, "test": TEXT, "tests": SMALL, "decides": SMALL, "p<word>": WHOLE, "a<word>": WHOLE,
    },
)  # fmt: skip

TOGETHER_WEIGHTS = Relation(
    "together_weights",
    "one row per imagined combination of results and finding that would count then: the number of its weight",
    ("person", "number"),
    {"person": WHOLE, "number": SMALL},
)

TESTS_TOGETHER = Relation(
    "tests_together",
    "one row per person of interest and number of tests: those of the tests named that teach most together, and how likely every call is",
    ("person", "tests"),
    {
        "person": WHOLE, "tests": SMALL, "test": TEXT, "awaited": SMALL, "expected_bits": REAL, "chance_sle": REAL, "chance_fm": REAL,
        "chance_both": REAL, "chance_neither": REAL, "chance_undetermined": REAL,
    },
)  # fmt: skip

SENSITIVITY = Relation(
    "sensitivity",
    "one row per person of interest and finding that counts: the posterior and the call if it were wrong and left out",
    ("person", "number"),
    {
        "person": WHOLE, "number": SMALL, "call": TEXT, "changes": FLAG, "p_sle": REAL, "p_fm": REAL, "p_both": REAL, "p_neither": REAL,
    },
)  # fmt: skip

MIMICS = Relation(
    "mimics",
    "one row per person of interest and mimic: how likely it is if the answer is `neither`, with interval",
    ("person", "mimic"),
    {"person": WHOLE, "mimic": TEXT, "p": REAL, "p_low": REAL, "p_high": REAL},
)

# the answers room

PERSONS_OUT = Relation(
    "persons_out",
    "one row per person read, as persons.parquet has it",
    ("person",),
    {
        "person": WHOLE, "person_id": TEXT, "sex": TEXT, "birth_date": DAY, "age": SMALL, "setting": TEXT,
        "of_interest": FLAG, "call": TEXT, **SHARES,
        **{f"<{kind}>_{column}": type_ for kind in ("sle_set", "fm_set") for column, type_ in (
            ("points", REAL), ("points_attributed", REAL), ("points_specific", REAL),
            ("met", FLAG), ("met_attributed", FLAG), ("met_specific", FLAG), ("met_date", DAY),
        )},
        "sle_dx_first": DAY, "sle_dx_days": SMALL, "fm_dx_first": DAY, "fm_dx_days": SMALL,
        "fm_any_met": FLAG, "sle_any_specific": FLAG, "sle_any_points": FLAG, "forbidding_flag": FLAG,
        "red_flags": TEXT,
    },
)  # fmt: skip

WORKLIST = Relation(
    "worklist",
    "one row per person of interest and reason to look again, in the order to work through it",
    ("rank",),
    {
        "rank": WHOLE, "person_id": TEXT, "reason": TEXT, "urgency": TEXT, "text": TEXT, "evidence": TEXT,
        "evidence_reference": TEXT, "next_test": TEXT, "person": WHOLE,
    },
)  # fmt: skip

SET_AGREEMENT = Relation(
    "set_agreement",
    "one row per basis (`specific`, `points`) and pair of criteria sets: persons who meet both, one or neither on record; kappa",
    ("basis", "set_a", "set_b"),
    {
        "basis": TEXT, "set_a": TEXT, "set_b": TEXT, "met_both": WHOLE, "only_a": WHOLE, "only_b": WHOLE,
        "met_neither": WHOLE, "open_a": WHOLE, "kappa": REAL,
    },
)  # fmt: skip

WRONG_LABELS = Relation(
    "wrong_labels",
    "one row per person of interest and label (`sle`, `fm`) that the evidence does not bear out: since when, until when, corrected or not",
    ("person", "label"),
    {"person": WHOLE, "label": TEXT, "from_date": DAY, "to_date": DAY, "corrected": FLAG},
)

WRONG_LABEL_DRUGS = Relation(
    "wrong_label_drugs",
    "one row per person of interest, wrong label and class of drugs given for it: records, days known to be taken, mg of prednisone (steroids)",
    ("person", "label", "drug_class"),
    {
        "person": WHOLE, "label": TEXT, "drug_class": TEXT, "records": WHOLE, "open_records": WHOLE, "days": WHOLE,
        "dose_days": REAL, "unread_doses": WHOLE,
    },
)  # fmt: skip

FOLLOW_UP = Relation(
    "follow_up",
    "one row per person of interest and dated stretch of their course: days followed, and what ended it (the next state, `died`, `lost`, `open`)",
    ("person", "state"),
    {"person": WHOLE, "state": TEXT, "sex": TEXT, "age_days": WHOLE, "ended": TEXT, "days": WHOLE},
)

TRANSITIONS = Relation(
    "transitions",
    "one row per way from lupus, fibromyalgia or both to the next state or to death: persons in the state, those who went it, person-years in the state",
    ("from_state", "to_state"),
    {"from_state": TEXT, "to_state": TEXT, "persons": WHOLE, "events": WHOLE, "years": REAL},
)

INCIDENCE = Relation(
    "incidence",
    "one row per question (`fm_after_sle`, `sle_after_fm`), group of persons and year since the first disease: cumulative incidence "
    "of the second, death and loss competing; counts are of the day after that year",
    ("question", "persons_of", "year"),
    {
        "question": TEXT, "persons_of": TEXT, "year": SMALL, "persons": WHOLE, "at_risk": WHOLE, "events": WHOLE,
        "died": WHOLE, "lost": WHOLE, "incidence": REAL, "variance": REAL,
    },
)  # fmt: skip

DRUG_USE = Relation(
    "drug_use",
    "one row per person of interest and drug ever on record: since when it is in use (days before the as-of day), how much of it",
    ("person", "drug"),
    {
        "person": WHOLE, "drug": TEXT, "first_date": DAY, "runs": FLAG, "reference": TEXT, "days_low": WHOLE, "days_high": WHOLE,
        "dose_low": REAL, "dose_high": REAL, "dose_reference": TEXT, "kg_low": REAL, "kg_high": REAL,
        "covered": REAL, "lowered_days": WHOLE,
    },
)  # fmt: skip

TREATMENT_FACTS = Relation(
    "treatment_facts",
    "one row per person of interest and thing that a treatment rule asks for (its number in treatment_asks): an interval",
    ("person", "ask"),
    {"person": WHOLE, "ask": SMALL, "low": REAL, "high": REAL, "reference": TEXT},
)

TREATMENT = Relation(
    "treatment",
    "one row per person of interest, treatment rule whose trigger holds, and term of it: what it found, what became of the rule",
    ("person", "rule", "term"),
    {
        "person": WHOLE, "rule": TEXT, "state": TEXT, "term": SMALL, "counted": FLAG, "unknown": FLAG, "low": REAL,
        "high": REAL, "reference": TEXT,
    },
)  # fmt: skip

DISEASE_COURSE = Relation(
    "disease_course",
    "one row per person of interest and stretch of time: lupus, fibromyalgia, both or neither, with what says so",
    ("person", "state"),
    {"person": WHOLE, "state": TEXT, "from_date": DAY, "to_date": DAY, "basis": TEXT},
)

RECIPROCAL = Relation(
    "reciprocal",
    "one row per person of interest with one of the two diseases and thing to do about the other: whether it was done",
    ("person", "question", "item"),
    {"person": WHOLE, "question": TEXT, "item": TEXT, "done": FLAG},
)

SOURCES = (STATEMENTS, SOURCE_ROWS, LEFT_OUT, REJECTED)

ASKED_FOR = (PATIENTS, ASKED, OPTIONS, GIVEN_SETTINGS, LOCAL_CODES)
"""What comes from outside the plan beside the source: the reader's patients, and what the user asked for."""

MADE = (
    READING_LIMITS, SYSTEM_NAMES, UNIT_MAP, MEANINGS, ITEM_CODES, IGNORED_CODES, FLAG_WORDS,
    PERSONS, NEW_CODES, CODE_MAP, NEW_TEXTS, TEXTS, UNIT_PROOFS, READINGS, HORIZONS, REGISTERED, REPORTED, EVENTS, DOSES, REJECTIONS,
    ROW_CLASSES, ACCOUNTING, UNMAPPED,
    MARKS, FORMS, FORM_MARKS, STATES, INTEREST_EVENTS, INTEREST_MARKS, EXPOSURES, STATED, CONTESTS, SERIES, OCCURRENCES, WEIGHED, MASKS,
    COURSE, FINDINGS, ON_RECORD, RED_FLAGS_IN_FORCE,
    SCORE_POINTS, FM_FORMS, FM_POINTS, SCORES, MET_DATES, ITEMS, ITEM_DATES, WHATIF, INSTRUMENT_TOTALS, DRUG_INDUCED, ACTIVITY_ASKED, LUPUS, ACTIVITY,
    FLARE_SIGNS, DUKE_GROUPS, TYPE2_COURSE,
    SUSPECTED, SETTINGS, PERSON_PRIORS, WEIGHTS_USED, POSTERIOR, INTEREST, INTEREST_WEIGHTS, INTERVALS, CALLS,
    IMAGINED, IMAGINED_WEIGHTS, NEXT_TESTS, TOGETHER, TOGETHER_WEIGHTS, TESTS_TOGETHER, SENSITIVITY, MIMICS,
    DRUG_USE, TREATMENT_FACTS, TREATMENT, RECIPROCAL, DISEASE_COURSE, WRONG_LABELS, WRONG_LABEL_DRUGS, PERSONS_OUT, WORKLIST, SET_AGREEMENT, FOLLOW_UP, INCIDENCE, TRANSITIONS,
)  # fmt: skip
"""Every relation that a statement of the house makes, room by room."""

ALL = {relation.name: relation for relation in (*SOURCES, *ASKED_FOR, *MADE)}


def expand(relation: Relation, ids: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The columns of a relation for one knowledge base.

    Args:
        ids: placeholder name (`word`, `sle_set`, `fm_set`, `item`) to the ids that stand for it.

    Returns:
        Column name to type, placeholders filled in.

    Raises:
        KeyError: a placeholder has no ids.
    """
    columns: dict[str, str] = {}
    for name, kind in relation.columns.items():
        hole = re.search(r"<(\w+)>", name)
        columns |= {name.replace(hole[0], i): kind for i in ids[hole[1]]} if hole else {name: kind}
    return columns


def ddl(relation: Relation) -> str:
    """The CREATE TABLE statement of a relation (readers start from it)."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in relation.columns.items())
    return f"create or replace table {relation.name} ({columns})"
