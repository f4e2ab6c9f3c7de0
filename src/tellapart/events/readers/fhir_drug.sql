-- fhir_concept: one row per medication resource that names a medication. Dates: order authoredOn, statement and
-- administration effective[x], dispense whenHandedOver. The dose is that of one intake, with its text and how often.
-- A statement that a drug was completed or stopped, without an end, ended by the day on which that was said.
-- A drug stopped, paused or not taken for a stated reason says so in a part of its own (kind `stopped`).
create or replace temp view fhir_concept as
with dosed as (
  select
    r.rowid as row_id,
    r.*,
    m.concept,
    coalesce(r."dosageInstruction", r.dosage) as doses,
    case when r.status in ('stopped', 'on-hold', 'not-taken') then coalesce(
      json_extract_string(r."statusReason", '$.text'), json_extract_string(r."statusReason", '$[0].text'),
      json_extract_string(r."statusReason", '$.coding[0].display'), json_extract_string(r."statusReason", '$[0].coding[0].display'),
      json_extract_string(r."statusReason", '$.coding[0].code'), json_extract_string(r."statusReason", '$[0].coding[0].code'),
      json_extract_string(r."statusReasonCodeableConcept", '$.text'),
      json_extract_string(r."statusReasonCodeableConcept", '$.coding[0].display')
    ) end as reason
  from fhir_drug as r
  inner join fhir_drug_medication as m on m.rid = r.rowid and m.concept is not null
)
select
  d.row_id + getvariable('fhir_offset') as row_no,
  d.bundle,
  fhir_subject_key(d.subject) as subject_key,
  0 as part,
  'drug' as kind,
  fhir_reference(d."resourceType", d.id) as reference,
  d.concept,
  coalesce(
    json_extract_string(d.doses, '$[0].doseAndRate[0].doseQuantity.value'), json_extract_string(d.doses, '$.dose.value')
  ) as value,
  coalesce(
    json_extract_string(d.doses, '$[0].doseAndRate[0].doseQuantity.code'),
    json_extract_string(d.doses, '$[0].doseAndRate[0].doseQuantity.unit'),
    json_extract_string(d.doses, '$.dose.code'),
    json_extract_string(d.doses, '$.dose.unit')
  ) as unit,
  coalesce(
    d."effectiveDateTime", d."effectivePeriod"."start", d."whenHandedOver", d."whenPrepared", d."authoredOn",
    d."dateAsserted"
  ) as date,
  coalesce(
    d."effectivePeriod"."end",
    json_extract_string(d.doses, '$[0].timing.repeat.boundsPeriod.end'),
    d."dispenseRequest"."validityPeriod"."end",
    case when d.status in ('completed', 'stopped') and d."resourceType" = 'MedicationStatement' then d."dateAsserted" end
  ) as end_date,
  coalesce(
    d."authoredOn", d."dateAsserted", d."effectiveDateTime", d."effectivePeriod"."start", d."whenHandedOver",
    d."whenPrepared"
  ) as known_date,
  fhir_drug_status(d."resourceType", d.status, d.intent, d."doNotPerform") as status,
  case
    when fhir_is_patient(d."informationSource".reference, fhir_subject_key(d.subject)) then 'patient'
    else 'clinician'
  end as "by",
  nullif(concat_ws('; ',
    coalesce(json_extract_string(d.doses, '$[0].text'), json_extract_string(d.doses, '$.text')),
    json_extract_string(d.doses, '$[0].timing.repeat.frequency') || ' times every '
    || json_extract_string(d.doses, '$[0].timing.repeat.period') || ' '
    || json_extract_string(d.doses, '$[0].timing.repeat.periodUnit'),
    case when json_extract_string(d.doses, '$[0].asNeededBoolean') = 'true' then 'as needed' end,
    -- a second instruction is another step or another time of day: what all of them make a day is not known
    case when json_array_length(d.doses) > 1 then 'then ' || coalesce(json_extract_string(d.doses, '$[1].text'), 'another dose') end
  ), '') as text
from dosed as d
union all
select
  d.row_id + getvariable('fhir_offset') as row_no,
  d.bundle,
  fhir_subject_key(d.subject) as subject_key,
  1 as part,
  'stopped' as kind,
  fhir_reference(d."resourceType", d.id) as reference,
  d.concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(d."effectivePeriod"."end", d."dateAsserted", d."authoredOn", d."effectiveDateTime", d."whenPrepared") as date,
  cast(null as varchar) as end_date,
  coalesce(d."dateAsserted", d."authoredOn", d."effectivePeriod"."end", d."effectiveDateTime", d."whenPrepared") as known_date,
  'asserted' as status,
  case
    when fhir_is_patient(d."informationSource".reference, fhir_subject_key(d.subject)) then 'patient'
    else 'clinician'
  end as "by",
  d.status || ': ' || d.reason as text
from dosed as d
where d.reason <> '';
