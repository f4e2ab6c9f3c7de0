-- unmapped: one row per code system and code that nothing here knows, of source rows that say nothing else: how often it
-- stands there, its most frequent unit. Codes that a reader only counted (left_out) are among them.
with coded as (
  select
    trim(s.system) as system, trim(s.code) as code, s.display, nullif(trim(s.unit), '') as unit, cast(1 as bigint) as n
  from statements as s
  inner join row_classes as c on c.row_no = s.row_no and c.class = 'unmapped'
  where trim(s.code) <> '' and s.kind <> 'stopped' -- a drug and the reason to stop it are one record of it
  union all
  select system, code, display, null as unit, n from left_out where class = 'unmapped' and code <> ''
),
units as (
  select system, code, unit, sum(n) as n from coded where unit is not null group by system, code, unit
),
usual as (
  select system, code, max_by(unit, (n, unit)) as unit from units group by system, code
)
select
  coalesce(c.system, '') as system, c.code, min(c.display) as display, cast(sum(c.n) as bigint) as n, min(u.unit) as unit
from coded as c
left join usual as u on u.system is not distinct from c.system and u.code = c.code
group by coalesce(c.system, ''), c.code
