-- type2_course: one row per person with lupus who filled in a form of polysymptomatic distress: does Type 2 stay when Type 1 is quiet?
-- Steered by limits (activity_window_days, type2_least_visits, type2_high_distress). A visit is a form with a total and the first
-- clinical SLEDAI-2K with a total in the window after it. rho is Spearman's correlation of the two (mean ranks for ties).
with paired as (
  select t.person, t.group_key, t.low as distress, a.low as activity,
    row_number() over (partition by t.person, t.group_key order by a.on_day) as place
  from instrument_totals as t
  inner join (select distinct person, on_day, low from activity where "index" = 'clinical_sledai' and low = high) as a
    on a.person = t.person and date_diff('day', t.date, a.on_day) >= 0
    and date_diff('day', t.date, a.on_day) <= 30
  where t.scale = 'psd' and t.low = t.high
),
visits as (
  select person, group_key, distress, activity,
    cast(rank() over (partition by person order by distress) as double) + (count(*) over (partition by person, distress) - 1) / 2e0 as x,
    cast(rank() over (partition by person order by activity) as double) + (count(*) over (partition by person, activity) - 1) / 2e0 as y,
    case when activity = 0 then row_number() over (partition by person, activity order by distress, group_key) end as place,
    count(*) over (partition by person, activity) as alike
  from paired
  where place = 1
),
summed as (
  select person, count(*) as visits, count(case when activity = 0 then 1 end) as quiet_visits,
    sum(case when place = (alike + 1) // 2 or place = (alike + 2) // 2 then distress end)
      / cast(greatest(count(case when place = (alike + 1) // 2 or place = (alike + 2) // 2 then 1 end), 1) as double) as quiet_median,
    max(distress) as most, max(case when activity > 0 then distress end) as most_active,
    count(*) * sum(x * y) - sum(x) * sum(y) as together,
    (count(*) * sum(x * x) - sum(x) * sum(x)) * (count(*) * sum(y * y) - sum(y) * sum(y)) as apart
  from visits
  group by person
)
select person, visits, quiet_visits, quiet_median,
  case when visits >= 3 and apart > 0 then round(together / sqrt(apart), 6) end as rho,
  case
    when visits < 3 or quiet_visits = 0 then null
    when quiet_median >= 8 then 'persistent'
    when most_active >= 8 then 'intermittent'
    when most < 8 then 'low'
  end as course
from summed
