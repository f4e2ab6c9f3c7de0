"""Reading OMOP CDM 5.4: each rule on a CDM of a few rows, every form of source, and a CDM that others made."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import omop_world as w
import pytest
from cohort import Json, everybody, states, warm
from shell import run_cli

from tellapart.errors import InputError
from tellapart.events.detect import detect
from tellapart.tasks.session import Options

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "omop-synthea27"
LATE = date(2026, 1, 1)


def one(folder: Path, cdm: w.Cdm, as_of: date | None = LATE) -> Json:
    """The only person of a CDM, worked up."""
    (document,) = everybody(w.parquet(folder, cdm), as_of).values()
    return document


def known(folder: Path, as_of: date | None = LATE, **tables: list[w.Row]) -> dict[str, str]:
    """Findings of the only person of a CDM."""
    return states(one(folder, {"person": [w.person()]} | tables, as_of))


def rejected() -> list[Json]:
    return warm().rejections()


def accounts() -> dict[str, dict[str, int]]:
    """Source type to class to rows of the source read last."""
    made: dict[str, dict[str, int]] = {}
    for row in warm().engine.rows("select source_type, class, n from accounting order by all"):
        made.setdefault(row["source_type"], {})[row["class"]] = row["n"]
    return made


WHOLE: w.Cdm = {
    "person": [w.person(1), w.person(2, gender_concept_id=8507, day_of_birth=None)],
    "condition_occurrence": [w.condition(1), w.condition(2, person_id=2, condition_concept_id=44054006)],
    "measurement": [
        w.measurement(1, value_as_number=60.5, unit_concept_id=w.BILLION_PER_LITER, range_low=150.0),
        w.measurement(2, w.ANA, value_source_value="1:320"),
        w.measurement(3, w.DSDNA, value_as_concept_id=w.POSITIVE),
    ],
    "drug_exposure": [w.drug(1, 1777087)],
    "death": [{"person_id": 2, "death_date": "2025-01-01"}],
}


# forms of source


@pytest.mark.parametrize(
    "write",
    [
        w.csv,
        lambda folder, cdm: w.csv(folder, cdm, upper=True),
        lambda folder, cdm: w.csv(folder, cdm, in_folders=True),
        lambda folder, cdm: w.database(folder.with_suffix(".duckdb"), cdm),
    ],
    ids=["csv", "capitals", "folders", "duckdb"],
)
def test_every_form_says_the_same(write: Callable[[Path, w.Cdm], Path], tmp_path: Path) -> None:
    expected = everybody(w.parquet(tmp_path / "a", WHOLE))
    counted = accounts()
    source = write(tmp_path / "b", WHOLE)
    assert detect(source)[0] == "omop"
    assert everybody(source) == expected
    assert accounts() == counted
    first = states(expected["synthetic-1"])
    assert first["sle_dx"] == first["anti_dsdna"] == first["ana_ge_320"] == first["thrombocytopenia"] == "present"
    assert expected["synthetic-2"]["person"]["birth_date"] == "1980-05-01"


def test_the_command_reads_a_cdm_and_says_how_persons_are_named(tmp_path: Path) -> None:
    done = run_cli("audit", w.parquet(tmp_path / "cdm", WHOLE), "--out", tmp_path / "out")
    assert done.code == 0, done.said
    assert "omop" in (tmp_path / "out" / "run.json").read_text()


# codes


def test_without_vocabulary_the_list_that_ships_and_the_words_of_the_source_tell(tmp_path: Path) -> None:
    found = known(
        tmp_path,
        condition_occurrence=[
            w.condition(1, 0, condition_source_value="M32.14"),
            w.condition(2, 0, condition_source_value="95417003.0"),
            w.condition(3, 999, condition_source_value="K58.9"),
        ],
        measurement=[w.measurement(1, 0, measurement_source_value="31348-6", value_source_value="Positive")],
    )  # fmt: skip
    assert found["lupus_nephritis"] == found["fm_dx"] == found["anti_dsdna"] == "present"
    assert "sle_dx" not in known(
        tmp_path / "b", condition_occurrence=[w.condition(1, 0, condition_source_value="12345")]
    )


def test_the_vocabulary_of_the_cdm_names_concepts_that_do_not_ship(tmp_path: Path) -> None:
    own = [w.concept(2_000_000_001, "LOINC", "31348-6", "anti-dsDNA"), w.concept(2_000_000_002, "Answers", "p", "Positive"),
           w.concept(2_000_000_003, "ICD10CM", "M32.14", "Lupus nephritis"), w.concept(5, "SNOMED", "1", "nothing")]  # fmt: skip
    found = known(
        tmp_path,
        concept=own,
        measurement=[w.measurement(1, 2_000_000_001, value_as_concept_id=2_000_000_002)],
        # the source concept says more than the standard one
        condition_occurrence=[w.condition(1, 5, condition_source_concept_id=2_000_000_003)],
    )
    assert found["anti_dsdna"] == found["lupus_nephritis"] == "present"


def test_descendants_count_where_the_code_says_so_and_the_nearest_wins(tmp_path: Path) -> None:
    vocabulary = [w.concept(w.SLE, "SNOMED", "55464009", "SLE"), w.concept(7, "SNOMED", "777", "SLE of a kind")]
    below = [{"ancestor_concept_id": w.SLE, "descendant_concept_id": 7, "min_levels_of_separation": 2}]
    rows = [w.condition(1, 7)]
    assert "sle_dx" not in known(tmp_path / "a", concept=vocabulary, condition_occurrence=rows)
    found = one(tmp_path / "b", {"person": [w.person()], "concept": vocabulary, "concept_ancestor": below,
                                 "condition_occurrence": rows})  # fmt: skip
    assert states(found)["sle_dx"] == "present"
    (dx,) = [f for f in found["findings"] if f["finding"] == "sle_dx"]
    assert dx["evidence"][0]["reference"] == "condition_occurrence:1" and "of a kind" in dx["evidence"][0]["text"]


def test_a_product_is_its_ingredient_by_ancestry_else_by_era(tmp_path: Path) -> None:
    exposures, eras = [w.drug(1, 8)], [{"drug_era_id": 1, "person_id": 1, "drug_concept_id": 1777087,
                                       "drug_era_start_date": w.DAY, "drug_era_end_date": "2024-06-01"}]  # fmt: skip
    drugs = "select count(*) from events as e inner join codes as c on c.code_id = e.code_id where c.source = 'hydroxychloroquine'"
    known(tmp_path / "a", drug_exposure=exposures)
    assert warm().engine.one(drugs) == 0
    known(tmp_path / "b", drug_exposure=exposures, drug_era=eras)
    assert warm().engine.one(drugs) == 1
    below = [{"ancestor_concept_id": 1777087, "descendant_concept_id": 8, "min_levels_of_separation": 3}]
    known(tmp_path / "c", drug_exposure=exposures, drug_era=eras, concept_ancestor=below)
    assert warm().engine.one(drugs) == 1
    assert accounts()["drug_era"] == {"not_needed": 1}


TABLET, MG, G, PIECES = (
    19045045,
    8576,
    8504,
    [w.concept(8576, "UCUM", "mg", "milligram"), w.concept(8504, "UCUM", "g", "gram")],
)


@pytest.mark.parametrize(
    ("given", "strengths", "dose"),
    [
        # 60 tablets of 200 mg for 30 days: 400 mg a day (OHDSI, How to Calculate Drug Dose, 1)
        ({"quantity": 60, "days_supply": 30}, [(200.0, MG)], 400),
        ({"quantity": 45.0, "days_supply": 30}, [(200.0, MG)], 300),
        ({"quantity": 30, "days_supply": 30}, [(0.2, G)], 200),
        ({"quantity": 1, "days_supply": 1}, [(200.0, MG)], 200),
        ({"quantity": 15, "days_supply": 30}, [(200.0, MG)], 100),
        # what the prescriber wrote beats arithmetic
        ({"quantity": 60, "days_supply": 30, "sig": "200 mg daily"}, [(200.0, MG)], 200),
        # one for a month is a package; a strength of two ingredients, of none, in no unit of mass, no longer valid
        ({"quantity": 1, "days_supply": 30}, [(200.0, MG)], None),
        ({"quantity": 60, "days_supply": 30}, [(200.0, MG), (25.0, MG)], None),
        ({"quantity": 60, "days_supply": 30}, [], None),
        ({"quantity": 60, "days_supply": 30}, [(None, MG)], None),
        ({"quantity": 60, "days_supply": 30}, [(200.0, 9)], None),
        ({"quantity": 60, "days_supply": 30}, [(200.0, MG, "D")], None),
        # unknown is not one
        ({"quantity": 60, "days_supply": None}, [(200.0, MG)], None),
        ({"quantity": 60, "days_supply": 0}, [(200.0, MG)], None),
        ({"quantity": None, "days_supply": 30}, [(200.0, MG)], None),
        ({"quantity": -60, "days_supply": 30}, [(200.0, MG)], None),
    ],
)
def test_a_dose_is_made_of_quantity_days_and_strength(
    given: Json, strengths: list[tuple[Any, ...]], dose: float | None, tmp_path: Path
) -> None:
    strength = [
        {"drug_concept_id": TABLET, "ingredient_concept_id": 1777087 + i, "amount_value": amount, "amount_unit_concept_id": unit,
         "invalid_reason": invalid[0] if invalid else None} for i, (amount, unit, *invalid) in enumerate(strengths)
    ] or [{"drug_concept_id": 3, "ingredient_concept_id": 4, "amount_value": 1.0, "amount_unit_concept_id": MG, "invalid_reason": None}]  # fmt: skip
    vocabulary = [w.concept(TABLET, "RxNorm", "5521", "hydroxychloroquine sulfate tablet"), *PIECES]
    one(tmp_path, {"person": [w.person()], "concept": vocabulary, "drug_strength": strength,
                   "drug_exposure": [w.drug(1, TABLET, **given)]})  # fmt: skip
    (row,) = warm().answers.rows("select dose, dose_unit from exposures")
    assert row == {"dose": dose, "dose_unit": None if dose is None else "mg/d"}


def test_a_dose_too_high_for_the_weight_is_said_with_what_it_was_made_of(tmp_path: Path) -> None:
    kilograms = [w.concept(3025315, "LOINC", "29463-7", "Body weight"), w.concept(9529, "UCUM", "kg", "kilogram")]
    found = one(tmp_path, {
        "person": [w.person()], "concept": [w.concept(TABLET, "RxNorm", "5521", "hydroxychloroquine 200 MG"), *PIECES, *kilograms],
        "measurement": [w.measurement(1, 3025315, value_as_number=60.0, unit_concept_id=9529)],
        "drug_exposure": [w.drug(1, TABLET, quantity=60.0, days_supply=30)],
        "drug_strength": [{"drug_concept_id": TABLET, "amount_value": 200.0, "amount_unit_concept_id": MG, "invalid_reason": None}],
    }, date(2024, 5, 1))  # fmt: skip
    (rule,) = [t for t in found["treatment"] if t["rule"] == "hcq_over_6"]
    assert "6.67 mg/kg/day" in rule["text"]
    (row,) = warm().answers.rows("select text from exposures")
    assert row["text"].endswith("400 mg/d; 60 for 30 days")


# values


@pytest.mark.parametrize(
    ("row", "finding", "state"),
    [
        ({"value_as_number": 60.0, "unit_source_value": "10*3/uL"}, "thrombocytopenia", "present"),
        ({"value_as_number": 100.0, "operator_concept_id": w.LESS, "unit_concept_id": 9444}, "thrombocytopenia", "present"),
        ({"value_as_number": 100.0, "value_source_value": "<100", "unit_concept_id": 9444}, "thrombocytopenia", "present"),
        ({"value_as_number": 100.0, "value_source_value": "100", "unit_concept_id": 9444}, "thrombocytopenia", "absent"),
        ({"value_as_number": 60.0, "range_low": 150, "range_high": 400}, "thrombocytopenia", "present"),
        ({"value_as_number": 60.0}, "thrombocytopenia", None),
        ({"measurement_concept_id": w.ANA, "value_source_value": "1:160"}, "ana_ge_160", "present"),
        ({"measurement_concept_id": w.ANA, "value_as_number": 1.0, "value_source_value": "1:160"}, "ana_ge_160", "present"),
        ({"measurement_concept_id": w.DSDNA, "value_source_value": "Negative (qualifier value)"}, "anti_dsdna", "absent"),
        ({"measurement_concept_id": w.DSDNA, "value_as_concept_id": 45878583}, "anti_dsdna", "absent"),
    ],
)  # fmt: skip
def test_values(row: Json, finding: str, state: str | None, tmp_path: Path) -> None:
    assert known(tmp_path, measurement=[w.measurement(1, **row)]).get(finding) == state


def test_no_means_absent_and_refuted_means_absent(tmp_path: Path) -> None:
    malar = {"observation_source_value": "malar_rash", "observation_source_concept_id": 2_000_000_009}
    vocabulary = [
        w.concept(2_000_000_009, "finding", "malar_rash", "Malar rash"),
        w.concept(w.NO, "SNOMED", "373067005", "No"),
    ]
    asked = [w.observation(1, value_as_concept_id=w.NO, **malar)]
    assert known(tmp_path / "a", concept=vocabulary, observation=asked)["malar_rash"] == "absent"
    refuted = [w.condition(1, condition_status_source_value="refuted")]
    assert known(tmp_path / "b", condition_occurrence=refuted)["sle_dx"] == "absent"
    wrong = [w.condition(1, condition_status_source_value="entered-in-error")]
    assert "sle_dx" not in known(tmp_path / "c", condition_occurrence=wrong)
    assert accounts()["condition_occurrence"] == {"withdrawn": 1}


def test_a_form_is_read_item_by_item(tmp_path: Path) -> None:
    answers = {
        "fatigue": 3,
        "waking_unrefreshed": 3,
        "cognitive": 2,
        "headache": 1,
        "months": 12,
        "site.neck": 1,
        "site.chest": 0,
    }
    rows = [w.observation(i, observation_source_value=f"fm_2016.{item}", value_as_number=float(answer), observation_event_id=77)
            for i, (item, answer) in enumerate(answers.items(), 1)]  # fmt: skip
    document = one(tmp_path, {"person": [w.person()], "observation": rows})
    (form,) = [i for i in document["instruments"] if i["instrument"].startswith("fm_2016")][:1]
    assert form["date"] == w.DAY


# who, when


def test_what_the_patient_reports_is_said_so(tmp_path: Path) -> None:
    for number, kind, by in ((1, 32865, "patient"), (2, 32817, "clinician")):
        document = one(tmp_path / str(number), {"person": [w.person()], "condition_occurrence": [
            w.condition(1, condition_type_concept_id=kind)]})  # fmt: skip
        assert {f["by"] for f in document["findings"] if f["finding"] == "sle_dx"} == {by}


def test_known_from_the_visit_on(tmp_path: Path) -> None:
    visits = [{"visit_occurrence_id": 5, "person_id": 1, "visit_concept_id": 9202, "visit_start_date": "2024-09-01",
               "visit_end_date": "2024-09-01"}]  # fmt: skip
    rows = [w.condition(1, visit_occurrence_id=5)]
    tables = {"condition_occurrence": rows, "visit_occurrence": visits}
    assert "sle_dx" not in known(tmp_path / "a", date(2024, 8, 1), **tables)
    assert known(tmp_path / "b", date(2024, 9, 1), **tables)["sle_dx"] == "present"
    assert accounts()["visit_occurrence"] == {"not_needed": 1}


def test_a_visit_counts_by_its_specialty(tmp_path: Path) -> None:
    visits = [{"visit_occurrence_id": n, "person_id": 1, "visit_concept_id": 9202, "visit_start_date": w.DAY, "provider_id": n}
              for n in (1, 2)]  # fmt: skip
    providers = [{"provider_id": 1, "specialty_concept_id": 38004491}, {"provider_id": 2, "specialty_concept_id": 1}]
    found = known(tmp_path, visit_occurrence=visits, provider=providers)
    assert found["rheumatology_visit"] == "present"
    assert accounts()["visit_occurrence"] == {"used": 1, "not_needed": 1}


@pytest.mark.parametrize(
    ("values", "names"),
    [(("a", "b"), {"a", "b"}), (("a", "a"), {"1", "2"}), (("a", None), {"1", "2"}), (("a", " "), {"1", "2"})],
)
def test_persons_are_named_by_their_source_value_if_all_have_their_own(
    values: tuple[str | None, ...], names: set[str], tmp_path: Path
) -> None:
    persons = [w.person(n, person_source_value=v) for n, v in enumerate(values, 1)]
    assert set(everybody(w.parquet(tmp_path, {"person": persons, "condition_occurrence": [w.condition(1)]}))) == names


# everything is accounted for


def test_rows_add_up_per_table(tmp_path: Path) -> None:
    cdm: w.Cdm = {
        "person": [w.person(1), w.person(1), w.person(None)],  # type: ignore[arg-type]
        "condition_occurrence": [w.condition(1), w.condition(1), w.condition(2, 5), w.condition(3, person_id=9)],
        "measurement": [w.measurement(1, value_as_number=5.0), w.measurement(2, value_as_number=50.0, unit_concept_id=9444,
                                                                          measurement_date="soon")],
        "note": [{"note_id": 1, "person_id": 1, "note_text": "x"}],
        "observation_period": [{"observation_period_id": 1, "person_id": 1}],
        "death": [{"person_id": 9, "death_date": "2025-01-01"}],
    }  # fmt: skip
    one(tmp_path, cdm)
    found = accounts()
    assert found == {
        "person": {"used": 1, "duplicate": 1, "rejected": 1},
        "condition_occurrence": {"used": 1, "duplicate": 1, "unmapped": 1, "rejected": 1},
        "measurement": {"rejected": 2},
        "note": {"unmapped": 1},
        "observation_period": {"not_needed": 1},
        "death": {"rejected": 1},
    }
    said = {r["reference"]: r["reason"] for r in rejected()}
    assert "no unit" in said["measurement:1"] and "not a possible date" in said["measurement:2"]
    assert said["condition_occurrence:3"] == said["death:9"] == "No row of person has this person_id."


def test_what_is_left_out_is_ranked_by_code(tmp_path: Path) -> None:
    vocabulary = [w.concept(5, "SNOMED", "555", "something else")]
    known(tmp_path, concept=vocabulary, condition_occurrence=[w.condition(n, 5) for n in (1, 2)])
    (row,) = warm().engine.rows("select * from left_out")
    assert row == {"source_type": "condition_occurrence", "kind": "condition", "system": "SNOMED", "code": "555",
                   "display": "something else", "class": "unmapped", "n": 2}  # fmt: skip


def test_a_bad_line_harms_only_itself(tmp_path: Path) -> None:
    folder = w.csv(tmp_path / "cdm", WHOLE)
    with (folder / "condition_occurrence.csv").open("a") as handle:
        handle.write("7\n")
    found = everybody(folder)
    assert states(found["synthetic-1"])["sle_dx"] == "present"
    assert accounts()["condition_occurrence"] == {"used": 1, "unmapped": 1, "rejected": 1}
    (row,) = [r for r in rejected() if r["file"] == "condition_occurrence.csv"]
    assert row["line"] == 4 and row["value"] == "7"


def test_columns_of_5_3_are_enough(tmp_path: Path) -> None:
    rows = [
        {
            "condition_occurrence_id": 1,
            "person_id": 1,
            "condition_concept_id": w.SLE,
            "condition_start_datetime": f"{w.DAY} 10:00:00",
        }
    ]
    people = [{"person_id": 1, "gender_concept_id": 8532, "year_of_birth": 1980}]
    document = one(tmp_path, {"person": people, "condition_occurrence": rows})
    assert states(document)["sle_dx"] == "present" and document["person"]["age"] == 46


# what is no CDM


@pytest.mark.parametrize(
    ("cdm", "says"),
    [
        ({"condition_occurrence": [w.condition(1)], "measurement": [w.measurement(1)]}, "no table person"),
        ({"person": [w.person()], "observation_period": [{"person_id": 1}]}, "no clinical table"),
        ({"person": [{"id": 1}], "measurement": [w.measurement(1)]}, "no column person_id"),
        ({"person": [w.person()], "measurement": [{"measurement_id": 1, "person_id": 1}]}, "no column measurement_concept_id"),
    ],
)  # fmt: skip
def test_a_clear_error(cdm: w.Cdm, says: str, tmp_path: Path) -> None:
    source = w.parquet(tmp_path, cdm)
    with pytest.raises(InputError, match=says):
        warm().read(source, Options(format="omop"))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_bytes(b"no database at all" * 1000)
    done = run_cli("audit", tmp_path / "x.duckdb", "--out", tmp_path / "out")
    assert done.code == 1 and "cannot be opened as a DuckDB database" in done.said


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    w.parquet(tmp_path, WHOLE)
    (tmp_path / "measurement.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(InputError, match=r"measurement\.parquet"):
        warm().read(tmp_path, Options())


def test_reading_leaves_nothing_behind(tmp_path: Path) -> None:
    known(tmp_path / "a", condition_occurrence=[w.condition(1)])
    held = warm().engine.rows("select table_name as name from duckdb_tables() where starts_with(table_name, 'omop_')")
    assert [r["name"] for r in held] == ["omop_concepts"]
    assert warm().engine.one("select current_setting('preserve_insertion_order')") is False


# a CDM that others made


@pytest.mark.shared
def test_a_cdm_made_by_other_tools(tmp_path: Path) -> None:
    """28 persons of OHDSI's Synthea CDM: all of it is read and accounted for."""
    if not SAMPLE.exists():
        pytest.skip("the data of others is not beside the repository")
    done = run_cli("audit", SAMPLE, "--out", tmp_path / "out", "--quiet")
    assert done.code in (0, 3), done.said
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    read = {r["source_type"]: r["read"] for r in run["accounting_by_source_type"]}
    assert read == {
        "person": 28, "death": 3, "condition_occurrence": 470, "drug_exposure": 883, "measurement": 10040,
        "observation": 8099, "observation_period": 28, "procedure_occurrence": 1649, "visit_occurrence": 1791,
    }  # fmt: skip
    assert run["accounting"]["read"] == sum(read.values())
    assert run["accounting"]["used"] > 1500, "the CDM's codes are known here"
    assert run["accounting"]["rejected"] == 0
