-- fhir_concept: one row per coded conclusion of a DiagnosticReport, drawn by a clinician. Its results are Observations
-- of their own; the words of the conclusion are not read here.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.subject) as subject_key,
  cast(generate_subscripts(r."conclusionCode", 1) as integer) as part,
  'observation' as kind,
  fhir_reference('DiagnosticReport', r.id) as reference,
  unnest(r."conclusionCode") as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(r."effectiveDateTime", r."effectivePeriod"."start", r.issued) as date,
  cast(null as varchar) as end_date,
  coalesce(r.issued, r."effectiveDateTime", r."effectivePeriod"."start") as known_date,
  fhir_record_status(r.status) as status,
  'clinician' as "by",
  cast(null as varchar) as text
from fhir_report as r
where len(r."conclusionCode") > 0;
