-- drug_use: one row per person of interest and drug ever on record: since when it is in use, how much a day, how much per kg.
-- Steered by drug_asks, limits (treatment_gap_days, weight_valid_days, adherence_days).
-- days_low, days_high: known to be taken from the first day of the course to its last record, perhaps until the as-of day.
-- Prescribed long ago without an end: nobody knows whether it is taken (-1 and NULL). Not in use: both NULL.
-- covered: share of the days of the last adherence_days (or since the first record) that records with an end reach over.
-- lowered_days: since the dose was last lowered, or the drug ended. Both only of drugs that a rule asks it of.
with dated as (
  -- a prescription without a date is taken to be in use
  select x.*, h.as_of, coalesce(x.start_date <= h.as_of and x.days_after > 0, false) as open,
    x.start_date is null or (x.start_date <= h.as_of and (x.ongoing or date_diff('day', x.end_date, h.as_of) <= x.days_after)) as runs
  from exposures as x
  inner join horizons as h on h.person = x.person
),
begun as (
  -- first days of courses: no earlier record of the drug reaches up to them
  select a.person, a.drug, a.start_date
  from exposures as a
  left join exposures as b on b.person = a.person and b.drug = a.drug and b.start_date < a.start_date
    and date_diff('day', b.end_date, a.start_date) <= greatest(b.days_after, 30)
  where a.start_date is not null
  group by a.person, a.drug, a.start_date
  having count(b.person) = 0
),
weights as (
  select person, value
  from (
    select e.person, e.value, row_number() over (partition by e.person order by e.date desc, e.row_no desc, e.part desc) as place
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
  select person, drug, max(weight) as weight, min(dose) as low, sum(dose) as high, max(reference) as reference
  from (
    select r.person, r.drug, w.value as weight, case r.dose_unit when 'mg/d' then r.dose else r.dose * w.value end as dose,
      max(r.reference) as reference, rank() over (partition by r.person, r.drug order by r.start_date desc nulls last) as place
    from dated as r
    left join weights as w on w.person = r.person
    where r.runs and (r.dose_unit = 'mg/d' or (r.dose_unit = 'mg/kg/d' and w.value > 0))
    group by r.person, r.drug, r.dose, r.dose_unit, w.value, r.start_date
  ) as ranked
  where place = 1
  group by person, drug
),
used as (
  select person, drug, bool_or(runs) as runs, bool_or(runs or open) as perhaps, min(start_date) as first_date, max(as_of) as as_of,
    max(case when runs then start_date end) as last_start,
    max(case when runs then case when ongoing then as_of else least(end_date, as_of) end end) as last_known,
    max(case when runs then reference end) as reference
  from dated
  group by person, drug
),
records as (
  -- days before the as-of day on which a record begins and ends, and how far the records before it reach
  select person, drug, dose, begins, ends, open, lag(reached) over (partition by person, drug order by start_date, row_no, part) as before,
    lag(dose) over (partition by person, drug order by start_date, row_no, part) as dose_before
  from (
    select d.person, d.drug, d.row_no, d.part, d.start_date, case when d.dose_unit = 'mg/d' then d.dose end as dose,
      date_diff('day', d.start_date, d.as_of) as begins, d.open and not d.ongoing as open,
      case when d.ongoing then 0 else greatest(date_diff('day', d.end_date, d.as_of), 0) end as ends,
      min(case when d.ongoing then 0 else greatest(date_diff('day', d.end_date, d.as_of), 0) end)
        over (partition by d.person, d.drug order by d.start_date, d.row_no, d.part rows between unbounded preceding and current row) as reached
    from dated as d
    inner join (select distinct drug from drug_asks where measure in ('covered', 'lowered')) as a on a.drug = d.drug
    where d.start_date <= d.as_of
  ) as spans
),
followed as (
  select person, drug,
    case when not bool_or(open and begins < 365) then
      cast(sum(greatest(least(begins, before - 1, 365 - 1) - ends + 1, 0)) as double)
        / cast(least(max(begins), 365 - 1) + 1 as double) end as covered,
    min(case when dose < dose_before then begins end) as lowered, case when not bool_or(open) then min(ends) end as ended
  from records
  group by person, drug
)
select u.person, u.drug, u.first_date, u.runs, u.reference,
  case when u.runs then coalesce(date_diff('day', max(b.start_date), u.last_known), 0) when u.perhaps then -1 end as days_low,
  case when u.runs then date_diff('day', max(b.start_date), u.as_of) end as days_high,
  d.low as dose_low, d.high as dose_high, d.reference as dose_reference,
  round(d.low / d.weight, 6) as kg_low, round(d.high / d.weight, 6) as kg_high,
  round(f.covered, 6) as covered, least(f.lowered, case when not u.perhaps then f.ended end) as lowered_days
from used as u
left join begun as b on b.person = u.person and b.drug = u.drug and b.start_date <= u.last_start
left join daily as d on d.person = u.person and d.drug = u.drug
left join followed as f on f.person = u.person and f.drug = u.drug
group by u.person, u.drug, u.first_date, u.runs, u.perhaps, u.reference, u.last_known, u.as_of, d.low, d.high, d.reference, d.weight,
  f.covered, f.lowered, f.ended
