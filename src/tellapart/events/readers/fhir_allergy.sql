-- fhir_concept: one row per AllergyIntolerance.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.patient) as subject_key,
  0 as part,
  'allergy' as kind,
  fhir_reference('AllergyIntolerance', r.id) as reference,
  r.code as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(r."onsetDateTime", r."onsetPeriod"."start", r."recordedDate") as date,
  cast(null as varchar) as end_date,
  coalesce(r."recordedDate", r."onsetDateTime", r."onsetPeriod"."start") as known_date,
  fhir_verified(r."verificationStatus") as status,
  case
    when fhir_is_patient(r.asserter.reference, fhir_subject_key(r.patient)) then 'patient'
    else 'clinician'
  end as "by",
  cast(null as varchar) as text
from fhir_allergy as r;
