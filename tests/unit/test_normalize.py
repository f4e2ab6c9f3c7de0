"""Statements to events: every parse on both sides, as tables of text in, number out.

The knowledge here is a handful of rows with the columns of the shipped tables, so that a changed row of knowledge never
breaks a test of the mechanism.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellapart.contracts.relations import EVENTS, LEFT_OUT, PERSONS, REJECTED, SOURCE_ROWS, STATEMENTS, ddl
from tellapart.engines.duckdb import DuckDB
from tellapart.events.normalize import (
    KNOWLEDGE_STEPS,
    STEPS,
    AccountingError,
    check_accounting,
    normalize,
    prepare,
    text,
)

TODAY = date(2026, 11, 24)

KNOWLEDGE: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "codes": (
        "code_id integer, system varchar, code_key varchar, source varchar, rule varchar, strength varchar, "
        "method varchar, descendants boolean",
        [
            (1, "loinc", "6690-2", "wbc", "result", "states", None, False),
            (2, "loinc", "5048-4", "ana_titre", "result", "states", None, False),
            (3, "loinc", "5047-6", "ana_titre", "result", "states", "solid_phase", False),
            (4, "loinc", "5130-0", "anti_dsdna", "result", "states", None, False),
            (5, "loinc", "20454-5", "urine_protein_dipstick", "result", "states", None, False),
            (6, "loinc", "4485-9", "c3", "result", "states", None, False),
            (7, "loinc", "8310-5", "body_temperature", "result", "states", None, False),
            (8, "loinc", "13945-1", "urine_rbc_hpf", "result", "states", None, False),
            (9, "icd10who", "M32", "sle_dx", "state", "states", None, True),
            (10, "icd10who", "M320", "drug_induced_lupus_dx", "state", "states", None, False),
            (11, "icd10cm", "M3214", "lupus_nephritis", "state", "states", None, False),
            (12, "icd10cm", "M329", "sle_dx", "state", "states", None, False),
            (13, "snomed", "55464009", "sle_dx", "state", "states", None, True),
            (14, "snomed", "95320005", "malar_rash", "state", "states", None, False),
            (15, "rxnorm", "5521", "hydroxychloroquine", "drug", "states", None, False),
            (16, "finding", "family_history_sle", "family_history_sle", "state", "states", None, False),
            (17, "loinc", "2890-2", "upcr", "result", "states", None, False),
            (18, "loinc", "1988-5", "crp", "result", "states", None, False),
            (19, "finding", "anti_dsdna", "anti_dsdna", "result", "states", None, False),
            (20, "loinc", "pain", "pain_nrs", "result", "states", None, False),
            (21, "rxnorm", "8640", "prednisone", "drug", "states", None, False),
            (22, "allergy", "antimalarial", "antimalarial_reason_against", "state", "states", None, False),
        ],
    ),
    "drugs": (
        "drug varchar, class varchar", [("hydroxychloroquine", "antimalarial"), ("prednisone", "glucocorticoid")],
    ),
    "code_systems": (
        "uri varchar, system varchar",
        [
            ("http://loinc.org", "loinc"),
            ("http://snomed.info/sct", "snomed"),
            ("urn:oid:2.16.840.1.113883.6.96", "snomed"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "icd10cm"),
            ("http://hl7.org/fhir/sid/icd-10", "icd10who"),
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "rxnorm"),
        ],
    ),
    "finding_kinds": (
        "finding varchar, kind varchar, unit varchar, by_default varchar",
        [
            ("wbc", "value", "10*9/L", "measured"), ("ana_titre", "value", "{titer}", "measured"),
            ("anti_dsdna", "state", "", "measured"), ("urine_protein_dipstick", "value", "1", "measured"),
            ("c3", "value", "g/L", "measured"), ("body_temperature", "value", "Cel", "measured"),
            ("urine_rbc_hpf", "value", "/[HPF]", "measured"), ("upcr", "value", "g/g", "measured"),
            ("crp", "value", "mg/L", "measured"), ("pain_nrs", "value", "1", "patient"),
            ("sle_dx", "state", "", "clinician"), ("drug_induced_lupus_dx", "state", "", "clinician"),
            ("lupus_nephritis", "state", "", "clinician"), ("malar_rash", "state", "", "clinician"),
            ("family_history_sle", "state", "", "patient"), ("antimalarial_reason_against", "state", "", "clinician"),
        ],
    ),
    "units": (
        'finding varchar, unit_seen varchar, factor varchar, "offset" varchar, unit varchar, plausible_low varchar, '
        "plausible_high varchar",
        [
            ("wbc", "10*9/L", "1", "0", "10*9/L", "0.1", "300"), ("wbc", "/uL", "0.001", "0", "10*9/L", "0.1", "300"),
            ("ana_titre", "{titer}", "1", "0", "{titer}", "0", "163840"),
            ("c3", "g/L", "1", "0", "g/L", "0.03", "4"), ("c3", "mg/dL", "0.01", "0", "g/L", "0.03", "4"),
            ("body_temperature", "Cel", "1", "0", "Cel", "30", "44"),
            ("body_temperature", "[degF]", "0.5555555555555556", "-17.77777777777778", "Cel", "30", "44"),
            ("urine_protein_dipstick", "1", "1", "0", "1", "0", "4"),
            ("urine_protein_dipstick", "{plus}", "1", "0", "1", "0", "4"),
            ("urine_rbc_hpf", "/[HPF]", "1", "0", "/[HPF]", "0", "2000"),
            ("upcr", "g/g", "1", "0", "g/g", "0", "30"), ("upcr", "mg/g", "0.001", "0", "g/g", "0", "30"),
            ("upcr", "mg/mmol", "0.00884", "0", "g/g", "0", "30"),
            ("crp", "mg/L", "1", "0", "mg/L", "0", "700"), ("crp", "mg/dL", "10", "0", "mg/L", "0", "700"),
            ("pain_nrs", "1", "1", "0", "1", "0", "10"),
        ],
    ),
    "unit_aliases": (
        "seen varchar, ucum varchar",
        [("K/uL", "10*9/L"), ("titer", "{titer}"), ("/hpf", "/[HPF]"), ("/HPF", "/[HPF]")],
    ),
    "reference_ranges": (
        "finding varchar, sex varchar, low varchar, high varchar",
        [("wbc", "", "4", "11"), ("c3", "", "0.9", "1.8"), ("crp", "", "0", "5")],
    ),
    "usual_ranges": (
        "finding varchar, sex varchar, low double, high double, unit varchar",
        [("c3", "female", 0.9, 1.8, "g/L")],
    ),
    "result_words": (
        "word varchar, interpretation varchar",
        [
            ("positive", "POS"), ("negative", "NEG"), ("detected", "POS"), ("not detected", "NEG"), ("true", "POS"),
            ("false", "NEG"), ("borderline", "IND"), ("equivocal", "IND"), ("normal", "N"), ("low", "L"),
            ("weakly positive", "IND"), ("none seen", "NEG"), ("reactive", "POS"), ("10828004", "POS"), ("seen", "POS"),
            ("high", "H"), ("no", "NEG"),
        ],
    ),
    "not_needed": (
        "system varchar, code varchar, why varchar",
        [("loinc", "72166-2", "smoking"), ("resource", "Claim", "x")],
    ),
    "dose_words": ("phrase VARCHAR, kind VARCHAR, number DOUBLE, \"of\" DOUBLE", [("mg", "mass", 1.0, 1.0)]),
    "limits": (
        '"limit" varchar, value varchar',
        [("date_year_min", "1880"), ("date_year_max", "2100"), ("titre_min", "10"), ("range_proof_factor", "1.5")],
    ),
    "instrument_items": (
        "instrument varchar, item varchar, low varchar, high varchar",
        [("fm_2016", "fatigue", "0", "3"), ("fm_2016", "headache", "0", "1")],
    ),
    "instrument_sites": ("instrument varchar", [("fm_2016",)]),
    "pain_sites": ("site varchar, wpi varchar", [("neck", "yes"), ("head", "no")]),
}  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Iterable[DuckDB]:
    """An engine with the tiny knowledge base loaded."""
    engine = DuckDB(threads=1)
    for name, (columns, rows) in KNOWLEDGE.items():
        engine.connection.execute(f'create or replace table "{name}" ({columns})')
        marks = ", ".join("?" for _ in rows[0])
        engine.connection.executemany(f'insert into "{name}" values ({marks})', rows)
    prepare(engine)
    yield engine
    engine.close()


DEFAULTS = {
    "kind": "observation", "system": "http://loinc.org", "person_id": "p", "status": "asserted", "part": 0,
    "coding_no": 0,
}  # fmt: skip


NO_UNIT = "no unit, and neither the code nor a reference range proves one"


def run(
    engine: DuckDB,
    statements: list[dict[str, Any]],
    as_of: date | None = None,
    patients: list[dict[str, Any]] | None = None,
    source_rows: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Normalize these statements (missing columns are NULL, each one its own row) and return the events in order."""
    connection = engine.connection
    for relation in (STATEMENTS, SOURCE_ROWS, LEFT_OUT, REJECTED):
        connection.execute(ddl(relation))
    connection.execute(
        "create or replace table patients (person_id varchar, sex varchar, birth_date varchar, death_date varchar, "
        "row_no bigint, age integer, as_of varchar, setting varchar, observed_to varchar)"
    )
    filled = [DEFAULTS | {"row_no": n, "reference": f"Observation/{n}"} | s for n, s in enumerate(statements, start=1)]
    names = list(STATEMENTS.columns)
    if filled:
        connection.executemany(
            f"insert into statements values ({', '.join('?' for _ in names)})",
            [[s.get(n) for n in names] for s in filled],
        )
    rows = {
        s["row_no"]: (s["row_no"], "Observation", "f.ndjson", s["row_no"], s["reference"], s["person_id"], None)
        for s in filled
    }
    for extra in source_rows or []:
        rows[extra["row_no"]] = tuple(extra.get(n) for n in SOURCE_ROWS.columns)  # type: ignore[assignment]
    if rows:
        connection.executemany("insert into source_rows values (?, ?, ?, ?, ?, ?, ?)", list(rows.values()))
    for p in patients or [{"person_id": "p"}]:
        columns = ("person_id", "sex", "birth_date", "death_date", "row_no", "age", "as_of", "setting", "observed_to")
        connection.execute("insert into patients values (?, ?, ?, ?, ?, ?, ?, ?, ?)", [p.get(c) for c in columns])
    normalize(engine, as_of, TODAY)
    return engine.rows("select * from events order by row_no, part, code_id")


def rejected(engine: DuckDB) -> list[tuple[str, str, str]]:
    return [(r["field"], r["value"], r["reason"]) for r in engine.rows("select * from rejected order by row_no, field")]


def classes(engine: DuckDB) -> dict[int, str]:
    return {r["row_no"]: r["class"] for r in engine.rows("select * from row_classes")}


WBC, ANA, ANA_EIA, DSDNA, STRIP, C3, TEMPERATURE, RBC = (
    "6690-2", "5048-4", "5047-6", "5130-0", "20454-5", "4485-9", "8310-5", "13945-1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        # value, value_to, comparator, shape, interpretation, method
        (ANA, "1:80", None, (80, None, None, "titre", None, None)),
        (ANA, "1/80", None, (80, None, None, "titre", None, None)),
        (ANA, "80", None, (80, None, None, "titre", None, None)),
        (ANA, "80", "titer", (80, None, None, "titre", None, None)),
        (ANA, "0", None, (0, None, None, "titre", None, None)),
        (ANA, "1 in 320", None, (320, None, None, "titre", None, None)),
        (ANA, "1:1,280", None, (1280, None, None, "titre", None, None)),
        (ANA, ">1:1280", None, (1280, None, ">", "titre", None, None)),
        (ANA, "≥1:640", None, (640, None, ">=", "titre", None, None)),
        (ANA, "1:640 or greater", None, (640, None, ">=", "titre", None, None)),
        (ANA, "<1:40", None, (40, None, "<", "titre", None, None)),
        (ANA, "1:80-1:160", None, (80, 160, None, "titre", None, None)),
        (ANA, "1:80 - 160", None, (80, 160, None, "titre", None, None)),
        (ANA, "1:160-1:80", None, (80, 160, None, "titre", None, None)),
        (ANA, "1:160 speckled", None, (160, None, None, "titre", None, None)),
        (ANA, "1:320 speckled, 1:80 nucleolar", None, (320, None, None, "titre", None, None)),
        (ANA, "1:80, 1:160", None, (160, None, None, "titre", None, None)),
        (ANA, "Positive 1:320", None, (320, None, None, "titre", "POS", None)),
        (ANA, "Negative <1:80", None, (80, None, "<", "titre", "NEG", None)),
        (ANA, "Negative", None, (None, None, None, "word", "NEG", None)),
        (ANA, "2+", None, (None, None, None, "ordinal", "POS", None)),
        # a concentration, an index or a number that no dilution has: not a titre
        (ANA, "80", "U/mL", (80, None, None, "quantity", None, "solid_phase")),
        (ANA, "2.4", "{ratio}", (2.4, None, None, "quantity", None, "solid_phase")),
        (ANA, "1.2", None, (1.2, None, None, "quantity", None, "solid_phase")),
        (ANA, "3", None, (3, None, None, "quantity", None, "solid_phase")),
        (ANA, "Positive (45)", None, (45, None, None, "quantity", "POS", "solid_phase")),
        (ANA_EIA, "80", None, (80, None, None, "quantity", None, "solid_phase")),
        # antibodies: any unit, compared with their own limits only
        (DSDNA, "45", "[IU]/mL", (45, None, None, "quantity", None, None)),
        (DSDNA, "45 U/mL", None, (45, None, None, "quantity", None, None)),
        (DSDNA, "<10", "U/mL", (10, None, "<", "quantity", None, None)),
        (DSDNA, "1:40", None, (40, None, None, "titre", None, None)),
        (DSDNA, "40", "{titer}", (40, None, None, "titre", None, None)),
        (DSDNA, "+2", None, (2, None, None, "ordinal", "POS", None)),
        (DSDNA, "0+", None, (0, None, None, "ordinal", "NEG", None)),
        (DSDNA, "0 plus", None, (0, None, None, "ordinal", "NEG", None)),
        (DSDNA, "trace", None, (0, 1, None, "ordinal", "IND", None)),
        (DSDNA, "POSITIVE", None, (None, None, None, "word", "POS", None)),
        (DSDNA, "not detected", None, (None, None, None, "word", "NEG", None)),
        (DSDNA, "weakly positive", None, (None, None, None, "word", "IND", None)),
        (DSDNA, "10828004", None, (None, None, None, "word", "POS", None)),  # the code of an answer, not a number
        (DSDNA, "positive, see comment", None, (None, None, None, "word", "POS", None)),
        (DSDNA, "Negative (<10 U/mL)", None, (10, None, "<", "quantity", "NEG", None)),
        # urine strips
        (STRIP, "negative", None, (0, None, None, "ordinal", "NEG", None)),
        (STRIP, "trace", None, (0, 1, None, "ordinal", None, None)),
        (STRIP, "1+", None, (1, None, None, "ordinal", None, None)),
        (STRIP, "++", None, (2, None, None, "ordinal", None, None)),
        (STRIP, "+3", None, (3, None, None, "ordinal", None, None)),
        (STRIP, "4 +", None, (4, None, None, "ordinal", None, None)),
        (STRIP, "2", None, (2, None, None, "quantity", None, None)),
        # numbers
        (WBC, "3.2", "10*9/L", (3.2, None, None, "quantity", None, None)),
        (WBC, "3,2", "10*9/L", (3.2, None, None, "quantity", None, None)),
        (WBC, "3200", "/uL", (3.2, None, None, "quantity", None, None)),
        (WBC, "1,234,567", "/uL", None),
        (WBC, "3.2 K/uL", None, (3.2, None, None, "quantity", None, None)),
        (WBC, "1e1", "10*9/L", (10, None, None, "quantity", None, None)),
        (WBC, "0.1234567", "10*9/L", (0.123457, None, None, "quantity", None, None)),
        (WBC, "<0.5", "10*9/L", (0.5, None, "<", "quantity", None, None)),
        (WBC, ">= 10", "10*9/L", (10, None, ">=", "quantity", None, None)),
        (WBC, "low", None, (None, None, None, "word", "L", None)),
        (C3, "70", "mg/dL", (0.7, None, None, "quantity", None, None)),
        (TEMPERATURE, "101", "[degF]", (38.333333, None, None, "quantity", None, None)),
        (RBC, "0-2", "/HPF", (0, 2, None, "quantity", None, None)),
        (RBC, "3-5 /hpf", None, (3, 5, None, "quantity", None, None)),
        (RBC, ">50", "/hpf", (50, None, ">", "quantity", None, None)),
        (RBC, "None seen", None, (None, None, None, "word", "NEG", None)),
        ("pain", "7", None, (7, None, None, "quantity", None, None)),
    ],
)  # fmt: skip
def test_a_result_is_read(
    house: DuckDB, code: str, value: str, unit: str | None, expected: tuple[Any, ...] | None
) -> None:
    events = run(house, [{"code": code, "value": value, "unit": unit, "date": "2024-01-01"}])
    if expected is None:
        assert events == []
        return
    assert rejected(house) == []
    [event] = events
    assert tuple(event[c] for c in ("value", "value_to", "comparator", "shape", "interpretation", "method")) == expected


@pytest.mark.parametrize(
    ("code", "value", "unit", "field", "reason"),
    [
        (WBC, "abc", "10*9/L", "value", "wbc: this wording of a result is not known"),
        (WBC, "nan", "10*9/L", "value", "wbc: this wording of a result is not known"),
        (WBC, "1_000", "10*9/L", "value", "wbc: this wording of a result is not known"),
        (WBC, "1,234", "/uL", "value", "wbc: the comma may stand for decimals or for thousands"),
        (WBC, "1.2-1,234", "10*9/L", "value", "wbc: the comma may stand for decimals or for thousands"),
        (WBC, "5-3", "10*9/L", "value", "wbc: this wording of a result is not known"),
        (WBC, "1:80", "10*9/L", "value", "wbc: a titre where a number is expected"),
        (WBC, "2+", None, "value", "wbc: a strip grade where a number is expected"),
        (WBC, "3.2", None, "unit", f"wbc: {NO_UNIT}; likely 10*9/L"),
        (WBC, "3200", None, "unit", f"wbc: {NO_UNIT}; likely /uL"),
        (WBC, "3.2", "mg/dL", "unit", "wbc: no conversion from this unit; likely 10*9/L"),
        (WBC, "3200", "10*9/L", "value", "wbc: not a plausible value in 10*9/L; likely /uL"),
        (WBC, "3.2", "/uL", "value", "wbc: not a plausible value in /uL; likely 10*9/L"),
        (WBC, "-3.2", "10*9/L", "value", "wbc: cannot be negative"),
        (C3, "90", "g/L", "value", "c3: not a plausible value in g/L; likely mg/dL"),
        (TEMPERATURE, "101", "Cel", "value", "body_temperature: not a plausible value in Cel; likely [degF]"),
        ("pain", "11", None, "value", "pain_nrs: not a plausible value"),
        (STRIP, "30", "mg/dL", "unit", "urine_protein_dipstick: no conversion from this unit"),
        (DSDNA, "not positive", None, "value", "anti_dsdna: this wording of a result is not known"),
        (DSDNA, "negative for X, positive for Y", None, "value", "anti_dsdna: this wording of a result is not known"),
        (DSDNA, "seen by the doctor", None, "value", "anti_dsdna: this wording of a result is not known"),
        (DSDNA, "12 weeks ago it was fine", None, "value", "anti_dsdna: this wording of a result is not known"),
        (ANA, "1:0", None, "value", "ana_titre: this wording of a result is not known"),
        (ANA, "see report 1/12/2020", None, "value", "ana_titre: this wording of a result is not known"),
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_used_is_rejected_with_its_reason(
    house: DuckDB, code: str, value: str, unit: str | None, field: str, reason: str
) -> None:
    assert run(house, [{"code": code, "value": value, "unit": unit, "date": "2024-01-01"}]) == []
    [(got_field, got_value, got_reason)] = rejected(house)
    assert (got_field, got_reason) == (field, reason)
    assert got_value.split(" ")[0] in (value.split(" ", maxsplit=1)[0], unit)
    assert classes(house) == {1: "rejected"}


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("2021", date(2021, 1, 1), "year"),
        ("2021-03", date(2021, 3, 1), "month"),
        ("2021-03-04", date(2021, 3, 4), "day"),
        ("2021-03-04T23:30:00-08:00", date(2021, 3, 4), "day"),  # the day as written, not as in UTC
        ("2021-03-04T00:30:00Z", date(2021, 3, 4), "day"),
        ("2021-03-04 10:00:00", date(2021, 3, 4), "day"),
        ("2024-02-29", date(2024, 2, 29), "day"),
        (None, None, "none"),
        ("", None, "none"),
    ],
)
def test_a_date_is_read(house: DuckDB, text: str | None, day: date | None, precision: str) -> None:
    [event] = run(house, [{"code": WBC, "value": "3", "unit": "10*9/L", "date": text}])
    assert (event["date"], event["date_precision"]) == (day, precision)
    assert event["known_date"] == day


@pytest.mark.parametrize(
    "text",
    ["0000", "0000-01-01", "2999", "2999-01-01", "2021-13-45", "2021-02-30", "2023-02-29", "yesterday", "2021/03/04",
     "2021-3-4", "20210304", "2021-03-04xyz", "12", "1.1.2021", "infinity", "2021-00"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["date", "known_date", "end_date"])
def test_an_impossible_date_is_rejected(house: DuckDB, text: str, field: str) -> None:
    row = {"code": WBC, "value": "3", "unit": "10*9/L", "date": "2021-01-01"} | {field: text}
    assert run(house, [row]) == []
    [(got_field, value, reason)] = rejected(house)
    assert (got_field, value) == (field, text) and "not a possible date" in reason
    assert classes(house) == {1: "rejected"}


@pytest.mark.parametrize(
    ("happened", "known", "expected", "precision"),
    [
        ("2021-01-05", None, date(2021, 1, 5), "day"),
        ("2021-01-05", "2021-02-01", date(2021, 2, 1), "day"),
        ("2021-01-05", "2020-02-01", date(2021, 1, 5), "day"),  # never before the date
        ("2021", "2021-02-01", date(2021, 2, 1), "day"),
        ("2021-01-05", "2021", date(2021, 1, 5), "day"),
        (None, "2021-02-01", date(2021, 2, 1), "day"),
    ],
)
def test_known_date(house: DuckDB, happened: str | None, known: str | None, expected: date, precision: str) -> None:
    [event] = run(house, [{"code": WBC, "value": "3", "unit": "10*9/L", "date": happened, "known_date": known}])
    assert (event["known_date"], event["known_precision"]) == (expected, precision)


@pytest.mark.parametrize(
    ("code", "value", "flag", "expected"),
    [
        (DSDNA, None, "A", "POS"), (DSDNA, None, "POS", "POS"), (DSDNA, None, "NEG", "NEG"), (DSDNA, None, "ND", "NEG"),
        (DSDNA, None, "IND", "IND"), (DSDNA, "45", "A", None), (DSDNA, "45", "H", "H"), (DSDNA, "Negative", "A", "NEG"),
        (DSDNA, "see comment", "POS", "POS"), (DSDNA, "45", "Positive", "POS"),
        (WBC, "3 10*9/L", "A", None), (WBC, "3 10*9/L", "LL", "L"), (WBC, "3 10*9/L", "HH", "H"), (WBC, None, "L", "L"),
        (WBC, "3 10*9/L", "S", None), (WBC, "3 10*9/L", "N", "N"),
    ],
)  # fmt: skip
def test_interpretation(house: DuckDB, code: str, value: str | None, flag: str, expected: str | None) -> None:
    [event] = run(house, [{"code": code, "value": value, "interpretation": flag, "date": "2024-01-01"}])
    assert event["interpretation"] == expected


@pytest.mark.parametrize(
    ("code", "low", "high", "text", "unit", "expected"),
    [
        (WBC, "4000", "11000", None, "/uL", (4.0, 11.0)),
        (WBC, None, None, "4.0 - 11.0", "10*9/L", (4.0, 11.0)),
        (WBC, None, None, "<= 11", "10*9/L", (None, 11.0)),
        (WBC, None, None, ">4", "10*9/L", (4.0, None)),
        (WBC, None, None, "see below", "10*9/L", (None, None)),
        (WBC, "11", "4", None, "10*9/L", (None, None)),  # turned round: not a range
        (DSDNA, None, "30", None, "[IU]/mL", (None, 30.0)),
        (DSDNA, None, None, "0-99", "[IU]/mL", (0.0, 99.0)),
        (DSDNA, None, None, "< 20", "U/mL", (None, 20.0)),
        (ANA, None, None, "<1:80", "{titer}", (None, 80.0)),
        (DSDNA, None, None, "Negative", "U/mL", (None, None)),
    ],
)  # fmt: skip
def test_reference_range(
    house: DuckDB, code: str, low: str | None, high: str | None, text: str | None, unit: str, expected: tuple[Any, Any]
) -> None:
    value = "5000" if unit == "/uL" else "40"
    [event] = run(house, [{"code": code, "value": value, "unit": unit, "low": low, "high": high, "range_text": text}])
    assert (event["low"], event["high"]) == expected


@pytest.mark.parametrize(
    ("code", "value", "low", "high", "text", "expected"),
    [
        (WBC, "3.2", "4", "11", None, 3.2),
        (WBC, "3200", "4000", "11000", None, 3.2),
        (WBC, "3.2", None, None, "3.8-10.8", 3.2),
        (WBC, "3.2", "4", None, None, None),  # one bound proves nothing when both are usual
        (WBC, "3.2", "40", "110", None, None),  # fits no unit
        (C3, "70", "90", "180", None, 0.7),
        (C3, "0.7", "0.8", "1.6", None, 0.7),
        ("1988-5", "2", "0", "5", None, 2.0),
        ("1988-5", "2", "0", "0.5", None, 20.0),
        ("2890-2", "200", "0", "150", None, None),  # no usual range in the tables: no proof
    ],
)
def test_a_unit_is_proved_by_the_range_or_not_at_all(
    house: DuckDB, code: str, value: str, low: str | None, high: str | None, text: str | None, expected: float | None
) -> None:
    events = run(house, [{"code": code, "value": value, "low": low, "high": high, "range_text": text}])
    assert [e["value"] for e in events] == ([] if expected is None else [expected])
    if expected is None:
        assert classes(house) == {1: "rejected"}


@pytest.mark.parametrize(
    ("kind", "system", "code", "sources"),
    [
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "M32.14", [11]),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "m3214", [11]),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "M32.14", [11]),  # WHO code used for a US one
        ("condition", "http://hl7.org/fhir/sid/icd-10", "M32.0", [10]),  # exact beats the ancestor
        ("condition", "http://hl7.org/fhir/sid/icd-10", "M32.7", [9]),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "M32.7", []),
        ("condition", "http://hl7.org/fhir/sid/icd-10/", "M32", [9]),
        ("condition", "http://snomed.info/sct", "55464009", [13]),
        ("condition", "http://snomed.info/sct|http://snomed.info/sct/731000124108", "55464009", [13]),
        ("condition", "urn:oid:2.16.840.1.113883.6.96", "55464009", [13]),
        ("condition", "2.16.840.1.113883.6.96", "55464009", [13]),
        ("condition", "snomed", "55464009", [13]),
        ("condition", "http://snomed.info/sct", "554640091", []),  # SNOMED codes have no prefixes
        ("condition", None, "M32.9", []),
        ("family_history", "http://snomed.info/sct", "55464009", [16]),  # a relative's disease is not the person's
        ("family_history", "http://snomed.info/sct", "95320005", []),
        ("drug", "http://www.nlm.nih.gov/research/umls/rxnorm", "5521", [15]),
        ("condition", "http://www.nlm.nih.gov/research/umls/rxnorm", "5521", []),
        ("allergy", "http://www.nlm.nih.gov/research/umls/rxnorm", "8640", [None]),  # no exposure to it
        ("allergy", "http://www.nlm.nih.gov/research/umls/rxnorm", "5521", [22]),  # a reason against its class
        ("encounter", "x", "y", [None]),
    ],
)
def test_codes(house: DuckDB, kind: str, system: str | None, code: str, sources: list[int | None]) -> None:
    events = run(house, [{"kind": kind, "system": system, "code": code, "date": "2024-01-01"}])
    assert [e["code_id"] for e in events] == sources
    assert classes(house) == {1: "used" if sources else "unmapped"}


def test_several_codings_keep_each_meaning_once(house: DuckDB) -> None:
    both = [
        {"row_no": 1, "coding_no": n, "kind": "condition", "system": s, "code": c, "date": "2024"}
        for n, (s, c) in enumerate([("snomed", "55464009"), ("icd10cm", "M32.9"), ("snomed", "55464009"), (None, "x")])
    ]
    assert [e["code_id"] for e in run(house, both)] == [12, 13]
    assert classes(house) == {1: "used"}


@pytest.mark.parametrize(
    ("value", "flag", "status", "expected"),
    [
        (None, None, "asserted", "asserted"), (None, None, "refuted", "refuted"),
        ("true", None, "asserted", "asserted"), ("false", None, "asserted", "refuted"),
        ("Negative", None, "asserted", "refuted"), ("0", None, "asserted", "refuted"),
        ("1", None, "asserted", "asserted"), ("2+", None, "asserted", "asserted"), (None, "NEG", "asserted", "refuted"),
        ("positive", None, "refuted", "refuted"),
    ],
)  # fmt: skip
def test_a_stated_finding_has_a_status(
    house: DuckDB, value: str | None, flag: str | None, status: str, expected: str
) -> None:
    row = {"system": "snomed", "code": "95320005", "value": value, "interpretation": flag, "status": status}
    [event] = run(house, [row])
    assert event["status"] == expected and event["by"] == "clinician"


@pytest.mark.parametrize("value", ["7", "borderline", "mild"])
def test_a_stated_finding_with_an_unclear_value_is_rejected(house: DuckDB, value: str) -> None:
    assert run(house, [{"system": "snomed", "code": "95320005", "value": value}]) == []
    assert classes(house) == {1: "rejected"}


def test_a_finding_read_by_its_result_may_be_stated(house: DuckDB) -> None:
    rows = [
        {"kind": "finding", "system": "finding", "code": "anti_dsdna", "status": s} for s in ("asserted", "refuted")
    ]
    assert [e["interpretation"] for e in run(house, rows)] == ["POS", "NEG"]


def test_instruments(house: DuckDB) -> None:
    item = {"kind": "instrument", "system": "instrument", "group_key": "g", "date": "2024-01-01"}
    events = run(
        house,
        [item | {"code": "fm_2016.fatigue", "value": "2"}, item | {"code": "fm_2016.headache", "value": "true"},
         item | {"code": "fm_2016.site.neck", "value": "0"}, item | {"code": "fm_2016.site.head", "value": "1"},
         item | {"code": "fm_2016.fatigue", "value": "4"}, item | {"code": "fm_2016.fatigue", "value": "often"}],
    )  # fmt: skip
    assert [(e["code"], e["value"], e["group_key"]) for e in events] == [
        ("fm_2016.fatigue", 2, "g"), ("fm_2016.headache", 1, "g"), ("fm_2016.site.neck", 0, "g"),
    ]  # fmt: skip
    assert classes(house) == {1: "used", 2: "used", 3: "used", 4: "unmapped", 5: "rejected", 6: "rejected"}


def test_every_class_of_the_accounting(house: DuckDB) -> None:
    ok = {"code": WBC, "value": "3", "unit": "10*9/L", "date": "2024-01-01"}
    run(
        house,
        [
            ok,
            ok | {"code": "99999-9"},
            ok | {"code": "72166-2"},
            ok | {"status": "withdrawn", "value": "abc"},
            ok | {"date": "2025-01-01"},
            ok | {"value": "abc"},
            ok | {"value": None, "absent_reason": "unknown"},
            ok | {"row_no": 8, "value": "abc"},
            ok | {"row_no": 8, "part": 1},  # the best part decides
            ok | {"code": None, "system": None},
            ok | {"row_no": 10, "date": "2027-01-01"},  # after today
        ],
        as_of=date(2024, 6, 1),
        source_rows=[
            {"row_no": 20, "source_type": "Patient", "class": None},
            {"row_no": 21, "source_type": "Observation", "class": "duplicate"},
            {"row_no": 22, "source_type": "Claim", "class": None},
            {"row_no": 23, "source_type": "Other", "class": None},
        ],
        patients=[{"person_id": "p", "row_no": 20}],
    )
    assert classes(house) == {
        1: "used", 2: "unmapped", 3: "not_needed", 4: "withdrawn", 5: "after_as_of", 6: "rejected", 7: "not_needed",
        8: "used", 10: "after_as_of", 20: "used", 21: "duplicate", 22: "not_needed", 23: "unmapped",
    }  # fmt: skip
    counts = check_accounting(house)
    assert counts["read"] == 13 == sum(n for name, n in counts.items() if name != "read")
    assert len(rejected(house)) == 2  # the bad part of row 8 is reported too


def test_a_row_the_reader_put_aside_makes_no_event(house: DuckDB) -> None:
    row = {"row_no": 1, "source_type": "Observation", "class": "duplicate", "person_id": "p"}
    assert run(house, [{"code": WBC, "value": "3", "unit": "10*9/L"}], source_rows=[row]) == []


def test_accounting_that_does_not_add_up_is_a_fault_of_the_program(house: DuckDB) -> None:
    run(house, [{"code": WBC, "value": "3", "unit": "10*9/L"}])
    house.connection.execute("delete from accounting")
    with pytest.raises(AccountingError, match="1 source rows were read but 0"):
        check_accounting(house)


@pytest.mark.parametrize(
    ("as_of", "own", "expected", "dates"),
    [
        (None, None, date(2025, 5, 5), ["2020-01-01", "2025-05-05", None]),  # the latest day that is not after today
        (date(2020, 1, 1), None, date(2020, 1, 1), ["2020-01-01"]),  # undated is left out before the document's day
        (date(2019, 12, 31), None, date(2019, 12, 31), []),
        (None, "2021-01-01", date(2021, 1, 1), ["2020-01-01", None]),
        (date(2020, 6, 1), "2021-01-01", date(2020, 6, 1), ["2020-01-01"]),
        (date(2030, 1, 1), None, date(2030, 1, 1), ["2020-01-01", "2025-05-05", "2027-01-01", None]),
    ],
)
def test_as_of(house: DuckDB, as_of: date | None, own: str | None, expected: date, dates: list[str | None]) -> None:
    rows = [
        {"code": WBC, "value": "3", "unit": "10*9/L", "date": d}
        for d in ("2020-01-01", "2025-05-05", "2027-01-01", None)
    ]
    events = run(house, rows, as_of, patients=[{"person_id": "p", "as_of": own}])
    assert [None if e["date"] is None else str(e["date"]) for e in events] == dates
    assert house.one("select as_of from horizons") == expected


def test_persons(house: DuckDB) -> None:
    run(
        house,
        [],
        patients=[
            {"person_id": "b", "sex": "Female", "birth_date": "1980-02", "row_no": 1, "observed_to": "2024-05-06"},
            {"person_id": "a", "sex": None, "age": 40, "row_no": 2},
            {
                "person_id": "c",
                "sex": "M?",
                "birth_date": "2999-01-01",
                "death_date": "2020-02-30",
                "row_no": 3,
                "observed_to": "soon",
            },
        ],
    )
    assert [tuple(r.values()) for r in house.rows("select * from persons order by person")] == [
        (1, "a", "unknown", None, None, 40, None),
        (2, "b", "female", date(1980, 2, 1), None, None, date(2024, 5, 6)),
        (3, "c", "unknown", None, None, None, None),
    ]
    assert [r[:2] for r in rejected(house)] == [("birth_date", "2999-01-01"), ("death_date", "2020-02-30")]


def test_patients_without_the_optional_columns(house: DuckDB) -> None:
    run(house, [])
    house.connection.execute(
        "create or replace table patients as select person_id, sex, birth_date, death_date, row_no from patients"
    )
    assert normalize(house, None, TODAY).day is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.decimals(min_value="0.2", max_value="250", places=4))
def test_property_the_same_number_in_two_units_is_one_value(house: DuckDB, number: Any) -> None:
    one, other = run(
        house,
        [
            {"code": WBC, "value": str(number), "unit": "10*9/L"},
            {"code": WBC, "value": str(number * 1000), "unit": "/uL"},
        ],
    )
    assert one["value"] == pytest.approx(other["value"], abs=1e-6) and one["unit"] == other["unit"] == "10*9/L"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="0123456789.,:/<>=+- eposnegtitraceH", min_size=1, max_size=14))
def test_property_no_text_is_lost(house: DuckDB, text: str) -> None:
    """Whatever the text, the row is used or rejected or says nothing, and never counts as more than one of these."""
    events = run(house, [{"code": DSDNA, "value": text, "date": "2024-01-01"}])
    [found] = classes(house).values()
    assert found == ("used" if events else "rejected" if text.strip() else "not_needed")
    assert bool(rejected(house)) == (found == "rejected")


def test_the_value_of_an_interval_is_not_above_its_end(house: DuckDB) -> None:
    good = {"code": WBC, "unit": "10*9/L", "value": "3", "value_to": "5"}
    assert [(e["value"], e["value_to"]) for e in run(house, [good])] == [(3, 5)]
    run(house, [good | {"value_to": "2"}, good | {"value_to": "x"}])
    assert [r[0] for r in rejected(house)] == ["value_to", "value_to"]


def test_events_have_the_columns_of_the_contract(house: DuckDB) -> None:
    run(house, [{"code": WBC, "value": "3", "unit": "10*9/L"}])
    for relation in (EVENTS, PERSONS, REJECTED):
        made = {r["column_name"]: r["column_type"] for r in house.rows(f"describe {relation.name}")}
        assert made == relation.columns


def test_what_is_remembered_of_a_session_changes_nothing(house: DuckDB) -> None:
    rows = [{"code": ANA, "value": "1:320 speckled", "date": "2024"}, {"code": WBC, "value": "3", "unit": "10*9/L"}]
    first = run(house, rows)
    run(house, [{"code": DSDNA, "value": "Positive"}])
    again = run(house, rows)
    prepare(house)
    assert first == again == run(house, rows)


@pytest.mark.parametrize(("makes", "reads"), [*KNOWLEDGE_STEPS, *STEPS])
def test_each_statement_reads_what_its_step_says(makes: str, reads: tuple[str, ...]) -> None:
    tree = sqlglot.parse_one(text(makes), read="duckdb")
    own = {cte.alias for cte in tree.find_all(sqlglot.exp.CTE)}
    assert {table.name for table in tree.find_all(sqlglot.exp.Table)} - own == set(reads)
    assert text(makes).startswith(f"-- {makes}: one row")
