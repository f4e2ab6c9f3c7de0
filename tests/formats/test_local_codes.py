"""Codes of one site (`--codes`) and a list of persons (`--persons`): what they change, and what is wrong with a file."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path
from urllib.parse import unquote

import omop_world as omop
import pyarrow.parquet as pq
import pytest
import records as r
from cohort import Json, states
from shell import run_cli

from tellapart.events import normalize
from tellapart.knowledge.load import load
from tellapart.knowledge.local import _bare, read_codes
from tellapart.tasks.session import Session

LOCAL = "http://hospital.example/codes"
HEADER = "system,code,finding,rule,unit,limit"


def codes(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "codes.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def own(person: str, id: str, code: str, system: str | None = LOCAL, **value: object) -> r.Resource:
    """An Observation under a code of the site."""
    made = r.observation(person, id, code, **value)
    made["code"] = {"coding": [{"code": code, "display": f"local {code}"} | ({"system": system} if system else {})]}
    return made


def bundle(folder: Path, *resources: r.Resource) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.ndjson").write_text("".join(json.dumps(x) + "\n" for x in resources))
    return folder


def work(source: Path, file: Path | None = None) -> Json:
    done = run_cli("workup", source, "--json", *(("--codes", file) if file else ()))
    assert done.code in (0, 3), done.err
    document: Json = done.json
    return document


# what a code of the site's own says


@pytest.mark.parametrize(
    ("row", "value", "finding", "state"),
    [
        ("PLT,platelets,,10*9/L,", {"valueQuantity": {"value": 60}}, "thrombocytopenia", "present"),
        ("PLT,platelets,,10*9/L,", r.quantity(160000, "/uL"), "thrombocytopenia", "absent"),
        ("DNA,anti_dsdna,result,[IU]/mL,30", {"valueQuantity": {"value": 45}}, "anti_dsdna", "present"),
        ("DNA,anti_dsdna,,[IU]/mL,30", {"valueQuantity": {"value": 12}}, "anti_dsdna", "absent"),
        ("DNA,anti_dsdna,,[IU]/mL,30", {"valueQuantity": {"value": 45}, "referenceRange": [{"high": {"value": 60}}]}, "anti_dsdna", "absent"),
        ("DNA,anti_dsdna,,[IU]/mL,30", r.quantity(45, "U/L"), "anti_dsdna", None),  # a limit in another unit says nothing
        ("CK,ck,,U/L,200", r.quantity(900, "U/L"), "ck_raised", None),
        ("RASH,malar_rash,state,,", {"valueString": "positive"}, "malar_rash", "present"),
        ("ANA,ana_titre,,,", {"valueString": "1:320"}, "ana_ge_320", "present"),
    ],
)  # fmt: skip
def test_a_local_code_is_read_as_the_code_of_its_finding(
    row: str, value: Json, finding: str, state: str | None, tmp_path: Path
) -> None:
    source = bundle(
        tmp_path / "s", r.patient("synthetic-1"), own("synthetic-1", "a", row.split(",", maxsplit=1)[0], **value)
    )
    assert finding not in states(work(source))
    assert states(work(source, codes(tmp_path, f"{LOCAL},{row}"))).get(finding) == state


def test_the_limit_says_where_it_comes_from(tmp_path: Path) -> None:
    source = bundle(
        tmp_path / "s", r.patient("synthetic-1"), own("synthetic-1", "a", "DNA", valueQuantity={"value": 45})
    )
    document = work(source, codes(tmp_path, f"{LOCAL},DNA,anti_dsdna,,[IU]/mL,30"))
    (found,) = [f for f in document["findings"] if f["finding"] == "anti_dsdna"]
    assert "own codes" in found["evidence"][0]["text"]


def test_a_limit_is_converted_like_the_value(tmp_path: Path) -> None:
    file = codes(tmp_path, f"{LOCAL},C3,c3,,mg/dL,180")
    session = Session(load(), codes=read_codes(file, load()))
    limits = session.engine.rows("select distinct own_high, own_limit from meanings where own = 1")
    session.close()
    assert limits == [{"own_high": 180.0, "own_limit": pytest.approx(1.8)}]  # g/L


def test_a_drug_a_diagnosis_without_system_and_a_code_that_ships(tmp_path: Path) -> None:
    condition = r.condition("synthetic-1", "c", "LUP7")
    condition["code"] = {"coding": [{"code": "LUP7"}]}
    drug = r.prescription("synthetic-1", "d", "HCQ-200")
    drug["medicationCodeableConcept"] = {"coding": [{"system": LOCAL, "code": "HCQ-200"}]}
    platelets = r.observation("synthetic-1", "p", r.PLATELETS, valueQuantity={"value": 60})
    source = bundle(tmp_path / "s", r.patient("synthetic-1"), condition, drug, platelets)
    assert "thrombocytopenia" not in states(work(source))
    file = codes(
        tmp_path, ",LUP7,sle_dx,,,", f"{LOCAL},HCQ-200,hydroxychloroquine,drug,,", "LOINC,777-3,platelets,,10*9/L,"
    )
    document = work(source, file)
    assert states(document)["sle_dx"] == states(document)["thrombocytopenia"] == "present"
    assert document["coverage"]["used"] == 4 and document["coverage"]["unmapped"] == 0


def test_a_code_of_the_site_beats_a_code_that_ships(tmp_path: Path) -> None:
    source = bundle(tmp_path / "s", r.patient("synthetic-1"), r.condition("synthetic-1", "c", "L93.0"))
    assert states(work(source))["discoid_rash"] == "present"
    found = states(work(source, codes(tmp_path, "icd10cm,L93.0,cutaneous_lupus_dx,,,")))
    assert "discoid_rash" not in found and found["cutaneous_lupus_dx"] == "present"


def test_a_code_can_be_called_irrelevant(tmp_path: Path) -> None:
    source = bundle(tmp_path / "s", r.patient("synthetic-1"), own("synthetic-1", "a", "X1", valueString="blue"))
    assert work(source)["coverage"]["unmapped"] == 1
    coverage = work(source, codes(tmp_path, f"{LOCAL},X1,,not_needed,,"))["coverage"]
    assert coverage["unmapped"] == 0 and coverage["not_needed"] == 1


def test_codes_of_an_omop_source(tmp_path: Path) -> None:
    cdm = {
        "person": [omop.person()],
        "condition_occurrence": [omop.condition(1, 0, condition_source_value="LUP7"), omop.condition(2)],
        "measurement": [omop.measurement(1, 0, measurement_source_value="PLT", value_as_number=60.0)],
    }
    source = omop.parquet(tmp_path / "cdm", cdm)
    assert "thrombocytopenia" not in states(work(source))
    file = codes(tmp_path, "local,LUP7,fm_dx,,,", "local,PLT,platelets,result,10*9/L,")
    found = states(work(source, file))
    assert found["fm_dx"] == found["thrombocytopenia"] == "present"


def test_systems_are_named_as_in_sql() -> None:
    session = Session(load())
    known = {row["bare_system"]: row["short_system"] for row in session.engine.rows("select * from system_names")}
    session.close()
    assert {_bare(row["uri"]) for row in load()["code_systems"]} == set(known)
    assert (
        known[_bare("urn:oid:2.16.840.1.113883.6.96")] == "snomed" and known[_bare("http://loinc.org|2.77/")] == "loinc"
    )


# what is wrong with a file


def test_every_fault_is_listed_with_row_and_field(tmp_path: Path) -> None:
    file = codes(
        tmp_path,
        "l,A,anti_dsdnaa,,,",
        "l,B,malar_rash,result,,",
        "l,C,malar_rash,,mg/dL,",
        "l,D,wbc,,parsecs,",
        "l,E,wbc,,,11",
        "l,F,wbc,,10*9/L,high",
        "l,G,,state,,",
        "l,A,wbc,,,",
        "l,,wbc,,,",
        "l,H,wbc,measured,,",
        "loinc,777-3,,not_needed,,",
        "l,not filled in,,,,",
    )
    done = run_cli("workup", file, "--codes", file)
    assert done.code == 1
    lines = [line.strip() for line in done.err.splitlines() if line.strip().startswith("codes.csv:")]
    wanted = {
        2: "finding: 'anti_dsdnaa' is no finding and no drug; nearest: anti_dsdna", 3: "rule: malar_rash goes with the rule state",
        4: "unit, limit: only a result", 5: "unit: 'parsecs' has no conversion for wbc", 6: "limit: a limit needs its unit",
        7: "limit: 'high' is not a number", 8: "finding: is empty", 9: "system, code: 'l A' stands twice", 10: "code: is empty",
        11: "rule: 'measured' is none of", 12: "rule: '777-3' is known here",
    }  # fmt: skip
    for number, said in wanted.items():
        assert any(line.startswith(f"codes.csv:{number}: {said}") for line in lines), (number, lines)
    assert not any(line.startswith("codes.csv:13:") for line in lines)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "Found: nothing"), (b"a,b\n1,2\n", "Found: a, b"), (b"\xff\xfe,\n", "not UTF-8"), (None, "cannot be read")],
)
def test_a_file_that_is_no_file_of_codes(content: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    if content is not None:
        file.write_bytes(content)
    done = run_cli("audit", tmp_path, "--out", tmp_path / "out", "--codes", file)
    assert done.code == 1 and says in done.said


# an audit


def world(folder: Path) -> Path:
    """Three persons; codes that nothing knows stand on five rows."""
    people = [f"synthetic-{n}" for n in (1, 2, 3)]
    resources = [r.patient(p) for p in people]
    resources += [own(p, f"plt-{p}", "PLT", valueQuantity={"value": 60}) for p in people]
    resources += [own("synthetic-1", "blue", 'X,"1', valueString="blue"), r.condition("synthetic-2", "sle", r.SLE)]
    resources += [own("synthetic-1", "mixed", "PLT2", **r.quantity(60, "10*9/L"))]
    return bundle(folder, *resources)


def sheet(out: Path) -> str:
    found = re.search(
        r'href="data:text/csv;charset=utf-8,([^"]*)" download="codes.csv"', (out / "report.html").read_text()
    )
    assert found
    return unquote(html.unescape(found[1]))


def test_the_report_offers_unmapped_codes_as_a_file_to_fill_in(tmp_path: Path) -> None:
    source, out, file = world(tmp_path / "s"), tmp_path / "out", tmp_path / "filled.csv"
    assert run_cli("audit", source, "--out", out).code == 0
    offered = list(csv.DictReader(io.StringIO(sheet(out))))
    assert [(row["system"], row["code"], row["rows"]) for row in offered] == [
        (LOCAL, "PLT", "3"), (LOCAL, "PLT2", "1"), (LOCAL, 'X,"1', "1"),
    ]  # fmt: skip
    assert offered[1]["unit"] == "10*9/L" and offered[0]["display"] == "local PLT"
    file.write_text(sheet(out))
    assert run_cli("audit", source, "--out", out, "--codes", file).code == 0, "a file not filled in changes nothing"
    file.write_text(sheet(out).replace("local PLT,3,,,", "local PLT,3,platelets,result,10*9/L"))
    assert run_cli("audit", source, "--out", out, "--codes", file).code == 0
    run = json.loads((out / "run.json").read_text())
    assert run["options"]["codes"] == {"file": "filled.csv", "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    assert run["accounting"]["unmapped"] == 2
    assert "PLT2" in sheet(out) and ",PLT," not in sheet(out)
    # what was kept is opened without the file of codes
    assert states(run_cli("workup", out, "--person", "synthetic-2", "--json").json)["thrombocytopenia"] == "present"
    assert run_cli("audit", source, "--out", out, "--shareable").code == 2
    assert "codes.csv" not in shareable(tmp_path)


def shareable(folder: Path) -> str:
    people = [r.patient(f"synthetic-{n}") for n in range(20)]
    source = bundle(folder / "many", *people, own("synthetic-1", "x", "SECRET", valueString="x"))
    assert run_cli("audit", source, "--out", folder / "safe", "--shareable").code == 0
    page = (folder / "safe" / "report.html").read_text()
    assert "SECRET" not in page
    return page


def test_a_list_of_persons_limits_a_run(tmp_path: Path) -> None:
    source, everybody, few = world(tmp_path / "s"), tmp_path / "all", tmp_path / "few"
    listed = tmp_path / "persons.txt"
    listed.write_text("Patient/synthetic-2\n\nsynthetic-3\nsynthetic-9\n")
    assert run_cli("audit", source, "--out", everybody, "--as-of", "2026-01-01").code == 0
    done = run_cli("audit", source, "--out", few, "--as-of", "2026-01-01", "--persons", listed)
    assert done.code == 0, done.err
    whole, part = (pq.read_table(d / "persons.parquet").to_pylist() for d in (everybody, few))
    assert part == [p for p in whole if p["person_id"] in ("synthetic-2", "synthetic-3")] and len(part) == 2
    all_, run = (json.loads((d / "run.json").read_text()) for d in (everybody, few))
    assert run["accounting"]["read"] == all_["accounting"]["read"] == 9
    assert run["accounting"]["not_needed"] == 4, "the rows of others"
    assert run["persons_not_found"] == ["synthetic-9"] and run["options"]["persons"]["file"] == "persons.txt"
    assert "Not all persons of the list" in done.out and "synthetic-9" not in (few / "report.html").read_text()


def test_a_table_of_persons_names_them_in_a_column(tmp_path: Path) -> None:
    source, listed = world(tmp_path / "s"), tmp_path / "persons.csv"
    listed.write_text("cohort,person_id\na,synthetic-1\nb,synthetic-1\n")
    assert run_cli("audit", source, "--out", tmp_path / "out", "--persons", listed).code == 0
    assert pq.read_table(tmp_path / "out" / "persons.parquet")["person_id"].to_pylist() == ["synthetic-1"]


def test_a_worklist_of_an_audit_is_a_list_of_persons(tmp_path: Path) -> None:
    source = world(tmp_path / "s")
    assert run_cli("audit", source, "--out", tmp_path / "out").code == 0
    done = run_cli("audit", source, "--out", tmp_path / "again", "--persons", tmp_path / "out" / "worklist.csv")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "again" / "persons.parquet")["person_id"].to_pylist() == ["synthetic-2"]


@pytest.mark.parametrize(
    ("content", "says"), [("\n \n", "names nobody"), ("a\nb\n", "none of its 2 persons"), (None, "cannot be read")]
)
def test_a_list_that_names_nobody(content: str | None, says: str, tmp_path: Path) -> None:
    source, listed = world(tmp_path / "s"), tmp_path / "persons.txt"
    if content is not None:
        listed.write_text(content)
    done = run_cli("audit", source, "--out", tmp_path / "out", "--persons", listed)
    assert done.code == 1 and says in done.said


def test_rows_of_others_are_all_not_needed() -> None:
    session = Session(load())
    session.engine.make("statements", "select 'a' as person_id union all select 'b'")
    session.engine.make("patients", "select 'a' as person_id union all select 'b'")
    session.engine.make("diary_flares", "select 'a' as person_id union all select 'b'")
    session.engine.make("rejected", "select 'b' as person_id union all select null")
    session.engine.make(
        "source_rows",
        "select 'a' as person_id, null as class union all select 'b', 'rejected' union all select null, 'unmapped'",
    )
    normalize.keep_only(session.engine, ["a"])
    left = session.engine.rows("select person_id, class from source_rows order by all")
    kept = [session.engine.rows(f"select person_id from {name}") for name in ("statements", "patients", "rejected")]
    session.close()
    assert [(row["person_id"], row["class"]) for row in left] == [("a", None), ("b", "not_needed"), (None, "unmapped")]
    assert kept == [[{"person_id": "a"}], [{"person_id": "a"}], [{"person_id": None}]]
