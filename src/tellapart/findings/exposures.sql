-- exposures: one row per drug statement of a person of interest. Steered by codes (rule drug), drugs, limits
-- (dose_without_end_days): days_after is how long after its end date a drug is taken to be in use. Without an end it was
-- last known to be in use on the day on which that was said (a statement of today about a drug begun years ago). ongoing: somebody who typed
-- the case left its end open, which says that it is still taken; a prescription without an end does not.
select
  e.person, c.source as drug, d.class as drug_class, e.date as start_date, coalesce(e.end_date, greatest(e.date, e.known_date)) as end_date,
  case when e.end_date > e.date then 0 else {{ limit("dose_without_end_days") }} end as days_after,
  e.known_date, e.row_no, e.part, e.reference, coalesce(o.amount, e.value) as dose, coalesce(o.amount_unit, e.unit) as dose_unit,
  e.text, c.system = 'drug' and e.end_date is null as ongoing
from interest_events as e
inner join codes as c on c.code_id = e.code_id and c.rule = 'drug'
inner join drugs as d on d.drug = c.source
left join doses as o
  on o.value is not distinct from e.value and o.unit is not distinct from e.unit
  and o.text is not distinct from e.text and o.display is not distinct from e.display
where e.status = 'asserted' and e.kind = 'drug'
