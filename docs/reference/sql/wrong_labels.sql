-- wrong_labels: one row per person of interest and label that the evidence does not bear out: coded as lupus where the call is
-- fibromyalgia or neither, or as fibromyalgia where the call is lupus; from the first code to the first code of the other disease
-- (corrected), else to death or the as-of day. Nobody whose call is undetermined, or who has both, has a wrong label.
with labels as (
  select c.person, case f.finding when 'sle_dx' then 'sle' else 'fm' end as label, f.first_date,
    case when c.call = 'neither' then cast(null as date) else o.first_date end as other_date
  from calls as c
  inner join findings as f on f.person = c.person and f.state = 'present' and f.first_date is not null
    and ((f.finding = 'sle_dx' and c.call in ('fm', 'neither')) or (f.finding = 'fm_dx' and c.call = 'sle'))
  left join findings as o on o.person = c.person and o.state = 'present'
    and o.finding = case f.finding when 'sle_dx' then 'fm_dx' else 'sle_dx' end
)
select l.person, l.label, l.first_date as from_date,
  case when l.other_date > l.first_date then l.other_date else least(h.as_of, p.death_date) end as to_date,
  coalesce(l.other_date > l.first_date, false) as corrected
from labels as l
inner join horizons as h on h.person = l.person
inner join persons as p on p.person = l.person
where l.first_date <= least(h.as_of, p.death_date)
