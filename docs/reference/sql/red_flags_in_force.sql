-- red_flags_in_force: one row per person of interest and red flag in force on the as-of day. Steered by red_flags.
-- In force: every finding of one alternative is present within the window (undated: yes) and the flag has not ended by
-- a later normal result. With a likelier cause on record, or told by the patient alone, it is shown and does not forbid.
with present as (
  select person, finding, undated, last_date, vouched, contested_by from findings where state = 'present'
  union all
  select distinct person, 'drug_induced_lupus_suspected' as finding, false as undated, first_sign as last_date, true as vouched,
    cast(null as varchar) as contested_by
  from drug_induced
  where verdict = 'suspected'
),
clauses as (
  select c.flag, c.alternative, c.finding, r.window_days, r.ends_with, r.forbids_fm, r.urgency_rank,
    count(*) over (partition by c.flag, c.alternative) as needed
  from red_flag_clauses as c inner join red_flags as r on r.flag = c.flag
),
hits as (
  select f.person, c.flag, c.alternative, c.forbids_fm, c.ends_with, c.urgency_rank, c.needed,
    count(distinct f.finding) as held, bool_and(f.vouched) as vouched, max(f.last_date) as last_date,
    max(f.contested_by) as contested_by
  from present as f
  inner join clauses as c on c.finding = f.finding
  inner join horizons as d on d.person = f.person
  where f.undated or f.last_date is null or date_diff('day', f.last_date, d.as_of) <= c.window_days
  group by f.person, c.flag, c.alternative, c.forbids_fm, c.ends_with, c.urgency_rank, c.needed
),
open_flags as (
  select h.*
  from hits as h
  left join findings as e on e.person = h.person and e.finding = h.ends_with
  where h.held = h.needed
    and not coalesce(e.last_absent_date > h.last_date, false)
)
select person, flag, min(urgency_rank) as urgency_rank, max(last_date) as last_date,
  min(alternative) as alternative,
  max(case when forbids_fm = 'yes' and contested_by is null and vouched then 1 else 0 end) = 1 as forbids,
  bool_or(vouched) as vouched,
  case when count(contested_by) = count(*) then min(contested_by) end as contested_by
from open_flags
group by person, flag
