-- fhir_text: Bundles among the isolated resources make way for their entries, one level at a time (fhir_opened holds
-- them). Variable: fhir_bundle (last Bundle number given).
create or replace temp table fhir_opened as
select
  t.filename,
  t.line,
  row_number() over (order by t.rowid) + getvariable('fhir_bundle') as bundle,
  json_type(t.json, '$.entry') as entry_type,
  json_transform(t.json, '{"entry":[{"fullUrl":"VARCHAR","resource":"JSON"}]}').entry as entry
from fhir_text as t
where t.kind = 'Bundle';

delete from fhir_text where kind = 'Bundle';

insert into fhir_bad
select
  filename,
  line,
  'Bundle' as source_type,
  cast(null as varchar) as reference,
  'entry' as field,
  entry_type as value,
  'The entry of the Bundle is not a list.' as reason,
  'Correct the Bundle.' as what_to_do
from fhir_opened
where entry_type not in ('ARRAY', 'NULL');

insert into fhir_text
with entries as (
  select filename, line, bundle, generate_subscripts(entry, 1) as entry_no, unnest(entry) as e from fhir_opened
)
select
  filename,
  case when line is null or line = 1 then entry_no else line end as line,
  bundle,
  e."fullUrl" as full_url,
  json_extract_string(e.resource, '$.resourceType') as kind,
  cast(e.resource as varchar) as json
from entries;
