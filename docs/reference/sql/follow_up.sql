-- follow_up: one row per person of interest and dated stretch of their course: how many days it was followed, and what ended it:
-- the next state, death, loss (no event of interest on record for incidence_lost_days before the as-of day, and no word of the
-- source that it would have heard of one) or nothing.
with seen as (
  select e.person, case when p.observed_to > e.last_day then least(p.observed_to, e.as_of) else e.last_day end as last_day
  from (
    select e.person, h.as_of, max(e.date) as last_day
    from interest_events as e
    inner join horizons as h on h.person = e.person and e.date <= h.as_of
    group by e.person, h.as_of
  ) as e
  inner join persons as p on p.person = e.person
)
select d.person, d.state, p.sex, date_diff('day', p.birth_date, d.from_date) as age_days,
  case
    when d.to_date <= least(h.as_of, p.death_date) then n.state
    when p.death_date <= h.as_of then 'died'
    when date_diff('day', s.last_day, h.as_of) > 730 then 'lost'
    else 'open'
  end as ended,
  case
    when d.to_date <= least(h.as_of, p.death_date) then date_diff('day', d.from_date, d.to_date)
    when p.death_date <= h.as_of then date_diff('day', d.from_date, p.death_date)
    when date_diff('day', s.last_day, h.as_of) > 730
      then date_diff('day', d.from_date, s.last_day)
    else date_diff('day', d.from_date, h.as_of)
  end as days
from disease_course as d
inner join persons as p on p.person = d.person
inner join horizons as h on h.person = d.person
inner join seen as s on s.person = d.person
left join disease_course as n on n.person = d.person and n.from_date = d.to_date
where d.from_date is not null
