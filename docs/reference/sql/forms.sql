-- forms: one row per person, filled-in instrument and variable of it (wpi, sss, regions, sites, months, ...), as an interval.
-- Steered by instrument_variables, instrument_items, pain_sites. A variable is the sum of its parts; an unanswered item spans its
-- whole range, unless its part may miss as many: then it is given the mean of the others.
with answered as (
  select person, group_key, split_part(code, '.', 1) as instrument,
    substr(code, length(split_part(code, '.', 1)) + 2) as item,
    min(date) as date, min(known_date) as known_date, min("by") as "by", min(row_no) as row_no, min(part) as part, max(value) as value
  from events
  where kind = 'instrument' and status = 'asserted' and group_key is not null
  group by person, group_key, split_part(code, '.', 1), substr(code, length(split_part(code, '.', 1)) + 2)
),
filled as (
  select person, group_key, instrument, min(date) as date, min(known_date) as known_date, min("by") as "by",
    min(row_no) as row_no, min(part) as part
  from answered
  group by person, group_key, instrument
),
parts as (
  select f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", f.row_no, f.part, v.variable, v.stated_as, v.divisor,
    case when count(a.value) >= count(*) - v.may_miss then sum(a.value) * count(*) / cast(greatest(count(a.value), 1) as double) end as whole,
    sum(coalesce(a.value, i.low)) as lo, sum(coalesce(a.value, i.high)) as hi
  from filled as f
  inner join instrument_variables as v on v.instrument = f.instrument
  inner join instrument_items as i on i.instrument = v.instrument and i.item = v.item
  left join answered as a
    on a.person = f.person and a.group_key = f.group_key and a.instrument = f.instrument and a.item = v.item
  group by f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", f.row_no, f.part, v.variable, v.stated_as, v.divisor,
    v.part, v.may_miss
),
summed as (
  select person, group_key, instrument, date, known_date, "by", row_no, part, variable, stated_as,
    round(sum(coalesce(whole, lo) / divisor), 6) as lo, round(sum(coalesce(whole, hi) / divisor), 6) as hi
  from parts
  group by person, group_key, instrument, date, known_date, "by", row_no, part, variable, stated_as
),
sites as (
  select f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", f.row_no, f.part, s.region, s.wpi, s.generalized, s.aapt_site,
    coalesce(a.value, 0) as lo, coalesce(a.value, 1) as hi
  from filled as f
  inner join (select distinct instrument from instrument_sites) as n on n.instrument = f.instrument
  cross join pain_sites as s
  left join answered as a
    on a.person = f.person and a.group_key = f.group_key and a.instrument = f.instrument and a.item = 'site.' || s.site
),
worked_out as (
  select person, group_key, instrument, date, known_date, "by", row_no, part, variable, stated_as, lo, hi from summed
  union all
  select person, group_key, instrument, date, known_date, "by", row_no, part, 'wpi' as variable, 'wpi' as stated_as, sum(lo) as lo, sum(hi) as hi
  from sites
  where wpi = 'yes'
  group by person, group_key, instrument, date, known_date, "by", row_no, part
  union all
  select person, group_key, instrument, date, known_date, "by", row_no, part, 'regions' as variable, 'regions' as stated_as,
    cast(count(distinct case when lo > 0 then region end) as double) as lo,
    cast(count(distinct case when hi > 0 then region end) as double) as hi
  from sites
  where generalized = 'yes'
  group by person, group_key, instrument, date, known_date, "by", row_no, part
  union all
  -- the nine sites of AAPT 2019, each made of those of the 19 that lie in it
  select person, group_key, instrument, date, known_date, "by", row_no, part, 'sites' as variable, 'sites' as stated_as,
    cast(count(distinct case when lo > 0 then aapt_site end) as double) as lo,
    cast(count(distinct case when hi > 0 then aapt_site end) as double) as hi
  from sites
  where wpi = 'yes'
  group by person, group_key, instrument, date, known_date, "by", row_no, part
)
-- a total that the form gives without its parts stands where the parts leave it open
select w.person, w.group_key, w.instrument, w.date, w.known_date, w."by", w.row_no, w.part, w.variable,
  case when t.value >= w.lo and t.value <= w.hi then t.value else w.lo end as lo,
  case when t.value >= w.lo and t.value <= w.hi then t.value else w.hi end as hi
from worked_out as w
left join answered as t
  on t.person = w.person and t.group_key = w.group_key and t.instrument = w.instrument and t.item = w.stated_as
union all
select f.person, f.group_key, f.instrument, f.date, f.known_date, f."by", f.row_no, f.part, 'item:' || a.item as variable, a.value as lo, a.value as hi
from answered as a
inner join filled as f on f.person = a.person and f.group_key = a.group_key and f.instrument = a.instrument
where not starts_with(a.item, 'site.')
