-- on_record: one row per person of interest and finding whose state is known or whose value was measured.
select person, finding from findings
union
select e.person, c.source as finding
from interest_events as e
inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
where e.status = 'asserted'
