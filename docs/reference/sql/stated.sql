-- stated: one row per person of interest, finding, state and source row (part), before attribution. Steered by outcomes.
-- An occurrence is vouched for when someone other than the patient reports it. A code that only suggests is believed
-- from the second date on that lies far enough after the first (limit suggests_days_apart): `vouched_late`.
-- Most rows say a thing once; only statements with several known codings or several outcomes are brought together.
with said as (
  select m.person, m.date, m.known_date, m.row_no, m.part, m."by", m.seen, m.suggests, o.finding, o.finding_no,
    o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome
  where m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null
  union all
  select m.person, m.date, m.known_date, m.row_no, m.part, m."by", m.seen, m.suggests, o.finding, o.finding_no,
    o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome_lo
  where m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null
  union all
  select m.person, m.date, m.known_date, m.row_no, m.part, m."by", m.seen, m.suggests, o.finding, o.finding_no,
    o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome_hi
  where m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null
  union all
  select m.person, m.date, m.known_date, m.row_no, m.part, m."by", m.seen, m.suggests, o.finding, o.finding_no,
    o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome_ratio_lo
  where m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null
  union all
  select m.person, m.date, m.known_date, m.row_no, m.part, m."by", m.seen, m.suggests, o.finding, o.finding_no,
    o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome_ratio_hi
  where m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null
),
once as (
  select m.person, o.finding, o.finding_no, o.state, m.row_no, m.part, m.date, m.known_date, m."by", o.implied,
    m.seen and not m.suggests as vouched, m.seen
  from interest_marks as m inner join outcomes as o on o.outcome = m.outcome
  where not (m.codings <> 0 or coalesce(m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi) is not null)
  union all
  select person, finding, min(finding_no) as finding_no, state, row_no, part, min(date) as date, min(known_date) as known_date, min("by") as "by",
    bool_and(implied) as implied, bool_or(seen and not suggests) as vouched, bool_or(seen) as seen
  from said
  group by person, finding, state, row_no, part
),
first_said as (
  select person, finding, state, min(date) as first_date
  from once
  where seen and not vouched
  group by person, finding, state
)
select
  o.person, o.finding, o.finding_no, o.state, o.row_no, o.part, o.date, o.known_date, o."by", o.implied, o.vouched,
  coalesce(date_diff('day', f.first_date, o.date) >= 30, false)
    and o.seen and not o.vouched as vouched_late
from once as o
left join first_said as f on f.person = o.person and f.finding = o.finding and f.state = o.state and o.seen and not o.vouched
