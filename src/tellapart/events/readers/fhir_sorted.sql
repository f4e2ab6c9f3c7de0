-- fhir_other and fhir_bad: isolated resources that no family reads. An entry that is only a request or a response is a
-- 'Bundle.entry'; a resource that does not say its type is rejected. Variable: fhir_types (types that are read).
insert into fhir_other
select
  filename,
  line,
  bundle,
  full_url,
  coalesce(kind, 'Bundle.entry') as "resourceType",
  json_extract_string(json, '$.id') as id
from fhir_text
where (regexp_matches(kind, '^[A-Z][A-Za-z]+$') and not list_contains(getvariable('fhir_types'), kind))
  or json is null;

insert into fhir_bad
select
  filename,
  line,
  'unknown' as source_type,
  cast(null as varchar) as reference,
  'resourceType' as field,
  kind as value,
  'The resource does not say its type.' as reason,
  'Give the resource its resourceType, for example "Observation".' as what_to_do
from fhir_text
where json is not null and not coalesce(regexp_matches(kind, '^[A-Z][A-Za-z]+$'), false);
