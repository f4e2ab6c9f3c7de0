"""Case files: what may be written, what each entry becomes, and what is said about every fault."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tellapart.contracts
from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError, UsageError
from tellapart.events.normalize import check_accounting, normalize, prepare
from tellapart.events.readers.case import Issue, check_case, knowledge_ids, new_case, parse, read_case
from tellapart.knowledge import relations
from tellapart.knowledge.load import load

IDS = knowledge_ids(load())
SCHEMA = json.loads((Path(tellapart.contracts.__file__).parent / "schemas" / "case.schema.json").read_text())
DESIGN_EXAMPLE = {
    "schema": "tellapart.case/1",
    "person": {"id": "x", "sex": "female", "age": 34, "birth_date": None},
    "as_of": "2026-01-01",
    "setting": "rheumatology_referral",
    "findings": [
        {"finding": "malar_rash", "state": "present", "date": "2025-10-01", "by": "clinician"},
        {"finding": "anti_dsdna", "state": "absent"},
        {"finding": "ana_titre", "value": 640},
        {"finding": "wbc", "value": 3.2, "unit": "10*9/L"},
    ],
    "instruments": [
        {
            "instrument": "fm_2016",
            "date": "2025-12-01",
            "pain_sites": ["neck", "hip_l"],
            "fatigue": 2,
            "waking_unrefreshed": 3,
            "cognitive": 2,
            "headache": True,
            "lower_abdominal_pain": False,
            "depression": True,
            "months": 6,
            "no_other_cause": None,
            "by": "clinician",
        }
    ],
    "drugs": [{"drug": "hydroxychloroquine", "dose": 400, "unit": "mg/d", "start": "2025-11-01", "end": None}],
    "conditions": [{"code": "M32.9", "system": "icd10cm", "date": "2025-10-15"}],
}


@pytest.fixture(scope="module")
def house() -> DuckDB:
    engine = DuckDB(threads=1)
    for name, (columns, rows) in relations.relations(load()).items():
        engine.load(name, columns, rows)
    prepare(engine)
    return engine


def write(folder: Path, document: Any, name: str = "x.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def case(**parts: Any) -> dict[str, Any]:
    return {"schema": "tellapart.case/1", "person": {"id": "x"}, **parts}


def said(path: Path) -> list[str]:
    return [str(issue) for issue in check_case(path, IDS)]


def test_the_example_of_the_design_becomes_events(house: DuckDB, tmp_path: Path) -> None:
    path = write(tmp_path, DESIGN_EXAMPLE)
    assert read_case(house, path, IDS) == []
    assert normalize(house, None, date(2030, 1, 1)).day == date(2026, 1, 1)
    events = house.rows(
        'select reference, kind, code, value, unit, interpretation, status, "by", date, shape from events '
        "where kind <> 'instrument' order by row_no"
    )
    assert [tuple(e.values()) for e in events] == [
        (
            "case:x#findings[0]",
            "finding",
            "malar_rash",
            None,
            None,
            None,
            "asserted",
            "clinician",
            date(2025, 10, 1),
            None,
        ),
        ("case:x#findings[1]", "finding", "anti_dsdna", None, None, "NEG", "asserted", "measured", None, None),
        ("case:x#findings[2]", "finding", "ana_titre", 640, "{titer}", None, "asserted", "measured", None, "titre"),
        ("case:x#findings[3]", "finding", "wbc", 3.2, "10*9/L", None, "asserted", "measured", None, "quantity"),
        ("case:x#drugs[0]", "drug", "hydroxychloroquine", 400, "mg/d", None, "asserted", None, date(2025, 11, 1), None),
        (
            "case:x#conditions[0]",
            "condition",
            "M32.9",
            None,
            None,
            None,
            "asserted",
            "clinician",
            date(2025, 10, 15),
            None,
        ),
    ]
    items = {e["code"]: e["value"] for e in house.rows("select code, value from events where kind = 'instrument'")}
    assert items["fm_2016.fatigue"] == 2 and items["fm_2016.headache"] == 1 and items["fm_2016.months"] == 6
    assert "fm_2016.no_other_cause" not in items  # null is unknown
    sites = {k: v for k, v in items.items() if ".site." in k}
    assert len(sites) == 19 and sum(sites.values()) == 2  # a list says that the others were asked
    assert house.rows("select distinct group_key from events where kind = 'instrument'") == [
        {"group_key": "case:x#instruments[0]"}
    ]
    assert house.rows("select * from persons") == [
        {
            "person": 1,
            "person_id": "x",
            "sex": "female",
            "birth_date": None,
            "death_date": None,
            "age": 34,
            "observed_to": None,
        }
    ]
    assert check_accounting(house) == {
        "read": 8,
        "used": 8,
        "unmapped": 0,
        "not_needed": 0,
        "withdrawn": 0,
        "duplicate": 0,
        "after_as_of": 0,
        "rejected": 0,
    }


def test_sites_not_given_are_not_asked(house: DuckDB, tmp_path: Path) -> None:
    read_case(house, write(tmp_path, case(instruments=[{"instrument": "fm_2016", "fatigue": 0}])), IDS)
    assert [r["code"] for r in house.rows("select code from statements")] == ["fm_2016.fatigue"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"instrument": "fm_1990", "tender_points": 12}, {"fm_1990.tender_points": "12"}),
        ({"instrument": "fm_1990", "tender_points": ["knee_l", "knee_r", "knee_l"]}, {"fm_1990.tender_points": "2"}),
        ({"instrument": "fm_1990", "widespread_pain": True}, {"fm_1990.widespread_pain": "1"}),
        ({"instrument": "fm_2010", "somatic_extent": 3}, {"fm_2010.somatic_extent": "3"}),
        ({"instrument": "first", "total": 5}, {"first.total": "5"}),
        (
            {"instrument": "aapt_2019", "sites": ["jaw_l", "upper_arm_l", "arm_l"]},
            {
                f"aapt_2019.site.{s}": str(int(s in ("head", "arm_l")))
                for s in ("head", "arm_l", "arm_r", "chest", "abdomen", "upper_back", "lower_back", "leg_l", "leg_r")
            },
        ),
    ],
)
def test_other_instruments(house: DuckDB, tmp_path: Path, entry: dict[str, Any], expected: dict[str, str]) -> None:
    read_case(house, write(tmp_path, case(instruments=[entry])), IDS)
    assert {r["code"]: r["value"] for r in house.rows("select code, value from statements")} == expected


@pytest.mark.parametrize(
    ("entry", "status", "interpretation"),
    [
        ({"finding": "malar_rash", "state": "absent"}, "refuted", None),
        ({"finding": "malar_rash", "state": "present"}, "asserted", None),
        ({"finding": "anti_dsdna", "state": "present"}, "asserted", "POS"),
        ({"finding": "ana_titre", "state": "absent"}, "asserted", "NEG"),
        ({"finding": "c3", "interpretation": "L"}, "asserted", "L"),
        ({"finding": "anti_sm", "value": 40, "high": 20, "state": "present"}, "asserted", "POS"),
    ],
)
def test_states(house: DuckDB, tmp_path: Path, entry: dict[str, Any], status: str, interpretation: str | None) -> None:
    assert read_case(house, write(tmp_path, case(findings=[entry])), IDS) == []
    normalize(house, None, date(2030, 1, 1))
    assert house.rows("select status, interpretation from events") == [
        {"status": status, "interpretation": interpretation}
    ]


FAULTS: list[tuple[dict[str, Any], str]] = [
    (
        {"findings": [{"finding": "ana_titer", "value": 80}]},
        "findings[0].finding: 'ana_titer' is not a finding. Did you mean 'ana_titre'? All: tellapart "
        "knowledge show findings",
    ),
    (
        {"findings": [{"state": "present"}]},
        "findings[0].finding: None is not a finding. All: tellapart knowledge show findings",
    ),
    (
        {"findings": ["malar_rash"]},
        'findings[0]: "malar_rash" is not an entry. Give an object (JSON) or a table (TOML).',
    ),
    (
        {"findings": {}},
        "findings: is not a list. Give a list of entries.",
    ),
    (
        {"findings": [{"finding": "malar_rash"}]},
        "findings[0]: 'malar_rash' says nothing. Give state (present or absent), value or "
        "interpretation, or leave the entry out.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "yes"}]},
        "findings[0].state: 'yes' is not possible. Allowed: present, absent.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "value": 3}]},
        "findings[0].value: 'malar_rash' is present or absent and has no value. Give state; results "
        "go under the name of the test.",
    ),
    (
        {"findings": [{"finding": "wbc", "state": "present"}]},
        "findings[0].state: 'wbc' is a number and has no state. Give value in 10*9/L.",
    ),
    (
        {"findings": [{"finding": "wbc", "value": True, "unit": "10*9/L"}]},
        "findings[0].value: True is not a number. Give a number without quotation marks.",
    ),
    (
        {"findings": [{"finding": "wbc", "value": 3200, "unit": "10*9/L"}]},
        "findings[0].value: 3200 10*9/L is not a plausible wbc. Allowed: 0.1 to 300 10*9/L. Likely unit: /uL.",
    ),
    (
        {"findings": [{"finding": "wbc", "value": -1, "unit": "10*9/L"}]},
        "findings[0].value: -1 10*9/L is not a plausible wbc. Allowed: 0.1 to 300 10*9/L.",
    ),
    (
        {"findings": [{"finding": "urine_protein_dipstick", "value": 30}]},
        "findings[0].value: 30 is not a plausible urine_protein_dipstick. Allowed: 0 to 4.",
    ),
    (
        {"findings": [{"finding": "ana_titre", "value": -80}]},
        "findings[0].value: -80 is not a titre. Give the denominator: 1:640 is 640.",
    ),
    (
        {"findings": [{"finding": "c3", "value": 1, "unit": "g/L", "low": 2, "high": 1}]},
        "findings[0].low: 2 is above high (1). Correct one of them.",
    ),
    (
        {"findings": [{"finding": "c3", "value": 1, "unit": "g/L", "low": "x"}]},
        "findings[0].low: 'x' is not a number. Give a number without quotation marks.",
    ),
    (
        {"findings": [{"finding": "anti_sm", "state": "absent", "interpretation": "POS"}]},
        "findings[0].interpretation: 'POS' contradicts state 'absent'. Leave one of them out.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "absent", "by": "doctor"}]},
        "findings[0].by: 'doctor' is not possible. Allowed: measured, clinician, patient, text.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "absent", "date": "2021-02-30"}]},
        "findings[0].date: '2021-02-30' is not a possible date. Give such as 2025-10-31, 2025-10 or 2025.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "absent", "date": "31.10.2025"}]},
        "findings[0].date: '31.10.2025' is not a date. Give such as 2025-10-31, 2025-10 or 2025.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "absent", "date": "2999"}]},
        "findings[0].date: '2999' is not a possible date. Years from 1900 to 2100 are.",
    ),
    (
        {"findings": [{"finding": "malar_rash", "state": "absent", "note": 5}]},
        "findings[0].note: 5 is not a text. Put it in quotation marks, or leave it out.",
    ),
    (
        {"instruments": [{"instrument": "fm_2061", "fatigue": 1}]},
        "instruments[0].instrument: 'fm_2061' is not an instrument. Did you mean 'fm_2016' or "
        "'fm_2011' or 'fm_2010'? All: aapt_2019, facit_fatigue, fast_3, fast_4, fatigue_vas, fiqr, first, fm_1990, ",
    ),
    (
        {"instruments": [{"instrument": "fm_2016", "fatigue": 4}]},
        "instruments[0].fatigue: 4 is not possible. Allowed: 0 to 3; leave it out if it was not asked.",
    ),
    (
        {"instruments": [{"instrument": "fm_2016", "fatigue": True}]},
        "instruments[0].fatigue: True is not possible. Allowed: 0 to 3.",
    ),
    (
        {"instruments": [{"instrument": "fm_2016", "headache": 2}]},
        "instruments[0].headache: 2 is not possible. Allowed: 0 to 1 (or true, false); leave it out "
        "if it was not asked.",
    ),
    (
        {"instruments": [{"instrument": "fm_2016", "pain_sites": ["nek"]}]},
        "instruments[0].pain_sites[0]: 'nek' is not a site. Did you mean 'neck'? All: abdomen, chest, ",
    ),
    (
        {"instruments": [{"instrument": "fm_2016", "pain_sites": "neck"}]},
        'instruments[0].pain_sites: "neck" is not a list. Give a list such as ["neck", "hip_l"].',
    ),
    (
        {"instruments": [{"instrument": "fm_2016"}]},
        "instruments[0]: has no answer. Leave the entry out, or give at least one item.",
    ),
    (
        {"drugs": [{"drug": "hydroxychloroquin"}]},
        "drugs[0].drug: 'hydroxychloroquin' is not a drug. Did you mean 'hydroxychloroquine'",
    ),
    (
        {"drugs": [{"drug": "prednisone", "dose": 0}]},
        "drugs[0].dose: 0 is not possible. Give a number above 0, or leave it out.",
    ),
    (
        {"drugs": [{"drug": "prednisone", "start": "2025-03", "end": "2025-02-01"}]},
        "drugs[0].end: '2025-02-01' lies before start (2025-03). Correct one of them.",
    ),
    (
        {"conditions": [{"code": "M32.9"}]},
        "conditions[0].system: is missing. Allowed: icd10cm, icd10, icd9cm, snomed.",
    ),
    (
        {"conditions": [{"code": "", "system": "icd10"}]},
        "conditions[0].code: '' is not a code. Give the code as text, for example M32.9.",
    ),
    (
        {"person": {"id": "x", "sex": "f"}},
        "person.sex: 'f' is not possible. Allowed: female, male, other, unknown.",
    ),
    (
        {"person": {"id": "x", "age": 300}},
        "person.age: 300 is not possible. Allowed: whole years from 0 to 200.",
    ),
    (
        {"person": []},
        "person: [] is not an entry. Give an object with id, sex, age.",
    ),
    (
        {"as_of": "2026"},
        "as_of: '2026' is not a whole day. Give a day such as 2025-10-31.",
    ),
    (
        {"setting": "hospital"},
        "setting: 'hospital' is not possible. Allowed: general_population, primary_care, ",
    ),
    (
        {"schema": "tellapart.case/9"},
        "schema: 'tellapart.case/9' is not a case that this version reads. Write schema = \"tellapart.case/1\".",
    ),
]


@pytest.mark.parametrize(
    ("parts", "message"), FAULTS, ids=[m.partition(":")[0] + f"-{i}" for i, (_, m) in enumerate(FAULTS)]
)
def test_each_fault_names_field_value_and_way_out(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    [text] = said(write(tmp_path, case(**parts)))
    assert text.startswith("x.json: " + message)
    assert check_case(tmp_path / "x.json", IDS)[0].level == "error"


def test_an_unknown_unit_names_the_known_ones(tmp_path: Path) -> None:
    [text] = said(write(tmp_path, case(findings=[{"finding": "wbc", "value": 3.2, "unit": "mg/dL"}])))
    assert text.startswith("x.json: findings[0].unit: 'mg/dL' is not a unit of wbc that can be converted.")
    assert "For example: 10*9/L" in text


def test_all_faults_are_told_at_once_and_a_single_case_is_refused_whole(house: DuckDB, tmp_path: Path) -> None:
    bad = case(
        findings=[{"finding": "x"}, {"finding": "malar_rash", "state": "present"}], drugs=[{"drug": "y"}], as_of="z"
    )
    path = write(tmp_path, bad)
    assert len(said(path)) == 3
    with pytest.raises(InputError, match=r"3 fault\(s\) in this case") as caught:
        read_case(house, path, IDS)
    for place in ("as_of", "findings[0].finding", "drugs[0].drug"):
        assert f"x.json: {place}" in str(caught.value).replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"finding": "wbc", "value": 3.2}, "findings[0].unit: wbc without unit will be rejected: no unit is guessed."),
        (
            {"finding": "anti_sm", "value": 40},
            "findings[0]: anti_sm 40 says nothing without the limit of the laboratory.",
        ),
        (
            {"finding": "malar_rash", "state": "present", "daet": "2025"},
            "findings[0].daet: is not a key and is ignored. Did you mean 'date'?",
        ),
    ],
)
def test_warnings(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    [issue] = check_case(write(tmp_path, case(findings=[entry])), IDS)
    assert issue.level == "warning" and str(issue).startswith("x.json: " + message)


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    assert (
        said(write(tmp_path, case(made_by="something", findings=[{"finding": "fatigue", "state": "present", "id": 7}])))
        == []
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "", "not JSON"),
        ("x.json", "{", "not JSON"),
        ("x.json", '{"a": NaN}', "not JSON"),
        ("x.json", "[" * 5000, "not JSON"),
        ("x.json", "[]", "None is not a case that this version reads"),
        ("x.toml", "a =", "not TOML"),
        ("x.toml", "\ufeffschema = 'tellapart.case/1'\n[person]\nage = 99999" + "9" * 400, "is not a number"),
        (
            "x.toml",
            "schema = 'tellapart.case/1'\n[[findings]]\nfinding = 'wbc'\nvalue = nan\nunit = '10*9/L'",
            "nan is not a number",
        ),
    ],
)
def test_a_file_that_is_no_case(tmp_path: Path, name: str, text: str, message: str) -> None:
    [issue] = check_case(write(tmp_path, text, name), IDS)
    assert message in str(issue)


def test_a_missing_file(house: DuckDB, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing.json: cannot be read \(No such file"):
        read_case(house, tmp_path / "nothing.json", IDS)
    assert [i.level for i in check_case(tmp_path / "nothing.json", IDS)] == ["error"]


def test_a_folder_goes_on_after_bad_entries_and_loses_nothing(house: DuckDB, tmp_path: Path) -> None:
    good = {"finding": "malar_rash", "state": "present", "date": "2024-01-01"}
    write(tmp_path, case(findings=[good, {"finding": "x"}]), "a.json")
    write(tmp_path, {"schema": "tellapart.case/1", "person": {"sex": "f"}, "findings": [good]}, "deep/b.json")
    write(tmp_path, "{", "c.json")
    write(tmp_path, {"other": 1}, "d.json")
    write(
        tmp_path,
        'schema = "tellapart.case/1"\nas_of = 2023-01-01\n'
        '[[findings]]\nfinding = "fatigue"\nstate = "present"\ndate = 2024-01-01',
        "e.toml",
    )
    issues = read_case(house, tmp_path, IDS)
    assert len([i for i in issues if i.level == "error"]) == 4
    normalize(house, None, date(2026, 1, 1))
    assert house.rows("select person_id from persons order by person_id") == [
        {"person_id": "b"},
        {"person_id": "e"},
        {"person_id": "x"},
    ]
    counts = check_accounting(house)
    assert counts == {
        "read": 9,
        "used": 4,
        "unmapped": 0,
        "not_needed": 0,
        "withdrawn": 0,
        "duplicate": 0,
        "after_as_of": 1,
        "rejected": 4,
    }
    assert {(r["file"], r["field"]) for r in house.rows("select file, field from rejected")} == {
        ("a.json", "findings[1].finding"),
        ("deep/b.json", "person.sex"),
        ("c.json", None),
        ("d.json", "schema"),
    }


def test_an_empty_folder(house: DuckDB, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no case in this folder"):
        read_case(house, tmp_path, IDS)


def test_the_template_passes_its_own_check_and_is_used_whole(house: DuckDB, tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    new_case(path)
    assert check_case(path, IDS) == []
    jsonschema.Draft202012Validator(SCHEMA).validate(parse(path))
    read_case(house, path, IDS)
    normalize(house, None, date(2030, 1, 1))
    counts = check_accounting(house)
    assert counts["rejected"] == counts["after_as_of"] == counts["withdrawn"] == 0 and counts["used"] >= 13
    with pytest.raises(UsageError, match="exists already"):
        new_case(path)
    with pytest.raises(UsageError, match=r"ends in \.toml"):
        new_case(tmp_path / "new.json")
    with pytest.raises(UsageError, match="cannot be written"):
        new_case(tmp_path / "no" / "new.toml")


def test_the_schema_is_a_schema_and_takes_the_example() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(DESIGN_EXAMPLE)
    items = {i for form in IDS.instruments.values() for i in form.items if not i.startswith("site.")}
    lists = {form.site_list for form in IDS.instruments.values() if form.site_list}
    assert items | lists <= set(SCHEMA["$defs"]["instrument"]["properties"])


def test_json_and_toml_are_the_same_document(tmp_path: Path) -> None:
    toml = (
        'schema = "tellapart.case/1"\nas_of = 2026-01-01\n[person]\nid = "x"\n'
        '[[findings]]\nfinding = "wbc"\nvalue = 3.2\nunit = "10*9/L"\ndate = 2025-10-01\n'
    )
    document = case(
        as_of="2026-01-01", findings=[{"finding": "wbc", "value": 3.2, "unit": "10*9/L", "date": "2025-10-01"}]
    )
    assert parse(write(tmp_path, toml, "x.toml")) == parse(write(tmp_path, document))


def test_an_issue_reads_as_a_sentence() -> None:
    assert str(Issue("error", "x.json: a", "is wrong.", "")) == "x.json: a: is wrong."


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "wbc", "present", "2025"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "finding",
                    "state",
                    "value",
                    "unit",
                    "date",
                    "low",
                    "high",
                    "instrument",
                    "fatigue",
                    "pain_sites",
                    "tender_points",
                    "drug",
                    "dose",
                    "start",
                    "end",
                    "code",
                    "system",
                    "id",
                    "age",
                    "sex",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.dictionaries(
        st.sampled_from(["person", "as_of", "setting", "findings", "instruments", "drugs", "conditions"]), JSON
    )
)
def test_property_no_document_gives_a_traceback_or_loses_an_entry(
    house: DuckDB, tmp_path: Path, parts: dict[str, Any]
) -> None:
    folder = tmp_path / "cases"
    path = write(folder, {"schema": "tellapart.case/1", **parts})
    issues = check_case(path, IDS)
    assert issues == [i for i in read_case(house, folder, IDS)]
    normalize(house, None, date(2026, 1, 1))
    counts = check_accounting(house)
    entries = sum(
        len(v) if isinstance(v, list) else 1
        for k, v in parts.items()
        if k in ("findings", "instruments", "drugs", "conditions") and v is not None
    )
    assert counts["read"] == entries + 1
