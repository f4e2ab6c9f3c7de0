-- fhir_problem: rows of the family at hand (fhir_row) whose person is not known.
insert into fhir_problem
select
  r.row_no,
  'subject' as field,
  nullif(r.subject_key, '') as value,
  s.reason,
  case
    when r.subject_key = '' then 'Name the person in the resource.'
    else 'Add the Patient to the source, or correct the reference.'
  end as what_to_do
from fhir_row as r
inner join fhir_subject as s on s.bundle = r.bundle and s.subject_key = r.subject_key
where s.person_id is null;
