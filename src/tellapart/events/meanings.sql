-- meanings: one row per group of statements, code system and code, and knowledge code that it means there, with how its
-- results are read. Steered by codes, local_codes, drugs, finding_kinds, units, unit_map.
-- What a relative has is never what the person has: it becomes the finding `family_history_...`. An allergy to a drug
-- is not an exposure to it, nor is a drug that was stopped for a stated reason; for some classes of drugs either is a finding
-- (`allergy` and `stopped` codes). A code of WHO's ICD-10 that is not known as such is read as the equal code of ICD-10-CM.
-- A code of the site's own file is read as the code of the finding that it names, beats a shipped one, and may bring the
-- unit and the upper limit of results that come without (own_unit; own_high as written, own_limit in the canonical unit).
-- mode: state (the code says it), drug, free (result of any unit, compared with its own limits), titre, strip, number.
with known as (
  select
    system, code_key, code_id, source, rule, method, descendants, 0 as own, cast(null as varchar) as own_unit,
    cast(null as double) as own_high
  from codes
  union all
  select
    l.system, l.code_key, l.code_id, c.source, c.rule, c.method, false as descendants, 1 as own, l.unit as own_unit,
    l.high as own_high
  from local_codes as l
  inner join codes as c on c.code_id = l.code_id
),
grouped as (
  select 'drug' as kind_group, c.* from known as c where c.rule = 'drug'
  union all
  select 'allergy' as kind_group, c.* from known as c where c.rule = 'drug'
  union all
  select 'stopped' as kind_group, c.* from known as c where c.rule = 'drug'
  union all
  select 'stated' as kind_group, c.* from known as c where c.rule in ('state', 'result')
  union all
  select 'immunization' as kind_group, c.* from known as c
  union all
  select 'family_history' as kind_group, c.* from known as c where c.rule = 'state'
  union all
  select 'encounter' as kind_group, c.* from known as c where c.rule = 'state'
),
borrowed as (
  select kind_group, system, code_key, code_id, source, rule, method, descendants, own, own_unit, own_high, 0 as borrowed from grouped
  union all
  select kind_group, 'icd10who' as system, code_key, code_id, source, rule, method, descendants, own, own_unit, own_high, 1 as borrowed
  from grouped
  where system = 'icd10cm'
)
select
  b.kind_group, b.system, b.code_key,
  case when b.kind_group in ('allergy', 'stopped', 'family_history') then f.code_id else b.code_id end as code_id,
  case when b.kind_group in ('allergy', 'stopped', 'family_history') then f.source else b.source end as source,
  case when b.kind_group in ('allergy', 'stopped', 'family_history') then f.rule else b.rule end as rule,
  b.method,
  b.descendants and b.system in ('icd10cm', 'icd10who', 'icd9cm', 'atc') as by_prefix,
  b.borrowed,
  b.own,
  b.own_unit,
  b.own_high,
  b.own_high * u.factor + u.shift as own_limit,
  d.by_default,
  d.unit as canonical,
  case
    when b.kind_group in ('allergy', 'stopped') then f.rule
    when b.rule in ('drug', 'state') then b.rule
    when d.kind <> 'value' then 'free'
    when coalesce(d.unit, '') in ('', '{titer}') then 'titre'
    when exists (select 1 from units as u where u.finding = d.finding and u.unit_seen = '{plus}') then 'strip'
    else 'number'
  end as mode,
  case
    when b.rule <> 'result' then null
    when d.kind <> 'value' then '{titer}'
    else d.finding
  end as unit_finding,
  case
    when b.rule <> 'result' or d.kind <> 'value' then null
    when coalesce(d.unit, '') in ('', '{titer}') then '{titer}'
    when d.unit = '1' then '1'
  end as default_unit
from borrowed as b
left join drugs as g on b.kind_group in ('allergy', 'stopped') and g.drug = b.source
left join codes as f
  on (b.kind_group = 'family_history' and f.system = 'finding'
    and f.code_key = 'family_history_' || regexp_replace(b.source, '_dx$', ''))
  or (b.kind_group in ('allergy', 'stopped') and f.system = b.kind_group and f.code_key = g.class)
left join finding_kinds as d
  on d.finding = case when b.kind_group in ('allergy', 'stopped', 'family_history') then f.source else b.source end
left join unit_map as u on b.rule = 'result' and d.kind = 'value' and u.finding = d.finding and u.seen = b.own_unit
where b.kind_group <> 'family_history' or f.code_id is not null
