-- interest_events: one row per event of a person of interest. Every later stage reads only these, and an audit keeps them.
-- Source rows are numbered anew within the person by their reference, so that "first" never hangs on the order of files
-- (the shortest first: lengths are compared faster than words).
select
  e.person,
  rank() over (
    partition by e.person
    order by length(coalesce(e.reference, cast(e.row_no as varchar))), coalesce(e.reference, cast(e.row_no as varchar))
  ) as row_no,
  e.row_no as source_row_no, e.part, e.codings, e.reference, e.kind, e.code_id, e.date, e.date_precision, e.known_date,
  e.end_date, e.value, e.value_to, e.comparator, e.unit, e.low, e.high, e.interpretation, e.status, e."by", e.method, e.shape, e.text, e.display,
  e.system, e.code, e.known_precision, e.group_key, e.range_from
from events as e
inner join interest as i on i.person = e.person
