-- code_map: one row per distinct kind, system and code of the statements, and knowledge code that it means (if any).
-- class: mapped | not_needed | unmapped. Steered by code_systems, codes, not_needed,
-- instrument_items, instrument_sites, pain_sites.
-- An exact code beats an ancestor; ancestors are found by prefix in the systems whose codes are built that way. A code
-- of WHO's ICD-10 that is not known as such is read as the equal code of ICD-10-CM. What a relative has is never what
-- the person has: it becomes the finding `family_history_...`. An allergy to a drug is not an exposure to it.
with pairs as (
  select distinct kind, coalesce(system, '') as system, coalesce(code, '') as code
  from statements
),
bare as (
  select
    kind, system, code,
    lower(regexp_replace(trim(system), '^urn:oid:|[|].*$|/+$', '', 'g')) as bare_system
  from pairs
),
known_systems as (
  select lower(regexp_replace(trim(uri), '^urn:oid:|[|].*$|/+$', '', 'g')) as bare_system, min(system) as short_system
  from code_systems
  group by lower(regexp_replace(trim(uri), '^urn:oid:|[|].*$|/+$', '', 'g'))
),
named as (
  select
    b.kind, b.system, b.code,
    coalesce(k.short_system, b.bare_system) as short_system,
    case when coalesce(k.short_system, b.bare_system) in ('icd10cm', 'icd10who', 'icd9cm')
      then upper(replace(trim(b.code), '.', '')) else trim(b.code) end as code_key
  from bare as b
  left join known_systems as k on k.bare_system = b.bare_system
),
tried as (
  select kind, system, code, code_key, short_system, short_system as tried_system from named where code_key <> ''
  union all
  select kind, system, code, code_key, short_system, 'icd10cm' as tried_system from named
  where code_key <> '' and short_system = 'icd10who'
),
hits as (
  select t.*, c.code_id, c.source, c.rule, c.method, c.code_key as hit_key, 0 as distance
  from tried as t
  inner join codes as c on c.system = t.tried_system and c.code_key = t.code_key
  union all
  select t.*, c.code_id, c.source, c.rule, c.method, c.code_key as hit_key, 1 as distance
  from tried as t
  inner join codes as c
    on c.system = t.tried_system and c.descendants
    and starts_with(t.code_key, c.code_key) and t.code_key <> c.code_key
  where t.tried_system in ('icd10cm', 'icd10who', 'icd9cm', 'atc')
),
fitting as (
  select *
  from hits
  where case kind
      when 'drug' then rule = 'drug'
      when 'allergy' then rule = 'drug'
      when 'immunization' then true
      when 'family_history' then rule = 'state'
      else rule in ('state', 'result')
    end
),
nearest as (
  select *
  from (
    select
      *,
      rank() over (
        partition by kind, system, code
        order by distance, case when tried_system = short_system then 0 else 1 end, length(hit_key) desc
      ) as place
    from fitting
  ) as ranked
  where place = 1
),
meant as (
  select distinct kind, system, code, code_id, source, rule, method
  from nearest
  where kind not in ('family_history', 'allergy')
  union all
  select distinct
    n.kind, n.system, n.code, f.code_id, f.source, f.rule, cast(null as varchar) as method
  from nearest as n
  inner join codes as f
    on f.system = 'finding' and f.code_key = 'family_history_' || regexp_replace(n.source, '_dx$', '')
  where n.kind = 'family_history'
  union all
  select distinct
    kind, system, code, cast(null as integer) as code_id, cast(null as varchar) as source, cast(null as varchar) as rule,
    cast(null as varchar) as method
  from nearest
  where kind = 'allergy'
),
items as (
  select instrument || '.' || item as code, try_cast(low as double) as low, try_cast(high as double) as high
  from instrument_items
  union all
  select i.instrument || '.site.' || s.site as code, cast(0 as double) as low, cast(1 as double) as high
  from instrument_sites as i
  cross join pain_sites as s
  where s.wpi = 'yes'
),
ignored as (
  select distinct
    system as short_system,
    case when system in ('icd10cm', 'icd10who', 'icd9cm') then upper(replace(code, '.', '')) else code end as code_key
  from not_needed
)
select
  n.kind, n.system, n.code, n.short_system, n.code_key, m.code_id, m.source, m.rule, m.method,
  i.low as item_low, i.high as item_high,
  case
    when m.code is not null or i.code is not null or n.kind = 'encounter' then 'mapped'
    when x.code_key is not null then 'not_needed'
    else 'unmapped'
  end as class
from named as n
left join meant as m on m.kind = n.kind and m.system = n.system and m.code = n.code
left join items as i on n.kind = 'instrument' and i.code = n.code
left join ignored as x on x.short_system = n.short_system and x.code_key = n.code_key
