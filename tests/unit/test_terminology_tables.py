"""The terminology tables: structure, check digits, one finding per code, units that convert, drugs.

Source of the rules: design §2 (codes, units, strength). The tables are read as files, not through the loader, so a
fault in them is named here by its row.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

TABLES = Path(__file__).resolve().parents[2] / "src" / "tellapart" / "knowledge" / "tables"

COLUMNS = {
    "findings": "finding kind unit domain fm_explains fm_if_patient_only by_default label note citation verified",
    "finding_codes": "finding system code display rule strength descendants method note citation verified",
    "drugs": "drug class dil_tier prednisone_factor label note citation verified",
    "drug_codes": "drug system code display descendants citation verified",
    "units": "finding unit_seen factor offset unit plausible_low plausible_high note citation verified",
    "unit_aliases": "seen ucum note citation verified",
    "reference_ranges": "finding sex low high note citation verified",
    "code_systems": "uri system note",
    "result_words": "word interpretation note",
    "not_needed": "system code why",
    "references": "id authors_year title locator note",
}
CITED = [name for name, columns in COLUMNS.items() if columns.endswith("citation verified")]
ICD = ("icd10cm", "icd10who", "icd9cm")

# Codes that feed more than one finding: each title states every finding it feeds.
MORE_THAN_ONE = {
    ("snomed", "68815009"): "SLE glomerulonephritis syndrome: SLE, and nephritis without a class",
    ("snomed", "307755009"): "renal tubulo-interstitial disorder in SLE: SLE, and nephritis without a class",
    ("snomed", "308751000119106"): "glomerular disease due to SLE: SLE, and nephritis without a class",
    ("snomed", "73286009"): "SLE glomerulonephritis, class I: SLE, and the class",
    ("snomed", "4676006"): "SLE glomerulonephritis, class II: SLE, and the class",
    ("snomed", "76521009"): "SLE glomerulonephritis, class III: SLE, and the class",
    ("snomed", "36402006"): "SLE glomerulonephritis, class IV: SLE, and the class",
    ("snomed", "52042003"): "SLE glomerulonephritis, class V: SLE, and the class",
    ("snomed", "11013005"): "SLE glomerulonephritis, class VI: SLE, and the class",
    ("snomed", "309762007"): "SLE with pericarditis: SLE, and a serositis (the title does not say acute)",
    ("snomed", "193178008"): "polyneuropathy in SLE: SLE, and a peripheral neuropathy",
    ("snomed", "732960002"): "autoimmune hemolytic anemia due to SLE: SLE, and the hemolysis",
    ("snomed", "402865003"): "SLE-associated antiphospholipid syndrome: both diagnoses",
    ("icd10cm", "M32.12"): "pericarditis in SLE: SLE, and a serositis (the title does not say acute)",
    ("icd10cm", "M32.14"): "glomerular disease in SLE: SLE, and nephritis without a class",
    ("icd10cm", "M32.15"): "tubulo-interstitial nephropathy in SLE: SLE, and nephritis without a class",
}

# What design §2 decides code by code; an empty set means that the code feeds nothing.
DECIDED = {
    ("icd10cm", "M32.14"): {"lupus_nephritis", "sle_dx"},
    ("icd10cm", "M32.9"): {"sle_dx"},
    ("icd10cm", "M32.0"): {"drug_induced_lupus_dx"},
    ("icd10who", "M32.0"): {"drug_induced_lupus_dx"},
    ("icd10cm", "L93.0"): {"discoid_rash"},
    ("icd10cm", "L93.1"): {"subacute_cutaneous_lupus"},
    ("icd10cm", "L93.2"): {"cutaneous_lupus_dx"},
    ("icd9cm", "695.4"): {"cutaneous_lupus_dx"},
    ("icd10cm", "M35.00"): {"sjogren_dx"},
    ("icd10cm", "M35.0C"): {"sjogren_dx"},
    ("icd9cm", "710.2"): {"sjogren_dx"},
    ("icd10cm", "H04.123"): {"sicca"},
    ("icd10cm", "R68.2"): {"sicca"},
    ("snomed", "87715008"): {"sicca"},
    ("icd10cm", "M25.561"): {"arthralgia"},
    ("snomed", "57676002"): {"arthralgia"},
    ("icd10cm", "R10.9"): {"abdominal_pain"},
    ("icd10cm", "K12.0"): {"aphthae"},
    ("icd10cm", "R50.9"): {"fever_unmeasured"},
    ("loinc", "5807-3"): {"red_cell_casts"},
    ("loinc", "33804-6"): {"red_cell_casts"},
    ("icd10cm", "I31.9"): set(),
    ("icd10cm", "I32"): set(),
    ("loinc", "9842-6"): set(),
    ("icd10cm", "I30.1"): set(),
    ("icd10cm", "I31.31"): set(),
    ("icd10cm", "R80.2"): set(),
    ("icd10cm", "M25.60"): set(),
    ("icd10cm", "G89.4"): set(),
    ("icd10cm", "R52"): set(),
    ("icd10cm", "M13.10"): set(),
    ("icd10who", "D68.6"): set(),
    ("icd10who", "N08.5"): set(),
    ("icd10cm", "G40.909"): {"epilepsy_dx"},
    ("icd9cm", "345.90"): {"epilepsy_dx"},
    ("icd10cm", "G43.909"): {"migraine"},
    ("loinc", "31628-1"): {"anti_rnp"},
    ("loinc", "9318-7"): set(),
    ("loinc", "736-9"): set(),
    ("loinc", "13068-2"): set(),
    ("loinc", "5804-0"): set(),
}


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a table; () when another part of the knowledge base is not built yet."""
    path = TABLES / f"{name}.csv"
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def findings() -> dict[str, dict[str, str]]:
    return {row["finding"]: row for row in table("findings")}


def verhoeff(number: str) -> bool:
    """SNOMED CT check digit (Verhoeff)."""
    times = [[(i + j) % 5 if j < 5 else (i + j) % 5 + 5 for j in range(10)] for i in range(5)]
    times += [[(i - j) % 5 + 5 if j < 5 else (i - j) % 5 for j in range(10)] for i in range(5, 10)]
    step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = step[value]
        check = times[check][value]
    return check == 0


def mod10(code: str) -> bool:
    """LOINC check digit (Luhn)."""
    match = re.fullmatch(r"(\d+)-(\d)", code)
    if not match:
        return False
    total = 0
    for place, digit in enumerate(reversed(match[1])):
        product = int(digit) * (1 if place % 2 else 2)
        total += product // 10 + product % 10
    return -total % 10 == int(match[2])


def fed_by(system: str, code: str) -> set[str]:
    """Findings of the code itself, else of its nearest category that covers its subdivisions."""
    rows = [r for r in table("finding_codes") if r["system"] == system]
    exact = {r["finding"] for r in rows if r["code"] == code}
    if exact or system not in ICD:
        return exact
    above = [r for r in rows if r["descendants"] == "true" and code.startswith(r["code"])]
    nearest = max((len(r["code"]) for r in above), default=0)
    return {r["finding"] for r in above if len(r["code"]) == nearest}


def repeated(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [key for key, count in Counter(keys).items() if count > 1]


# --- structure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_line_ends(name: str) -> None:
    raw = (TABLES / f"{name}.csv").read_bytes()
    assert raw.decode("utf-8").splitlines()[0].split(",") == COLUMNS[name].split()
    assert b"\r" not in raw
    assert b"\n\n" not in raw
    rows = table(name)
    assert rows
    assert [r for r in rows if None in r or None in r.values()] == []
    assert [r for r in rows if any(v != v.strip() for v in r.values())] == []


@pytest.mark.parametrize("name", CITED)
def test_every_row_is_cited_and_marked(name: str) -> None:
    known = {r["id"] for path in TABLES.glob("references*.csv") for r in table(path.stem)}
    rows = table(name)
    assert [r for r in rows if not set(r["citation"].split(";")) <= known] == []
    assert {r["verified"] for r in rows} <= {"V", "M"}


def test_references_have_what_a_reader_needs() -> None:
    rows = table("references")
    assert repeated([(r["id"],) for r in rows]) == []
    assert [r for r in rows if not r["authors_year"] or not r["title"]] == []


# --- findings -------------------------------------------------------------------------------------------------------


def test_findings() -> None:
    rows = table("findings")
    assert repeated([(r["finding"],) for r in rows]) == []
    assert repeated([(r["label"],) for r in rows]) == []
    assert [r for r in rows if not re.fullmatch(r"[a-z][a-z0-9_]*", r["finding"])] == []
    assert {r["kind"] for r in rows} == {"value", "state"}
    assert {r["by_default"] for r in rows} == {"measured", "clinician", "patient"}
    assert {r["fm_explains"] for r in rows} | {r["fm_if_patient_only"] for r in rows} == {"", "no", "partly", "yes"}
    assert [r for r in rows if (r["kind"] == "value") != bool(r["unit"])] == []
    assert sum(r["kind"] == "state" for r in rows) <= 230


@pytest.mark.shared
def test_findings_keep_the_ids_of_the_design() -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "design" / "findings.csv"
    if not path.exists():
        pytest.skip("the design folder is not beside the repository")
    with path.open(encoding="utf-8", newline="") as file:
        design = list(csv.DictReader(file))
    rows = table("findings")
    assert [r["finding"] for r in rows][: len(design)] == [r["finding_id"] for r in design]
    same = ("kind", "domain", "fm_explains", "fm_if_patient_only", "note")
    assert [d["finding_id"] for d, r in zip(design, rows, strict=False) if any(d[c] != r[c] for c in same)] == []
    assert [d["finding_id"] for d, r in zip(design, rows, strict=False) if d["unit"] not in ("", r["unit"])] == []


# --- codes ----------------------------------------------------------------------------------------------------------


def test_finding_codes_use_the_known_words() -> None:
    rows = table("finding_codes")
    assert {r["system"] for r in rows} <= {"snomed", "loinc", *ICD, "cvx", "finding", "allergy", "stopped"}
    assert {r["rule"] for r in rows} == {"state", "result"}
    assert {r["strength"] for r in rows} == {"states", "suggests"}
    assert {r["descendants"] for r in rows} == {"true", "false"}
    assert {r["method"] for r in rows} <= {"", "iif", "solid_phase", "elisa", "clift", "farr", "multiplex"}
    assert repeated([(r["finding"], r["system"], r["code"]) for r in rows]) == []
    assert [r for r in rows if r["finding"] not in findings() or not r["display"]] == []
    below = {r["finding"] for r in rows if r["descendants"] == "true" and r["system"] not in ICD}
    assert not below & {"oral_ulcers", "leukopenia", "hair_loss", "arthralgia", "vasculitis"}  # decision 13
    assert [r for r in rows if r["method"] and r["rule"] != "result"] == []
    assert [r for r in rows if r["system"] == "loinc" and r["rule"] != "result"] == []


def test_every_finding_can_be_typed_by_its_id() -> None:
    rows = [r for r in table("finding_codes") if r["system"] == "finding"]
    assert [r["code"] for r in rows] == list(findings())
    assert [r for r in rows if r["code"] != r["finding"] or r["strength"] != "states"] == []
    assert [r["code"] for r in rows if findings()[r["code"]]["kind"] == "value" and r["rule"] != "result"] == []


def test_states_are_read_as_results_when_value_rules_read_their_own_result() -> None:
    rules = table("value_rules")
    own = {r["source"] for r in rules if r["finding"] == r["source"]}
    typed = {r["code"] for r in table("finding_codes") if r["system"] == "finding" and r["rule"] == "result"}
    assert {f for f in typed if findings()[f]["kind"] == "state"} == own


def test_laboratory_codes_feed_what_is_read_as_a_result() -> None:
    rules = table("value_rules")
    readable = {r["source"] for r in rules} | {f for f, r in findings().items() if r["kind"] == "value"}
    assert {r["finding"] for r in table("finding_codes") if r["rule"] == "result"} <= readable


@pytest.mark.parametrize("name", ["finding_codes", "not_needed"])
def test_check_digits(name: str) -> None:
    rows = table(name)
    assert [r["code"] for r in rows if r["system"] == "snomed" and not verhoeff(r["code"])] == []
    assert [r["code"] for r in rows if r["system"] == "loinc" and not mod10(r["code"])] == []


def test_shapes_of_other_codes() -> None:
    shape = {
        "icd10cm": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
        "icd10who": r"[A-Z]\d\d(\.\d{1,2})?",
        "icd9cm": r"(\d{3}|V\d\d)(\.\d{1,2})?",
        "rxnorm": r"\d+",
        "atc": r"[A-Z]\d\d[A-Z][A-Z]\d\d",
    }
    rows = [*table("finding_codes"), *table("drug_codes")]
    assert [r for r in rows if r["system"] in shape and not re.fullmatch(shape[r["system"]], r["code"])] == []


def test_a_code_feeds_one_finding_or_is_listed_with_its_reason() -> None:
    fed: dict[tuple[str, str], set[str]] = {}
    for row in table("finding_codes"):
        fed.setdefault((row["system"], row["code"]), set()).add(row["finding"])
    assert {key for key, found in fed.items() if len(found) > 1} == set(MORE_THAN_ONE)
    assert all(MORE_THAN_ONE.values())


def test_rows_of_one_code_agree_on_how_it_is_read() -> None:
    read: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
    for row in table("finding_codes"):
        read.setdefault((row["system"], row["code"]), set()).add((row["rule"], row["strength"], row["descendants"]))
    assert {key: ways for key, ways in read.items() if len(ways) > 1} == {}


def test_a_category_covers_no_code_that_says_something_else() -> None:
    """An exact code is read before its category, so what lies below one must state the category's finding too."""
    rows = [r for r in table("finding_codes") if r["system"] in ICD]
    covering = [r for r in rows if r["descendants"] == "true"]
    below = [
        (high["system"], row["code"], high["finding"])
        for high in covering
        for row in rows
        if row["system"] == high["system"] and row["code"] != high["code"] and row["code"].startswith(high["code"])
    ]
    stated = {(r["system"], r["code"], r["finding"]) for r in rows}
    assert [key for key in below if key not in stated] == []
    assert [key for key in below if key[:2] not in MORE_THAN_ONE] == []


@pytest.mark.parametrize(("key", "expected"), DECIDED.items())
def test_decided_codes(key: tuple[str, str], expected: set[str]) -> None:
    assert fed_by(*key) == expected


def test_strengths_that_the_design_names() -> None:
    strength = {(r["system"], r["code"]): r["strength"] for r in table("finding_codes")}
    for system, codes in {
        "icd10cm": ("L65.9", "R56.9"),
        "snomed": ("200936003", "416209007"),
        "icd9cm": ("729.1",),
    }.items():
        assert {strength[system, code] for code in codes} == {"suggests"}
    for system, codes in {"icd10cm": ("M32.9", "M79.7", "D59.1", "L93.0"), "snomed": ("36402006",)}.items():
        assert {strength[system, code] for code in codes} == {"states"}


def test_a_nephritis_class_comes_only_from_a_class_code() -> None:
    rows = [r for r in table("finding_codes") if r["finding"].startswith("nephritis_") and r["system"] != "finding"]
    assert len(rows) == 6
    assert [r for r in rows if r["display"].rsplit(" ", 1)[-1].lower() != r["finding"].rsplit("_", 1)[-1]] == []


def test_code_systems() -> None:
    rows = table("code_systems")
    assert repeated([(r["uri"],) for r in rows]) == []
    short = {r["system"] for r in rows}
    assert {r["system"] for t in ("finding_codes", "drug_codes") for r in table(t)} <= short
    for uri, system in {
        "http://snomed.info/sct": "snomed",
        "http://loinc.org": "loinc",
        "http://hl7.org/fhir/sid/icd-10-cm": "icd10cm",
        "http://hl7.org/fhir/sid/icd-10": "icd10who",
        "http://hl7.org/fhir/sid/icd-9-cm": "icd9cm",
        "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
        "http://www.whocc.no/atc": "atc",
        "http://hl7.org/fhir/sid/cvx": "cvx",
    }.items():
        assert {r["system"] for r in rows if r["uri"] == uri} == {system}


def test_not_needed_is_never_read() -> None:
    rows = table("not_needed")
    assert repeated([(r["system"], r["code"]) for r in rows]) == []
    assert [r for r in rows if not r["why"]] == []
    assert [(r["system"], r["code"]) for r in rows if fed_by(r["system"], r["code"])] == []
    read = {
        "Patient", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "MedicationStatement",
        "MedicationAdministration", "MedicationDispense", "Medication", "Procedure", "Encounter", "Bundle",
        "QuestionnaireResponse", "AllergyIntolerance", "Immunization", "FamilyMemberHistory",
    }  # fmt: skip
    assert {r["code"] for r in rows if r["system"] == "resource"} & read == set()


# --- drugs ----------------------------------------------------------------------------------------------------------


def test_drugs() -> None:
    rows = table("drugs")
    snake = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"
    assert repeated([(r["drug"],) for r in rows]) == []
    assert [r for r in rows if not re.fullmatch(snake, r["drug"]) or not re.fullmatch(snake, r["class"])] == []
    tiers = {"high", "moderate", "low", "very_low", "biologic", "subacute_cutaneous"}
    assert {r["dil_tier"] for r in rows} == {"", *tiers}
    assert [r for r in rows if r["class"] == "dil_culprit" and not r["dil_tier"]] == []
    assert [r for r in rows if (r["class"] == "glucocorticoid") != bool(r["prednisone_factor"])] == []
    assert [r for r in rows if r["prednisone_factor"] and float(r["prednisone_factor"]) <= 0] == []


def test_drug_codes() -> None:
    rows = table("drug_codes")
    assert {r["system"] for r in rows} == {"rxnorm", "atc"}
    assert {r["drug"] for r in rows} == {r["drug"] for r in table("drugs")}
    assert repeated([(r["system"], r["code"]) for r in rows]) == []
    assert {r["descendants"] for r in rows} == {"true", "false"}


def test_glucocorticoid_products_are_systemic() -> None:
    steroids = {r["drug"] for r in table("drugs") if r["class"] == "glucocorticoid"}
    local = re.compile(r"topical|cream|ointment|ophthalmic|nasal|inhal|lotion|otic", re.IGNORECASE)
    assert [r for r in table("drug_codes") if r["drug"] in steroids and local.search(r["display"])] == []


# --- units ----------------------------------------------------------------------------------------------------------


def test_units_lead_to_the_unit_of_the_finding() -> None:
    rows = table("units")
    values = {f for f, r in findings().items() if r["kind"] == "value"}
    assert repeated([(r["finding"], r["unit_seen"]) for r in rows]) == []
    assert {r["finding"] for r in rows} == values
    assert [r for r in rows if r["unit"] != findings()[r["finding"]]["unit"]] == []
    own = {r["finding"]: (float(r["factor"]), float(r["offset"])) for r in rows if r["unit_seen"] == r["unit"]}
    assert {f for f in values if own.get(f) != (1.0, 0.0)} == set()
    assert [r for r in rows if float(r["factor"]) <= 0] == []
    assert [r for r in rows if float(r["plausible_low"]) >= float(r["plausible_high"])] == []
    assert [r for r in rows if r["unit_seen"] == "{ratio}" and r["finding"] == "upcr"] == []


def test_bounds_of_a_finding_are_the_same_in_every_row() -> None:
    bounds: dict[str, set[tuple[str, str]]] = {}
    for row in table("units"):
        bounds.setdefault(row["finding"], set()).add((row["plausible_low"], row["plausible_high"]))
    assert {f for f, pairs in bounds.items() if len(pairs) > 1} == set()


def test_factors_agree_with_a_ucum_library() -> None:
    """Molar factors, arbitrary units and readings noted in the row are not a matter of dimensions and are left out."""
    ucumvert = pytest.importorskip("ucumvert")
    pint = pytest.importorskip("pint")
    registry = ucumvert.PintUcumRegistry()

    def size(text: str) -> tuple[float, object]:
        """A UCUM unit as a number times a unit of the registry ('24.h' is 24 times an hour)."""
        read = registry.from_ucum(text)
        return getattr(read, "magnitude", 1.0), getattr(read, "units", read)

    checked, wrong = 0, []
    for row in table("units"):
        seen, unit = row["unit_seen"], row["unit"]
        if seen == unit or row["note"] or "{" in re.sub(r"\{1\.73_m2\}", "", seen) + unit.replace("{1.73_m2}", ""):
            continue
        if re.search(r"'U\]|\[HPF\]", seen + unit):
            continue
        (times, left), (over, right) = (size(u.replace("/{1.73_m2}", "")) for u in (seen, unit))
        for number in (0.0, 1.0, 10.0):
            try:
                expected = registry.Quantity(number * times, left).to(right).magnitude / over
            except pint.DimensionalityError:
                wrong.append((row["finding"], seen, unit, "dimension"))
                break
            got = number * float(row["factor"]) + float(row["offset"])
            if got != pytest.approx(expected, rel=1e-9, abs=1e-9):
                wrong.append((row["finding"], seen, unit, f"{got} is not {expected}"))
        checked += 1
    assert wrong == []
    assert checked > 60


@pytest.mark.parametrize(
    ("finding", "unit", "value", "expected"),
    [
        ("wbc", "/uL", 3200, 3.2),
        ("c3", "mg/dL", 70, 0.70),
        ("upcr", "mg/g", 500, 0.5),
        ("upcr", "mg/mmol", 56.561, 0.5),
        ("urine_protein_24h", "mg/(24.h)", 500, 0.5),
        ("body_temperature", "[degF]", 101, 38.3333),
        ("creatinine", "umol/L", 88.4, 1.0),
        ("vitamin_d_25oh", "ng/mL", 20, 49.925),
        ("crp", "mg/dL", 1.2, 12),
        ("hemoglobin", "g/L", 120, 12),
        ("hemoglobin", "mmol/L", 7.4, 11.92),
    ],
)
def test_worked_conversions(finding: str, unit: str, value: float, expected: float) -> None:
    [row] = [r for r in table("units") if (r["finding"], r["unit_seen"]) == (finding, unit)]
    assert value * float(row["factor"]) + float(row["offset"]) == pytest.approx(expected, rel=1e-3)


def test_unit_aliases() -> None:
    rows = table("unit_aliases")
    seen = {r["unit_seen"] for r in table("units")}
    assert repeated([(r["seen"],) for r in rows]) == []
    assert [r for r in rows if r["seen"] in seen] == []
    # antibodies are compared with the limit of their own laboratory: their units need a name, not a conversion
    named_only = {"[IU]/mL", "k[IU]/L", "{AU}/mL", "{CU}", "{AI}"}
    assert {r["ucum"] for r in rows} - seen == named_only
    alias = {r["seen"]: r["ucum"] for r in rows}
    for text, unit in {
        "K/uL": "10*3/uL", "K/µL": "10*3/uL", "x10E3/uL": "10*3/uL", "10^3/uL": "10*3/uL", "10^9/L": "10*9/L",
        "x10^9/L": "10*9/L", "G/L": "10*9/L", "thou/uL": "10*3/uL", "1000/uL": "10*3/uL", "cells/uL": "{cells}/uL",
        "g/24h": "g/(24.h)", "mg/24 h": "mg/(24.h)", "mg/24hr": "mg/(24.h)", "g/g creat": "g/g",
        "mg/g{creat}": "mg/g", "mg/mmol creat": "mg/mmol", "GPL": "[GPL'U]", "GPL-U/mL": "[GPL'U]/mL",
        "MPL": "[MPL'U]", "degF": "[degF]", "°F": "[degF]", "F": "[degF]", "°C": "Cel", "C": "Cel", "lb": "[lb_av]",
        "lbs": "[lb_av]", "mm/hr": "mm/h", "IU/mL": "[IU]/mL", "AU/mL": "{AU}/mL", "mcg/L": "ug/L",
    }.items():  # fmt: skip
        assert alias[text] == unit
    assert [text for text, unit in alias.items() if text[:2].lower() == "k/" and unit == "K"] == []
    assert [text for text, unit in alias.items() if unit == "K"] == []


def test_reference_ranges() -> None:
    rows = table("reference_ranges")
    assert repeated([(r["finding"], r["sex"]) for r in rows]) == []
    by_finding: dict[str, set[str]] = {}
    for row in rows:
        by_finding.setdefault(row["finding"], set()).add(row["sex"])
        assert findings()[row["finding"]]["kind"] == "value"
        assert row["low"] or row["high"]
        [bounds] = {
            (float(u["plausible_low"]), float(u["plausible_high"]))
            for u in table("units")
            if u["finding"] == row["finding"]
        }
        low, high = float(row["low"] or bounds[0]), float(row["high"] or bounds[1])
        assert bounds[0] <= low <= high <= bounds[1], row
    assert {frozenset(sexes) for sexes in by_finding.values()} == {frozenset({"any"}), frozenset({"female", "male"})}


# --- words ----------------------------------------------------------------------------------------------------------


def test_result_words() -> None:
    rows = table("result_words")
    assert repeated([(r["word"],) for r in rows]) == []
    assert {r["interpretation"] for r in rows} == {"POS", "NEG", "IND", "N", "L", "H"}
    assert [r for r in rows if r["word"] != r["word"].strip().lower()] == []
    codes = [r["word"] for r in rows if r["word"].isdigit()]
    assert [c for c in codes if not verhoeff(c)] == []
    word = {r["word"]: r["interpretation"] for r in rows}
    for text, meaning in {
        "positive": "POS", "not detected": "NEG", "none detected": "NEG", "weakly positive": "IND", "equivocal": "IND",
        "within normal limits": "N", "low": "L", "10828004": "POS", "260385009": "NEG", "260373001": "POS",
        "260415000": "NEG", "419984006": "IND", "42425007": "IND", "la6576-8": "POS", "la6577-6": "NEG",
        "la11882-0": "POS", "la11883-8": "NEG",
    }.items():  # fmt: skip
        assert word[text] == meaning


@pytest.mark.parametrize("text", ["-", "", "n", "nd", "abnormal", "pending", "see comment", "not done", "unknown"])
def test_words_that_say_nothing_are_not_read(text: str) -> None:
    """A dash or 'ND' may stand for a missing result: unknown is never absent."""
    assert text not in {r["word"] for r in table("result_words")}
