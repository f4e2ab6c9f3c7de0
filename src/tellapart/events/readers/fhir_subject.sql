-- fhir_subject: one row per bundle and reference of the family at hand (fhir_row), and the person it means.
-- Shapes of a reference: 'Patient/1', absolute URL, either with '/_history/2', fullUrl of an entry of the same Bundle
-- (urn:uuid:…), then of any Bundle if only one person has it, a urn that is the id itself, 'Patient?identifier=s|v',
-- and a logical reference by identifier. A person that is not in the source stays NULL.
with keys as (
  select distinct bundle, subject_key from fhir_row
),
url_anywhere as (
  select full_url, min(id) as id from fhir_patient_url group by full_url having count(distinct id) = 1
),
by_identifier as (
  select system || '|' || value as name, min(id) as id
  from fhir_patient_identifier group by system || '|' || value having count(distinct id) = 1
  union all
  select value as name, min(id) as id
  from fhir_patient_identifier group by value having count(distinct id) = 1
),
candidates as (
  select
    k.bundle,
    k.subject_key,
    coalesce(
      own.id,
      nullif(regexp_extract(k.subject_key, '(?:^|/)Patient/([^/?#|]+)(?:/_history/[^/?#]+)?$', 1), ''),
      far.id,
      nullif(regexp_extract(k.subject_key, '^urn:(?:uuid|oid):(.+)$', 1), ''),
      i.id
    ) as id
  from keys as k
  left join (select distinct bundle, full_url, id from fhir_patient_url) as own
    on own.bundle = k.bundle and own.full_url = k.subject_key
  left join url_anywhere as far on far.full_url = k.subject_key
  left join by_identifier as i
    on i.name = ltrim(coalesce(
      nullif(regexp_extract(k.subject_key, '(?:^|/)Patient\?(?:.*&)?identifier=([^&]+)', 1), ''),
      nullif(regexp_extract(k.subject_key, '^identifier:(.*)$', 1), '')
    ), '|')
)
select
  c.bundle,
  c.subject_key,
  min(p.person_id) as person_id,
  case
    when min(p.person_id) is not null then null
    when c.subject_key = '' then 'The resource does not say whom it is about.'
    when c.subject_key like '#%' then 'The subject is a contained resource, which has no identity of its own.'
    when min(c.id) is null and not regexp_matches(c.subject_key, '(^|/)Patient[/?]|^urn:|^identifier:')
      then 'The subject is not a Patient.'
    else 'No Patient of the source is meant by this reference.'
  end as reason
from candidates as c
left join patients as p on p.person_id = c.id
group by c.bundle, c.subject_key
