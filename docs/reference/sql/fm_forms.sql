-- fm_forms: one row per person, filled-in form and FM set: met on that day (three values) and points (WPI + SSS, tender points, sites or total).
-- Approximate: the set is read from a form made for another (fm_sets.approximate_from).
-- Steered by instrument_rules, fm_set_points: a rule holds when the interval lies inside [low, high], fails when it lies outside.
with judged as (
  select f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", r."set", r.alternative,
    min(case when f.lo >= coalesce(r.low, f.lo) and f.hi <= coalesce(r.high, f.hi) then 1 else 0 end) as sure,
    min(case when f.hi < coalesce(r.low, f.hi) or f.lo > coalesce(r.high, f.lo) then 0 else 1 end) as possible,
    count(*) as asked
  from forms as f
  inner join instrument_rules as r on r.variable = f.variable
  group by f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", r."set", r.alternative
),
complete as (
  select j.*
  from judged as j
  inner join (select "set", alternative, count(*) as rules from instrument_rules group by "set", alternative) as n
    on n."set" = j."set" and n.alternative = j.alternative and n.rules = j.asked
),
sums as (
  select f.person, f.group_key, n."set", sum(f.lo) as points, sum(f.hi) as points_possible
  from forms as f
  inner join fm_set_points as n on n.variable = f.variable
  group by f.person, f.group_key, n."set"
),
scales as (
  select person, group_key,
    max(case when variable = 'wpi' then lo end) as wpi_low, max(case when variable = 'wpi' then hi end) as wpi_high,
    max(case when variable in ('sss', 'sss_2010') then lo end) as sss_low,
    max(case when variable in ('sss', 'sss_2010') then hi end) as sss_high
  from forms
  group by person, group_key
)
select c.person, c.group_key, c.instrument, c.date, c.known_date, c."by", c."set",
  ((c."set" = 'aapt_2019' and c.instrument = 'fm_2016') or (c."set" = 'aapt_2019' and c.instrument = 'fm_2011') or (c."set" = 'aapt_2019' and c.instrument = 'fm_2010')) as approximate, s.points, s.points_possible, w.wpi_low, w.wpi_high, w.sss_low, w.sss_high,
  max(coalesce(p.age, 18)) >= 18 as applicable,
  case
    when max(coalesce(p.age, 18)) < 18 then null
    when max(c.sure) = 1 then true
    when max(c.possible) = 0 then false
  end as met
from complete as c
inner join sums as s on s.person = c.person and s.group_key = c.group_key and s."set" = c."set"
inner join scales as w on w.person = c.person and w.group_key = c.group_key
inner join persons as p on p.person = c.person
group by c.person, c.group_key, c.instrument, c.date, c.known_date, c."by", c."set",
  s.points, s.points_possible, w.wpi_low, w.wpi_high, w.sss_low, w.sss_high
