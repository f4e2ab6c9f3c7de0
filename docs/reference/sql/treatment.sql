-- treatment: one row per person of interest, rule whose trigger holds, and term of it: what the term found, what became
-- of the rule. Steered by treatment_rules, treatment_terms, drug_names, drugs, limits (weight_valid_days, treatment_gap_days).
-- A term compares a fact, which is an interval, and is true, false or unknown. All terms of an alternative must hold, the
-- weights of the alternatives that hold reach what their group asks for, and all groups of a rule must hold.
-- state: fires; silent (nothing fails, something is unknown); excused (a documented reason).
with running as (
  -- prescriptions in use on the as-of day; one without a date is taken to be
  select x.*, h.as_of
  from exposures as x
  inner join horizons as h on h.person = x.person
  where x.start_date is null or (x.start_date <= h.as_of and (x.ongoing or date_diff('day', x.end_date, h.as_of) <= x.days_after))
),
begun as (
  -- first days of courses: no earlier record of the drug reaches up to them
  select a.person, a.drug, a.start_date
  from (select distinct person, drug, start_date from exposures where start_date is not null) as a
  left join exposures as b on b.person = a.person and b.drug = a.drug and b.start_date < a.start_date
    and date_diff('day', b.end_date, a.start_date) <= greatest(b.days_after, 30)
  group by a.person, a.drug, a.start_date
  having count(b.person) = 0
),
in_use as (
  -- known to be taken from the first day of the course to its last record; perhaps until the as-of day
  select r.person, r.drug, max(r.reference) as reference,
    coalesce(date_diff('day', max(b.start_date), max(case when r.ongoing then r.as_of else least(r.end_date, r.as_of) end)), 0) as low,
    date_diff('day', max(b.start_date), max(r.as_of)) as high
  from running as r
  left join begun as b on b.person = r.person and b.drug = r.drug and b.start_date <= r.start_date
  group by r.person, r.drug
  union all
  -- prescribed long ago without an end: nobody knows whether it is taken
  select x.person, x.drug, max(x.reference) as reference, -1 as low, cast(null as bigint) as high
  from exposures as x
  inner join horizons as h on h.person = x.person
  where x.start_date <= h.as_of and x.days_after > 0
    and not exists (select 1 from running as r where r.person = x.person and r.drug = x.drug)
  group by x.person, x.drug
),
weights as (
  select person, value, reference
  from (
    select e.person, e.value, e.reference,
      row_number() over (partition by e.person order by e.date desc, e.row_no desc, e.part desc) as place
    from interest_events as e
    inner join codes as c on c.code_id = e.code_id and c.rule = 'result' and c.source = 'body_weight'
    inner join horizons as h on h.person = e.person
    where e.status = 'asserted' and e.value > 0 and e.comparator is null
      and date_diff('day', e.date, h.as_of) >= 0 and date_diff('day', e.date, h.as_of) <= 365
  ) as ranked
  where place = 1
),
daily as (
  -- the latest dose of each drug; different doses begun on one day may add up or replace one another
  select person, drug, min(dose) as low, sum(dose) as high, max(reference) as reference
  from (
    select r.person, r.drug, case r.dose_unit when 'mg/d' then r.dose else r.dose * w.value end as dose, max(r.reference) as reference,
      rank() over (partition by r.person, r.drug order by r.start_date desc nulls last) as place
    from running as r
    left join weights as w on w.person = r.person
    where r.dose_unit = 'mg/d' or (r.dose_unit = 'mg/kg/d' and w.value > 0)
    group by r.person, r.drug, r.dose, r.dose_unit, w.value, r.start_date
  ) as ranked
  where place = 1
  group by person, drug
),
measured_on as (
  select e.person, c.source as what, max(e.date) as last_date, max(e.reference) as reference
  from interest_events as e
  inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
  inner join (select distinct what from treatment_terms where measure = 'since') as t on t.what = c.source
  where e.status = 'asserted'
  group by e.person, c.source
),
tests as (
  select f.person, count(f.first_date) as dated, min(f.first_date) as first_date
  from findings as f
  where f."by" = 'measured' and not f.derived
  group by f.person
),
supported as (
  select c.person, c.call, bool_or(coalesce(s.eular_acr_2019_met or s.slicc_2012_met or s.acr_1997_met or s.slerpi_met, false)) as sle_met,
    bool_or(coalesce(f.any_met, false)) as fm_met, bool_or(f.fm_2016_met) as fm_2016_met, max(cast(f.fm_2016_points as double)) as fm_2016_points
  from calls as c
  left join scores as s on s.person = c.person and s.basis = 'specific'
  left join fm_points as f on f.person = c.person
  group by c.person, c.call
),
facts as (
  select i.person, 'on' as measure, n.name as what, cast(max(i.low) as double) as low,
    case when count(i.high) = count(*) then cast(max(i.high) as double) end as high, max(case when i.low >= 0 then i.reference end) as reference
  from in_use as i inner join drug_names as n on n.drug = i.drug
  group by i.person, n.name
  union all
  select i.person, 'count' as measure, n.name as what, cast(sum(case when i.low >= 0 then 1 else 0 end) as double) as low, cast(count(*) as double) as high,
    max(i.reference) as reference
  from in_use as i inner join drug_names as n on n.drug = i.drug
  group by i.person, n.name
  union all
  -- steroids add up as prednisone; a dose that is not known leaves the sum open upward
  select i.person, 'dose' as measure, g.class as what, sum(coalesce(d.low * g.prednisone_factor, 0e0)) as low,
    case when count(d.high) = count(*) then sum(d.high * g.prednisone_factor) end as high, max(d.reference) as reference
  from in_use as i
  inner join drugs as g on g.drug = i.drug and g.prednisone_factor is not null
  left join daily as d on d.person = i.person and d.drug = i.drug
  where i.low >= 0
  group by i.person, g.class
  union all
  select d.person, 'dose_per_kg' as measure, d.drug as what, round(d.low / w.value, 6) as low, round(d.high / w.value, 6) as high, d.reference
  from daily as d inner join weights as w on w.person = d.person
  union all
  select f.person, 'finding' as measure, f.finding as what, case when f.state = 'present' then 1e0 else 0e0 end as low,
    case when f.state = 'present' then 1e0 else 0e0 end as high, f.reference
  from findings as f
  where f.contested_by is null
  union all
  select f.person, 'times_absent' as measure, f.finding as what, cast(case when f.state = 'present' then 0 else f.absent_days end as double) as low,
    cast(case when f.state = 'present' then 0 else f.absent_days end as double) as high, f.reference
  from findings as f
  union all
  select f.person, 'since' as measure, f.finding as what, cast(coalesce(date_diff('day', f.last_date, h.as_of), 0) as double) as low,
    cast(date_diff('day', f.last_date, h.as_of) as double) as high, f.reference
  from findings as f inner join horizons as h on h.person = f.person
  where f.state = 'present'
  union all
  select m.person, 'since' as measure, m.what, cast(coalesce(date_diff('day', m.last_date, h.as_of), 0) as double) as low,
    cast(date_diff('day', m.last_date, h.as_of) as double) as high, m.reference
  from measured_on as m inner join horizons as h on h.person = m.person
  union all
  select f.person, 'code' as measure, case f.finding when 'sle_dx' then 'sle' else 'fm' end as what, 1e0 as low, 1e0 as high, f.reference
  from findings as f
  where f.finding in ('sle_dx', 'fm_dx') and f.state = 'present'
  union all
  -- a call of neither or of the other disease speaks against, unless a set is met; an open call says nothing
  select person, 'evidence' as measure, 'sle' as what, case when sle_met or call in ('sle', 'both') then 1e0 else 0e0 end as low,
    case when sle_met or call in ('sle', 'both') then 1e0 else 0e0 end as high, cast(null as varchar) as reference
  from supported
  where sle_met or call <> 'undetermined'
  union all
  select person, 'evidence' as measure, 'fm' as what, case when fm_met or call in ('fm', 'both') then 1e0 else 0e0 end as low,
    case when fm_met or call in ('fm', 'both') then 1e0 else 0e0 end as high, cast(null as varchar) as reference
  from supported
  where fm_met or call <> 'undetermined'
  union all
  select person, 'met' as measure, 'sle' as what, case when sle_met then 1e0 else 0e0 end as low, case when sle_met then 1e0 else 0e0 end as high, cast(null as varchar) as reference
  from supported
  union all
  select person, 'met' as measure, 'fm_2016' as what, case when fm_2016_met then 1e0 else 0e0 end as low, case when fm_2016_met then 1e0 else 0e0 end as high, cast(null as varchar) as reference
  from supported
  where fm_2016_met is not null
  union all
  select person, 'points' as measure, 'fm_2016' as what, fm_2016_points as low, fm_2016_points as high, cast(null as varchar) as reference
  from supported
  where fm_2016_points is not null
  union all
  select person, 'sex' as measure, 'female' as what, case when sex = 'female' then 1e0 else 0e0 end as low, case when sex = 'female' then 1e0 else 0e0 end as high, cast(null as varchar) as reference
  from settings
  where sex in ('female', 'male')
  union all
  select person, 'age' as measure, 'years' as what, cast(age as double) as low, cast(age as double) as high, cast(null as varchar) as reference
  from settings
  where age is not null
  union all
  select a.person, 'index' as measure, a."index" as what, cast(min(a.low) as double) as low, cast(max(a.high) as double) as high, cast(null as varchar) as reference
  from activity as a inner join horizons as h on h.person = a.person and h.as_of = a.on_day
  group by a.person, a."index"
  union all
  select distinct person, 'drug_induced' as measure, verdict as what, 1e0 as low, 1e0 as high, cast(null as varchar) as reference
  from drug_induced
  where verdict is not null
  union all
  select person, 'labs' as measure, 'dated' as what, cast(dated as double) as low, cast(dated as double) as high, cast(null as varchar) as reference
  from tests
  union all
  select t.person, 'masked' as measure, n.name as what, cast(date_diff('day', min(x.start_date), min(t.first_date)) as double) as low,
    cast(date_diff('day', min(x.start_date), min(t.first_date)) as double) as high, cast(null as varchar) as reference
  from tests as t
  inner join exposures as x on x.person = t.person and x.start_date is not null
  inner join drug_names as n on n.drug = x.drug
  where t.first_date is not null
  group by t.person, n.name
),
considered as (
  select distinct f.person, t.rule
  from treatment_terms as t
  inner join facts as f on f.measure = t.measure and f.what = t.what
  where t.role = 'trigger' and t.comparator <> 'none' and not (t.measure = 'on' and f.low < 0) and not (t.measure = 'count' and f.low < t.threshold)
),
listed as (select distinct person from exposures),
judged as (
  select k.person, t.rule, t.term, t.role, t."group", t.least, t.alternative, t.weight, f.low, f.high, f.reference,
    case
      when t.comparator = 'none' then
        case when f.low >= 0 then false when f.person is not null then null when t.measure not in ('on', 'count') or m.person is not null then true end
      when f.person is null then
        case when t.measure in ('code', 'drug_induced', 'masked', 'labs') or (t.measure in ('on', 'count') and m.person is not null) then false end
      when t.comparator = '>' then case when f.low > t.threshold then true when f.high <= t.threshold then false end
      when t.comparator = '>=' then case when f.low >= t.threshold then true when f.high < t.threshold then false end
      when t.comparator = '<' then case when f.high < t.threshold then true when f.low >= t.threshold then false end
      when t.comparator = '<=' then case when f.high <= t.threshold then true when f.low > t.threshold then false end
    end as holds
  from considered as k
  inner join treatment_terms as t on t.rule = k.rule
  left join facts as f on f.person = k.person and f.measure = t.measure and f.what = t.what
  left join listed as m on m.person = k.person
),
ways as (
  select person, rule, role, "group", least, alternative, weight,
    case when bool_or(not holds) then false when count(holds) = count(*) then true end as holds
  from judged
  group by person, rule, role, "group", least, alternative, weight
),
groups as (
  select person, rule, role, "group",
    case when sum(case when holds then weight else 0 end) >= least then true
      when sum(case when coalesce(holds, true) then weight else 0 end) < least then false end as holds
  from ways
  group by person, rule, role, "group", least
),
settled as (
  -- what blocks or excuses counts only when it is known to hold
  select g.person, g.rule, r.purpose,
    case when bool_or(g.role = 'excuses' and coalesce(g.holds, false)) then 'excused'
      when bool_and(g.role in ('excuses', 'blocks') or coalesce(g.holds, false)) then 'fires' else 'silent' end as state
  from groups as g
  inner join treatment_rules as r on r.rule = g.rule
  group by g.person, g.rule, r.purpose
  having not bool_or(g.role not in ('excuses', 'blocks') and not coalesce(g.holds, true))
    and not bool_or(g.role = 'blocks' and coalesce(g.holds, false))
),
disputed as (select distinct person from settled where purpose = 'disagreement' and state = 'fires')
select s.person, s.rule, s.state, j.term, coalesce(j.holds and w.holds, false) as counted, j.holds is null as unknown, j.low, j.high, j.reference
from settled as s
inner join judged as j on j.person = s.person and j.rule = s.rule and j.role <> 'blocks'
inner join ways as w on w.person = j.person and w.rule = j.rule and w."group" = j."group" and w.alternative = j.alternative
left join disputed as d on d.person = s.person
where s.purpose <> 'choice' or d.person is null
