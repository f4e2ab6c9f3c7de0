-- statements of Observation: one row per coding of the observation (part 0) and of each component (part 1..).
-- Date: effective[x], else issued. Known: issued. Who says it: category survey or the patient as performer -> patient;
-- laboratory and vital-signs -> measured; exam -> clinician. A value without a unit takes the unit of its own range;
-- a range in another unit than the value is kept as text only.
insert into statements
with headed as not materialized (
  select
    r.rowid + getvariable('fhir_offset') as row_no,
    s.person_id,
    fhir_reference('Observation', r.id) as reference,
    coalesce(r."effectiveDateTime", r."effectivePeriod"."start", r."effectiveInstant", r.issued) as date,
    r."effectivePeriod"."end" as end_date,
    coalesce(r.issued, r."effectiveDateTime", r."effectivePeriod"."start", r."effectiveInstant") as known_date,
    fhir_record_status(r.status) as status,
    fhir_concept_text(r.method) as method,
    flatten(list_transform(r.category, lambda c: list_transform(c.coding, lambda g: lower(g.code)))) as categories,
    list_bool_or(list_transform(r.performer, lambda p: fhir_is_patient(p.reference, s.subject_key))) as by_patient,
    fhir_notes(r.note) as note,
    r.component,
    fhir_codings(r.code) as codings,
    r.code.text as code_text,
    fhir_value(r) as value,
    r."valueRange".high.value as range_end,
    r."valueRange".low.value as range_start,
    fhir_comparator(r) as comparator,
    fhir_value_unit(r) as unit,
    fhir_usual_range(r."referenceRange") as usual,
    fhir_interpretation(r) as interpretation,
    r."dataAbsentReason" as absent
  from fhir_observation as r
  inner join fhir_subject as s
    on s.bundle = r.bundle and s.subject_key = fhir_subject_key(r.subject) and s.person_id is not null
),
components as (
  select
    row_no, person_id, reference, date, end_date, known_date, status, method, categories, by_patient,
    unnest(component) as c,
    generate_subscripts(component, 1) as part
  from headed
  where len(component) > 0
),
parts as (
  select
    row_no, 0 as part, person_id, reference, date, end_date, known_date, status, method, categories, by_patient, note,
    codings, code_text, value, range_start, range_end, comparator, unit, usual, interpretation, absent
  from headed
  union all
  select
    row_no, part, person_id, reference || '#component/' || part as reference, date, end_date, known_date, status,
    method, categories, by_patient, null as note,
    fhir_codings(c.code) as codings, c.code.text as code_text, fhir_value(c) as value,
    c."valueRange".low.value as range_start, c."valueRange".high.value as range_end, fhir_comparator(c) as comparator,
    fhir_value_unit(c) as unit, fhir_usual_range(c."referenceRange") as usual, fhir_interpretation(c) as interpretation,
    c."dataAbsentReason" as absent
  from components
),
ranged as (
  select
    *,
    coalesce(fhir_unit(usual.low), fhir_unit(usual.high)) as usual_unit,
    coalesce(usual.low.unit, usual.high.unit) as usual_unit_text
  from parts
),
coded as (
  select
    *,
    -- a row without any code still is a statement; it goes on as unmapped
    unnest(coalesce(codings, [cast(null as struct("system" varchar, code varchar, display varchar))])) as coding,
    generate_subscripts(coalesce(codings, [cast(null as struct("system" varchar, code varchar, display varchar))]), 1)
      as coding_no,
    unit is null or usual_unit is null or unit in (usual_unit, usual_unit_text) as same_unit
  from ranged
)
select
  row_no,
  part,
  person_id,
  'observation' as kind,
  reference,
  coding."system" as "system",
  coding.code as code,
  coalesce(coding.display, code_text) as display,
  coding_no - 1 as coding_no,
  value,
  case when range_start is not null then range_end end as value_to,
  comparator,
  case when value is not null then coalesce(unit, usual_unit) end as unit,
  case when same_unit then usual.low.value end as low,
  case when same_unit then usual.high.value end as high,
  case
    when same_unit then usual.text
    else coalesce(usual.text, concat_ws(' ', usual.low.value, '-', usual.high.value, usual_unit))
  end as range_text,
  interpretation,
  date,
  end_date,
  known_date,
  status,
  case
    when coalesce(by_patient, false) or list_contains(categories, 'survey') then 'patient'
    when list_contains(categories, 'laboratory') or list_contains(categories, 'vital-signs') then 'measured'
    when list_contains(categories, 'exam') then 'clinician'
  end as "by",
  method,
  concat_ws(
    '; ',
    nullif(concat_ws(' ', coalesce(code_text, coding.display, coding.code), comparator, value, unit), ''),
    nullif(note, '')
  ) as text,
  coalesce(absent.coding[1].code, absent.text) as absent_reason,
  cast(null as varchar) as group_key
from coded;
