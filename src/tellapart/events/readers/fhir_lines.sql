-- fhir_text and fhir_bad: one row per line of fhir_line, as a resource or as a line that is none.
insert into fhir_bad
select
  filename,
  line,
  'line' as source_type,
  cast(null as varchar) as reference,
  cast(null as varchar) as field,
  substr(json, 1, 80) as value,
  case when json_valid(json) then 'This is JSON, but not an object.' else 'This is not valid JSON.' end as reason,
  'Correct or remove the line; a resource stands on one line.' as what_to_do
from fhir_line
where coalesce(json_type(case when json_valid(json) then json end), '') <> 'OBJECT';

insert into fhir_text
select
  filename,
  line,
  0 as bundle,
  cast(null as varchar) as full_url,
  json_extract_string(json, '$.resourceType') as kind,
  json
from fhir_line
where coalesce(json_type(case when json_valid(json) then json end), '') = 'OBJECT';
