-- worklist: one row per person of interest and reason to look again, in the order to work through it.
-- Steered by worklist_reasons (a blank condition holds for everybody), workup_tests (the first test not on record that
-- fits), weight_rows (the findings that speak loudest are the evidence).
with missing as (
  select i.person, min(t.place) as place
  from interest as i
  cross join (select distinct test, place, only_if from workup_tests) as t
  left join findings as c on c.person = i.person and c.finding = t.only_if and c.state = 'present'
  where (t.only_if is null or c.person is not null)
    and not exists (
      select 1 from workup_tests as w inner join on_record as f on f.finding = w.finding
      where w.test = t.test and f.person = i.person
    )
  group by i.person
),
speaking as (
  -- the findings that count in the differential, for the disease they speak for, loudest first
  select f.person, f.finding, f.reference, case when r.bits_sle > r.bits_fm then 'sle' else 'fm' end as speaks_for,
    row_number() over (
      partition by f.person, r.bits_sle > r.bits_fm order by abs(r.bits_sle - r.bits_fm) desc, f.finding
    ) as place
  from interest_weights as u
  inner join weight_rows as r on r.number = u.number
  inner join findings as f on f.person = u.person and f.finding = r.finding and f.state = r.state
  where r.bits_sle <> r.bits_fm
),
evidence as (
  select s.person, s.speaks_for,
    string_agg(case when f.state = 'absent' then 'no ' else '' end || s.finding, ';' order by s.place) as evidence,
    max(case when s.place = 1 then s.reference end) as evidence_reference
  from speaking as s
  inner join findings as f on f.person = s.person and f.finding = s.finding
  where s.place <= 5
  group by s.person, s.speaks_for
),
hits as (
  select p.person, p.person_id, r.reason, r.place, r.urgency, r.text, r.evidence_for, p.p_sle + p.p_both as p_lupus
  from persons_out as p
  cross join worklist_reasons as r
  where p.of_interest
    and (r.coded_sle is null or r.coded_sle = case when p.sle_dx_days > 0 then 'yes' else 'no' end)
    and (r.coded_fm is null or r.coded_fm = case when p.fm_dx_days > 0 then 'yes' else 'no' end)
    and (r.single_sle_claim is null or r.single_sle_claim = case when p.sle_dx_days = 1 then 'yes' else 'no' end)
    and (r.call is null or strpos(';' || r.call || ';', ';' || p.call || ';') > 0)
    and (r.sle_met_specific is null or r.sle_met_specific = case when p.sle_any_specific then 'yes' else 'no' end)
    and (r.sle_met_points is null or r.sle_met_points = case when p.sle_any_points then 'yes' else 'no' end)
    and (r.fm_met is null or r.fm_met = case when p.fm_any_met then 'yes' else 'no' end)
    and (r.forbidding_flag is null or r.forbidding_flag = case when p.forbidding_flag then 'yes' else 'no' end)
)
select
  row_number() over (order by h.place, h.p_lupus desc, h.person, h.reason) as rank,
  h.person_id, h.reason, h.urgency, h.text, coalesce(e.evidence, '') as evidence,
  coalesce(e.evidence_reference, '') as evidence_reference, coalesce(t.test, '') as next_test, h.person
from hits as h
left join missing as m on m.person = h.person
left join (select distinct test, place from workup_tests) as t on t.place = m.place
left join evidence as e on e.person = h.person and e.speaks_for = h.evidence_for
