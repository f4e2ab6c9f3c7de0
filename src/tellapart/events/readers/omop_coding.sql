-- omop_coding: one row per distinct code of a table (omop_seen) and coding of it: the standard concept, concepts above
-- it whose code holds for it too (levels: how far), the source concept, and, if neither is known, the source value,
-- whose code system is told by its shape ('M32.14', '5130-3', '55464009.0').
-- What a concept is says the CDM's vocabulary (omop_name), else the list that ships (omop_concepts).
create or replace temp table omop_coding as
with known as (
  select concept_id as concept, system, code, display from omop_name
  union all
  select c.concept_id as concept, c.system, c.code, c.display
  from omop_concepts as c
  where c.use = 'code' and not exists (select 1 from omop_name as n where n.concept_id = c.concept_id)
),
above as (
  select p.concept, p.levels, t.system, t.code, k.display
  from omop_pair as p
  inner join omop_top as t on t.concept_id = p.ancestor
  left join known as k on k.concept = p.concept
  where p.levels > 0
),
said as (
  select
    s.*,
    regexp_replace(s.source_value, '^([0-9]+)[.]0$', '\1') as code,
    i.code is not null as is_item
  from omop_seen as s
  left join item_codes as i on i.code = s.source_value
  where s.source_value <> ''
    and not exists (select 1 from known as k where k.concept in (s.concept, s.source_concept))
)
select s."table", s.kind, s.concept, s.source_concept, s.source_value, 'concept' as of, 0 as levels,
  k.system, k.code, k.display
from omop_seen as s
inner join known as k on k.concept = s.concept
union all
select s."table", s.kind, s.concept, s.source_concept, s.source_value, 'concept' as of, a.levels,
  a.system, a.code, a.display
from omop_seen as s
inner join above as a on a.concept = s.concept
union all
select s."table", s.kind, s.concept, s.source_concept, s.source_value, 'source_concept' as of, 0 as levels,
  k.system, k.code, k.display
from omop_seen as s
inner join known as k on k.concept = s.source_concept
where s.source_concept <> s.concept
union all
select "table", case when is_item then 'instrument' else kind end as kind, concept, source_concept, source_value,
  'source_value' as of, 0 as levels,
  case
    when is_item then 'instrument'
    when kind = 'drug' and regexp_full_match(code, '[0-9]+') then 'rxnorm'
    when kind = 'drug' and regexp_full_match(code, '[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}') then 'atc'
    when regexp_full_match(code, '[0-9]{1,7}-[0-9]') then 'loinc'
    when regexp_full_match(code, '[0-9]{6,18}') then 'snomed'
    when regexp_full_match(upper(code), '[A-Z][0-9][0-9A-Z]([.]?[0-9A-Z]{1,4})?') then 'icd10cm'
    when kind = 'condition' and regexp_full_match(code, '[0-9]{3}([.][0-9]{1,2})?') then 'icd9cm'
    else 'local'
  end as system,
  code, source_value as display
from said;

-- their codes as statements, for normalize.know_codes
insert into statements by name
select distinct kind, system, code from omop_coding;
