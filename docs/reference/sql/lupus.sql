-- lupus: one row per person of interest who has lupus by the call or by a coded diagnosis (activity presupposes it) and whose
-- activity is asked for; every_day: not only on the as-of day.
select l.person, a.every_day
from (
  select person from calls where call in ('sle', 'both')
  union
  select person from findings where finding = 'sle_dx' and state = 'present'
) as l
inner join activity_asked as a on a.person = l.person
