-- treatment_facts: one row per person of interest and thing that a treatment rule asks for (a measure of something).
-- Steered by treatment_asks, drug_asks (those of drugs, drug by drug). A fact is an interval; what is not known has no row.
with tests as (
  select person, cast(count(first_date) as double) as dated, min(first_date) as first_date
  from findings
  where "by" = 'measured' and not derived
  group by person
),
whole as (
  -- what is known of the person as a whole
  select c.person, c.call, s.sex, s.age, coalesce(t.dated, 0e0) as dated,
    coalesce(p.eular_acr_2019_met or p.slicc_2012_met or p.acr_1997_met or p.slerpi_met, false) as sle_met,
    coalesce(f.any_met, false) as fm_met, f.fm_2016_met, cast(f.fm_2016_points as double) as fm_2016_points
  from calls as c
  inner join settings as s on s.person = c.person
  left join scores as p on p.person = c.person and p.basis = 'specific'
  left join fm_points as f on f.person = c.person
  left join tests as t on t.person = c.person
)
select u.person, a.ask,
  case min(a.measure)
    when 'on' then cast(max(u.days_low) as double)
    when 'count' then sum(case when u.runs then 1e0 else 0e0 end)
    when 'dose' then sum(coalesce(u.dose_low * a.prednisone_factor, 0e0))
    when 'dose_per_kg' then sum(coalesce(u.kg_low * a.prednisone_factor, 0e0))
    when 'covered' then min(u.covered)
    when 'lowered' then cast(min(u.lowered_days) as double)
    -- how long the drug had been taken before the first laboratory finding
    when 'masked' then cast(date_diff('day', min(u.first_date), min(t.first_date)) as double)
  end as low,
  -- a dose or a beginning that is not known leaves the interval open upward
  case min(a.measure)
    when 'on' then case when count(u.days_high) = count(*) then cast(max(u.days_high) as double) end
    when 'count' then cast(count(*) as double)
    when 'dose' then case when count(u.dose_high) = count(*) then sum(u.dose_high * a.prednisone_factor) end
    when 'dose_per_kg' then case when count(u.kg_high) = count(*) then sum(u.kg_high * a.prednisone_factor) end
    when 'covered' then max(u.covered)
    when 'lowered' then cast(min(u.lowered_days) as double)
    when 'masked' then cast(date_diff('day', min(u.first_date), min(t.first_date)) as double)
  end as high,
  max(case when a.measure in ('on', 'count') then u.reference when a.measure in ('dose', 'dose_per_kg') then u.dose_reference end) as reference
from drug_use as u
inner join drug_asks as a on a.drug = u.drug
left join tests as t on t.person = u.person and a.measure = 'masked'
where (a.measure = 'masked' and u.first_date is not null and t.first_date is not null)
  or (a.measure in ('on', 'count') and u.days_low is not null) or (a.measure in ('dose', 'dose_per_kg') and u.days_low >= 0)
  or (a.measure = 'covered' and u.runs and u.covered is not null) or (a.measure = 'lowered' and u.lowered_days is not null)
group by u.person, a.ask
union all
select x.person, x.ask, x.low, case when x.dated then x.low end as high, x.reference
from (
  select f.person, a.ask, f.reference, a.measure <> 'since' or f.last_date is not null as dated,
    case a.measure
      when 'finding' then case when f.contested_by is null then case when f.state = 'present' then 1e0 else 0e0 end end
      when 'code' then case when f.state = 'present' then 1e0 end
      when 'times_absent' then case when f.state = 'present' then 0e0 else cast(f.absent_days as double) end
      when 'since' then case when f.state = 'present' then cast(coalesce(date_diff('day', f.last_date, h.as_of), 0) as double) end
    end as low
  from findings as f
  inner join treatment_asks as a on a.what = f.finding
  inner join horizons as h on h.person = f.person
) as x
where x.low is not null
union all
select e.person, a.ask, cast(coalesce(date_diff('day', max(e.date), max(h.as_of)), 0) as double) as low,
  cast(date_diff('day', max(e.date), max(h.as_of)) as double) as high, max(e.reference) as reference
from interest_events as e
inner join codes as c on c.code_id = e.code_id and c.rule in ('result', 'state')
inner join treatment_asks as a on a.what = c.source and (a.measure = 'tested' or (a.measure = 'since' and c.rule = 'result'))
inner join horizons as h on h.person = e.person
where e.status = 'asserted'
group by e.person, a.ask
union all
-- a call of neither or of the other disease speaks against, unless a set is met; an open call says nothing
select x.person, x.ask, x.low, x.low as high, cast(null as varchar) as reference
from (
  select w.person, a.ask,
    case a.measure || ' ' || a.what
      when 'evidence sle' then case when w.sle_met or w.call in ('sle', 'both') then 1e0 when w.call <> 'undetermined' then 0e0 end
      when 'evidence fm' then case when w.fm_met or w.call in ('fm', 'both') then 1e0 when w.call <> 'undetermined' then 0e0 end
      when 'met sle' then case when w.sle_met then 1e0 else 0e0 end
      when 'met fm_2016' then case when w.fm_2016_met then 1e0 when not w.fm_2016_met then 0e0 end
      when 'points fm_2016' then w.fm_2016_points
      when 'sex female' then case when w.sex = 'female' then 1e0 when w.sex = 'male' then 0e0 end
      when 'age years' then cast(w.age as double)
      when 'labs dated' then w.dated
    end as low
  from whole as w
  cross join treatment_asks as a
  where a.measure in ('evidence', 'met', 'points', 'sex', 'age', 'labs')
) as x
where x.low is not null
union all
select i.person, a.ask, cast(min(i.low) as double) as low, cast(max(i.high) as double) as high, cast(null as varchar) as reference
from activity as i
inner join treatment_asks as a on a.measure = 'index' and a.what = i."index"
inner join horizons as h on h.person = i.person and h.as_of = i.on_day
group by i.person, a.ask
union all
select d.person, a.ask, 1e0 as low, 1e0 as high, cast(null as varchar) as reference
from drug_induced as d
inner join treatment_asks as a on a.measure = 'drug_induced' and a.what = d.verdict
group by d.person, a.ask
