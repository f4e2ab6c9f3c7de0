-- calls: one row per person of interest: the call and why. Steered by limits (call_*), red_flags.forbids_fm,
-- workup_tests.decides.
with undecided as (
  -- `neither` is an answer only where the tests that decide are on record
  select i.person, count(distinct t.test) as missing
  from interest as i
  cross join workup_tests as t
  where t.decides
    and not exists (
      select 1 from workup_tests as w inner join on_record as f on f.finding = w.finding
      where w.test = t.test and f.person = i.person
    )
  group by i.person
),
forbidding as (
  select person, count(*) as flags from red_flags_in_force where forbids group by person
),
checks as (
  select i.person, coalesce(f.flags, 0) as forbidding_flags, coalesce(u.missing, 0) as missing
  from interest as i
  left join forbidding as f on f.person = i.person
  left join undecided as u on u.person = i.person
),
led as (
  select i.*,
    greatest(p_sle, p_fm, p_both, p_neither) as p_lead,
    case greatest(p_sle, p_fm, p_both, p_neither)
      when p_sle then 'sle' when p_fm then 'fm' when p_both then 'both' else 'neither'
    end as lead
  from intervals as i
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
