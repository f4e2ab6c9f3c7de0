"""Treatment rules: for each rule a case that fires, one that just does not, one silent for want of data, one excused."""

from __future__ import annotations

import datetime as dt
import random
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import records
from cases import fm_form, state, value
from cohort import warm

import tellapart
from tellapart.knowledge.load import load
from tellapart.tasks.document import Documents
from tellapart.tasks.session import Options, Session
from tellapart.tasks.workup import workup, workup_documents

pytestmark = pytest.mark.proves("medicine_stopped", "opposed_advice", "marmor_2016")

Json = dict[str, Any]
EXAMPLES = Path(tellapart.__file__).parent / "examples"
AS_OF = "2026-01-01"
DAY = "2025-12-15"  # within the 30 days that activity looks back

LUPUS = [state(f, day=DAY) for f in ("ana_ge_80", "anti_dsdna", "acute_cutaneous_lupus", "synovitis")]
NO_LUPUS = [
    state(f, "absent")
    for f in ("ana_ge_320", "anti_dsdna", "anti_sm", "low_c3", "low_c4", "synovitis", "serositis", "malar_rash")
]
FM, MILD_FM = (
    [fm_form(date=DAY)],
    [fm_form(date=DAY, pain_sites=["neck"], fatigue=1, waking_unrefreshed=0, cognitive=0)],
)
UNDATED = [{k: v for k, v in s.items() if k != "date"} for s in NO_LUPUS]  # no two dated tests: the label is not judged
CODED_FM, CODED_SLE = [state("fm_dx")], [state("sle_dx")]


def drug(name: str, start: str = "2025-11-15", dose: float | None = None, end: str | None = None) -> Json:
    return {"drug": name, "start": start, "end": end} | ({"dose": dose, "unit": "mg/d"} if dose else {})


def prescribed(**drugs: str) -> Json:
    """A record that holds prescriptions without an end, each from its day on: nobody knows whether one of long ago is still taken."""
    return person(prescriptions=drugs)


LONG_AGO, LATELY = "2024-03-01", "2025-12-01"


def person(findings: list[Json] | None = None, drugs: list[Json] | None = None, **more: Any) -> Json:
    return {"findings": findings or [], "drugs": drugs or [], "sex": "female", "age": 34} | more


def kilograms(weight: float, day: str = DAY) -> Json:
    return value("body_weight", weight, "kg", day)


def undated(entry: Json) -> Json:
    return {k: v for k, v in entry.items() if k != "date"}


def hcq(dose: float | None = 400, start: str = "2025-11-15") -> Json:
    return drug("hydroxychloroquine", start, dose)


EYES = state("eye_examination")
RENEWED = [drug("hydroxychloroquine", f"{year}-{month:02}-15") for year in range(2019, 2026) for month in (1, 5, 9)]
ON_STEROID = [drug("prednisone", day, 7.5) for day in ("2025-05-01", "2025-09-01", "2025-12-01")]

# rule: (fires, just does not, silent because unknown, excused); None where the rule has no such case
RULES: dict[str, tuple[Json, Json, Json | None, Json | None]] = {
    # 400 mg / 76.92 kg = 5.2002; 400 / 80 = 5.0
    "hcq_over_5": (
        person([kilograms(75)], [hcq()]), person([kilograms(80)], [hcq()]), person([kilograms(75)], [hcq(None)]), None,
    ),
    "hcq_over_6": (person([kilograms(66)], [hcq()]), person([kilograms(67)], [hcq()]), person([], [hcq()]), None),
    "hcq_weight_old": (
        person([kilograms(70, "2024-12-31")], [hcq()]), person([kilograms(70, "2025-01-01")], [hcq()]),
        person([undated(kilograms(70))], [hcq()]), None,
    ),
    "hcq_egfr_low": (
        person([value("egfr", 59, "mL/min/{1.73_m2}")], [hcq()]), person([value("egfr", 61, "mL/min/{1.73_m2}")], [hcq()]),
        person([], [hcq()]), None,
    ),
    "hcq_tamoxifen": (person([], [hcq(), drug("tamoxifen")]), person([], [hcq(), drug("sertraline")]), prescribed(hydroxychloroquine=LATELY, tamoxifen=LONG_AGO), None),
    "eye_baseline": (person([], RENEWED[-6:]), person([], RENEWED[-3:]), person([], [drug("hydroxychloroquine", None)]), None),
    "eye_overdue": (person([], RENEWED), person([EYES], RENEWED), person([], RENEWED[-6:]), None),
    "hcq_low_dose": (
        person([*LUPUS, *CODED_SLE, kilograms(70)], [hcq(200)]), person([*LUPUS, kilograms(50)], [hcq(200)]), person(LUPUS, [hcq(200)]),
        person([*LUPUS, kilograms(70), state("antimalarial_reason_against")], [hcq(200)]),
    ),
    "steroid_no_inflammation": (
        person(NO_LUPUS, ON_STEROID, instruments=FM), person(NO_LUPUS, [drug("prednisone", "2025-10-04")], instruments=FM),
        person(NO_LUPUS, [drug("prednisone", None)], instruments=FM), None,
    ),
    "steroid_over_5": (
        person([], ON_STEROID), person([], [*ON_STEROID, drug("prednisone", "2025-12-20", 5)]),
        person([], [drug("prednisone", d) for d in ("2025-05-01", "2025-09-01")]), None,
    ),
    "steroid_bone": (
        person([], ON_STEROID), person([], [*ON_STEROID, drug("cholecalciferol")]), person([], [drug("prednisone", None)]), None,
    ),
    "immunosuppressant_evidence_fm": (
        person(UNDATED, [drug("azathioprine")], instruments=FM), person(LUPUS, [drug("azathioprine")], instruments=FM),
        person(UNDATED, [drug("azathioprine")]), None,
    ),
    "escalation_type2": (
        person([*LUPUS, *CODED_SLE, value("clinical_sledai_total", 3, day=DAY)], [drug("azathioprine")], instruments=FM),
        person([*LUPUS, *CODED_SLE, value("clinical_sledai_total", 4, day=DAY)], [drug("azathioprine")], instruments=FM),
        person([*LUPUS, *CODED_SLE, value("clinical_sledai_total", 3, day=DAY)], [drug("azathioprine")]), None,
    ),
    "nephritis_untreated": (
        person([*LUPUS, state("nephritis_class_iv")], [hcq()]),
        person([*LUPUS, state("nephritis_class_iv")], [hcq(), drug("mycophenolate_mofetil")]),
        person([*LUPUS, state("nephritis_class_iv")]),
        person([*LUPUS, state("nephritis_class_iv"), state("dialysis_dx")], [hcq()]),
    ),
    "sle_no_hcq": (
        person(LUPUS, [drug("prednisone")]), person(LUPUS, [hcq()]), person(LUPUS),
        person([*LUPUS, state("antimalarial_reason_against")], [drug("prednisone")]),
    ),
    "opioid_in_fm": (
        person(CODED_FM, [drug("oxycodone")]), person(CODED_FM, [drug("tramadol")]), person([], [drug("oxycodone")]),
        person([*CODED_FM, state("malignancy_dx")], [drug("oxycodone")]),
    ),
    "fm_in_sle_untreated": (
        person(LUPUS, [hcq()], instruments=FM), person([*LUPUS, state("nondrug_treatment")], [hcq()], instruments=FM),
        person(LUPUS, instruments=FM), None,
    ),
    "nondrug_never_tried": (
        person([], [drug("duloxetine")], instruments=FM), person([state("nondrug_treatment")], [drug("duloxetine")], instruments=FM),
        person([], [drug("duloxetine")]), None,
    ),
    "serotonergic_two": (
        person([], [drug("duloxetine"), drug("tramadol")]), person([], [drug("duloxetine"), drug("tramadol", "2025-01-01", end="2025-11-01")]),
        None, None,
    ),
    "hcq_qt": (person([], [hcq(), drug("citalopram")]), person([], [hcq(), drug("sertraline")]), prescribed(hydroxychloroquine=LATELY, citalopram=LONG_AGO), None),
    "gabapentinoid_opioid": (person([], [drug("pregabalin"), drug("codeine")]), person([], [drug("pregabalin")]), prescribed(pregabalin=LATELY, codeine=LONG_AGO), None),
    "nsaid_nephritis": (
        person([state("proteinuria_ge_500")], [drug("ibuprofen")]), person([state("proteinuria_ge_500")], [drug("aspirin")]),
        person([], [drug("ibuprofen")]), None,
    ),
    "nsaid_calcineurin": (person([], [drug("naproxen"), drug("tacrolimus")]), person([], [drug("aspirin"), drug("tacrolimus")]), prescribed(naproxen=LATELY, tacrolimus=LONG_AGO), None),
    "snri_nsaid": (person([], [drug("duloxetine"), drug("ibuprofen")]), person([], [drug("duloxetine")]), prescribed(duloxetine=LATELY, ibuprofen=LONG_AGO), None),
    "azathioprine_xanthine_oxidase": (
        person([], [drug("azathioprine"), drug("allopurinol")]), person([], [drug("mycophenolate_mofetil"), drug("allopurinol")]), prescribed(azathioprine=LATELY, allopurinol=LONG_AGO), None,
    ),
    "methotrexate_trimethoprim": (
        person([], [drug("methotrexate"), drug("trimethoprim")]),
        person([], [drug("methotrexate"), drug("trimethoprim", "2025-10-01", end="2025-10-08")]), prescribed(methotrexate=LATELY, trimethoprim=LONG_AGO), None,
    ),
    "two_biologics": (person([], [drug("belimumab"), drug("rituximab")]), person([], [drug("belimumab")]), None, None),
    "teratogen_woman": (
        person([], [drug("methotrexate")], age=49), person([], [drug("methotrexate")], age=50),
        person([], [drug("methotrexate")], sex="unknown"), person([state("contraception")], [drug("methotrexate")]),
    ),
    "teratogen_pregnancy": (
        person([state("pregnancy_dx", day="2025-09-01")], [drug("methotrexate")]),
        person([state("pregnancy_dx", day="2024-09-01")], [drug("methotrexate")]),
        person([undated(state("pregnancy_dx"))], [drug("methotrexate")]), None,
    ),
    "drug_induced_culprit": (
        person([state("ana_positive"), state("pleural_effusion", by="clinician"), state("anti_histone")], [drug("hydralazine", "2025-03-01", end="2025-12-20")]),
        person([state("ana_positive", "absent"), state("pleural_effusion", by="clinician")], [drug("hydralazine", "2025-03-01", end="2025-12-20")]),
        None, None,
    ),
    "tx_lupus_evidence_fm": (
        person([*(s | {"date": "2025-05-01"} for s in NO_LUPUS)], [drug("prednisone", "2025-06-01"), drug("prednisone", "2025-11-01")], instruments=FM),
        person([*(s | {"date": "2025-05-01"} for s in NO_LUPUS), state("subacute_cutaneous_lupus")], [drug("prednisone", "2025-06-01"), drug("prednisone", "2025-11-01")], instruments=FM),
        person([*(s | {"date": "2025-05-01"} for s in NO_LUPUS)], [drug("prednisone", "2025-06-01"), drug("prednisone", "2025-11-01")]), None,
    ),
    "tx_fm_evidence_lupus": (
        person([*CODED_FM, state("malar_rash", by="clinician"), state("low_c3_or_c4")], [drug("duloxetine")]),
        person([*CODED_FM, state("low_c3_or_c4"), *(state(f, "absent") for f in (
            "malar_rash", "ana_positive", "anti_sm", "anti_dsdna", "synovitis"))], [drug("duloxetine"), hcq()]),
        person([*CODED_FM, state("low_c3_or_c4")], [drug("duloxetine")]), None,
    ),
    "label_sle_evidence_not": (
        person([*CODED_SLE, *NO_LUPUS], instruments=FM), person([*CODED_SLE, *LUPUS]),
        person(CODED_SLE), None,
    ),
    "steroid_no_sparing": (
        person(LUPUS, ON_STEROID), person(LUPUS, [*ON_STEROID, drug("azathioprine")]),
        person(LUPUS, [drug("prednisone", d) for d in ("2025-05-01", "2025-09-01")]), None,
    ),
    "nephritis_no_biopsy": (
        person([*LUPUS, state("proteinuria_ge_500")]), person([*LUPUS, state("proteinuria_ge_500"), state("nephritis_class_iv")]),
        person([state("proteinuria_ge_500")]), None,
    ),
    "nephritis_not_triple": (
        person([*LUPUS, state("nephritis_class_iv")], [drug("mycophenolate_mofetil")]),
        person([*LUPUS, state("nephritis_class_iv")], [drug("mycophenolate_mofetil"), drug("belimumab")]),
        person([*LUPUS, state("nephritis_class_iv")]),
        person([*LUPUS, state("nephritis_class_iv"), state("dialysis_dx")], [drug("mycophenolate_mofetil")]),
    ),
    "proteinuria_no_raas": (
        person([*LUPUS, state("proteinuria_ge_500")], [hcq()]), person([*LUPUS, state("proteinuria_ge_500")], [drug("ramipril")]),
        person([*LUPUS, state("proteinuria_ge_500")]), None,
    ),
    "sle_urine_overdue": (
        person([*CODED_SLE, value("wbc", 5, "10*9/L"), value("upcr", 0.1, "g/g", "2024-12-31")]),
        person([*CODED_SLE, value("wbc", 5, "10*9/L"), value("upcr", 0.1, "g/g", "2025-01-01")]),
        person([*CODED_SLE, value("wbc", 5, "10*9/L"), undated(value("upcr", 0.1, "g/g"))]),
        person([*CODED_SLE, value("wbc", 5, "10*9/L"), state("dialysis_dx")]),
    ),
    "nephritis_urine_overdue": (
        person([state("nephritis_class_iv"), value("upcr", 0.1, "g/g", "2025-07-01")]),
        person([state("nephritis_class_iv"), value("upcr", 0.1, "g/g", "2025-07-02")]),
        person([state("nephritis_class_iv"), undated(value("upcr", 0.1, "g/g"))]),
        person([state("nephritis_class_iv"), state("dialysis_dx")]),
    ),
    "immunosuppressant_labs_overdue": (
        person([value("wbc", 5, "10*9/L", "2025-10-08"), value("creatinine", 0.8, "mg/dL")], [drug("azathioprine", "2025-06-01")]),
        person([value("wbc", 5, "10*9/L", "2025-10-09"), value("creatinine", 0.8, "mg/dL")], [drug("azathioprine", "2025-06-01")]),
        person([value("wbc", 5, "10*9/L", "2025-01-08")], [drug("azathioprine", None)]), None,
    ),
    "calcineurin_labs_missing": (
        person([value("wbc", 5, "10*9/L")], [drug("tacrolimus")]),
        person([value("wbc", 5, "10*9/L"), value("creatinine", 0.8, "mg/dL")], [drug("tacrolimus")]),
        person([value("wbc", 5, "10*9/L")], [drug("tacrolimus", None)]), None,
    ),
    "infection_screen_missing": (
        person([value("wbc", 5, "10*9/L"), state("hepatitis_b_marker", "absent")], [drug("rituximab")]),
        person([value("wbc", 5, "10*9/L"), state("hepatitis_b_marker", "absent"), state("hepatitis_c_antibody", "absent")], [drug("rituximab")]),
        None, None,
    ),
    "b_cell_depletion_vaccines": (
        person([state("influenza_vaccine")], [drug("rituximab")]),
        person([state("influenza_vaccine"), state("pneumococcal_vaccine")], [drug("rituximab")]), None, None,
    ),
    "anifrolumab_zoster": (person([], [drug("anifrolumab")]), person([state("zoster_vaccine")], [drug("anifrolumab")]), None, None),
    "live_vaccine_immunosuppressed": (
        person([state("live_vaccine", day="2025-12-04")], [drug("methotrexate")]),
        person([state("live_vaccine", day="2025-12-03")], [drug("methotrexate")]),
        person([state("live_vaccine", day="2025-12-04")], [drug("prednisone")]), None,
    ),
    "estrogen_antiphospholipid": (
        person([state("lupus_anticoagulant")], [drug("ethinyl_estradiol")]),
        person([state(f, "absent") for f in ("lupus_anticoagulant", "anticardiolipin", "anti_b2gp1")], [drug("ethinyl_estradiol")]),
        person([], [drug("ethinyl_estradiol")]), None,
    ),
    "maoi_serotonergic": (person([], [drug("linezolid"), drug("sertraline")]), person([], [drug("linezolid"), drug("pregabalin")]), prescribed(linezolid=LATELY, sertraline=LONG_AGO), None),
    "hcq_cyp2d6": (person([], [hcq(), drug("metoprolol")]), person([], [hcq(), drug("amlodipine")]), prescribed(hydroxychloroquine=LATELY, metoprolol=LONG_AGO), None),
    "duloxetine_tricyclic": (
        person([], [drug("duloxetine"), drug("amitriptyline")]), person([], [drug("milnacipran"), drug("amitriptyline")]), prescribed(duloxetine=LATELY, amitriptyline=LONG_AGO), None,
    ),
    "duloxetine_liver": (
        person([state("liver_cirrhosis_dx")], [drug("duloxetine")]), person([state("liver_cirrhosis_dx", "absent")], [drug("duloxetine")]),
        person([], [drug("duloxetine")]), None,
    ),
    "nsaid_raas": (person([], [drug("ibuprofen"), drug("losartan")]), person([], [drug("aspirin"), drug("losartan")]), prescribed(ibuprofen=LATELY, losartan=LONG_AGO), None),
    "nsaid_methotrexate": (
        person([], [drug("ibuprofen"), drug("methotrexate")]), person([], [drug("acetaminophen"), drug("methotrexate")]), prescribed(ibuprofen=LATELY, methotrexate=LONG_AGO), None,
    ),
    "nsaid_steroid": (person([], [drug("ibuprofen"), drug("prednisone")]), person([], [drug("ibuprofen"), hcq()]), prescribed(ibuprofen=LATELY, prednisone=LONG_AGO), None),
    "nsaid_for_fm": (
        person(UNDATED, [drug("naproxen", "2025-10-03")], instruments=FM), person(UNDATED, [drug("naproxen", "2025-10-04")], instruments=FM),
        person(UNDATED, [drug("naproxen", None)], instruments=FM), None,
    ),
    "oxybate_in_fm": (person(CODED_FM, [drug("sodium_oxybate")]), person(CODED_FM, [drug("sodium_oxybate", "2025-01-01", end="2025-06-01")]), person([], [drug("sodium_oxybate")]), None),
    "gabapentinoid_sedative": (
        person([], [drug("pregabalin"), drug("diazepam")]), person([], [drug("pregabalin"), drug("zolpidem")]), prescribed(pregabalin=LATELY, diazepam=LONG_AGO), None,
    ),
    "hcq_hypoglycemia": (person([], [hcq(), drug("glipizide")]), person([], [drug("glipizide")]), prescribed(hydroxychloroquine=LATELY, glipizide=LONG_AGO), None),
    "hcq_raises_level": (person([], [hcq(), drug("digoxin")]), person([], [hcq(), drug("metoprolol")]), prescribed(hydroxychloroquine=LATELY, digoxin=LONG_AGO), None),
    "hcq_macular": (
        person([state("macular_disease_dx")], [hcq()]), person([state("macular_disease_dx", "absent")], [hcq()]), person([], [hcq()]), None,
    ),
    "sulfonamide_in_sle": (
        person(CODED_SLE, [drug("sulfamethoxazole")]), person(NO_LUPUS, [drug("sulfamethoxazole")], instruments=FM),
        person([], [drug("sulfamethoxazole")]), None,
    ),
    "calcineurin_cyp3a4": (
        person([], [drug("tacrolimus"), drug("clarithromycin")]), person([], [drug("tacrolimus"), drug("azithromycin")]), prescribed(tacrolimus=LATELY, clarithromycin=LONG_AGO), None,
    ),
    # 260 and 31 days are 291 of the last 365, 262 and 32 are 294
    "hcq_gaps": (
        person([], [drug("hydroxychloroquine", "2025-01-01", end="2025-09-18"), drug("hydroxychloroquine", "2025-12-02", end="2026-01-20")]),
        person([], [drug("hydroxychloroquine", "2025-01-01", end="2025-09-20"), drug("hydroxychloroquine", "2025-12-01", end="2026-01-20")]),
        None, None,
    ),
    "possible_steroid_withdrawal": (
        person([state("myalgia", day="2025-12-20")], [drug("prednisone", "2025-06-01", 10), drug("prednisone", "2025-11-06", 5)]),
        person([state("myalgia", day="2025-12-20")], [drug("prednisone", "2025-06-01", 10), drug("prednisone", "2025-11-05", 5)]),
        person([], [drug("prednisone", "2025-06-01", 10), drug("prednisone", "2025-11-06", 5)]), None,
    ),
}  # fmt: skip
KINDS = ("fires", "just_not", "silent", "excused")
CASES = [(rule, kind) for rule, cases in RULES.items() for kind, case in zip(KINDS, cases, strict=True) if case]
RECORDS = [(rule, kind) for rule, kind in CASES if "prescriptions" in (RULES[rule][KINDS.index(kind)] or {})]
TYPED = [case for case in CASES if case not in RECORDS]


NO_SILENT = {
    "serotonergic_two": "one drug that is taken and one of long ago are not two: a record is full of drugs of long ago",
    "two_biologics": "as serotonergic_two",
    "drug_induced_culprit": "it has one term, the suspicion, which is silent itself when its findings are unknown",
    "infection_screen_missing": "it asks what is on record, which is always known",
    "b_cell_depletion_vaccines": "as infection_screen_missing",
    "anifrolumab_zoster": "as infection_screen_missing",
    "hcq_gaps": "a share of days covered that is not known triggers nothing",
}
"""Rules that cannot be silent for want of data, and why (decision 12)."""


def given(rule: str, kind: str) -> Json:
    case = RULES[rule][KINDS.index(kind)]
    assert case is not None
    return case


def cases() -> list[Json]:
    """A document for each case but those of records."""
    documents = []
    for number, (rule, kind) in enumerate(TYPED):
        said = given(rule, kind)
        who = {"id": f"synthetic-{number}", "sex": said["sex"], "age": said["age"], "birth_date": None}
        documents.append(
            {
                "schema": "tellapart.case/1", "person": who, "as_of": AS_OF, "findings": said["findings"],
                "drugs": [{k: v for k, v in d.items() if v is not None} for d in said["drugs"]],
                "instruments": said.get("instruments", []),
            }
        )  # fmt: skip
    return documents


@cache
def made() -> dict[tuple[str, str], Json]:
    return dict(zip(TYPED, workup_documents(cases()), strict=True)) | dict(zip(RECORDS, from_records(), strict=True))


def from_records() -> list[Json]:
    """The workups of those whose drugs stand in a record."""
    return [recorded(**given(rule, kind)["prescriptions"]) for rule, kind in RECORDS]


def recorded(**drugs: str) -> Json:
    """The workup of a FHIR record of these prescriptions, each from its day on and without an end."""
    codes = {r["drug"]: r["code"] for r in reversed(load()["drug_codes"]) if r["system"] == "rxnorm"}
    rows = [records.patient("p"), *(records.prescription("p", drug, codes[drug], day) for drug, day in drugs.items())]
    with tempfile.TemporaryDirectory() as folder:
        path = records.write(Path(folder) / "p.json", records.bundle(rows))
        return workup(warm(), path, Options(as_of=dt.date.fromisoformat(AS_OF)))


def found(document: Json, rule: str) -> str:
    """Where the document has the rule."""
    for key, kind in (("treatment", "fires"), ("treatment_silent", "silent"), ("treatment_excused", "excused")):
        if rule in {entry["rule"] for entry in document[key]}:
            return kind
    return "just_not"


@pytest.mark.parametrize(("rule", "kind"), CASES)
def test_each_rule(rule: str, kind: str) -> None:
    document = made()[rule, kind]
    assert found(document, rule) == kind
    for entry in document["treatment_silent"]:
        assert entry["rule"] != rule or entry["needs"], "a silent rule says what it needs"


def test_every_rule_has_its_cases() -> None:
    """Each of the four kinds is there, or cannot be: no row excuses the rule, or words say why it is never silent."""
    shown = {row["rule"]: row["shown_as"] for row in load()["treatment_rules"]}
    assert set(RULES) == set(shown.values())
    excusable = {shown[row["rule"]] for row in load()["treatment_clauses"] if row["role"] == "excuses"}
    for rule, (fires, just_not, silent, excused) in RULES.items():
        assert fires and just_not, rule
        assert (silent is None) == (rule in NO_SILENT), rule
        assert (excused is not None) == (rule in excusable), rule


@pytest.mark.parametrize(
    ("rule", "now", "once"),
    [("serotonergic_two", "duloxetine", "tramadol"), ("two_biologics", "belimumab", "rituximab")],
)
def test_a_count_does_not_ask_for_a_drug_of_long_ago(rule: str, now: str, once: str) -> None:
    assert found(recorded(**{now: LATELY, once: LONG_AGO}), rule) == "just_not"
    assert found(recorded(**{now: LATELY, once: LATELY}), rule) == "fires"


def test_a_drug_that_a_list_does_not_name_is_not_taken() -> None:
    """Decision 12: with drugs on record the partner of an interaction is known to be missing, so nothing is asked."""
    (document,) = workup_documents([{"schema": "tellapart.case/1", "person": {"id": "x"}, "as_of": AS_OF,
                                     "drugs": [{"drug": "hydroxychloroquine", "start": DAY}]}])  # fmt: skip
    assert found(document, "hcq_tamoxifen") == "just_not"


def test_dose_by_weight_to_two_decimals_and_tablets_as_information() -> None:
    def said(weight: float) -> list[tuple[str, str]]:
        documents = workup_documents(
            [{"schema": "tellapart.case/1", "person": {"id": "synthetic-1"}, "as_of": AS_OF, "findings": [kilograms(weight)], "drugs": [
                {"drug": "hydroxychloroquine", "dose": 400, "unit": "mg/d", "start": DAY}]}]
        )  # fmt: skip
        return [(t["severity"], t["text"]) for t in documents[0]["treatment"] if t["rule"] == "hcq_over_5"]

    assert said(80) == []  # 5.00
    ((severity, text),) = said(78)  # 400 / 78 = 5.128
    assert severity == "info" and "5.13 mg/kg/day" in text
    ((severity, text),) = said(76)  # 400 / 76 = 5.263
    assert severity == "review" and "5.26 mg/kg/day" in text and "check the eye plan" in text


def test_the_evidence_says_nothing_twice() -> None:
    for document in made().values():
        for entry in document["treatment"]:
            said = [(e["reference"], e["text"]) for e in entry["evidence"]]
            assert len(said) == len(set(said)), entry


def test_no_text_tells_anybody_to_stop() -> None:
    order = re.compile(r"\b(stop|start|increase|reduce|discontinue|withdraw|switch)\b", re.IGNORECASE)
    forbids = "Do not stop medicines on your own"  # the one place for the word: it tells nobody to
    assert [r["rule"] for r in load()["treatment_rules"] if order.search(r["text"].replace(forbids, ""))] == []
    assert [
        r["rule"] for r in load()["treatment_rules"] if r["pulls"] == "more_lupus" and r["basis"] != "evidence"
    ] == []


def test_no_two_rules_pull_opposite_ways() -> None:
    pulls = {r["rule"]: r["pulls"] for r in load()["treatment_rules"]}
    for case, document in made().items():
        held = {pulls[t["rule"]] for t in document["treatment"]}
        assert not {"more_lupus", "less_lupus"} <= held, case
        label = {
            "tx_lupus_evidence_fm",
            "steroid_no_inflammation",
            "immunosuppressant_evidence_fm",
            "label_sle_evidence_not",
        }
        assert not ("more_antimalarial" in held and label & {t["rule"] for t in document["treatment"]}), case


def test_no_two_rules_pull_opposite_ways_in_any_mixture_of_the_cases() -> None:
    """Persons drawn from all findings, forms and drugs of the cases, many at a time."""
    draw = random.Random(9)
    given = [case for cases in RULES.values() for case in cases if case]
    findings = [f for case in given for f in case["findings"]]
    drugs = [d for case in given for d in case["drugs"]]
    documents = [
        {
            "schema": "tellapart.case/1", "as_of": AS_OF, "person": {"id": f"synthetic-{n}", "sex": "female", "age": 34},
            "findings": draw.choices(findings, k=draw.randint(1, 25)), "instruments": draw.choice([[], FM, MILD_FM]),
            "drugs": [{k: v for k, v in d.items() if v is not None} for d in draw.choices(drugs, k=draw.randint(1, 6))],
        }
        for n in range(200)
    ]  # fmt: skip
    rows = {r["rule"]: r for r in load()["treatment_rules"]}
    seen = set()
    for document in workup_documents(documents):
        rules = [rows[t["rule"]] for t in document["treatment"]]
        pulls, purposes = {r["pulls"] for r in rules}, {r["purpose"] for r in rules}
        assert not {"more_lupus", "less_lupus"} <= pulls, [r["rule"] for r in rules]
        assert not {"choice", "disagreement"} <= purposes, [r["rule"] for r in rules]
        seen |= pulls
    assert {"more_lupus", "less_lupus"} <= seen, "the mixture shows both directions, or it proves nothing"


def test_an_audit_judges_as_a_workup_does() -> None:
    """The same rows for persons of interest, though an audit works out activity for few of them and on one day."""
    documents = list(cases())

    def judged(everybody: bool) -> tuple[set[str], set[tuple[Any, ...]]]:
        session = Session(keep_all=True)
        session.read_documents(documents, Options())
        people = {r["person"]: r["person_id"] for r in session.engine.rows("select person, person_id from persons")}
        session.analyse(Options(), None if everybody else sorted(people))
        rows = session.answers.rows("select * from treatment")
        of_interest = {people[r["person"]] for r in session.answers.rows("select person from interest")}
        return of_interest, {(people[r.pop("person")], *r.values()) for r in rows}

    (of_interest, audited), (_, worked_up) = judged(everybody=True), judged(everybody=False)
    assert len(of_interest) > len(documents) / 3
    assert audited == {row for row in worked_up if row[0] in of_interest}


def test_disagreement_of_code_and_evidence_stands_in_place_of_choice() -> None:
    purposes = {r["rule"]: r["purpose"] for r in load()["treatment_rules"]}
    for case, document in made().items():
        held = {purposes[t["rule"]] for t in document["treatment"]}
        assert not {"choice", "disagreement"} <= held, case


def test_reciprocal_checks_name_what_is_done_and_what_is_not() -> None:
    (entry,) = made()["opioid_in_fm", "fires"]["reciprocal"]
    assert (
        entry["id"] == "sle_never_excluded"
        and entry["done"] == []
        and "Complete blood count with differential" in entry["missing"]
    )
    (entry,) = made()["label_sle_evidence_not", "just_not"]["reciprocal"]
    assert entry["id"] == "fm_never_looked_for" and "FiRST screen" in entry["missing"]


def test_every_flag_of_the_shipped_example_was_read_by_hand() -> None:
    """Nobody is told that a drug is missing which was prescribed without an end: whether it is taken is unknown."""
    session = Session()
    session.read(EXAMPLES, Options())
    people = {r["person"]: r["person_id"] for r in session.engine.rows("select person, person_id from persons")}
    session.analyse(Options(), sorted(people))
    documents = Documents(session.answers, session.knowledge)
    held = {(people[p], t["rule"]) for p in people for t in documents.workup(p)["treatment"]}
    assert held == {
        ("synthetic-017", "tx_fm_evidence_lupus"),  # creatinine rising and leukopenia
        ("synthetic-drug-induced-lupus", "drug_induced_culprit"),
        ("synthetic-fm-coded-as-sle", "label_sle_evidence_not"),
        ("synthetic-fm-coded-red-flag", "tx_fm_evidence_lupus"),  # proteinuria and few platelets
        *(
            (p, r)
            for p in ("synthetic-clear-sle", "synthetic-fm-coded-red-flag")
            for r in ("nephritis_no_biopsy", "proteinuria_no_raas")
        ),
        # lupus coded and no urine test of any kind; a drug in use and no hepatitis test of any kind
        *((f"synthetic-{n:03}", "sle_urine_overdue") for n in (1, 3, 4, 7, 8, 9, 10, 12, 14, 15, 16)),
        *((f"synthetic-{n:03}", "infection_screen_missing") for n in (4, 7, 8, 9)),
    }
    doses = session.engine.rows(
        "select distinct drug, dose, dose_unit from exposures where drug in ('hydroxychloroquine', 'mycophenolate_mofetil')"
    )
    assert {(r["drug"], r["dose"], r["dose_unit"]) for r in doses} >= {
        ("hydroxychloroquine", 400.0, "mg/d"), ("mycophenolate_mofetil", 2000.0, "mg/d"),
    }  # fmt: skip


# ---- time on a label that the evidence does not bear out ----------------------------------------------------------------------------


def labelled(drugs: list[Json], codes: list[Json] | None = None, findings: list[Json] | None = None) -> list[Json]:
    """The labels of somebody whose record supports fibromyalgia alone (or what is given) and who is coded otherwise."""
    coded = codes or [state("sle_dx", day="2020-01-01"), state("fm_dx", day="2024-01-01")]
    signs = findings or [*NO_LUPUS, *fm_signs()]
    document = {
        "schema": "tellapart.case/1", "as_of": AS_OF, "person": {"id": "synthetic-label", "sex": "female", "age": 34},
        "findings": [*signs, *coded], "instruments": FM if findings is None else [],
        "drugs": [{k: v for k, v in d.items() if v is not None} for d in drugs],
    }  # fmt: skip
    return list(workup_documents([document])[0]["wrong_labels"])


def fm_signs() -> list[Json]:
    return [
        state(f, by="clinician") for f in ("widespread_pain", "fatigue", "unrefreshing_sleep", "cognitive_symptoms")
    ]


def test_a_wrong_label_lasts_from_its_first_code_to_the_other_code() -> None:
    (label,) = labelled([])
    assert label == {
        "label": "sle",
        "from": "2020-01-01",
        "to": "2024-01-01",
        "corrected": True,
        "days": 1461,
        "given": [],
    }


def test_a_label_that_nobody_corrected_lasts_to_the_as_of_day() -> None:
    for codes in (
        [state("sle_dx", day="2025-12-22")],
        [state("sle_dx", day="2025-12-22"), state("fm_dx", day="2019-01-01")],
    ):
        (label,) = labelled([], codes)
        assert (label["to"], label["corrected"], label["days"]) == (AS_OF, False, 10)


def test_dose_days_under_a_wrong_label() -> None:
    """Prednisone 10 mg on 2020-01-11 to 20 (10 days: 100 mg), 5 mg on 16 to 25 of which 5 are new (25 mg); methylprednisolone 4 mg is 5 mg
    of prednisone, begun before the label: 2019-12-30 to 2020-01-02 counts from 2020-01-01, two days (10 mg); 135 mg on 17 days."""
    given = labelled(
        [
            drug("prednisone", "2020-01-11", 10, "2020-01-20"),
            drug("prednisone", "2020-01-16", 5, "2020-01-25"),
            drug("methylprednisolone", "2019-12-30", 4, "2020-01-02"),
            drug("prednisone", "2018-01-01", 10, "2018-02-01"),  # before the label
            drug("prednisone", "2024-01-01", 10, "2024-02-01"),  # from the day of the correction on
            drug("sertraline", "2021-01-01", 50, "2022-01-01"),  # not for lupus
        ]
    )[0]["given"]
    assert given == [
        {"drug_class": "glucocorticoid", "label": "steroid", "records": 3, "open_records": 0, "days": 17, "unread_doses": 0, "prednisone_mg": 135.0}
    ]  # fmt: skip


def test_what_ends_after_the_correction_counts_until_it_and_what_still_runs_too() -> None:
    given = labelled([drug("azathioprine", "2023-12-22", 100, "2024-06-01"), drug("hydroxychloroquine", "2023-12-27")])[
        0
    ]["given"]
    assert {g["drug_class"]: g["days"] for g in given} == {"immunosuppressant": 10, "antimalarial": 5}
    assert all(g["prednisone_mg"] is None for g in given)


def test_a_dose_that_is_not_known_is_counted_as_such() -> None:
    (given,) = labelled([drug("prednisone", "2020-01-11", None, "2020-01-20")])[0]["given"]
    assert (given["days"], given["unread_doses"], given["prednisone_mg"]) == (10, 1, None)


def test_fibromyalgia_coded_where_the_evidence_is_lupus() -> None:
    codes = [state("fm_dx", day="2020-01-01"), state("sle_dx", day="2021-01-01")]
    no_pain = [state(f, "absent") for f in ("widespread_pain", "fatigue", "unrefreshing_sleep", "cognitive_symptoms")]
    more = [
        state(f, day=DAY) for f in ("anti_sm", "low_c3", "low_c4", "leukopenia", "nephritis_class_iv", "proteinuria")
    ]
    (label,) = labelled([drug("duloxetine", "2020-06-01", 60, "2020-06-30")], codes, [*LUPUS, *more, *no_pain])
    assert (label["label"], label["to"], label["corrected"]) == ("fm", "2021-01-01", True)
    assert [(g["drug_class"], g["days"]) for g in label["given"]] == [("fm_drug", 30)]


def test_no_wrong_label_where_the_evidence_bears_the_code_out_or_decides_nothing() -> None:
    assert labelled([], [state("sle_dx", day="2020-01-01")], [*LUPUS, state("anti_sm"), state("low_c3")]) == []
    assert labelled([], [state("fm_dx", day="2020-01-01")]) == []
    assert labelled([], [state("sle_dx", day="2020-01-01")], [state("fatigue")]) == []
