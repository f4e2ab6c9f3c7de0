-- instrument_totals: one row per person of interest, filled-in form and scale of it: its total as an interval, the band it lies in, and the
-- change since the form of that scale before. Steered by instrument_scales, instrument_bands. A band is named when both
-- ends lie in it; bands made for people with fibromyalgia are for those coded with it. A change is important when it
-- reaches the minimal change (or share of the earlier total) of its scale, which may be another one for the better.
-- A scale of which the form says nothing is left out.
with summed as (
  select f.person, f.group_key, f.instrument, s.scale, s.higher_is, s.minimal_change, s.minimal_change_better, s.relative_change, s.change_needs,
    min(f.date) as date, min(f."by") as "by", sum(f.lo) as low, sum(f.hi) as high
  from forms as f
  inner join interest as i on i.person = f.person
  inner join instrument_scales as s on s.instrument = f.instrument and s.variable = f.variable
  group by f.person, f.group_key, f.instrument, s.scale, s.higher_is, s.minimal_change,
    s.minimal_change_better, s.relative_change, s.change_needs, s.maximum
  having sum(f.lo) > 0 or sum(f.hi) < s.maximum
),
placed as (
  select *, row_number() over (partition by person, scale order by date nulls first, group_key) as place,
    coalesce(minimal_change, case when low >= change_needs then round(relative_change * low, 6) end) as change_that_matters
  from summed
),
compared as (
  select n.*, case when n.low = n.high and p.low = p.high then round(n.low - p.low, 6) end as change,
    p.change_that_matters as needed, coalesce(p.minimal_change_better, p.change_that_matters) as needed_for_better
  from placed as n
  left join placed as p
    on p.person = n.person and p.scale = n.scale and p.place = n.place - 1 and p.date is not null and p.date < n.date
)
select c.person, c.group_key, c.instrument, c.scale, c.date, c."by", c.low, c.high, b.band, b.named as band_table,
  c.change_that_matters as minimal_change, c.change,
  case
    when c.change is null or c.needed is null then null
    when (c.change > 0) = (c.higher_is = 'worse') and abs(c.change) >= c.needed then 'worse'
    when (c.change > 0) <> (c.higher_is = 'worse') and abs(c.change) >= c.needed_for_better then 'better'
    else 'unchanged'
  end as changed
from compared as c
left join findings as d on d.person = c.person and d.finding = 'fm_dx' and d.state = 'present'
left join instrument_bands as b
  on b.scale = c.scale and b.population = case when d.person is null then 'any' else 'fm' end
  and c.low >= b.low and c.high < b.below
