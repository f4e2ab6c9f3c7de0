-- occurrences: one row per person of interest, finding, state and source row (part), with the likelier cause on record, if
-- any, and the row that holds it. Steered by competing_causes. An undated finding or cause is taken to lie in the window:
-- nothing says otherwise.
with causes as (
  select o.person, o.finding, o.row_no, o.part, c.cause, x.row_no as cause_row_no
  from stated as o
  inner join competing_causes as c on c.finding = o.finding
  inner join exposures as x
    on x.person = o.person
    and ((c.kind = 'drug' and x.drug = c.what) or (c.kind = 'drug_class' and x.drug_class = c.what))
    and (
      o.date is null or x.start_date is null
      or (
        date_diff('day', x.end_date, o.date) <= c.before_days
        and date_diff('day', o.date, x.start_date) <= c.after_days
      )
    )
  where o.state = 'present'
  union all
  select o.person, o.finding, o.row_no, o.part, c.cause, x.row_no as cause_row_no
  from stated as o
  inner join competing_causes as c on c.finding = o.finding and c.kind = 'condition'
  inner join stated as x
    on x.person = o.person and x.finding = c.what and x.state = 'present'
    and (
      o.date is null or x.date is null
      or (
        date_diff('day', x.date, o.date) <= c.before_days
        and date_diff('day', o.date, x.date) <= c.after_days
      )
    )
  where o.state = 'present'
),
per_cause as (
  select person, finding, row_no, part, cause, min(cause_row_no) as cause_row_no
  from causes
  group by person, finding, row_no, part, cause
),
first_cause as (
  select p.person, p.finding, p.row_no, p.part, min(p.cause) as cause
  from per_cause as p
  group by p.person, p.finding, p.row_no, p.part
)
select
  o.person, o.finding, o.state, o.row_no, o.part, o.date, o.known_date, o."by",
  o.implied, o.vouched or o.vouched_late as vouched, o.vouched_late,
  f.cause as contested_by, p.cause_row_no as contested_row_no
from stated as o
left join first_cause as f
  on f.person = o.person and f.finding = o.finding and f.row_no = o.row_no and f.part = o.part and o.state = 'present'
left join per_cause as p
  on p.person = f.person and p.finding = f.finding and p.row_no = f.row_no and p.part = f.part and p.cause = f.cause
