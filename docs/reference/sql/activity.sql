-- activity: one row per person with lupus, activity index, day and item of it: its state, and the total of the day.
-- Steered by activity_items (with their activity_indices), activity_clauses, activity_conditions, activity_bands, drugs, limits
-- (activity_window_days). Present: found in the window without a likelier cause. Absent: denied there,
-- or only found with a likelier cause. Anything else is unknown, so a total is an interval. Undated findings are in no window.
-- Days: the as-of day and, if every day is asked for, back from it the last day on record of every stretch as long as the window.
with told as (
  select o.person, o.finding, o.date,
    o.state = 'present' and o.contested_by is null as any_present,
    o.state = 'present' and o.contested_by is null and o.vouched as seen_present,
    o.state = 'absent' as denied, o.contested_by, o.contested_row_no
  from lupus as l
  inner join occurrences as o on o.person = l.person and o.date is not null
  inner join (select distinct finding from activity_clauses) as c on c.finding = o.finding
),
scaled as (
  select e.person, c.source as what, e.date, e.value, e.row_no, e.part
  from lupus as l
  inner join interest_events as e
    on e.person = l.person and e.status = 'asserted' and e.date is not null and e.value is not null and e.comparator is null
  inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
  inner join (
    select what from activity_conditions where measure = 'value'
    union
    select stated_as as what from activity_items where stated_as is not null
  ) as v on v.what = c.source
),
dated as (
  select person, date from told
  union
  select person, date from scaled
),
days as (
  select d.person, max(d.date) as on_day
  from dated as d
  inner join lupus as l on l.person = d.person and l.every_day
  inner join horizons as h on h.person = d.person and d.date <= h.as_of
  group by d.person, date_diff('day', d.date, h.as_of) // 30
  union
  select d.person, h.as_of as on_day
  from dated as d
  inner join horizons as h on h.person = d.person and date_diff('day', d.date, h.as_of) >= 0 and date_diff('day', d.date, h.as_of) <= 30
),
-- what the window of a day holds
held as (
  select d.person, d.on_day, t.finding, bool_or(t.any_present) as any_present, bool_or(t.seen_present) as seen_present,
    bool_or(t.denied) as denied, min(t.contested_by) as contested_by, min(t.contested_row_no) as contested_row_no
  from days as d
  inner join told as t on t.person = d.person and date_diff('day', t.date, d.on_day) >= 0 and date_diff('day', t.date, d.on_day) <= 30
  group by d.person, d.on_day, t.finding
),
ways as (
  select d.person, d.on_day, c.item, c.role, c.alternative,
    bool_and(coalesce(case when c.patient_counts = 'yes' then h.any_present else h.seen_present end, false)) as holds,
    bool_or(coalesce(not h.any_present and (h.denied or h.contested_by is not null), false)) as fails,
    bool_and(coalesce(not h.any_present and h.denied, false)) as denied,
    min(h.contested_by) as contested_by, min(h.contested_row_no) as contested_row_no
  from days as d
  cross join activity_clauses as c
  left join held as h on h.person = d.person and h.on_day = d.on_day and h.finding = c.finding
  group by d.person, d.on_day, c.item, c.role, c.alternative
),
found as (
  select person, on_day, item,
    case
      when bool_or(role = 'needs' and holds) then 'present'
      when bool_and(role = 'denies' or fails) or bool_or(role = 'denies' and denied) then 'absent'
      else 'unknown'
    end as state,
    min(contested_by) as contested_by, min(contested_row_no) as contested_row_no
  from ways
  group by person, on_day, item
),
latest as (
  select person, on_day, what, value
  from (
    select d.person, d.on_day, s.what, s.value,
      row_number() over (partition by d.person, d.on_day, s.what order by s.date desc, s.row_no desc, s.part desc) as place
    from days as d
    inner join scaled as s on s.person = d.person and date_diff('day', s.date, d.on_day) >= 0 and date_diff('day', s.date, d.on_day) <= 30
  ) as ranked
  where place = 1
),
scores as (
  -- a total that a clinician scored wins, and no part exceeds its whole
  select t.person, t.on_day, t."index", s.value as stated,
    coalesce(s.value, least(t.low, w.value)) as low, coalesce(s.value, least(t.high, w.value)) as high
  from (
    select f.person, f.on_day, i."index", i.stated_as, i.whole_stated_as, sum(case when state = 'present' then i.weight else 0 end) as low, sum(case when state = 'absent' then 0 else i.weight end) as high
    from found as f
    inner join activity_items as i on i.item = f.item
    group by f.person, f.on_day, i."index", i.stated_as, i.whole_stated_as
  ) as t
  left join latest as s on s.person = t.person and s.on_day = t.on_day and s.what = t.stated_as
  left join latest as w on w.person = t.person and w.on_day = t.on_day and w.what = t.whole_stated_as
),
-- what was present now and not at the assessment before: the last day before the window
earlier as (
  select n.person, n.on_day, max(p.on_day) as before
  from days as n
  inner join days as p
    on p.person = n.person and date_diff('day', p.on_day, n.on_day) > 30
  group by n.person, n.on_day
),
news as (
  select e.person, e.on_day, i."index",
    sum(case when n.state = 'present' and p.state = 'absent' then 1e0 else 0e0 end) as low,
    sum(case when n.state = 'absent' or p.state = 'present' then 0e0 else 1e0 end) as high
  from earlier as e
  inner join found as n on n.person = e.person and n.on_day = e.on_day
  inner join found as p on p.person = e.person and p.on_day = e.before and p.item = n.item
  inner join activity_items as i on i.item = n.item
  group by e.person, e.on_day, i."index"
),
-- drugs in use on a day, each at its latest dose
taken as (
  select person, on_day, drug, drug_class, dose, dose_unit
  from (
    select d.person, d.on_day, x.drug, x.drug_class, x.dose, x.dose_unit,
      row_number() over (partition by d.person, d.on_day, x.drug order by x.start_date desc, x.row_no desc, x.part desc) as place
    from days as d
    inner join exposures as x
      on x.person = d.person and x.start_date <= d.on_day
      and (x.ongoing or date_diff('day', x.end_date, d.on_day) <= x.days_after)
  ) as ranked
  where place = 1
),
measured as (
  select s.person, s.on_day, c.item, c.comparator, c.threshold, s.low, s.high
  from activity_conditions as c inner join scores as s on c.measure = 'index' and s."index" = c.what
  union all
  select n.person, n.on_day, c.item, c.comparator, c.threshold, n.low, n.high
  from activity_conditions as c inner join news as n on c.measure = 'new' and n."index" = c.what
  union all
  select v.person, v.on_day, c.item, c.comparator, c.threshold, v.value as low, v.value as high
  from activity_conditions as c inner join latest as v on c.measure = 'value' and v.what = c.what
  union all
  select t.person, t.on_day, c.item, c.comparator, c.threshold,
    case when t.dose_unit = c.unit then t.dose end as low, case when t.dose_unit = c.unit then t.dose end as high
  from activity_conditions as c inner join taken as t on c.measure = 'drug' and t.drug = c.what
  union all
  -- steroids add up as prednisone; a dose that is not known leaves the sum open upward
  select t.person, t.on_day, c.item, c.comparator, c.threshold,
    sum(coalesce(case when t.dose_unit = c.unit then t.dose * g.prednisone_factor end, 0e0)) as low,
    case when bool_and(coalesce(t.dose_unit = c.unit and t.dose is not null, false)) then sum(t.dose * g.prednisone_factor) end as high
  from activity_conditions as c
  inner join taken as t on c.measure = 'steroid' and t.drug_class = c.what
  inner join drugs as g on g.drug = t.drug
  group by t.person, t.on_day, c.item, c.comparator, c.threshold
),
judged as (
  select person, on_day, item,
    bool_or(coalesce(low > threshold or (comparator = '<' and low = threshold), false)) as broken,
    bool_and(coalesce(high < threshold or (comparator = '<=' and high = threshold), false)) as kept
  from measured
  group by person, on_day, item
),
settled as (
  select d.person, d.on_day, c.item,
    case when j.broken then 'absent' when j.kept then 'present' else 'unknown' end as state
  from days as d
  cross join (select distinct item from activity_conditions) as c
  left join judged as j on j.person = d.person and j.on_day = d.on_day and j.item = c.item
),
summed as (
  select person, on_day, "index", low, high, stated is not null as stated from scores
  union all
  select s.person, s.on_day, i."index", sum(case when state = 'present' then i.weight else 0 end) as low, sum(case when state = 'absent' then 0 else i.weight end) as high, false as stated
  from settled as s
  inner join activity_items as i on i.item = s.item
  group by s.person, s.on_day, i."index"
)
select s.person, i."index", s.on_day, s.item, s.state, i.weight, s.contested_by, s.contested_row_no,
  t.low, t.high, t.stated, b.category, a.category as at_least
from (
  select person, on_day, item, state, contested_by, contested_row_no from found
  union all
  select person, on_day, item, state, cast(null as varchar) as contested_by, cast(null as bigint) as contested_row_no from settled
) as s
inner join activity_items as i on i.item = s.item and i.shown
inner join summed as t on t.person = s.person and t.on_day = s.on_day and t."index" = i."index"
inner join activity_bands as a on a."index" = i."index" and t.low >= a.low and t.low <= a.high
left join activity_bands as b on b."index" = i."index" and t.low >= b.low and t.high <= b.high
