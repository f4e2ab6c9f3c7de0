-- rejected: one row per problem of the family at hand, of rows that stay (a duplicate or withdrawn row has no problem).
insert into rejected
select
  s.file,
  s.line,
  s.reference,
  s.person_id,
  p.field,
  p.value,
  p.reason,
  p.what_to_do,
  s.row_no
from fhir_problem as p
inner join source_rows as s on s.row_no = p.row_no and s.class = 'rejected';
