-- statements of fhir_concept: one row per coding of a resource that only names something (a condition, a procedure, an
-- allergy, a visit…). fhir_concept is made by the family's own file: row_no, bundle, subject_key, part, kind,
-- reference, concept, value, unit, date, end_date, known_date, status, by, text.
insert into statements
with coded as (
  select
    c.*,
    s.person_id,
    unnest(coalesce(
      fhir_codings(c.concept), [cast(null as struct("system" varchar, code varchar, display varchar))]
    )) as coding,
    generate_subscripts(coalesce(
      fhir_codings(c.concept), [cast(null as struct("system" varchar, code varchar, display varchar))]
    ), 1) as coding_no
  from fhir_concept as c
  inner join fhir_subject as s
    on s.bundle = c.bundle and s.subject_key = c.subject_key and s.person_id is not null
)
select
  row_no,
  part,
  person_id,
  kind,
  reference,
  coding."system" as "system",
  coding.code as code,
  coalesce(coding.display, concept.text) as display,
  coding_no - 1 as coding_no,
  value,
  cast(null as varchar) as value_to,
  cast(null as varchar) as comparator,
  unit,
  cast(null as varchar) as low,
  cast(null as varchar) as high,
  cast(null as varchar) as range_text,
  cast(null as varchar) as interpretation,
  date,
  end_date,
  known_date,
  status,
  "by",
  cast(null as varchar) as method,
  nullif(concat_ws('; ', coalesce(concept.text, coding.display, coding.code), nullif(text, '')), '') as text,
  cast(null as varchar) as absent_reason,
  cast(null as varchar) as group_key
from coded;
