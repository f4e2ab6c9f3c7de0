-- interest_events: one row per event of a person of interest. Kept: every later stage reads only these.
select e.person, e.row_no, e.part, e.codings, e.reference, e.kind, e.code_id, e.date, e.date_precision, e.known_date, e.end_date,
  e.value, e.value_to, e.comparator, e.unit, e.low, e.high, e.interpretation, e.status, e."by", e.method, e.shape, e.text
from events as e
inner join interest as i on i.person = e.person
