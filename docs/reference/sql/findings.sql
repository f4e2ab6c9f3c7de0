-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
-- The reference is that of the first day, a stated finding's before an implied one's. Derived findings take their first day from `course`.
with days as (
  -- place: stated before implied, then by day, source row and part, as one number to take the least of
  select person, finding, state, date,
    min(((case when implied then 1 else 0 end * 1048576
      + coalesce(date_diff('day', date '0001-01-01', date), 1048576 - 1)) * 4294967296 + row_no) * 512
      + least(part, 512 - 1)) as place,
    max(case "by" when 'measured' then 4 when 'clinician' then 3 when 'text' then 2 when 'patient' then 1 else 0 end) as by_rank,
    bool_and(contested_by is not null) as contested, min(contested_by) as contested_by,
    min(contested_row_no) as contested_row_no,
    bool_and(implied) as implied, bool_or(vouched) as vouched
  from occurrences
  group by person, finding, state, date
),
conflicts as (
  select distinct person, finding
  from (
    select d.person, d.finding, d.date
    from days as d
    inner join days as e
      on e.person = d.person and e.finding = d.finding and e.state = 'absent'
      and (e.date = d.date or (e.date is null and d.date is null))
    where d.state = 'present'
  ) as both_states
),
tallied as (
  select person, finding, bool_or(state = 'present') as present,
    cast(sum(case when state = 'present' then 1 else 0 end) as integer) as present_days,
    cast(sum(case when state = 'absent' then 1 else 0 end) as integer) as absent_days,
    max(case when state = 'absent' then date end) as last_absent_date,
    min(case when state = 'present' then date end) as first_p, max(case when state = 'present' then date end) as last_p,
    bool_or(state = 'present' and date is null) as undated_p, max(case when state = 'present' then by_rank end) as by_p,
    min(case when state = 'present' then place end) as place_p, bool_and(state <> 'present' or implied) as implied_p,
    bool_or(state = 'present' and vouched) as vouched_p,
    min(case when state = 'absent' then date end) as first_a, max(case when state = 'absent' then date end) as last_a,
    bool_or(state = 'absent' and date is null) as undated_a, max(case when state = 'absent' then by_rank end) as by_a,
    min(case when state = 'absent' then place end) as place_a, bool_and(state <> 'absent' or implied) as implied_a,
    bool_or(state = 'absent' and vouched) as vouched_a,
    bool_and(state <> 'present' or contested) as contested, min(contested_by) as contested_by,
    min(contested_row_no) as contested_row_no
  from days
  group by person, finding
),
stated_findings as (
  select person, finding, case when present then 'present' else 'absent' end as state,
    case when present then first_p else first_a end as first_date,
    case when present then last_p else last_a end as last_date,
    case when present then undated_p else undated_a end as undated,
    case when present then by_p else by_a end as by_rank,
    case when present then place_p else place_a end as place,
    case when present then implied_p else implied_a end as implied,
    case when present then vouched_p else vouched_a end as vouched,
    present and contested as contested, contested_by, contested_row_no, present_days, absent_days, last_absent_date
  from tallied
),
derived as (
  select m.person, f.finding, bool_or((case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 end & f.bit) <> 0) as present, bool_or((case f.word when 1 then m.a1 when 2 then m.a2 when 3 then m.a3 when 4 then m.a4 end & f.bit) <> 0) as absent
  from (select * from masks where basis = 'points' and ((p1 & 576461439616155648) <> 0 or (p3 & 67108864) <> 0 or (a1 & 576461439616155648) <> 0 or (a3 & 67108864) <> 0)) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on ((case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 end & f.bit) <> 0) or ((case f.word when 1 then m.a1 when 2 then m.a2 when 3 then m.a3 when 4 then m.a4 end & f.bit) <> 0)
  group by m.person, f.finding
),
first_days as (
  select m.person, f.finding, min(m.on_day) as first_date
  from (select * from course where basis = 'points' and clock = 'course' and ((p1 & 576460889742376960) <> 0)) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on (case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 end & f.bit) <> 0
  group by m.person, f.finding
)
select s.person, s.finding, s.state, s.first_date, s.last_date, s.undated, s.present_days, s.absent_days,
  case s.by_rank when 4 then 'measured' when 3 then 'clinician' when 2 then 'text' when 1 then 'patient' end as "by",
  case when s.contested then s.contested_by end as contested_by,
  case when s.contested then s.contested_row_no end as contested_row_no,
  c.person is not null as conflict, r.reference, r.date_precision as first_precision,
  s.implied, s.vouched, false as derived, s.last_absent_date
from stated_findings as s
left join interest_events as r
  on r.codings >= 0 and r.person = s.person
  and r.row_no = s.place // 512 % 4294967296 and r.part = s.place % 512
left join conflicts as c on c.person = s.person and c.finding = s.finding
left join derived as x on x.person = s.person and x.finding = s.finding and x.present
where s.state = 'present' or x.person is null
union all
select x.person, x.finding, case when x.present then 'present' else 'absent' end as state, f.first_date,
  f.first_date as last_date, f.first_date is null as undated, case when x.present then 1 else 0 end as present_days,
  case when x.present then 0 else 1 end as absent_days, cast(null as varchar) as "by", cast(null as varchar) as contested_by,
  cast(null as bigint) as contested_row_no, false as conflict,
  cast(null as varchar) as reference, 'day' as first_precision, false as implied, true as vouched, true as derived,
  cast(null as date) as last_absent_date
from derived as x
left join stated_findings as s on s.person = x.person and s.finding = x.finding
left join first_days as f on f.person = x.person and f.finding = x.finding and x.present
where (x.present and coalesce(s.state, 'absent') = 'absent') or (x.absent and s.person is null)
