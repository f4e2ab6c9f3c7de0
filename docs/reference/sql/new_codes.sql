-- new_codes: one row per distinct kind, system and code of the statements that code_map does not hold yet.
select
  s.kind, s.system, s.code,
  lower(regexp_replace(trim(s.system), '^urn:oid:|[|].*$|/+$', '', 'g')) as bare_system,
  case
    when s.kind in ('drug', 'allergy', 'stopped', 'immunization', 'family_history', 'instrument', 'encounter') then s.kind
    else 'stated'
  end as kind_group
from (
  select distinct kind, coalesce(system, '') as system, coalesce(code, '') as code from statements
) as s
where not exists (select 1 from code_map as m where m.kind = s.kind and m.system = s.system and m.code = s.code)
