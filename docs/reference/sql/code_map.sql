-- code_map: one row per kind, system and code seen (new_codes), and knowledge code that it means (if any).
-- class: mapped | not_needed | unmapped. Steered by system_names, meanings, item_codes, ignored_codes.
-- An exact code beats an ancestor, one of the site's own file a shipped one, a nearer ancestor a farther one; ancestors are found by prefix in the systems whose
-- codes are built that way.
with named as (
  select
    p.kind, p.kind_group, p.system, p.code, coalesce(k.short_system, p.bare_system) as short_system,
    case when coalesce(k.short_system, p.bare_system) in ('icd10cm', 'icd10who', 'icd9cm')
      then upper(replace(trim(p.code), '.', '')) else trim(p.code) end as code_key
  from new_codes as p
  left join system_names as k on k.bare_system = p.bare_system
),
ranked as (
  select
    n.kind, n.system, n.code, m.code_id, m.source, m.rule, m.method, m.by_default, m.canonical, m.mode, m.unit_finding,
    m.default_unit, m.own_unit, m.own_high, m.own_limit,
    rank() over (
      partition by n.kind, n.system, n.code
      order by case when m.code_key = n.code_key then 0 else 1 end, m.own desc, m.borrowed, length(m.code_key) desc
    ) as place
  from named as n
  inner join meanings as m
    on m.kind_group = n.kind_group and m.system = n.short_system
    and (m.code_key = n.code_key or (m.by_prefix and starts_with(n.code_key, m.code_key)))
  where n.code_key <> ''
),
meant as (
  select distinct
    kind, system, code, code_id, source, rule, method, by_default, canonical, mode, unit_finding, default_unit,
    own_unit, own_high, own_limit
  from ranked
  where place = 1
)
select
  n.kind, n.system, n.code, n.short_system, m.code_id, m.source, m.rule, m.method, m.by_default, m.canonical,
  case when n.kind = 'instrument' then 'item' else m.mode end as mode, m.unit_finding, m.default_unit,
  m.own_unit, m.own_high, m.own_limit, i.low as item_low, i.high as item_high,
  case
    when m.code is not null or i.code is not null or n.kind = 'encounter' then 'mapped'
    when x.code_key is not null then 'not_needed'
    else 'unmapped'
  end as class
from named as n
left join meant as m on m.kind = n.kind and m.system = n.system and m.code = n.code
left join item_codes as i on n.kind = 'instrument' and i.code = n.code
left join ignored_codes as x on x.short_system = n.short_system and x.code_key = n.code_key
