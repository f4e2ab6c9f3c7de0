-- fhir_concept: one row per Procedure.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.subject) as subject_key,
  0 as part,
  'procedure' as kind,
  fhir_reference('Procedure', r.id) as reference,
  r.code as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(r."performedDateTime", r."performedPeriod"."start") as date,
  r."performedPeriod"."end" as end_date,
  coalesce(r."performedDateTime", r."performedPeriod"."start") as known_date,
  fhir_done(r.status) as status,
  'clinician' as "by",
  fhir_notes(r.note) as text
from fhir_procedure as r;
