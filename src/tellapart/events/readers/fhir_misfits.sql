-- fhir_bad: one row per isolated resource of the types at hand (variable fhir_types_wrong) whose structure is in
-- fhir_misfit.
insert into fhir_bad
select
  t.filename,
  t.line,
  t.kind as source_type,
  t.kind || '/' || json_extract_string(t.json, '$.id') as reference,
  m.field,
  substr(json_extract_string(t.json, '$.' || split_part(m.field, '.', 1)), 1, 80) as value,
  'This field has another shape than FHIR R4 says (a list, an object or a plain value is expected).' as reason,
  'Correct the resource; see http://hl7.org/fhir/R4/' || lower(t.kind) || '.html.' as what_to_do
from fhir_text as t
inner join fhir_misfit as m on m.structure = cast(json_structure(t.json) as varchar)
where list_contains(getvariable('fhir_types_wrong'), t.kind);
