-- statements, source_rows and rejected of the rows taken from one table (flat_row).
-- Variables: flat_type, flat_file, flat_offset, flat_wide (one column per test: an empty cell says nothing).
create or replace temp table flat_named as
select
  row, min(id) as id, min(person) as person,
  getvariable('flat_file') || '#' || row as place,
  coalesce(getvariable('flat_type') || ':' || min(id), getvariable('flat_file') || '#' || row) as reference,
  bool_or(value is not null) or not getvariable('flat_wide') as is_filled
from flat_row
group by row;

insert into source_rows by name
select
  r.row + getvariable('flat_offset') as row_no,
  getvariable('flat_type') as source_type,
  getvariable('flat_file') as file,
  r.reference,
  p.person_id,
  case
    when p.person_id is null then 'rejected'
    when d.first_row < r.row then 'duplicate'
    when not r.is_filled then 'not_needed'
  end as class
from flat_named as r
left join (select distinct person_id from patients) as p on p.person_id = r.person
left join (select id, min(row) as first_row from flat_named group by id having count(*) > 1) as d on d.id = r.id;

insert into rejected by name
select
  getvariable('flat_file') as file, r.place as reference, 'person' as field, r.person as value,
  case when r.person is null then 'The row names no person.' else 'No row of the table of persons has this id.' end as reason,
  case when r.person is null then 'Name the person.' else 'Add the person, or leave the row out.' end as what_to_do,
  r.row + getvariable('flat_offset') as row_no
from flat_named as r
where not exists (select 1 from patients as p where p.person_id = r.person);

insert into statements by name
select
  r.row + getvariable('flat_offset') as row_no,
  cast(r.part as integer) as part,
  r.person as person_id,
  r.kind, n.reference,
  coalesce(c.system, r.system) as system,
  coalesce(c.code, r.code) as code,
  coalesce(r.display, c.display) as display,
  coalesce(c.coding_no, 0) as coding_no,
  r.value, r.comparator, r.unit, r.low, r.high, r.range_text, r.interpretation,
  r.date, r.end_date, r.known_date,
  case lower(r.status)
    when 'refuted' then 'refuted'
    when 'entered-in-error' then 'withdrawn' when 'cancelled' then 'withdrawn' when 'withdrawn' then 'withdrawn'
    else 'asserted'
  end as status,
  case when lower(r."by") in ('measured', 'clinician', 'patient', 'text') then lower(r."by") end as "by",
  r.method,
  nullif(concat_ws('; ', concat_ws(' ', coalesce(r.display, c.display, r.code), r.comparator, r.value, r.unit), r.text), '') as text,
  case when r.kind = 'instrument' then concat_ws('/', r.person, split_part(coalesce(c.code, r.code), '.', 1), coalesce(r.group_key, r.date)) end
    as group_key
from flat_row as r
inner join flat_named as n on n.row = r.row
left join flat_needed as c on c.kind = r.kind and c.seen_system = r.system and c.seen_code = r.code
where (r.value is not null or not getvariable('flat_wide'))
  and exists (select 1 from patients as p where p.person_id = r.person);
