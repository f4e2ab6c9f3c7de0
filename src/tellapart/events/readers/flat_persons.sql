-- patients, and the source rows of a table of persons (flat_person). Variables: flat_type, flat_file.
create or replace temp table flat_known as
select
  *, row_number() over (partition by person order by row_no) as again,
  person in (select person_id from patients) as is_known,
  getvariable('flat_file') || '#' || row_number() over (order by row_no) as reference
from flat_person;

insert into patients by name
select
  person as person_id,
  case lower(sex) when 'f' then 'female' when 'm' then 'male' else lower(sex) end as sex,
  birth_date, death_date, try_cast(try_cast(age as double) as integer) as age, row_no
from flat_known
where person is not null and again = 1 and not is_known;

insert into source_rows by name
select
  row_no, getvariable('flat_type') as source_type, getvariable('flat_file') as file, reference, person as person_id,
  case when person is null then 'rejected' when again > 1 or is_known then 'duplicate' end as class
from flat_known;

insert into rejected by name
select
  getvariable('flat_file') as file, reference, 'person' as field, 'The row names no person.' as reason,
  'Give the person an id.' as what_to_do, row_no
from flat_known
where person is null;
