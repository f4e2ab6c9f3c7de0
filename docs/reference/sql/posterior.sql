-- posterior: one row per person: the point posterior from findings at face value. Steered by weights, blocks, priors.
with added as (
  select
    s.person, s.setting, s.prior_sle, s.prior_fm, s.prior_both, s.prior_neither,
    coalesce(w.bits_sle, 0) as bits_sle, coalesce(w.bits_fm, 0) as bits_fm, coalesce(w.bits_both, 0) as bits_both
  from person_priors as s
  left join (
    select u.person, sum(r.bits_sle) as bits_sle, sum(r.bits_fm) as bits_fm, sum(r.bits_both) as bits_both
    from weights_used as u
    inner join weight_rows as r on r.number = u.number
    group by u.person
  ) as w on w.person = s.person
),
raised as (
  select *,
    prior_sle * power(2.0, cast(bits_sle as double)) as w_sle,prior_fm * power(2.0, cast(bits_fm as double)) as w_fm,prior_both * power(2.0, cast(bits_both as double)) as w_both,
    prior_neither as w_neither
  from added
)
select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
  w_sle / (w_sle + w_fm + w_both + w_neither) as p_sle, w_fm / (w_sle + w_fm + w_both + w_neither) as p_fm, w_both / (w_sle + w_fm + w_both + w_neither) as p_both, w_neither / (w_sle + w_fm + w_both + w_neither) as p_neither
from raised
