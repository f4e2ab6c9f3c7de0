-- fhir_concept: one row per Immunization.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.patient) as subject_key,
  0 as part,
  'immunization' as kind,
  fhir_reference('Immunization', r.id) as reference,
  r."vaccineCode" as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  r."occurrenceDateTime" as date,
  cast(null as varchar) as end_date,
  coalesce(r.recorded, r."occurrenceDateTime") as known_date,
  fhir_done(r.status) as status,
  'clinician' as "by",
  cast(null as varchar) as text
from fhir_immunization as r;
