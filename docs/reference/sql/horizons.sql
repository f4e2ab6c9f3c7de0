-- horizons: one row per person: the day up to which the record is read, and that of the document itself.
-- as_of is the day asked for, else the document's own, else the latest known day of the source that is not after today.
with latest as (
  select max(r.known_date) as known_date
  from readings as r
  cross join asked as a
  where r.class = 'used' and r.known_date <= a.today
),
own as (
  select person_id, max(try_cast(as_of as date)) as as_of from patients where as_of is not null group by person_id
)
select
  p.person,
  coalesce(a.as_of, o.as_of, l.known_date) as as_of,
  coalesce(o.as_of, l.known_date) as document_as_of
from registered as p
cross join asked as a
cross join latest as l
left join own as o on o.person_id = p.person_id
