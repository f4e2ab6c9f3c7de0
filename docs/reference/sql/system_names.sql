-- system_names: one row per name of a code system, bare of version and decoration, with our short name.
-- Steered by code_systems.
select
  lower(regexp_replace(trim(uri), '^urn:oid:|[|].*$|/+$', '', 'g')) as bare_system,
  min(system) as short_system
from code_systems
group by lower(regexp_replace(trim(uri), '^urn:oid:|[|].*$|/+$', '', 'g'))
