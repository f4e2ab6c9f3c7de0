-- activity_asked: one row per person of interest whose activity on the as-of day a treatment rule needs: a drug of its trigger is
-- on record. Steered by treatment_terms, drug_names. In a workup everybody is asked about, and about every day.
select distinct x.person, false as every_day
from treatment_terms as i
inner join treatment_terms as t on t.rule = i.rule and t.role = 'trigger' and t.measure = 'on'
inner join drug_names as n on n.name = t.what
inner join exposures as x on x.drug = n.drug
where i.measure = 'index'
