-- reciprocal: one row per person of interest with one of the two diseases by code or call, and thing to do about the other.
-- Steered by reciprocal_checks, workup_tests.
with has as (
  select person, 'sle' as disease from calls where call in ('sle', 'both')
  union
  select person, 'fm' as disease from calls where call in ('fm', 'both')
  union
  select person, case finding when 'sle_dx' then 'sle' else 'fm' end as disease
  from findings
  where finding in ('sle_dx', 'fm_dx') and state = 'present'
),
done as (
  select distinct f.person, c.item
  from forms as f
  inner join reciprocal_checks as c on c.kind = 'instrument' and c.item = f.instrument
  union
  select distinct o.person, w.test as item
  from on_record as o
  inner join workup_tests as w on w.finding = o.finding
)
select h.person, c.question, c.item, d.person is not null as done
from has as h
inner join reciprocal_checks as c on c.disease = h.disease
left join done as d on d.person = h.person and d.item = c.item
