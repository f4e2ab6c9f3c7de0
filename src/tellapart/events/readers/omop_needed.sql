-- omop_needed: one row per distinct code of a table and coding of it that means something. A code of its own beats one
-- above it, a nearer one a farther one. Visits matter by their specialty only.
-- left_out: the rows of all other codes, counted. Variable: omop_unread (a table that says nothing new), or NULL.
delete from statements;

create or replace temp table omop_needed as
with meant as (
  select kind, system, code, min(class) as class, max(code_id) is not null as is_ours
  from code_map
  group by kind, system, code
),
ranked as (
  select
    c.*, m.class, m.is_ours,
    rank() over (partition by c."table", c.concept, c.source_concept, c.source_value, c.of order by c.levels) as place
  from omop_coding as c
  inner join meant as m on m.kind = c.kind and m.system = c.system and m.code = c.code and m.class <> 'unmapped'
)
select
  "table", concept, source_concept, source_value, of, kind, system, code, display,
  row_number() over (
    partition by "table", concept, source_concept, source_value order by of, system, code
  ) - 1 as coding_no
from ranked
where place = 1 and class = 'mapped' and (kind <> 'encounter' or is_ours)
  and "table" is distinct from getvariable('omop_unread');

insert into left_out by name
with named as (
  select
    c."table", c.concept, c.source_concept, c.source_value,
    arg_min({system: c.system, code: c.code, display: c.display}, (c.levels, c.of, c.system, c.code)) as coding,
    bool_or(m.class = 'not_needed') as is_listed
  from omop_coding as c
  inner join code_map as m on m.kind = c.kind and m.system = c.system and m.code = c.code
  group by c."table", c.concept, c.source_concept, c.source_value
)
select
  s."table" as source_type, s.kind, n.coding.system, n.coding.code, n.coding.display,
  case
    when s.kind = 'encounter' or s."table" = getvariable('omop_unread') or n.is_listed then 'not_needed'
    else 'unmapped'
  end as class,
  cast(sum(s.n) as bigint) as n
from omop_seen as s
left join named as n
  on n."table" = s."table" and n.concept = s.concept and n.source_concept = s.source_concept
  and n.source_value = s.source_value
where not exists (
  select 1 from omop_needed as x
  where x."table" = s."table" and x.concept = s.concept and x.source_concept = s.source_concept
    and x.source_value = s.source_value
)
group by all;
