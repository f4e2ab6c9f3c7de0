-- tests_together: one row per person of interest and number of tests: the two, and the three, of the tests named that teach most
-- together, and how likely every call is after them. Steered by limits (next_test_min_bits): a test that adds less is not added.
with fresh as (
  select i.person, sum(ln(r.rate_sle)) as log_sle, sum(ln(r.rate_fm)) as log_fm, sum(ln(r.rate_both)) as log_both, sum(ln(r.rate_neither)) as log_neither
  from together as i
  inner join together_weights as u on u.person = i.person
  inner join weight_rows as r on r.number = u.number
  left join interest_weights as k on k.person = i.about and k.number = u.number
  where k.number is null
  group by i.person
),
chances as (
  select i.person, i.about, i.test, i.decides,
    exp(f.log_sle) / sum(exp(f.log_sle)) over (partition by i.about, i.test) as chance_sle,
    exp(f.log_fm) / sum(exp(f.log_fm)) over (partition by i.about, i.test) as chance_fm,
    exp(f.log_both) / sum(exp(f.log_both)) over (partition by i.about, i.test) as chance_both,
    exp(f.log_neither) / sum(exp(f.log_neither)) over (partition by i.about, i.test) as chance_neither
  from together as i
  left join fresh as f on f.person = i.person
),
after_it as (
  select * from (
    with added as (
  select
    s.person, s.setting, s.prior_sle, s.prior_fm, s.prior_both, s.prior_neither,
    coalesce(w.bits_sle, 0) as bits_sle, coalesce(w.bits_fm, 0) as bits_fm, coalesce(w.bits_both, 0) as bits_both, coalesce(w.v_both, 0) as v_both, coalesce(w.v_fm, 0) as v_fm, coalesce(w.v_fm_both, 0) as v_fm_both, coalesce(w.v_fm_neither, 0) as v_fm_neither, coalesce(w.v_neither, 0) as v_neither, coalesce(w.v_sle, 0) as v_sle, coalesce(w.v_sle_both, 0) as v_sle_both, coalesce(w.v_sle_fm_both_neither, 0) as v_sle_fm_both_neither, coalesce(w.v_sle_neither, 0) as v_sle_neither
  from (select i.person, p.setting, p.prior_sle, p.prior_fm, p.prior_both, p.prior_neither from together as i inner join person_priors as p on p.person = i.about) as s
  left join (
    select u.person, sum(r.bits_sle) as bits_sle, sum(r.bits_fm) as bits_fm, sum(r.bits_both) as bits_both, sum(r.v_both) as v_both, sum(r.v_fm) as v_fm, sum(r.v_fm_both) as v_fm_both, sum(r.v_fm_neither) as v_fm_neither, sum(r.v_neither) as v_neither, sum(r.v_sle) as v_sle, sum(r.v_sle_both) as v_sle_both, sum(r.v_sle_fm_both_neither) as v_sle_fm_both_neither, sum(r.v_sle_neither) as v_sle_neither
    from together_weights as u
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
  ) as a
),
checks as (
  select i.person, c.forbidding_flags, c.missing - i.decides as missing
  from together as i
  inner join calls as c on c.person = i.about
),
called as (
  select * from (
    with led as (
  select i.*,
    greatest(p_sle, p_fm, p_both, p_neither) as p_lead,
    case greatest(p_sle, p_fm, p_both, p_neither)
      when p_sle then 'sle' when p_fm then 'fm' when p_both then 'both' else 'neither'
    end as lead
  from after_it as i
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
),
taught as (
  select c.person as imagined, c.about as person, c.test, d.call, n.call as call_now,
    case when n.ground = 'decisive_tests_missing' then c.decides else 0 end as awaited,
    a.p_sle, a.p_fm, a.p_both, a.p_neither,
    b.p_sle * c.chance_sle + b.p_fm * c.chance_fm + b.p_both * c.chance_both + b.p_neither * c.chance_neither as chance,
    (a.p_sle * ln(greatest(a.p_sle, 1e-09) / greatest(b.p_sle, 1e-09)) + a.p_fm * ln(greatest(a.p_fm, 1e-09) / greatest(b.p_fm, 1e-09)) + a.p_both * ln(greatest(a.p_both, 1e-09) / greatest(b.p_both, 1e-09)) + a.p_neither * ln(greatest(a.p_neither, 1e-09) / greatest(b.p_neither, 1e-09))) / ln(2.0) as bits
  from chances as c
  inner join after_it as a on a.person = c.person
  inner join called as d on d.person = c.person
  inner join intervals as b on b.person = c.about
  inner join calls as n on n.person = c.about
),
worth as (
  select person, test, sum(chance * bits) as expected_bits, max(call_now) as call_now,
    sum(case when call <> call_now then 1 else 0 end) as changes, sum(case when chance is null then 1 else 0 end) as unweighed,
    max(awaited) as awaited
  from taught
  group by person, test
),
sized as (
  select w.person, w.test, s.tests, w.awaited, w.expected_bits,
    row_number() over (partition by w.person, s.tests order by w.awaited desc, w.expected_bits desc, w.test) as place
  from worth as w
  inner join (select distinct about, test, tests from together) as s on s.about = w.person and s.test = w.test
),
best as (
  select person, test, tests, awaited, expected_bits from sized where place = 1
  union all
  select distinct person, test, 1, case when awaited then 1 else 0 end, expected_bits from next_tests where place = 1
),
chosen as (
  select b.person, b.test, b.tests, b.awaited, b.expected_bits
  from best as b
  inner join best as f on f.person = b.person and f.tests = b.tests - 1
  where b.awaited > f.awaited or b.expected_bits >= f.expected_bits + 0.01
)
select c.person, c.tests, c.test, c.awaited, c.expected_bits,
  sum(case when t.call = 'sle' then t.chance else 0.0 end) as chance_sle, sum(case when t.call = 'fm' then t.chance else 0.0 end) as chance_fm, sum(case when t.call = 'both' then t.chance else 0.0 end) as chance_both, sum(case when t.call = 'neither' then t.chance else 0.0 end) as chance_neither,
  sum(case when t.call = 'undetermined' then t.chance else 0.0 end) as chance_undetermined
from chosen as c
inner join taught as t on t.person = c.person and t.test = c.test
group by c.person, c.tests, c.test, c.awaited, c.expected_bits
