-- flat_coding: a code of MEDS and the codes above it that metadata/codes.parquet names.
insert into flat_coding by name
with named as (
  select s.kind, s.system as seen_system, s.code as seen_code, 0 as nth, flat_meds_parts(s.code) as parts, c.description as display
  from (select distinct kind, system, code from flat_seen) as s
  left join (select code, min(description) as description from flat_meds_code group by code) as c on c.code = s.code
  union all
  select s.kind, s.system, s.code, 1 as nth, flat_meds_parts(unnest(c.parent_codes)) as parts, c.description
  from (select distinct kind, system, code from flat_seen) as s
  inner join flat_meds_code as c on c.code = s.code
)
select distinct
  kind, seen_system, seen_code, nth, flat_meds_system(parts) as system, flat_meds_bare(parts) as code, display
from named;
