-- mimics: one row per person of interest and mimic: how likely it is if the answer is `neither`, with interval.
-- Steered by mimics (shares), mimic_weights, limits. Shares of `neither` times likelihood ratios against its rates, over
-- the findings that count; what no paper counted in a mimic leaves it as it was. Interval by the delta method, as in
-- intervals: the log of each weight varies on its own, and the shares of all others move against it.
with told as (
  select u.person, w.mimic, sum(w.bits) as bits, sum(w.variance) as variance
  from interest_weights as u
  inner join mimic_weights as w on w.number = u.number
  group by u.person, w.mimic
),
weighed as (
  select i.person, m.mimic, m.variance + coalesce(t.variance, 0.0) as variance,
    m.share * power(2.0, cast(coalesce(t.bits, 0) as double)) as weight
  from interest as i
  cross join mimic_shares as m
  left join told as t on t.person = i.person and t.mimic = m.mimic
),
shared as (
  select person, mimic, variance, weight / sum(weight) over (partition by person) as p from weighed
),
moved as (
  select person, mimic, p, greatest(1.0 - p, 1e-09) as rest, variance,
    sum(variance * p * p) over (partition by person) - variance * p * p as others
  from shared
),
spread as (
  select person, mimic, p, ln(greatest(p, 1e-09) / rest) as logit,
    ln(2.0) * sqrt(variance + others / (rest * rest)) as sd
  from moved
)
select person, mimic, p,
  1.0 / (1.0 + exp(-(logit - 1.64485 * sd))) as p_low,
  1.0 / (1.0 + exp(-(logit + 1.64485 * sd))) as p_high
from spread
