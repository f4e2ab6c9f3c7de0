-- fhir_concept: one row per condition of a relative (FamilyMemberHistory); the relationship is in the text.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.patient) as subject_key,
  cast(generate_subscripts(r.condition, 1) as integer) as part,
  'family_history' as kind,
  fhir_reference('FamilyMemberHistory', r.id) as reference,
  unnest(r.condition).code as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  r.date as date,
  cast(null as varchar) as end_date,
  r.date as known_date,
  fhir_record_status(r.status) as status,
  'patient' as "by",
  fhir_concept_text(r.relationship) as text
from fhir_family_history as r
where len(r.condition) > 0;
