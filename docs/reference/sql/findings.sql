-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
-- The reference is that of the first day, a stated finding's before an implied one's. Derived findings take their first day from `course`.
with said as (
  -- place: stated before implied, then by day, source row and part, as one number to take the least of
  -- marks: who says it, whether it is vouched for, has no likelier cause, has no date: bits to bring together
  select person, finding_no, date, state = 'present' as present,
    ((case when implied then 1048576 else 0 end
      + coalesce(date_diff('day', date '0001-01-01', date), 1048576 - 1)) * 4294967296 + row_no) * 512
      + least(part, 512 - 1) as place,
    case "by" when 'measured' then 1 when 'clinician' then 2 when 'text' then 4 when 'patient' then 8 else 0 end
      + case when vouched then 16 else 0 end + case when contested_by is null then 32 else 0 end
      + case when date is null then 64 else 0 end as marks
  from occurrences
),
days as (
  select person, finding_no, date,
    min(case when present then place end) as place_p, bit_or(case when present then marks else 0 end) as marks_p,
    min(case when not present then place end) as place_a, bit_or(case when not present then marks else 0 end) as marks_a
  from said
  group by person, finding_no, date
),
tallied as (
  select person, finding_no, bool_or(place_p is not null and place_a is not null) as conflict,
    cast(count(place_p) as integer) as days_p, min(place_p) as place_p, bit_or(marks_p) as marks_p,
    min(case when place_p is not null then date end) as first_p, max(case when place_p is not null then date end) as last_p,
    cast(count(place_a) as integer) as days_a, min(place_a) as place_a, bit_or(marks_a) as marks_a,
    min(case when place_a is not null then date end) as first_a, max(case when place_a is not null then date end) as last_a
  from days
  group by person, finding_no
),
stated_findings as (
  select t.person, f.finding, t.finding_no, case when t.days_p > 0 then 'present' else 'absent' end as state,
    case when t.days_p > 0 then t.place_p else t.place_a end as place,
    case when t.days_p > 0 then t.marks_p else t.marks_a end as marks,
    case when t.days_p > 0 then t.first_p else t.first_a end as first,
    case when t.days_p > 0 then t.last_p else t.last_a end as last,
    t.days_p, t.days_a, t.last_a, t.conflict
  from tallied as t
  inner join finding_bits as f on f.finding_no = t.finding_no
),
causes as (
  select person, finding_no, min(contested_by) as contested_by, min(contested_row_no) as contested_row_no
  from occurrences
  where contested_by is not null
  group by person, finding_no
),
derived as (
  select m.person, f.finding, bool_or((case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 when 5 then m.p5 end & f.bit) <> 0) as present, bool_or((case f.word when 1 then m.a1 when 2 then m.a2 when 3 then m.a3 when 4 then m.a4 when 5 then m.a5 end & f.bit) <> 0) as absent
  from (select * from masks where basis = 'points' and ((p1 & 576461439616155648) <> 0 or (p3 & 67108864) <> 0 or (a1 & 576461439616155648) <> 0 or (a3 & 67108864) <> 0)) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on ((case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 when 5 then m.p5 end & f.bit) <> 0) or ((case f.word when 1 then m.a1 when 2 then m.a2 when 3 then m.a3 when 4 then m.a4 when 5 then m.a5 end & f.bit) <> 0)
  group by m.person, f.finding
),
first_days as (
  select m.person, f.finding, min(m.on_day) as first_date
  from (select * from course where basis = 'points' and clock = 'course' and ((p1 & 576460889742376960) <> 0)) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on (case f.word when 1 then m.p1 when 2 then m.p2 when 3 then m.p3 when 4 then m.p4 when 5 then m.p5 end & f.bit) <> 0
  group by m.person, f.finding
)
select s.person, s.finding, s.state, s.first as first_date, s.last as last_date, (s.marks & 64) <> 0 as undated,
  s.days_p as present_days, s.days_a as absent_days,
  case when (s.marks & 1) <> 0 then 'measured' when (s.marks & 2) <> 0 then 'clinician' when (s.marks & 4) <> 0 then 'text' when (s.marks & 8) <> 0 then 'patient' end as "by",
  c.contested_by, c.contested_row_no, s.conflict, r.reference, r.date_precision as first_precision,
  s.place >= 1048576 * 4294967296 * 512 as implied, (s.marks & 16) <> 0 as vouched,
  false as derived, s.last_a as last_absent_date
from stated_findings as s
left join interest_events as r
  on r.codings >= 0 and r.person = s.person
  and r.row_no = s.place // 512 % 4294967296 and r.part = s.place % 512
left join causes as c
  on c.person = s.person and c.finding_no = s.finding_no and s.state = 'present' and (s.marks & 32) = 0
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
