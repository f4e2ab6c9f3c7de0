-- duke_groups: one row per person with lupus, day of assessment and published version of the Duke groups: is Type 1 high, is Type 2
-- high (three values), and the group. Steered by duke_rules, limits (activity_window_days). An axis is high if any rule of it holds
-- for sure, not high if none can hold; else unknown, and so is the group.
with days as (select distinct person, on_day from activity),
latest as (
  select person, on_day, what, value
  from (
    select d.person, d.on_day, c.source as what, e.value,
      row_number() over (partition by d.person, d.on_day, c.source order by e.date desc, e.row_no desc, e.part desc) as place
    from days as d
    inner join interest_events as e
      on e.person = d.person and e.status = 'asserted' and e.value is not null and e.comparator is null and date_diff('day', e.date, d.on_day) >= 0 and date_diff('day', e.date, d.on_day) <= 30
    inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
    inner join (select distinct what from duke_rules where measure = 'value') as r on r.what = c.source
  ) as ranked
  where place = 1
),
forms_then as (
  select person, on_day, what, low, high
  from (
    select d.person, d.on_day, t.scale as what, t.low, t.high,
      row_number() over (partition by d.person, d.on_day, t.scale order by t.date desc, t.group_key) as place
    from days as d
    inner join instrument_totals as t on t.person = d.person and date_diff('day', t.date, d.on_day) >= 0 and date_diff('day', t.date, d.on_day) <= 30
  ) as ranked
  where place = 1
),
sets_then as (
  select person, on_day, what, met
  from (
    select d.person, d.on_day, f."set" as what, f.met,
      row_number() over (partition by d.person, d.on_day, f."set" order by f.date desc, f.group_key) as place
    from days as d
    inner join fm_forms as f on f.person = d.person and not f.approximate and date_diff('day', f.date, d.on_day) >= 0 and date_diff('day', f.date, d.on_day) <= 30
  ) as ranked
  where place = 1
),
facts as (
  select distinct person, on_day, 'index' as measure, "index" as what, low, high from activity
  union all
  select person, on_day, 'item' as measure, item as what, case when state = 'present' then 1e0 else 0e0 end as low,
    case when state = 'absent' then 0e0 else 1e0 end as high
  from activity
  where "index" = 'sledai_2k'
  union all
  select person, on_day, 'value' as measure, what, value as low, value as high from latest
  union all
  select person, on_day, 'scale' as measure, what, low, high from forms_then
  union all
  select person, on_day, 'set' as measure, what, case when met then 1e0 else 0e0 end as low, case when met = false then 0e0 else 1e0 end as high
  from sets_then
),
judged as (
  select d.person, d.on_day, r.version, r.axis,
    case when bool_or(coalesce(f.low >= r.threshold, false)) then true when bool_and(coalesce(f.high < r.threshold, false)) then false end as high
  from days as d
  cross join duke_rules as r
  left join facts as f on f.person = d.person and f.on_day = d.on_day and f.measure = r.measure and f.what = r.what
  group by d.person, d.on_day, r.version, r.axis
),
axes as (
  select person, on_day, version, bool_or(case when axis = 'type1' then high end) as type1, bool_or(case when axis = 'type2' then high end) as type2
  from judged
  group by person, on_day, version
)
select person, on_day, version, type1, type2,
  case when type1 and type2 then 'mixed' when type1 and not type2 then 'type1' when type2 and not type1 then 'type2'
    when not type1 and not type2 then 'minimal' end as "group"
from axes
