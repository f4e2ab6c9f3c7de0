-- patients, and source_rows of person and death. Variables: omop_by_source (persons are named by person_source_value),
-- omop_offset, omop_file, omop_death_file.
create or replace temp table omop_named as
select
  rowid + getvariable('omop_offset') as row_no,
  person_id as omop_id,
  case when getvariable('omop_by_source') then trim(person_source_value) else person_id end as person_id,
  row_number() over (partition by person_id order by rowid) as again,
  coalesce(
    (select c.code from omop_concepts as c where c.use = 'sex' and c.concept_id = try_cast(p.gender_concept_id as bigint)),
    case left(lower(trim(gender_source_value)), 1) when 'f' then 'female' when 'm' then 'male' end,
    'unknown'
  ) as sex,
  coalesce(
    left(birth_datetime, 10),
    lpad(year_of_birth, 4, '0') || coalesce('-' || lpad(month_of_birth, 2, '0') || coalesce('-' || lpad(day_of_birth, 2, '0'), ''), '')
  ) as birth_date
from omop_person as p;

create or replace temp table omop_died as
select
  d.rowid + getvariable('omop_offset') + (select count(*) from omop_person) as row_no,
  d.person_id as omop_id,
  n.person_id,
  d.death_date
from omop_death as d
left join omop_named as n on n.omop_id = d.person_id and n.again = 1;

insert into patients by name
select
  n.person_id, n.sex, n.birth_date, d.death_date, n.row_no, o.observed_to
from omop_named as n
left join omop_observed as o on o.person_id = n.omop_id
left join (select omop_id, min(death_date) as death_date from omop_died group by omop_id) as d on d.omop_id = n.omop_id
where n.omop_id is not null and n.again = 1;

insert into source_rows by name
select
  row_no, 'person' as source_type, getvariable('omop_file') as file, 'person:' || omop_id as reference, person_id,
  case when omop_id is null then 'rejected' when again > 1 then 'duplicate' end as class
from omop_named
union all by name
select
  row_no, 'death' as source_type, getvariable('omop_death_file') as file, 'death:' || omop_id as reference, person_id,
  case when person_id is null then 'rejected' else 'used' end as class
from omop_died;

insert into rejected by name
select
  file, reference, 'person_id' as field, split_part(reference, ':', 2) as value,
  case source_type
    when 'person' then 'The row has no person_id, so nothing can refer to it.'
    else 'No row of person has this person_id.'
  end as reason,
  case source_type when 'person' then 'Give the person an id.' else 'Add the person, or leave the row out.' end as what_to_do,
  row_no
from source_rows
where class = 'rejected' and source_type in ('person', 'death');
