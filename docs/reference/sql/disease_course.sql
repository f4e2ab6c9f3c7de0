-- disease_course: one row per person of interest and stretch of time: lupus, fibromyalgia, both or neither, with what says so.
-- A disease is there from the first day on which a set of it was met: for lupus by what fibromyalgia does not explain, for
-- fibromyalgia by a form that is no mere screen; else from its first code. Neither of the two ends by itself.
with met as (
  select m.person, 'sle' as disease, least(m.eular_acr_2019_date, m.slicc_2012_date, m.acr_1997_date, m.slerpi_date) as day
  from met_dates as m
  where m.clock = 'course' and m.basis = 'specific'
  union all
  select f.person, 'fm' as disease, least(f.fm_2016_date, f.fm_2011_date, f.fm_2010_date, f.fm_1990_date, f.aapt_2019_date) as day
  from fm_points as f
),
coded as (
  select person, case finding when 'sle_dx' then 'sle' else 'fm' end as disease, first_date as day
  from findings
  where finding in ('sle_dx', 'fm_dx') and state = 'present'
),
began as (
  select p.person,
    coalesce(max(case when m.disease = 'sle' then m.day end), max(case when c.disease = 'sle' then c.day end)) as sle,
    coalesce(max(case when m.disease = 'fm' then m.day end), max(case when c.disease = 'fm' then c.day end)) as fm,
    case when max(case when m.disease = 'sle' then m.day end) is not null then 'criteria met' else 'coded' end as sle_basis,
    case when max(case when m.disease = 'fm' then m.day end) is not null then 'criteria met' else 'coded' end as fm_basis
  from calls as p
  left join met as m on m.person = p.person
  left join coded as c on c.person = p.person
  group by p.person
),
seen as (
  select e.person, min(e.date) as first_day
  from interest_events as e
  inner join horizons as h on h.person = e.person and e.date <= h.as_of
  group by e.person
)
select b.person, 'neither' as state, s.first_day as from_date, least(b.sle, b.fm) as to_date, 'on record' as basis
from began as b
inner join seen as s on s.person = b.person
where coalesce(s.first_day < least(b.sle, b.fm), true)
union all
select person, 'sle' as state, sle as from_date, fm as to_date, sle_basis as basis
from began
where sle < fm or (sle is not null and fm is null)
union all
select person, 'fm' as state, fm as from_date, sle as to_date, fm_basis as basis
from began
where fm < sle or (fm is not null and sle is null)
union all
select person, 'both' as state, greatest(sle, fm) as from_date, cast(null as date) as to_date,
  case when sle_basis = fm_basis then sle_basis else 'lupus ' || sle_basis || ', fibromyalgia ' || fm_basis end as basis
from began
where sle is not null and fm is not null
