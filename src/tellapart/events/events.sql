-- events: one row per clinical statement and known code of it, typed, in canonical units, known by the as-of day.
-- Undated statements are left out when the as-of day is before the document's own. Of several codings of one statement
-- with the same meaning the first stays. Steered by horizons.
with repeats as (
  select distinct r.row_no, r.part, r.code_id, r.coding_no
  from readings as r
  inner join readings as e on e.row_no = r.row_no and e.part = r.part and e.code_id = r.code_id
  where r.coding_no > 0 and e.coding_no < r.coding_no
)
select
  r.person, r.row_no, r.part, r.reference, r.kind, r.code_id, r.system, r.code, r.display,
  r.date, r.date_precision, r.known_date, r.known_precision, r.end_date,
  r.value, r.value_to, r.comparator, r.unit, r.low, r.high, r.interpretation, r.status, r."by", r.method, r.shape,
  r.text, r.group_key
from readings as r
inner join horizons as h on h.person = r.person
where r.class = 'used'
  and coalesce(r.known_date <= h.as_of, coalesce(h.as_of >= h.document_as_of, true))
  and not exists (
    select 1 from repeats as x
    where x.row_no = r.row_no and x.part = r.part and x.code_id = r.code_id and x.coding_no = r.coding_no
  )
