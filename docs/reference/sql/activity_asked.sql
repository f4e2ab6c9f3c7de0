-- activity_asked: one row per person of interest whose activity is asked for: on the as-of day if a treatment rule needs it (a drug of
-- its trigger is on record), on every day if flares are asked for. Steered by treatment_terms, drug_names, options.
-- In a workup everybody is asked about, and about every day.
select person, bool_or(every_day) as every_day
from (
  select x.person, false as every_day
  from treatment_terms as i
  inner join treatment_terms as t on t.rule = i.rule and t.role = 'trigger' and t.measure = 'on'
  inner join drug_names as n on n.name = t.what
  inner join exposures as x on x.drug = n.drug
  where i.measure = 'index'
  union all
  select i.person, true as every_day
  from interest as i
  inner join options as o on o.flares
) as a
group by person
