-- flare_signs: one row per flare of a person with lupus, or change that is none, and sign of it. Steered by flare_rules,
-- flare_looks, activity_items, limits (activity_window_days, flare_gap_days, treatment_gap_days).
-- A sign is new against the last time it was looked for; it is sure if it was known to be absent then. A first assessment and what
-- came with the diagnosis are no flare. Signs of disease less than the gap apart are one flare; changes of medicine and of serology
-- are never one by themselves, and belong to the flare that they lie near. So does fever on a drug that lowers the defenses: whatever
-- else changed, infection comes first.
with begun as (
  select a.person, greatest(min(a.on_day), max(f.first_date)) as first_day
  from activity as a
  left join findings as f on f.person = a.person and f.finding = 'sle_dx' and f.state = 'present'
  group by a.person
),
known as (
  select person, item, on_day, state, weight, row_number() over (partition by person, item order by on_day) as place
  from activity
  where "index" = 'sledai_2k' and state <> 'unknown'
),
news as (
  select k.person, k.on_day, k.item, k.state, k.weight, p.state is not null as sure,
    c.item is not null and k.state = 'present' as clinical
  from known as k
  inner join begun as b on b.person = k.person and b.first_day < k.on_day
  left join known as p on p.person = k.person and p.item = k.item and p.place = k.place - 1
  left join activity_items as c on c.item = k.item and c."index" = 'clinical_sledai'
  where (k.state = 'present' and coalesce(p.state, 'absent') = 'absent') or (k.state = 'absent' and p.state = 'present')
),
stated as (
  select person, on_day, low, row_number() over (partition by person order by on_day) as place
  from (select distinct person, on_day, low from activity where "index" = 'sledai_2k' and stated) as t
),
rises as (
  -- by items, and by totals that a clinician scored
  select person, on_day, max(rise) as rise, bool_or(sure) as sure, bool_or(clinical) as clinical
  from (
    select person, on_day, sum(case when state = 'present' then weight else -weight end) as rise, bool_and(sure) as sure,
      bool_or(clinical) as clinical
    from news
    group by person, on_day
    union all
    select n.person, n.on_day, n.low - p.low as rise, true as sure, true as clinical
    from stated as n
    inner join stated as p on p.person = n.person and p.place = n.place - 1
  ) as r
  group by person, on_day
),
totals as (select distinct person, on_day, low from activity where "index" = 'sledai_2k'),
measured as (
  select e.person, c.source as what, e.date, e.value,
    row_number() over (partition by e.person, c.source order by e.date, e.row_no, e.part) as place
  from lupus as l
  inner join interest_events as e
    on e.person = l.person and e.status = 'asserted' and e.date is not null and e.value is not null and e.comparator is null
  inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
  inner join (select distinct what from flare_rules where kind in ('value', 'value_rise')) as r on r.what = c.source
),
doses as (
  -- steroids begun on one day add up as prednisone; a dose that is not known is compared with nothing
  select d.person, d.what, d.start_date, d.dose, row_number() over (partition by d.person, d.what order by d.start_date) as place
  from (
    select x.person, g.class as what, x.start_date,
      case when bool_and(coalesce(x.dose_unit = 'mg/d' and x.dose is not null, false)) then sum(x.dose * g.prednisone_factor) end as dose
    from lupus as l
    inner join exposures as x on x.person = l.person and x.start_date is not null
    inner join drugs as g on g.drug = x.drug and g.prednisone_factor is not null
    group by x.person, g.class, x.start_date
  ) as d
),
courses as (
  -- first days of courses: no earlier record of the drug reaches up to them
  select a.person, a.drug, a.start_date
  from (
    select distinct x.person, x.drug, x.start_date
    from lupus as l inner join exposures as x on x.person = l.person and x.start_date is not null
  ) as a
  left join exposures as b on b.person = a.person and b.drug = a.drug and b.start_date < a.start_date
    and date_diff('day', b.end_date, a.start_date) <= greatest(b.days_after, {{ limit("treatment_gap_days") }})
  group by a.person, a.drug, a.start_date
  having count(b.person) = 0
),
hits as (
  select n.person, n.on_day as day, r.rule, r.axis, r.severity, r.urgent, n.sure, n.item, cast(null as varchar) as scale
  from news as n
  inner join flare_rules as r on r.kind = 'new_item' and r.what = n.item
  where n.state = 'present'
  union all
  select s.person, s.on_day as day, r.rule, case when s.clinical then r.axis else 'serology' end as axis, r.severity, r.urgent, s.sure,
    cast(null as varchar) as item, cast(null as varchar) as scale
  from rises as s
  inner join flare_rules as r on r.kind = 'rise' and s.rise >= r.threshold
  union all
  select s.person, s.on_day as day, r.rule, r.axis, r.severity, r.urgent, s.sure, cast(null as varchar) as item, cast(null as varchar) as scale
  from rises as s
  inner join totals as t on t.person = s.person and t.on_day = s.on_day
  inner join flare_rules as r on r.kind = 'total' and t.low > r.threshold
  where s.clinical and s.rise > 0
  union all
  select v.person, v.date as day, r.rule, r.axis, r.severity, r.urgent, p.person is not null as sure,
    cast(null as varchar) as item, cast(null as varchar) as scale
  from measured as v
  inner join flare_rules as r on r.what = v.what
  left join measured as p on p.person = v.person and p.what = v.what and p.place = v.place - 1
  where (r.kind = 'value_rise' and v.value - p.value >= r.threshold)
    or (r.kind = 'value' and r.comparator = '>' and v.value > r.threshold and coalesce(p.value <= r.threshold, true))
    or (r.kind = 'value' and r.comparator = '<' and v.value < r.threshold and coalesce(p.value >= r.threshold, true))
  union all
  select f.person, f.first_date as day, r.rule, r.axis, r.severity, r.urgent, false as sure,
    cast(null as varchar) as item, cast(null as varchar) as scale
  from findings as f
  inner join flare_rules as r on r.kind = 'finding' and r.what = f.finding
  where f.state = 'present' and f.contested_by is null and f.first_date is not null
  union all
  select distinct o.person, o.date as day, r.rule, r.axis, r.severity, r.urgent, true as sure,
    cast(null as varchar) as item, cast(null as varchar) as scale
  from lupus as l
  inner join occurrences as o on o.person = l.person and o.state = 'present' and o.date is not null
  inner join flare_rules as r on r.kind = 'occurs' and r.what = o.finding
  union all
  select t.person, t.date as day, r.rule, r.axis, r.severity, r.urgent, true as sure, cast(null as varchar) as item, t.scale
  from instrument_totals as t
  inner join flare_rules as r on r.kind = 'form' and r.what = t.scale
  where t.changed = 'worse'
  union all
  select d.person, d.start_date as day, r.rule, r.axis, r.severity, r.urgent, true as sure, cast(null as varchar) as item, cast(null as varchar) as scale
  from doses as d
  inner join doses as p on p.person = d.person and p.what = d.what and p.place = d.place - 1
  inner join flare_rules as r on r.kind = 'dose_rise' and r.what = d.what
  where d.dose - p.dose > r.threshold
  union all
  select distinct c.person, c.start_date as day, r.rule, r.axis, r.severity, r.urgent, true as sure, cast(null as varchar) as item, cast(null as varchar) as scale
  from courses as c
  inner join drug_names as n on n.drug = c.drug
  inner join flare_rules as r on r.kind = 'started' and r.what = n.name
),
signs as (
  select h.*, h.axis in ('type1', 'type2') as of_disease
  from hits as h
  inner join begun as b on b.person = h.person and b.first_day < h.day
  inner join horizons as o on o.person = h.person and h.day <= o.as_of
),
days as (select distinct person, of_disease, day from signs),
openings as (
  select d.person, d.of_disease, d.day, count(e.day) = 0 as opens
  from days as d
  left join days as e
    on e.person = d.person and e.of_disease = d.of_disease and e.day < d.day and date_diff('day', e.day, d.day) <= {{ limit("flare_gap_days") }}
  group by d.person, d.of_disease, d.day
),
spells as (
  select person, of_disease, day,
    max(case when opens then day end)
      over (partition by person, of_disease order by day rows between unbounded preceding and current row) as start_date
  from openings
),
flares as (
  select person, start_date, max(day) as last_day from spells where of_disease group by person, start_date
),
-- where a change of medicine or serology lies near a flare it belongs to the first such
placed as (
  select s.person, s.day, s.of_disease, coalesce(min(f.start_date), s.start_date) as start_date, min(f.start_date) is not null as a_flare
  from spells as s
  left join flares as f on f.person = s.person and (
    (s.of_disease and f.start_date = s.start_date)
    or (not s.of_disease and date_diff('day', s.day, f.start_date) <= {{ limit("flare_gap_days") }}
      and date_diff('day', f.last_day, s.day) <= {{ limit("flare_gap_days") }})
  )
  group by s.person, s.day, s.of_disease, s.start_date
),
joined as (
  select s.person, p.start_date, p.a_flare, s.rule, s.axis, s.severity, s.urgent, bool_or(s.sure) as sure, s.day,
    s.item is not null or s.scale is not null as can_end,
    min(k.on_day) as gone, min(t.date) as better
  from signs as s
  inner join placed as p on p.person = s.person and p.day = s.day and p.of_disease = s.of_disease
  left join known as k on k.person = s.person and k.item = s.item and k.on_day > s.day and k.state = 'absent'
  left join instrument_totals as t on t.person = s.person and t.scale = s.scale and t.date > s.day and t.changed = 'better'
  group by s.person, p.start_date, p.a_flare, s.rule, s.axis, s.severity, s.urgent, s.day, s.item, s.scale
),
looked as (
  select j.person, j.start_date, j.a_flare, count(distinct g.kind) as kinds
  from (select distinct person, start_date, a_flare, day from joined) as j
  inner join known as k
    on k.person = j.person and date_diff('day', k.on_day, j.day) <= {{ limit("activity_window_days") }}
    and date_diff('day', j.day, k.on_day) <= {{ limit("activity_window_days") }}
  inner join flare_looks as g on g.item = k.item
  group by j.person, j.start_date, j.a_flare
),
summed as (
  select person, start_date, a_flare,
    bool_or(axis = 'type1') as type1, bool_or(axis = 'type2') as type2, bool_or(axis = 'serology') as serology, bool_or(axis = 'infection') as infection,
    bool_or(axis in ('type1', 'type2') and severity = 'severe') as severe, bool_or(urgent = 'yes') as urgent,
    sum(case when axis in ('type1', 'type2') and sure then 1e0 else 0e0 end)
      / cast(greatest(sum(case when axis in ('type1', 'type2') then 1 else 0 end), 1) as double) as certainty,
    case when sum(case when can_end and coalesce(gone, better) is null then 1 else 0 end) = 0 then max(coalesce(gone, better)) end as end_date
  from joined
  group by person, start_date, a_flare
),
peaks as (
  select person, start_date, on_day
  from (
    select s.person, s.start_date, t.on_day, row_number() over (partition by s.person, s.start_date order by t.low desc, t.on_day) as place
    from summed as s
    inner join totals as t on t.person = s.person and t.on_day >= s.start_date and t.on_day <= coalesce(s.end_date, t.on_day)
    where s.type1
  ) as ranked
  where place = 1
)
select j.person, j.start_date, j.a_flare as is_flare,
  case when s.type1 and s.type2 then 'mixed' when s.type1 then 'type1'
    when s.type2 and l.kinds = n.kinds then 'type2' else 'undetermined' end as "type",
  case when s.infection then 'infection_first' when s.type1 and s.type2 then 'mixed' when s.type1 then 'possible_type1' when s.type2 and l.kinds = n.kinds then 'type2'
    when s.type2 then 'not_looked' when s.serology then 'serological_only' else 'treatment_only' end as pattern,
  case when s.severe then 'severe' else 'moderate' end as severity, s.urgent, round(s.certainty, 6) as certainty,
  coalesce(k.on_day, j.start_date) as peak_date, s.end_date, j.rule, j.axis, j.day, j.sure
from joined as j
inner join summed as s on s.person = j.person and s.start_date = j.start_date and s.a_flare = j.a_flare
left join looked as l on l.person = j.person and l.start_date = j.start_date and l.a_flare = j.a_flare
left join peaks as k on k.person = j.person and k.start_date = j.start_date
cross join (select count(distinct kind) as kinds from flare_looks) as n
