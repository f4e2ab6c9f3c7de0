-- sensitivity: one row per person of interest and finding that counts: the posterior and the call if it were wrong and the record did
-- not say it. The other findings keep their bits: a reading that falls away gives nothing to the others of its block. Red flags and
-- tests on record stay as they are. Steered by weight_rows, limits (call_*).
with doubted as (
  select row_number() over (order by person, number) as person, person as about, number from interest_weights
),
others as (
  select d.person, k.number
  from doubted as d
  inner join interest_weights as k on k.person = d.about and k.number <> d.number
),
without as (
  select * from (
    with added as (
  select
    s.person, s.setting, s.prior_sle, s.prior_fm, s.prior_both, s.prior_neither,
    coalesce(w.bits_sle, 0) as bits_sle, coalesce(w.bits_fm, 0) as bits_fm, coalesce(w.bits_both, 0) as bits_both, coalesce(w.v_both, 0) as v_both, coalesce(w.v_fm, 0) as v_fm, coalesce(w.v_fm_both, 0) as v_fm_both, coalesce(w.v_fm_neither, 0) as v_fm_neither, coalesce(w.v_neither, 0) as v_neither, coalesce(w.v_sle, 0) as v_sle, coalesce(w.v_sle_both, 0) as v_sle_both, coalesce(w.v_sle_fm_both_neither, 0) as v_sle_fm_both_neither, coalesce(w.v_sle_neither, 0) as v_sle_neither
  from (select d.person, p.setting, p.prior_sle, p.prior_fm, p.prior_both, p.prior_neither from doubted as d inner join person_priors as p on p.person = d.about) as s
  left join (
    select u.person, sum(r.bits_sle) as bits_sle, sum(r.bits_fm) as bits_fm, sum(r.bits_both) as bits_both, sum(r.v_both) as v_both, sum(r.v_fm) as v_fm, sum(r.v_fm_both) as v_fm_both, sum(r.v_fm_neither) as v_fm_neither, sum(r.v_neither) as v_neither, sum(r.v_sle) as v_sle, sum(r.v_sle_both) as v_sle_both, sum(r.v_sle_fm_both_neither) as v_sle_fm_both_neither, sum(r.v_sle_neither) as v_sle_neither
    from others as u
    inner join weight_rows as r on r.number = u.number
    group by u.person
  ) as w on w.person = s.person
),
raised as (
  select *,
    prior_sle * power(2.0, cast(bits_sle as double)) as w_sle,prior_fm * power(2.0, cast(bits_fm as double)) as w_fm,prior_both * power(2.0, cast(bits_both as double)) as w_both,
    prior_neither as w_neither
  from added
),
shared as (
  select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
    cast(v_both as double) as v_both, cast(v_fm as double) as v_fm, cast(v_fm_both as double) as v_fm_both, cast(v_fm_neither as double) as v_fm_neither, cast(v_neither as double) as v_neither, cast(v_sle as double) as v_sle, cast(v_sle_both as double) as v_sle_both, cast(v_sle_fm_both_neither as double) as v_sle_fm_both_neither, cast(v_sle_neither as double) as v_sle_neither,
    w_sle / (w_sle + w_fm + w_both + w_neither) as p_sle,
  w_fm / (w_sle + w_fm + w_both + w_neither) as p_fm,
  w_both / (w_sle + w_fm + w_both + w_neither) as p_both,
  w_neither / (w_sle + w_fm + w_both + w_neither) as p_neither
  from raised
),
logits as (
  select *,
    ln(greatest(p_sle, 1e-09) / greatest(1.0 - p_sle, 1e-09)) as logit_sle,
    ln(2.0) * sqrt(
      v_both * power(-p_both / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_fm * power(-p_fm / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_fm_both * power(-p_fm / greatest(1.0 - p_sle, 1e-09) + -p_both / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_fm_neither * power(-p_fm / greatest(1.0 - p_sle, 1e-09) + -p_neither / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_neither * power(-p_neither / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_sle * power(1.0, 2.0) +
      v_sle_both * power(1.0 + -p_both / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_sle_fm_both_neither * power(1.0 + -p_fm / greatest(1.0 - p_sle, 1e-09) + -p_both / greatest(1.0 - p_sle, 1e-09) + -p_neither / greatest(1.0 - p_sle, 1e-09), 2.0) +
      v_sle_neither * power(1.0 + -p_neither / greatest(1.0 - p_sle, 1e-09), 2.0)) as sd_sle,
    ln(greatest(p_fm, 1e-09) / greatest(1.0 - p_fm, 1e-09)) as logit_fm,
    ln(2.0) * sqrt(
      v_both * power(-p_both / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_fm * power(1.0, 2.0) +
      v_fm_both * power(1.0 + -p_both / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_fm_neither * power(1.0 + -p_neither / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_neither * power(-p_neither / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_sle * power(-p_sle / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_sle_both * power(-p_sle / greatest(1.0 - p_fm, 1e-09) + -p_both / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_sle_fm_both_neither * power(-p_sle / greatest(1.0 - p_fm, 1e-09) + 1.0 + -p_both / greatest(1.0 - p_fm, 1e-09) + -p_neither / greatest(1.0 - p_fm, 1e-09), 2.0) +
      v_sle_neither * power(-p_sle / greatest(1.0 - p_fm, 1e-09) + -p_neither / greatest(1.0 - p_fm, 1e-09), 2.0)) as sd_fm,
    ln(greatest(p_both, 1e-09) / greatest(1.0 - p_both, 1e-09)) as logit_both,
    ln(2.0) * sqrt(
      v_both * power(1.0, 2.0) +
      v_fm * power(-p_fm / greatest(1.0 - p_both, 1e-09), 2.0) +
      v_fm_both * power(-p_fm / greatest(1.0 - p_both, 1e-09) + 1.0, 2.0) +
      v_fm_neither * power(-p_fm / greatest(1.0 - p_both, 1e-09) + -p_neither / greatest(1.0 - p_both, 1e-09), 2.0) +
      v_neither * power(-p_neither / greatest(1.0 - p_both, 1e-09), 2.0) +
      v_sle * power(-p_sle / greatest(1.0 - p_both, 1e-09), 2.0) +
      v_sle_both * power(-p_sle / greatest(1.0 - p_both, 1e-09) + 1.0, 2.0) +
      v_sle_fm_both_neither * power(-p_sle / greatest(1.0 - p_both, 1e-09) + -p_fm / greatest(1.0 - p_both, 1e-09) + 1.0 + -p_neither / greatest(1.0 - p_both, 1e-09), 2.0) +
      v_sle_neither * power(-p_sle / greatest(1.0 - p_both, 1e-09) + -p_neither / greatest(1.0 - p_both, 1e-09), 2.0)) as sd_both,
    ln(greatest(p_neither, 1e-09) / greatest(1.0 - p_neither, 1e-09)) as logit_neither,
    ln(2.0) * sqrt(
      v_both * power(-p_both / greatest(1.0 - p_neither, 1e-09), 2.0) +
      v_fm * power(-p_fm / greatest(1.0 - p_neither, 1e-09), 2.0) +
      v_fm_both * power(-p_fm / greatest(1.0 - p_neither, 1e-09) + -p_both / greatest(1.0 - p_neither, 1e-09), 2.0) +
      v_fm_neither * power(-p_fm / greatest(1.0 - p_neither, 1e-09) + 1.0, 2.0) +
      v_neither * power(1.0, 2.0) +
      v_sle * power(-p_sle / greatest(1.0 - p_neither, 1e-09), 2.0) +
      v_sle_both * power(-p_sle / greatest(1.0 - p_neither, 1e-09) + -p_both / greatest(1.0 - p_neither, 1e-09), 2.0) +
      v_sle_fm_both_neither * power(-p_sle / greatest(1.0 - p_neither, 1e-09) + -p_fm / greatest(1.0 - p_neither, 1e-09) + -p_both / greatest(1.0 - p_neither, 1e-09) + 1.0, 2.0) +
      v_sle_neither * power(-p_sle / greatest(1.0 - p_neither, 1e-09) + 1.0, 2.0)) as sd_neither
  from shared
)
select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
  p_sle,
  1.0 / (1.0 + exp(-(logit_sle - 1.64485 * sd_sle))) as p_sle_low,
  1.0 / (1.0 + exp(-(logit_sle + 1.64485 * sd_sle))) as p_sle_high,
  p_fm,
  1.0 / (1.0 + exp(-(logit_fm - 1.64485 * sd_fm))) as p_fm_low,
  1.0 / (1.0 + exp(-(logit_fm + 1.64485 * sd_fm))) as p_fm_high,
  p_both,
  1.0 / (1.0 + exp(-(logit_both - 1.64485 * sd_both))) as p_both_low,
  1.0 / (1.0 + exp(-(logit_both + 1.64485 * sd_both))) as p_both_high,
  p_neither,
  1.0 / (1.0 + exp(-(logit_neither - 1.64485 * sd_neither))) as p_neither_low,
  1.0 / (1.0 + exp(-(logit_neither + 1.64485 * sd_neither))) as p_neither_high
from logits
  ) as w
),
checks as (
  select d.person, c.forbidding_flags, c.missing
  from doubted as d
  inner join calls as c on c.person = d.about
),
called as (
  select * from (
    with led as (
  select i.*,
    greatest(p_sle, p_fm, p_both, p_neither) as p_lead,
    case greatest(p_sle, p_fm, p_both, p_neither)
      when p_sle then 'sle' when p_fm then 'fm' when p_both then 'both' else 'neither'
    end as lead
  from without as i
),
bounded as (
  select *,
    case lead
      when 'sle' then greatest(p_fm, p_both, p_neither) when 'fm' then greatest(p_sle, p_both, p_neither)
      when 'both' then greatest(p_sle, p_fm, p_neither) else greatest(p_sle, p_fm, p_both)
    end as p_next,
    case lead when 'sle' then p_sle_low when 'fm' then p_fm_low when 'both' then p_both_low else p_neither_low end as low_lead
  from led
)
select b.person, b.lead, b.p_lead, b.low_lead, c.forbidding_flags, c.missing,
  case
    when b.p_lead < 0.6 or b.low_lead < 0.2 then 'undetermined'
    when b.p_lead < 2 * b.p_next then 'undetermined'
    when b.lead = 'fm' and c.forbidding_flags > 0 then 'undetermined'
    when b.lead = 'neither' and c.missing > 0 then 'undetermined'
    else b.lead
  end as call,
  case
    when b.p_lead < 0.6 then 'not_separated'
    when b.low_lead < 0.2 then 'interval_too_wide'
    when b.p_lead < 2 * b.p_next then 'not_separated'
    when b.lead = 'fm' and c.forbidding_flags > 0 then 'red_flag_forbids_fm'
    when b.lead = 'neither' and c.missing > 0 then 'decisive_tests_missing'
    else 'separated'
  end as ground
from bounded as b
inner join checks as c on c.person = b.person
  ) as c
)
select d.about as person, d.number, c.call, c.call <> n.call as changes,
  w.p_sle, w.p_fm, w.p_both, w.p_neither
from doubted as d
inner join without as w on w.person = d.person
inner join called as c on c.person = d.person
inner join calls as n on n.person = d.about
