-- form_marks: one row per filled-in form and finding that its answers state, in the columns of marks.
-- Steered by form_findings: present when the interval lies at or above present_at, absent when at or below absent_at.
select
  f.person, f.date, case when f.date is null then 'none' else 'day' end as date_precision, f.known_date,
  f.row_no, f.part, 1 as codings, f."by", f.group_key as reference,
  f.instrument || ' ' || replace(f.variable, 'item:', '') || ' ' || cast(cast(round(f.lo) as integer) as varchar) as text,
  coalesce(f."by" in ('measured', 'clinician'), false) as seen, false as suggests,
  case when f.lo >= r.present_at then r.outcome_present else r.outcome_absent end as outcome,
  cast(null as integer) as outcome_lo, cast(null as integer) as outcome_hi,
  cast(null as integer) as outcome_ratio_lo, cast(null as integer) as outcome_ratio_hi,
  case when f.lo >= r.present_at and (1 <= 4 or coalesce(f."by" in ('measured', 'clinician'), false)) then r.p1 else 0 end as p1, case when f.lo >= r.present_at and (2 <= 4 or coalesce(f."by" in ('measured', 'clinician'), false)) then r.p2 else 0 end as p2, case when f.lo >= r.present_at and (3 <= 4 or coalesce(f."by" in ('measured', 'clinician'), false)) then r.p3 else 0 end as p3, case when f.lo >= r.present_at and (4 <= 4 or coalesce(f."by" in ('measured', 'clinician'), false)) then r.p4 else 0 end as p4, case when f.lo >= r.present_at and (5 <= 4 or coalesce(f."by" in ('measured', 'clinician'), false)) then r.p5 else 0 end as p5,
  case when f.lo >= r.present_at then 0 else r.a1 end as a1, case when f.lo >= r.present_at then 0 else r.a2 end as a2, case when f.lo >= r.present_at then 0 else r.a3 end as a3, case when f.lo >= r.present_at then 0 else r.a4 end as a4, case when f.lo >= r.present_at then 0 else r.a5 end as a5
from forms as f
inner join form_findings as r on r.instrument = f.instrument and r.variable = f.variable
where f.lo >= r.present_at or f.hi <= r.absent_at
