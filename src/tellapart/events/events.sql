-- events: one row per clinical statement and known code of it, typed, in canonical units, known by the as-of day.
-- Undated statements are left out when the as-of day is before the document's own. Steered by horizons.
select
  r.person, r.row_no, r.part, r.reference, r.kind, r.code_id, r.system, r.code, r.display,
  r.date, r.date_precision, r.known_date, r.known_precision, r.end_date,
  r.value, r.value_to, r.comparator, r.unit, r.low, r.high, r.interpretation, r.status, r."by", r.method, r.shape,
  r.text, r.group_key
from readings as r
inner join horizons as h on h.person = r.person
where r.class = 'used'
  and coalesce(r.known_date <= h.as_of, coalesce(h.as_of >= h.document_as_of, true))
  and (
    r.coding_no = 0
    or not exists (
      -- the same meaning by an earlier coding of the same statement
      select 1 from readings as e
      where e.row_no = r.row_no and e.part = r.part and e.coding_no < r.coding_no
        and e.code_id = r.code_id
    )
  )
