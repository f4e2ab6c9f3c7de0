-- persons: one row per person read; person is the rank of person_id. Partial dates mean their first day.
-- Steered by limits (date_year_min, date_year_max). An impossible date becomes NULL here and a row of `rejections`.
with bounds as (
  select
    max(case when "limit" = 'date_year_min' then cast(value as double) end) as year_min,
    max(case when "limit" = 'date_year_max' then cast(value as double) end) as year_max
  from limits
),
once as (
  select
    person_id,
    arg_min(lower(trim(sex)), row_no) filter (where sex is not null) as sex,
    arg_min(trim(birth_date), row_no) filter (where birth_date is not null) as born,
    arg_min(trim(death_date), row_no) filter (where death_date is not null) as died,
    min(age) as age
  from patients
  group by person_id
),
cast_once as (
  select
    person_id, sex, born, died, age,
    try_cast(substr(case length(born) when 4 then born || '-01-01' when 7 then born || '-01' else born end, 1, 10) as date)
      as born_day,
    try_cast(substr(case length(died) when 4 then died || '-01-01' when 7 then died || '-01' else died end, 1, 10) as date)
      as died_day
  from once
)
select
  row_number() over (order by c.person_id) as person,
  c.person_id,
  case when c.sex in ('male', 'female', 'other') then c.sex else 'unknown' end as sex,
  case
    when substr(cast(c.born_day as varchar), 1, length(c.born)) = substr(c.born, 1, 10)
      and year(c.born_day) between b.year_min and b.year_max
      then c.born_day
  end as birth_date,
  case
    when substr(cast(c.died_day as varchar), 1, length(c.died)) = substr(c.died, 1, 10)
      and year(c.died_day) between b.year_min and b.year_max
      then c.died_day
  end as death_date,
  cast(c.age as integer) as age
from cast_once as c
cross join bounds as b
