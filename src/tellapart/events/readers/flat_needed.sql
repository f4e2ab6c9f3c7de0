-- flat_needed: one row per code seen and coding of it that means something. Visits matter by their specialty only.
-- left_out: the rows of all other codes, counted under the first coding.
delete from statements;

create or replace temp table flat_needed as
with meant as (
  select kind, system, code from code_map where class = 'mapped' and (kind <> 'encounter' or code_id is not null)
  group by kind, system, code
)
select
  c.kind, c.seen_system, c.seen_code, c.system, c.code, c.display,
  cast(row_number() over (partition by c.kind, c.seen_system, c.seen_code order by c.nth, c.system, c.code) - 1 as integer)
    as coding_no
from flat_coding as c
inner join meant as m on m.kind = c.kind and m.system = c.system and m.code = c.code;

insert into left_out by name
with listed as (
  select distinct c.kind, c.seen_system, c.seen_code
  from flat_coding as c
  inner join code_map as m on m.kind = c.kind and m.system = c.system and m.code = c.code and m.class = 'not_needed'
)
select
  s.source_type, s.kind, c.system, c.code, coalesce(min(s.display), min(c.display)) as display,
  case when s.kind = 'encounter' or l.kind is not null then 'not_needed' else 'unmapped' end as class,
  cast(sum(s.n) as bigint) as n
from flat_seen as s
inner join flat_coding as c on c.kind = s.kind and c.seen_system = s.system and c.seen_code = s.code and c.nth = 0
left join listed as l on l.kind = s.kind and l.seen_system = s.system and l.seen_code = s.code
where s.n > 0 and not exists (
  select 1 from flat_needed as n where n.kind = s.kind and n.seen_system = s.system and n.seen_code = s.code
)
group by all;
