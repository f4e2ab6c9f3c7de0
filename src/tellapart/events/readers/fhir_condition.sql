-- fhir_concept: one row per Condition. Date: onset before recorded (an age at onset is no date). A condition that only
-- may be (unconfirmed, provisional, differential) is said so in its text.
create or replace temp view fhir_concept as
select
  r.rowid + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.subject) as subject_key,
  0 as part,
  'condition' as kind,
  fhir_reference('Condition', r.id) as reference,
  r.code as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(r."onsetDateTime", r."onsetPeriod"."start", r."recordedDate") as date,
  coalesce(r."abatementDateTime", r."abatementPeriod"."end", r."abatementPeriod"."start", r."onsetPeriod"."end")
    as end_date,
  coalesce(r."recordedDate", r."onsetDateTime", r."onsetPeriod"."start") as known_date,
  fhir_verified(r."verificationStatus") as status,
  case
    when fhir_is_patient(r.asserter.reference, fhir_subject_key(r.subject)) then 'patient'
    else 'clinician'
  end as "by",
  concat_ws(
    '; ',
    case
      when r."verificationStatus".coding[1].code in ('unconfirmed', 'provisional', 'differential')
        then r."verificationStatus".coding[1].code
    end,
    fhir_notes(r.note)
  ) as text
from fhir_condition as r;
