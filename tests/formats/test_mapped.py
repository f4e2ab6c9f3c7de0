"""CSV and Parquet tables by a map: every key of it, what is wrong with a map, the first guess, and what it would read."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort import Json, everybody, states, warm
from shell import run_cli
from test_omop import accounts, rejected

from tellapart.errors import InputError
from tellapart.events.detect import detect
from tellapart.events.readers.mapped import read_map
from tellapart.tasks.session import Options

LATE = date(2026, 1, 1)
PEOPLE = "patient,sex,born\nsynthetic-1,F,1980-05-06\nsynthetic-2,m,1990\n"
PEOPLE_MAP = '[[table]]\nfile = "people.csv"\nrows = "persons"\ncolumns = { person = "patient", sex = "sex", birth_date = "born" }\n'
LABS_MAP = (
    '[[table]]\nfile = "labs.csv"\nrows = "observation"\n'
    'columns = { person = "patient", date = "taken", code = "loinc", value = "result", unit = "unit" }\nfixed = { system = "loinc" }\n'
)


def world(folder: Path, *tables: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"people": PEOPLE, **files}.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "map.toml").write_text("\n".join(['schema = "tellapart.map/1"', *tables]))
    return folder


def found(folder: Path, person: str = "synthetic-1") -> dict[str, str]:
    return states(everybody(folder, LATE)[person])


def test_a_table_with_one_result_per_row(tmp_path: Path) -> None:
    labs = "patient,taken,loinc,result,unit\n" \
        "synthetic-1,2024-03-01,777-3,60,10*9/L\nsynthetic-1,2024-03-01,5048-4,1:320,\nsynthetic-2,2024-03-02,777-3,300,10*9/L\n" \
        "synthetic-1,2024-03-01,9999-9,1,\nsynthetic-9,2024-03-01,777-3,60,10*9/L\n,2024-03-01,777-3,60,10*9/L\n" \
        "synthetic-1,2024-03-01,777-3,60,\n"  # fmt: skip
    folder = world(tmp_path / "w", PEOPLE_MAP, LABS_MAP, labs=labs)
    assert detect(folder) == ("csv", "map.toml is a map of tables")
    documents = everybody(folder, LATE)
    assert documents["synthetic-1"]["person"].items() >= {"sex": "female", "birth_date": "1980-05-06"}.items()
    first = states(documents["synthetic-1"])
    assert first["thrombocytopenia"] == first["ana_ge_320"] == "present"
    assert states(documents["synthetic-2"])["thrombocytopenia"] == "absent"
    assert accounts() == {"people": {"used": 2}, "labs": {"used": 3, "unmapped": 1, "rejected": 3}}
    said = {r["reference"]: r["reason"] for r in rejected()}
    assert said["labs.csv#5"] == "No row of the table of persons has this id."
    assert said["labs.csv#6"] == "The row names no person."
    assert "no unit" in said["labs.csv#7"]
    assert everybody(folder / "map.toml", LATE) == documents


def test_a_table_with_one_column_per_test(tmp_path: Path) -> None:
    """An empty cell is unknown, never absent; a row without any filled cell says nothing."""
    wide = "id;date;PLT;malar;ana\nsynthetic-1;01.03.2024;60,5;1;1:160\nsynthetic-2;02.03.2024;;0;NA\nsynthetic-2;03.03.2024;;;\n"
    table = """
        [[table]]
        file = "wide.csv"
        rows = "observation"
        delimiter = ";"
        decimal = ","
        date_format = "%d.%m.%Y"
        missing = ["NA"]
        columns = { person = "id", date = "date" }
        words.value = { "1" = "Yes", "0" = "No" }
        results.PLT = { system = "loinc", code = "777-3", unit = "10*9/L" }
        results.malar = { system = "finding", code = "malar_rash", by = "clinician" }
        results.ana = { system = "loinc", code = "5048-4" }"""
    documents = everybody(world(tmp_path / "w", PEOPLE_MAP, table, wide=wide), LATE)
    first, second = states(documents["synthetic-1"]), states(documents["synthetic-2"])
    assert first["thrombocytopenia"] == first["malar_rash"] == first["ana_ge_160"] == "present"
    assert second["malar_rash"] == "absent"
    assert not {"thrombocytopenia", "ana_ge_160", "ana_positive"} & second.keys()
    assert accounts()["wide"] == {"used": 2, "not_needed": 1}
    (platelets,) = [f for f in documents["synthetic-1"]["findings"] if f["finding"] == "thrombocytopenia"]
    assert platelets["first_date"] == "2024-03-01" and platelets["evidence"][0]["reference"] == "wide.csv#1"


def test_conditions_drugs_forms_and_who_says_it(tmp_path: Path) -> None:
    dx = "key,p,dx,day,seen,state,who\n7,synthetic-1,M32.9,2024-01,2024-05-01,,doctor\n8,synthetic-1,M79.7,2024-02-01,,refuted,self\n" \
        "8,synthetic-1,M79.7,2024-02-01,,refuted,self\n9,synthetic-1,M35.0,2024-02-01,,entered-in-error,self\n"  # fmt: skip
    rx = "p,name,atc,day,until,sig\nsynthetic-1,x,P01BA02,2024-01-01,2024-12-01,400 mg daily\n"
    form = "".join(f"synthetic-1,2024-04-01,fm_2016.{i},{a}\n" for i, a in
                   {"fatigue": 3, "waking_unrefreshed": 3, "cognitive": 2, "headache": 1, "months": 12, "site.neck": 1}.items())  # fmt: skip
    folder = world(
        tmp_path / "w", PEOPLE_MAP,
        '[[table]]\nfile = "dx.csv"\nrows = "condition"\nfixed = { system = "icd10cm" }\ncolumns = { person = "p", id = "key", '
        'code = "dx", date = "day", known_date = "seen", status = "state", by = "who" }\nwords.by = { doctor = "clinician", self = "patient" }',
        '[[table]]\nfile = "rx.csv"\nrows = "drug"\nfixed = { system = "atc" }\ncolumns = { person = "p", code = "atc", display = "name", '
        'date = "day", end_date = "until", text = "sig" }',
        '[[table]]\nfile = "form.csv"\nrows = "instrument"\nfixed = { system = "instrument", by = "patient" }\n'
        'columns = { person = "p", date = "day", code = "item", value = "answer" }',
        '[[table]]\nfile = "bills.csv"\nrows = "not_needed"',
        dx=dx, rx=rx, form="p,day,item,answer\n" + form, bills="a,b\n1,2\n3,4\n",
    )  # fmt: skip
    document = everybody(folder, LATE)["synthetic-1"]
    known = {f["finding"]: f for f in document["findings"]}
    assert known["sle_dx"]["state"] == "present" and known["sle_dx"]["by"] == "clinician"
    assert known["sle_dx"]["evidence"][0]["reference"] == "dx:7"
    assert known["fm_dx"]["state"] == "absent" and known["fm_dx"]["by"] == "patient"
    assert "sjogren_dx" not in known
    assert [i["date"] for i in document["instruments"] if i["instrument"] == "fm_2016"] == ["2024-04-01"]
    assert warm().engine.rows("select amount, amount_unit from doses") == [{"amount": 400.0, "amount_unit": "mg/d"}]
    assert accounts() == {
        "people": {"used": 2}, "dx": {"used": 2, "duplicate": 1, "withdrawn": 1}, "rx": {"used": 1}, "form": {"used": 6},
        "bills": {"not_needed": 2},
    }  # fmt: skip
    assert "sle_dx" not in states(everybody(folder, date(2024, 3, 1))["synthetic-1"])  # recorded in May


def test_parquet_several_files_and_no_table_of_persons(tmp_path: Path) -> None:
    for n in (1, 2):
        pq.write_table(pa.table({"p": [n], "dx": ["M32.9"], "day": [date(2024, 1, n)]}), tmp_path / f"part-{n}.parquet")
    (tmp_path / "map.toml").write_text(
        'schema = "tellapart.map/1"\n[[table]]\nfile = "part-*.parquet"\nrows = "condition"\nfixed = { system = "icd10cm" }\n'
        'columns = { person = "p", code = "dx", date = "day" }\n'
    )
    documents = everybody(tmp_path, LATE)
    assert {p: states(d)["sle_dx"] for p, d in documents.items()} == {"1": "present", "2": "present"}
    assert documents["1"]["person"]["sex"] == "unknown"


def test_a_bad_line_harms_only_itself(tmp_path: Path) -> None:
    labs = "patient,taken,loinc,result,unit\nsynthetic-1,2024-03-01,777-3,60,10*9/L\n7\n"
    assert found(world(tmp_path / "w", PEOPLE_MAP, LABS_MAP, labs=labs))["thrombocytopenia"] == "present"
    assert accounts()["labs"] == {"used": 1, "rejected": 1}
    (row,) = [r for r in rejected() if r["file"] == "labs.csv"]
    assert row["line"] == 3 and row["value"] == "7"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("[[table]]\nfile = 'no.csv'\nrows = 'persons'\ncolumns.person = 'p'", "table 1 (no.csv): file: there is no such file"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'person'\ncolumns.person = 'p'", "'person' is no kind of rows; known: persons"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'persons'\ncolumns.persn = 'p'", "'persn' is no column; known: person"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'observation'\ncolumns.person = 'sex'", "columns: code is missing"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'observation'\ncolumns.code = 'sex'", "columns: person is missing"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'persons'\ncolumns.person = 'patent'", "has no column 'patent'; nearest: patient"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'condition'\ncolumns = { person = 'patient', code = 'x' }\nresults.sex.code = 'x'",
         "one column per test has no column for code"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'persons'\ncolumns.person = 'patient'\ndecimal = ';'", "neither '.' nor ','"),
        ("[[table]]\nfile = 'people.csv'\nrows = 'persons'\ncolumns.person = 'patient'\nspeed = 3", "'speed' is no key of a table"),
        ("x = 1", "there is no [[table]]"),
        ("[[table", "this is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_map_is_said(table: str, says: str, tmp_path: Path) -> None:
    folder = world(tmp_path / "w", table)
    with pytest.raises(InputError) as told:
        warm().read(folder, Options())
    assert says in str(told.value)


def test_all_faults_at_once_and_tables_without_a_map(tmp_path: Path) -> None:
    folder = world(
        tmp_path / "w", "[[table]]\nfile = 'no.csv'\nrows = 'x'\n[[table]]\nfile = 'people.csv'\nrows = 'persons'"
    )
    with pytest.raises(InputError, match="4 fault") as told:
        warm().read(folder, Options())
    assert "table 2 (people.csv): columns: person is missing" in str(told.value)
    (folder / "map.toml").unlink()
    done = run_cli("audit", folder, "--out", tmp_path / "out")
    assert done.code == 1 and "tellapart map init" in done.said


# the first guess


WIDE = "Pat-ID;Visit Date;Sex;platelets;crp;remarks\n" \
    "synthetic-1;13.03.2024;2;60,5;1,2;x\nsynthetic-2;02.03.2024;1;200,0;;y\n"  # fmt: skip
LONG = "subject_id,dx_code,start_date\nsynthetic-1,M32.9,2024-01-02\nsynthetic-1,M79.7,2024-01-02\n"


def test_a_first_guess_that_can_be_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "visits 2024.csv").write_text(WIDE)
    (tmp_path / "problems.csv").write_text(LONG)
    (tmp_path / "rooms.csv").write_text("room,bed\n1,2\n")
    done = run_cli("map", "init", tmp_path)
    assert done.code == 0, done.said
    text = (tmp_path / "tellapart-map.toml").read_text()
    dx, rooms, wide = tomllib.loads(text)["table"]
    assert dx == {"file": "problems.csv", "rows": "condition", "columns": {"person": "subject_id", "code": "dx_code",
                  "date": "start_date"}, "fixed": {"system": "icd10cm"}}  # fmt: skip
    assert rooms == {"file": "rooms.csv", "rows": "not_needed"}
    assert wide["rows"] == "observation" and wide["decimal"] == "," and wide["date_format"] == "%d.%m.%Y"
    assert wide["results"] == {
        "platelets": {"system": "finding", "code": "platelets"},
        "crp": {"system": "finding", "code": "crp"},
    }
    assert '# "2" = "male"' not in text and '# not used: "remarks"  # e.g. x, y' in text
    assert len(read_map(tmp_path / "tellapart-map.toml")) == 3
    assert run_cli("map", "init", tmp_path).code == 2  # never over somebody's work


def test_the_guess_of_a_simulated_cohort_reads_it(tmp_path: Path) -> None:
    from test_same_persons import SHARES

    from tellapart.knowledge.load import load
    from tellapart.simulate.cohort import Plan, simulate

    simulate(load(), Plan(20, SHARES, formats=("csv",), seed=3), tmp_path / "c")
    folder = tmp_path / "c" / "csv"
    by_hand = everybody(folder, LATE)
    (folder / "tellapart-map.toml").unlink()
    assert run_cli("map", "init", folder).code == 0
    guessed = everybody(folder, LATE)

    def known(documents: dict[str, Json]) -> dict[str, dict[str, str]]:
        return {p: states(d) for p, d in documents.items()}

    assert known(guessed) == known(by_hand)


def test_check_shows_what_would_be_read(tmp_path: Path) -> None:
    labs = "patient,taken,loinc,result,unit\nsynthetic-1,2024-03-01,777-3,60,10*9/L\nsynthetic-1,2024-03-01,9999-9,60,\n" \
        "synthetic-1,soon,777-3,60,10*9/L\n"  # fmt: skip
    folder = world(tmp_path / "w", PEOPLE_MAP, LABS_MAP, labs=labs)
    done = run_cli("map", "check", folder)
    assert done.code == 3
    assert "labs.csv#1: synthetic-1, 2024-03-01, loinc 777-3 = 60.0 10*9/L means platelets" in done.out
    assert "loinc 9999-9" in done.out and "not a possible date" in done.out
    found = run_cli("map", "check", folder / "map.toml", "--json").json
    assert found["persons"] == 2 and found["tables"]["labs"]["read"] == 3
    assert run_cli("map", "check", tmp_path).code == 1


def test_an_audit_names_the_tables_of_a_map(tmp_path: Path) -> None:
    labs = "patient,taken,loinc,result,unit\nsynthetic-1,2024-03-01,777-3,60,10*9/L\n"
    folder = world(tmp_path / "w", PEOPLE_MAP, LABS_MAP, labs=labs, other="a\n1\n")
    done = run_cli("audit", folder / "map.toml", "--out", tmp_path / "out")
    assert done.code == 0, done.said
    import orjson

    run = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    assert [i["file"] for i in run["inputs"]] == ["labs.csv", "map.toml", "people.csv"]
