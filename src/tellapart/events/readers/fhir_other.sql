-- source_rows and rejected of what no family reads: other resource types (not_needed or unmapped), and the lines,
-- entries and files that are no resource. Variables: fhir_offset (of fhir_other), fhir_bad_offset, fhir_not_needed.
insert into source_rows
select
  o.rowid + getvariable('fhir_offset') as row_no,
  o."resourceType" as source_type,
  f.file,
  coalesce(o.line, case when f.exact_lines then o.rowid - f.first_row + 1 end) as line,
  coalesce(o."resourceType" || '/' || o.id, f.file || '#' || coalesce(o.line, o.rowid - f.first_row + 1)) as reference,
  cast(null as varchar) as person_id,
  case
    when list_contains(getvariable('fhir_not_needed'), o."resourceType") then 'not_needed' else 'unmapped'
  end as class
from fhir_other as o
left join fhir_file as f on f.filename = o.filename;

insert into source_rows
select
  b.rowid + getvariable('fhir_bad_offset') as row_no,
  b.source_type,
  f.file,
  b.line,
  coalesce(b.reference, f.file || coalesce('#' || b.line, '')) as reference,
  cast(null as varchar) as person_id,
  'rejected' as class
from fhir_bad as b
left join fhir_file as f on f.filename = b.filename;

insert into rejected
select
  f.file,
  b.line,
  coalesce(b.reference, f.file || coalesce('#' || b.line, '')) as reference,
  cast(null as varchar) as person_id,
  b.field,
  b.value,
  b.reason,
  b.what_to_do,
  b.rowid + getvariable('fhir_bad_offset') as row_no
from fhir_bad as b
left join fhir_file as f on f.filename = b.filename;
