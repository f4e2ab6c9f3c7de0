-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
-- A stated finding's reference goes before that of an implied one. Derived findings take their first day from `course`.
with days as (
  select person, finding, state, date,
    min(case when implied then '1' else '0' end || chr(31) || coalesce(date_precision, 'none') || chr(31)
      || coalesce(reference, '')) as packed,
    max(case "by" when 'measured' then 4 when 'clinician' then 3 when 'text' then 2 when 'patient' then 1 else 0 end) as by_rank,
    bool_and(contested_by is not null) as contested,
    min(contested_by || chr(31) || contested_text || chr(31) || coalesce(contested_reference, '')) as cause,
    bool_and(implied) as implied, bool_or(vouched) as vouched
  from occurrences
  group by person, finding, state, date
),
ever as (
  select person, finding, bool_or(state = 'present') as present,
    cast(sum(case when state = 'present' then 1 else 0 end) as integer) as present_days,
    cast(sum(case when state = 'absent' then 1 else 0 end) as integer) as absent_days,
    max(case when state = 'absent' then date end) as last_absent_date
  from days
  group by person, finding
),
conflicts as (
  select distinct person, finding
  from (select person, finding, date from days group by person, finding, date having count(*) > 1) as both_states
),
stated_findings as (
  select d.person, d.finding, d.state, min(d.date) as first_date, max(d.date) as last_date,
    bool_or(d.date is null) as undated, max(d.by_rank) as by_rank,
    bool_and(d.contested) as contested, min(d.cause) as cause,
    min(case when d.implied then '1' else '0' end || coalesce(cast(d.date as varchar), '9999-12-31') || d.packed) as packed,
    bool_and(d.implied) as implied, bool_or(d.vouched) as vouched,
    max(e.present_days) as present_days, max(e.absent_days) as absent_days, max(e.last_absent_date) as last_absent_date
  from days as d
  inner join ever as e
    on e.person = d.person and e.finding = d.finding and d.state = case when e.present then 'present' else 'absent' end
  group by d.person, d.finding, d.state
),
derived as (
  select m.person, f.finding, bool_or({{ state_bit("p") }}) as present, bool_or({{ state_bit("a") }}) as absent
  from masks as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on ({{ state_bit("p") }}) or ({{ state_bit("a") }})
  where m.basis = 'points'
  group by m.person, f.finding
),
first_days as (
  select m.person, f.finding, min(m.on_day) as first_date
  from course as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on {{ state_bit("p") }}
  where m.basis = 'points' and m.clock = 'course'
  group by m.person, f.finding
)
select s.person, s.finding, s.state, s.first_date, s.last_date, s.undated, s.present_days, s.absent_days,
  case s.by_rank when 4 then 'measured' when 3 then 'clinician' when 2 then 'text' when 1 then 'patient' end as "by",
  case when s.contested then split_part(s.cause, chr(31), 1) end as contested_by,
  case when s.contested then split_part(s.cause, chr(31), 2) end as contested_text,
  case when s.contested then split_part(s.cause, chr(31), 3) end as contested_reference,
  c.person is not null as conflict,
  split_part(s.packed, chr(31), 3) as reference, split_part(s.packed, chr(31), 2) as first_precision,
  s.implied, s.vouched, false as derived, s.last_absent_date
from stated_findings as s
left join conflicts as c on c.person = s.person and c.finding = s.finding
left join derived as x on x.person = s.person and x.finding = s.finding and x.present
where s.state = 'present' or x.person is null
union all
select x.person, x.finding, case when x.present then 'present' else 'absent' end as state, f.first_date,
  f.first_date as last_date, f.first_date is null as undated, case when x.present then 1 else 0 end as present_days,
  case when x.present then 0 else 1 end as absent_days, cast(null as varchar) as "by", cast(null as varchar) as contested_by,
  cast(null as varchar) as contested_text, cast(null as varchar) as contested_reference, false as conflict,
  cast(null as varchar) as reference, 'day' as first_precision, false as implied, true as vouched, true as derived,
  cast(null as date) as last_absent_date
from derived as x
left join stated_findings as s on s.person = x.person and s.finding = x.finding
left join first_days as f on f.person = x.person and f.finding = x.finding and x.present
where (x.present and coalesce(s.state, 'absent') = 'absent') or (x.absent and s.person is null)
