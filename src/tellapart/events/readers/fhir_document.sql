-- fhir_text: one row per entry of the Bundles in fhir_doc (one row per document). Variable: fhir_bundle (last number
-- given).
insert into fhir_text
with entries as (
  select
    d.filename,
    generate_subscripts(d.entry, 1) as line,
    d.rowid + 1 + getvariable('fhir_bundle') as bundle,
    unnest(d.entry) as e
  from fhir_doc as d
  where d."resourceType" = 'Bundle'
)
select
  filename,
  line,
  bundle,
  e."fullUrl" as full_url,
  json_extract_string(e.resource, '$.resourceType') as kind,
  cast(e.resource as varchar) as json
from entries;
