-- patients, and the source rows about persons. Variable (set with the macros): flat_prefix (before the subject's number).
insert into patients by name
select
  getvariable('flat_prefix') || s.subject as person_id,
  case left(lower(min(p.value) filter (where p.what = 'sex')), 1) when 'f' then 'female' when 'm' then 'male' else 'unknown' end as sex,
  min(p.value) filter (where p.what = 'birth') as birth_date,
  min(p.value) filter (where p.what = 'death') as death_date,
  coalesce(min(p.row_no), -min(cast(s.subject as bigint))) as row_no
from (select distinct subject from flat_meds_subject) as s
left join flat_meds_person as p on p.subject = s.subject
where s.subject is not null
group by s.subject;

insert into source_rows by name
select
  row_no, 'meds' as source_type, file, file || '#' || row as reference, getvariable('flat_prefix') || subject as person_id,
  'used' as class
from flat_meds_person;
