-- fhir_problem: persons without an id cannot be told from one another.
insert into fhir_problem
select
  row_no,
  'id' as field,
  cast(null as varchar) as value,
  'The Patient has no id, so nothing can refer to it.' as reason,
  'Give the Patient its id.' as what_to_do
from fhir_row
where id is null;
