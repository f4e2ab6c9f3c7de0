-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
with days as (
  select person, finding, date,
    max(case when state = 'present' then 1 else 0 end) as yes, max(case when state = 'absent' then 1 else 0 end) as no
  from occurrences
  group by person, finding, date
),
counted as (
  select person, finding, max(yes) as ever, sum(yes) as present_days, sum(no) as absent_days, max(yes * no) as both_states
  from days
  group by person, finding
),
ranked as (
  select o.*, c.ever, c.present_days, c.absent_days, c.both_states,
    row_number() over (
      partition by o.person, o.finding
      order by o.implied, o.date nulls last, o.row_no, o.part, o.reference
    ) as place
  from occurrences as o
  inner join counted as c on c.person = o.person and c.finding = o.finding
  where o.state = case when c.ever = 1 then 'present' else 'absent' end
),
summed as (
  select person, finding,
    case when max(ever) = 1 then 'present' else 'absent' end as state,
    min(date) as first_date, max(date) as last_date,
    max(case when date is null then 1 else 0 end) = 1 as undated,
    cast(max(present_days) as integer) as present_days, cast(max(absent_days) as integer) as absent_days,
    case
      when max(case when "by" = 'measured' then 1 else 0 end) = 1 then 'measured'
      when max(case when "by" = 'clinician' then 1 else 0 end) = 1 then 'clinician'
      when max(case when "by" = 'text' then 1 else 0 end) = 1 then 'text'
      when max(case when "by" = 'patient' then 1 else 0 end) = 1 then 'patient'
    end as "by",
    case when count(contested_by) = count(*) then min(contested_by) end as contested_by,
    case when count(contested_by) = count(*) then min(contested_text) end as contested_text,
    case when count(contested_by) = count(*) then min(contested_reference) end as contested_reference,
    max(both_states) = 1 as conflict,
    max(case when place = 1 then reference end) as reference,
    max(case when place = 1 then date_precision end) as first_precision,
    min(case when implied then 1 else 0 end) = 1 as implied,
    bool_or(vouched) as vouched
  from ranked
  group by person, finding
),
denied as (
  select person, finding, max(date) as last_absent_date from occurrences where state = 'absent' group by person, finding
),
derived as (
  select m.person, f.finding, min(case when m.clock = 'course' then m.on_day end) as first_date,
    bool_or(m.clock = 'end' and ({{ state_bit("p") }})) as present, bool_or(m.clock = 'end' and ({{ state_bit("a") }})) as absent
  from masks as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on ({{ state_bit("p") }}) or ({{ state_bit("a") }})
  where m.basis = 'points'
  group by m.person, f.finding
)
select s.person, s.finding, s.state, s.first_date, s.last_date, s.undated, s.present_days, s.absent_days, s."by",
  s.contested_by, s.contested_text, s.contested_reference, s.conflict, s.reference, s.first_precision, s.implied,
  s.vouched, false as derived, d.last_absent_date
from summed as s
left join denied as d on d.person = s.person and d.finding = s.finding
left join derived as x on x.person = s.person and x.finding = s.finding and x.present
where s.state = 'present' or x.person is null
union all
select x.person, x.finding, case when x.present then 'present' else 'absent' end as state, x.first_date,
  x.first_date as last_date, x.first_date is null as undated, case when x.present then 1 else 0 end as present_days,
  case when x.present then 0 else 1 end as absent_days, cast(null as varchar) as "by", cast(null as varchar) as contested_by,
  cast(null as varchar) as contested_text, cast(null as varchar) as contested_reference, false as conflict,
  cast(null as varchar) as reference, 'day' as first_precision, false as implied, true as vouched, true as derived,
  cast(null as date) as last_absent_date
from derived as x
left join summed as s on s.person = x.person and s.finding = x.finding
where (x.present and coalesce(s.state, 'absent') = 'absent') or (x.absent and s.person is null)
