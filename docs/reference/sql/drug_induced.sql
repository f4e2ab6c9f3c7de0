-- drug_induced: one row per person of interest, culprit drug taken and finding that its rule asks about: state and order.
-- Steered by drug_induced_tiers, drug_induced_findings, drugs, limits (drug_induced_after_days, drug_induced_open_days,
-- drug_induced_persists_days).
-- when a sign began: on (the drug, or soon after it), before (the drug), later, undated. verdict: not_supported (ANA negative,
-- or every sign came before the drug), suspected (an ANA and a sign that began on it, one of them objective or an antibody
-- of the kind, nothing against it), possible (otherwise), NULL (ANA or order of events not known).
with taken as (
  select x.person, x.drug, t.tier, t.kind, t.most, min(x.start_date) as start_date, max(x.end_date) as last_date,
    bool_and(coalesce(x.end_date > x.start_date, false)) as ended, min(h.as_of) as as_of, min(x.row_no) as row_no
  from exposures as x
  inner join horizons as h on h.person = x.person
  inner join drugs as d on d.drug = x.drug
  inner join drug_induced_tiers as t on t.tier = d.dil_tier
  group by x.person, x.drug, t.tier, t.kind, t.most
),
asked as (
  select t.*, r.finding, r.role, r.counts, f.state, f.first_date, f.last_date as last_present, f.last_absent_date, f.vouched,
    case
      when f.state is null or r.role <> 'sign' then null
      when f.first_date is null or t.start_date is null then 'undated'
      when f.first_date < t.start_date then 'before'
      when date_diff('day', t.last_date, f.first_date)
        <= case when t.ended then 180 else 730 end then 'on'
      else 'later'
    end as "when"
  from taken as t
  inner join drug_induced_findings as r on r.kind = t.kind and (r.not_for is null or r.not_for <> t.drug)
  left join findings as f on f.person = t.person and f.finding = r.finding
),
weighed as (
  select *,
    role = 'sign' and state = 'present' and "when" = 'on' as sign_on,
    role = 'sign' and state = 'present' and "when" = 'before' as sign_before,
    role in ('supports', 'against') and state = counts as counted
  from asked
),
summed as (
  select person, drug,
    bool_or(role = 'required' and state = 'present') as ana_present, bool_or(role = 'required' and state = 'absent') as ana_absent,
    bool_or(coalesce(sign_on, false)) as any_on, bool_or(coalesce(sign_on and counts = 'objective' and vouched, false)) as objective_on,
    bool_or(coalesce(sign_before, false)) as any_before, bool_or(coalesce(state = 'present' and "when" = 'undated', false)) as undated,
    bool_or(coalesce(role = 'against' and counted, false)) as against,
    bool_or(coalesce(role = 'supports' and counted, false)) as supported,
    min(case when sign_on then first_date end) as first_sign, max(case when sign_on then last_present end) as last_sign,
    max(case when sign_on then last_absent_date end) as last_denied
  from weighed
  group by person, drug
),
settled as (
  select w.*, s.first_sign, s.ana_present, s.ana_absent, s.any_on, s.objective_on, s.any_before, s.undated, s.against, s.supported,
    case
      when not (w.ended and w.last_date < w.as_of) then 'not_stopped'
      when date_diff('day', w.last_date, s.last_sign) > 180 then 'persists'
      when s.last_denied > w.last_date and s.last_denied > s.last_sign then 'resolved'
      else 'unknown'
    end as resolution
  from weighed as w
  inner join summed as s on s.person = w.person and s.drug = w.drug
  where s.any_on or s.any_before or s.undated
)
select person, drug, tier, kind, start_date, last_date, row_no, first_sign, resolution, finding, role, state, counts, "when",
  coalesce(case role when 'sign' then sign_on when 'required' then state = 'present' else counted end, false) as counted,
  case
    when ana_absent or (any_before and not any_on and not undated) then 'not_supported'
    when not coalesce(ana_present, false) or not any_on then null
    when most = 'suspected' and (objective_on or supported) and not against and resolution <> 'persists' then 'suspected'
    else 'possible'
  end as verdict
from settled
