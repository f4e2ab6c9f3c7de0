-- occurrences: one row per person of interest, finding, state and source row, with the likelier cause on record, if any.
-- Steered by competing_causes. An undated finding or cause is taken to lie in the window: nothing says otherwise.
with causes as (
  select o.person, o.finding, o.row_no, o.part, c.cause, c.text as cause_text, x.reference as cause_reference
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
  select o.person, o.finding, o.row_no, o.part, c.cause, c.text as cause_text, x.reference as cause_reference
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
first_cause as (
  select person, finding, row_no, part, min(cause || chr(31) || cause_text || chr(31) || coalesce(cause_reference, '')) as packed
  from causes
  group by person, finding, row_no, part
)
select
  o.person, o.finding, o.state, o.row_no, o.part, o.date, o.date_precision, o.known_date, o."by", o.reference, o.text,
  o.implied, o.vouched or o.vouched_late as vouched, o.vouched_late,
  split_part(f.packed, chr(31), 1) as contested_by,
  split_part(f.packed, chr(31), 2) as contested_text,
  split_part(f.packed, chr(31), 3) as contested_reference
from stated as o
left join first_cause as f
  on f.person = o.person and f.finding = o.finding and f.row_no = o.row_no and f.part = o.part and o.state = 'present'
