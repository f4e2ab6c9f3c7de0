-- registered: one row per person read, as the source has it; person is the rank of person_id. Partial dates mean their first day.
-- observed_to: the last day on which the source says that it would have heard of them.
-- Steered by reading_limits. An impossible date becomes NULL here and a row of `rejections`.
with once as (
  select
    person_id,
    arg_min(lower(trim(sex)), row_no) filter (where sex is not null) as sex,
    arg_min(trim(birth_date), row_no) filter (where birth_date is not null) as born,
    arg_min(trim(death_date), row_no) filter (where death_date is not null) as died,
    min(age) as age,
    max(trim(observed_to)) as observed_to
  from patients
  group by person_id
),
padded as (
  select
    person_id, sex, age, observed_to,
    substr(case length(born) when 4 then born || '-01-01' when 7 then born || '-01' else born end, 1, 10) as born,
    substr(case length(died) when 4 then died || '-01-01' when 7 then died || '-01' else died end, 1, 10) as died
  from once
)
select
  row_number() over (order by p.person_id) as person,
  p.person_id,
  case when p.sex in ('male', 'female', 'other') then p.sex else 'unknown' end as sex,
  case
    when cast(try_cast(p.born as date) as varchar) = p.born
      and try_cast(p.born as date) >= b.first_day and try_cast(p.born as date) < b.day_after
      then try_cast(p.born as date)
  end as birth_date,
  case
    when cast(try_cast(p.died as date) as varchar) = p.died
      and try_cast(p.died as date) >= b.first_day and try_cast(p.died as date) < b.day_after
      then try_cast(p.died as date)
  end as death_date,
  cast(p.age as integer) as age,
  case
    when try_cast(p.observed_to as date) >= b.first_day and try_cast(p.observed_to as date) < b.day_after
      then try_cast(p.observed_to as date)
  end as observed_to
from padded as p
cross join reading_limits as b
