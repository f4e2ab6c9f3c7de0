-- source_rows: one row per resource of the family at hand (fhir_row). Persons, medications and roles are not
-- statements: a person read is 'used'; whether a medication is used, its family's file says afterwards.
insert into source_rows
select
  r.row_no,
  r."resourceType" as source_type,
  f.file,
  coalesce(r.line, case when f.exact_lines then r.rid - f.first_row + 1 end) as line,
  fhir_reference(
    r."resourceType", coalesce(r.id, f.file || '#' || coalesce(r.line, r.rid - f.first_row + 1))
  ) as reference,
  coalesce(s.person_id, r.person_id) as person_id,
  case
    when d.rid is not null then 'duplicate'
    when r.status = 'withdrawn' then 'withdrawn'
    when p.row_no is not null then 'rejected'
    when r."resourceType" = 'Patient' then 'used'
  end as class
from fhir_row as r
left join fhir_file as f on f.filename = r.filename
left join fhir_duplicate as d on d.rid = r.rid
left join fhir_subject as s on s.bundle = r.bundle and s.subject_key = r.subject_key
left join (select distinct row_no from fhir_problem) as p on p.row_no = r.row_no
