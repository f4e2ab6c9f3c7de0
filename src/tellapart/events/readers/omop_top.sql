-- omop_top: one row per concept whose code holds for the codes below it too (codes.descendants).
create or replace temp table omop_top as
select t.concept_id, t.system, t.code
from omop_top as t
inner join system_names as n on n.bare_system = lower(t.system)
inner join codes as c on c.system = n.short_system and c.code = t.code and c.descendants;
