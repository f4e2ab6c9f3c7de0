-- person_priors: one row per person: log2 prior odds against `neither`. Steered by priors, or by the user's own prior.
select
  s.person, s.setting, p.sle as prior_sle, p.fm as prior_fm, p.both as prior_both, p.neither as prior_neither
from settings as s
inner join prior_rows as p
  on p.setting = s.setting and p.sex = s.sex
