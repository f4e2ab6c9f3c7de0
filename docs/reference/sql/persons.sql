-- persons: one row per person read, with the age on the as-of day (or at death), in whole years.
select p.person, p.person_id, p.sex, p.birth_date, p.death_date,
  cast(coalesce(
    case when p.birth_date <= d.day then
      year(d.day) - year(p.birth_date)
      - case
        when month(d.day) < month(p.birth_date)
          or (month(d.day) = month(p.birth_date) and day(d.day) < day(p.birth_date)) then 1 else 0 end
    end,
    p.age
  ) as integer) as age,
  p.observed_to
from registered as p
left join (
  select h.person, least(h.as_of, coalesce(q.death_date, h.as_of)) as day
  from horizons as h
  inner join registered as q on q.person = h.person
) as d on d.person = p.person
