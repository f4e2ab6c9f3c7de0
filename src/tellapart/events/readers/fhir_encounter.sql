-- fhir_concept: one row per concept that says what kind of visit an Encounter was: its types, its service type, and the
-- specialties of those who took part (PractitionerRole, found by itself or by its practitioner). The start is the date.
create or replace temp view fhir_concept as
with specialties as (
  select
    l.name,
    list_sort(list_distinct(flatten(list(r.specialty)))) as concepts
  from fhir_role as r
  cross join unnest([
    'PractitionerRole/' || r.id,
    regexp_extract(r.practitioner.reference, '(Practitioner/[^/?#|]+)', 1),
    nullif(r.full_url, ''),
    case when r.practitioner.reference like 'urn:%' then r.practitioner.reference end
  ]) as l(name)
  where l.name <> '' and r.specialty is not null
  group by l.name
),
participants as (
  select
    p.row_id,
    list_sort(list_distinct(flatten(list(s.concepts)))) as concepts
  from (
    select distinct
      r.rowid as row_id,
      coalesce(
        nullif(regexp_extract(u.individual.reference, '((?:PractitionerRole|Practitioner)/[^/?#|]+)', 1), ''),
        u.individual.reference
      ) as name
    from fhir_encounter as r
    cross join unnest(r.participant) as t(u)
  ) as p
  inner join specialties as s on s.name = p.name
  group by p.row_id
),
visits as (
  select
    r.rowid as row_id,
    r.*,
    list_concat(
      list_concat(coalesce(r.type, []), case when r."serviceType" is null then [] else [r."serviceType"] end),
      coalesce(p.concepts, [])
    ) as concepts
  from fhir_encounter as r
  left join participants as p on p.row_id = r.rowid
)
select
  v.row_id + getvariable('fhir_offset') as row_no,
  v.bundle,
  fhir_subject_key(v.subject) as subject_key,
  cast(generate_subscripts(v.concepts, 1) as integer) as part,
  'encounter' as kind,
  fhir_reference('Encounter', v.id) as reference,
  unnest(v.concepts) as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  v.period."start" as date,
  v.period."end" as end_date,
  v.period."start" as known_date,
  fhir_done(v.status) as status,
  'clinician' as "by",
  cast(null as varchar) as text
from visits as v
where len(v.concepts) > 0;
