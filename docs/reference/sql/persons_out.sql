-- persons_out: one row per person read, as persons.parquet has it. Dates, attribution and intervals for persons of
-- interest; the others have the call `neither` and NULL there. Probabilities are rounded when written.
with codes as (
  select person,
    min(case when finding = 'sle_dx' then first_date end) as sle_dx_first,
    max(case when finding = 'sle_dx' then present_days end) as sle_dx_days,
    min(case when finding = 'fm_dx' then first_date end) as fm_dx_first,
    max(case when finding = 'fm_dx' then present_days end) as fm_dx_days
  from findings
  where finding in ('sle_dx', 'fm_dx') and state = 'present'
  group by person
),
flags as (
  select person, string_agg(flag, ';' order by urgency_rank, flag) as red_flags,
    max(case when forbids then 1 else 0 end) = 1 as forbidding
  from red_flags_in_force
  group by person
),
met as (
  select person
    , max(case when clock = 'course' and basis = 'points' then eular_acr_2019_date end) as eular_acr_2019_date
    , max(case when clock = 'course' and basis = 'points' then slicc_2012_date end) as slicc_2012_date
    , max(case when clock = 'course' and basis = 'points' then acr_1997_date end) as acr_1997_date
    , max(case when clock = 'course' and basis = 'points' then slerpi_date end) as slerpi_date
  from met_dates
  group by person
)
select
  p.person, p.person_id, p.sex, p.birth_date, p.age, s.setting,
  i.person is not null as of_interest,
  coalesce(c.call, 'neither') as call,
  round(coalesce(v.p_sle, d.p_sle), 6) as p_sle,
  round(v.p_sle_low, 6) as p_sle_low, round(v.p_sle_high, 6) as p_sle_high,
  round(coalesce(v.p_fm, d.p_fm), 6) as p_fm,
  round(v.p_fm_low, 6) as p_fm_low, round(v.p_fm_high, 6) as p_fm_high,
  round(coalesce(v.p_both, d.p_both), 6) as p_both,
  round(v.p_both_low, 6) as p_both_low, round(v.p_both_high, 6) as p_both_high,
  round(coalesce(v.p_neither, d.p_neither), 6) as p_neither,
  round(v.p_neither_low, 6) as p_neither_low, round(v.p_neither_high, 6) as p_neither_high,
  cast(coalesce(q.eular_acr_2019_points, 0) as double) as eular_acr_2019_points,
  cast(a.eular_acr_2019_points as double) as eular_acr_2019_points_attributed,
  cast(b.eular_acr_2019_points as double) as eular_acr_2019_points_specific,
  q.eular_acr_2019_met as eular_acr_2019_met, a.eular_acr_2019_met as eular_acr_2019_met_attributed, b.eular_acr_2019_met as eular_acr_2019_met_specific,
  m.eular_acr_2019_date as eular_acr_2019_met_date,
  cast(coalesce(q.slicc_2012_points, 0) as double) as slicc_2012_points,
  cast(a.slicc_2012_points as double) as slicc_2012_points_attributed,
  cast(b.slicc_2012_points as double) as slicc_2012_points_specific,
  q.slicc_2012_met as slicc_2012_met, a.slicc_2012_met as slicc_2012_met_attributed, b.slicc_2012_met as slicc_2012_met_specific,
  m.slicc_2012_date as slicc_2012_met_date,
  cast(coalesce(q.acr_1997_points, 0) as double) as acr_1997_points,
  cast(a.acr_1997_points as double) as acr_1997_points_attributed,
  cast(b.acr_1997_points as double) as acr_1997_points_specific,
  q.acr_1997_met as acr_1997_met, a.acr_1997_met as acr_1997_met_attributed, b.acr_1997_met as acr_1997_met_specific,
  m.acr_1997_date as acr_1997_met_date,
  cast(coalesce(q.slerpi_points, 0) as double) as slerpi_points,
  cast(a.slerpi_points as double) as slerpi_points_attributed,
  cast(b.slerpi_points as double) as slerpi_points_specific,
  q.slerpi_met as slerpi_met, a.slerpi_met as slerpi_met_attributed, b.slerpi_met as slerpi_met_specific,
  m.slerpi_date as slerpi_met_date,
  cast(f.fm_2016_points as double) as fm_2016_points, cast(f.fm_2016_points as double) as fm_2016_points_attributed,
  cast(f.fm_2016_points as double) as fm_2016_points_specific, f.fm_2016_met as fm_2016_met,
  f.fm_2016_met as fm_2016_met_attributed, f.fm_2016_met as fm_2016_met_specific, f.fm_2016_date as fm_2016_met_date,
  cast(f.fm_2011_points as double) as fm_2011_points, cast(f.fm_2011_points as double) as fm_2011_points_attributed,
  cast(f.fm_2011_points as double) as fm_2011_points_specific, f.fm_2011_met as fm_2011_met,
  f.fm_2011_met as fm_2011_met_attributed, f.fm_2011_met as fm_2011_met_specific, f.fm_2011_date as fm_2011_met_date,
  cast(f.fm_2010_points as double) as fm_2010_points, cast(f.fm_2010_points as double) as fm_2010_points_attributed,
  cast(f.fm_2010_points as double) as fm_2010_points_specific, f.fm_2010_met as fm_2010_met,
  f.fm_2010_met as fm_2010_met_attributed, f.fm_2010_met as fm_2010_met_specific, f.fm_2010_date as fm_2010_met_date,
  cast(f.fm_1990_points as double) as fm_1990_points, cast(f.fm_1990_points as double) as fm_1990_points_attributed,
  cast(f.fm_1990_points as double) as fm_1990_points_specific, f.fm_1990_met as fm_1990_met,
  f.fm_1990_met as fm_1990_met_attributed, f.fm_1990_met as fm_1990_met_specific, f.fm_1990_date as fm_1990_met_date,
  cast(f.aapt_2019_points as double) as aapt_2019_points, cast(f.aapt_2019_points as double) as aapt_2019_points_attributed,
  cast(f.aapt_2019_points as double) as aapt_2019_points_specific, f.aapt_2019_met as aapt_2019_met,
  f.aapt_2019_met as aapt_2019_met_attributed, f.aapt_2019_met as aapt_2019_met_specific, f.aapt_2019_date as aapt_2019_met_date,
  cast(f.first_points as double) as first_points, cast(f.first_points as double) as first_points_attributed,
  cast(f.first_points as double) as first_points_specific, f.first_met as first_met,
  f.first_met as first_met_attributed, f.first_met as first_met_specific, f.first_date as first_met_date,
  k.sle_dx_first, coalesce(k.sle_dx_days, 0) as sle_dx_days, k.fm_dx_first, coalesce(k.fm_dx_days, 0) as fm_dx_days,
  coalesce(f.any_met, false) as fm_any_met,
  coalesce(coalesce(b.eular_acr_2019_met, false) or coalesce(b.slicc_2012_met, false) or coalesce(b.acr_1997_met, false) or coalesce(b.slerpi_met, false), false) as sle_any_specific,
  coalesce(coalesce(q.eular_acr_2019_met, false) or coalesce(q.slicc_2012_met, false) or coalesce(q.acr_1997_met, false) or coalesce(q.slerpi_met, false), false) as sle_any_points,
  coalesce(g.forbidding, false) as forbidding_flag,
  coalesce(g.red_flags, '') as red_flags
from persons as p
inner join settings as s on s.person = p.person
inner join posterior as d on d.person = p.person
left join points as q on q.person = p.person
left join interest as i on i.person = p.person
left join intervals as v on v.person = p.person
left join calls as c on c.person = p.person
left join scores as a on a.person = p.person and a.basis = 'attributed'
left join scores as b on b.person = p.person and b.basis = 'specific'
left join met as m on m.person = p.person
left join fm_points as f on f.person = p.person
left join codes as k on k.person = p.person
left join flags as g on g.person = p.person
