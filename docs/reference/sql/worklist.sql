-- worklist: one row per person of interest and reason to look again, in the order to work through it: by the place of the
-- reason, then by how sure the disease is that the reason speaks for (in tenths), then by how few tests would decide.
-- Steered by worklist_reasons (a blank condition holds for everybody), workup_tests (the first test not on record that
-- fits), weight_rows (the findings that speak loudest are the evidence).
with missing as (
  select i.person, min(t.place) as place, sum(case when t.decides then 1 else 0 end) as decisive
  from interest as i
  cross join (select distinct test, place, only_if, decides from workup_tests) as t
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
induced as (
  -- a drug that may have induced it, where nobody coded that
  select d.person, max(d.verdict) as verdict
  from drug_induced as d
  left join findings as f on f.person = d.person and f.finding = 'drug_induced_lupus_dx' and f.state = 'present'
  where f.person is null
  group by d.person
),
treated as (
  select t.person, r.reason, max(t.reference) as reference
  from treatment as t
  inner join worklist_reasons as r on strpos(';' || r.treatment || ';', ';' || t.rule || ';') > 0
  where t.state = 'fires' and t.counted
  group by t.person, r.reason
),
hits as (
  select p.person, p.person_id, r.reason, r.place, r.urgency, r.text, r.evidence_for, m.place as test_place, x.reference as treatment_reference,
    coalesce(m.decisive, 0) as decisive, p.p_both + case when r.evidence_for = 'sle' then p.p_sle else p.p_fm end as certainty
  from persons_out as p
  cross join worklist_reasons as r
  left join missing as m on m.person = p.person
  left join induced as d on d.person = p.person
  left join treated as x on x.person = p.person and x.reason = r.reason
  where p.of_interest
    and (r.coded_sle is null or r.coded_sle = case when p.sle_dx_days > 0 then 'yes' else 'no' end)
    and (r.coded_fm is null or r.coded_fm = case when p.fm_dx_days > 0 then 'yes' else 'no' end)
    and (r.single_sle_claim is null or r.single_sle_claim = case when p.sle_dx_days = 1 then 'yes' else 'no' end)
    and (r.call is null or strpos(';' || r.call || ';', ';' || p.call || ';') > 0)
    and (r.sle_met_specific is null or r.sle_met_specific = case when p.sle_any_specific then 'yes' else 'no' end)
    and (r.sle_met_points is null or r.sle_met_points = case when p.sle_any_points then 'yes' else 'no' end)
    and (r.fm_met is null or r.fm_met = case when p.fm_any_met then 'yes' else 'no' end)
    and (r.forbidding_flag is null or r.forbidding_flag = case when p.forbidding_flag then 'yes' else 'no' end)
    and (r.drug_induced is null or strpos(';' || r.drug_induced || ';', ';' || coalesce(d.verdict, '') || ';') > 0)
    and (r.treatment is null or x.person is not null)
    and (r.decisive_missing is null or r.decisive_missing = case when m.decisive > 0 then 'yes' else 'no' end)
)
select
  row_number() over (order by h.place, round(h.certainty, 1) desc, h.decisive, h.certainty desc, h.person) as rank,
  h.person_id, h.reason, h.urgency, h.text, coalesce(e.evidence, '') as evidence,
  coalesce(h.treatment_reference, e.evidence_reference, '') as evidence_reference, coalesce(t.test, '') as next_test, h.person
from hits as h
left join (select distinct test, place from workup_tests) as t on t.place = h.test_place
left join evidence as e on e.person = h.person and e.speaks_for = h.evidence_for
