-- contests: one row per occurrence (person, finding, source row, part) with a likelier cause on record: the first such
-- cause and the row that holds it. Steered by competing_causes. An undated finding or cause is taken to lie in the
-- window: nothing says otherwise.
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
)
select person, finding, row_no, part, min(cause) as cause, min(cause_row_no) as cause_row_no
from (
  select *, min(cause) over (partition by person, finding, row_no, part) as first_cause from per_cause
) as ranked
where cause = first_cause
group by person, finding, row_no, part
