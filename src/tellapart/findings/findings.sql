-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
-- The reference is that of the first day, a stated finding's before an implied one's. Derived findings take their first day from `course`.
with said as (
  -- place: stated before implied, then by day, source row and part, as one number to take the least of
  -- marks: who says it, whether it is vouched for, has no likelier cause, has no date: bits to bring together
  select person, finding_no, date, state = 'present' as present,
    ((case when implied then {{ day_span }} else 0 end
      + coalesce(date_diff('day', {{ no_date }}, date), {{ day_span }} - 1)) * {{ row_span }} + row_no) * {{ part_span }}
      + least(part, {{ part_span }} - 1) as place,
    case "by" {% for who in sayers %}when '{{ who }}' then {{ mark[who] }} {% endfor %}else 0 end
      + case when vouched then {{ mark.vouched }} else 0 end + case when contested_by is null then {{ mark.uncontested }} else 0 end
      + case when date is null then {{ mark.undated }} else 0 end as marks
  from occurrences
),
days as (
  select person, finding_no, date,
    {% for s, is in states %}
    min(case when {{ is }}present then place end) as place_{{ s }}, bit_or(case when {{ is }}present then marks else 0 end) as marks_{{ s }}{{ "," if not loop.last }}
    {% endfor %}
  from said
  group by person, finding_no, date
),
tallied as (
  select person, finding_no, bool_or(place_p is not null and place_a is not null) as conflict,
    {% for s, _ in states %}
    cast(count(place_{{ s }}) as integer) as days_{{ s }}, min(place_{{ s }}) as place_{{ s }}, bit_or(marks_{{ s }}) as marks_{{ s }},
    min(case when place_{{ s }} is not null then date end) as first_{{ s }}, max(case when place_{{ s }} is not null then date end) as last_{{ s }}{{ "," if not loop.last }}
    {% endfor %}
  from days
  group by person, finding_no
),
stated_findings as (
  select t.person, f.finding, t.finding_no, case when t.days_p > 0 then 'present' else 'absent' end as state,
    {% for c in ["place", "marks", "first", "last"] %}
    case when t.days_p > 0 then t.{{ c }}_p else t.{{ c }}_a end as {{ c }},
    {% endfor %}
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
  select m.person, f.finding, bool_or({{ state_bit("p") }}) as present, bool_or({{ state_bit("a") }}) as absent
  from (select * from masks where basis = 'points' and ({{ some_derived("p") }} or {{ some_derived("a") }})) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on ({{ state_bit("p") }}) or ({{ state_bit("a") }})
  group by m.person, f.finding
),
first_days as (
  select m.person, f.finding, min(m.on_day) as first_date
  from (select * from course where basis = 'points' and clock = 'course' and ({{ any_derived }})) as m
  inner join (select b.* from finding_bits as b inner join derived_findings as d on d.finding = b.finding) as f
    on {{ state_bit("p") }}
  group by m.person, f.finding
)
select s.person, s.finding, s.state, s.first as first_date, s.last as last_date, (s.marks & {{ mark.undated }}) <> 0 as undated,
  s.days_p as present_days, s.days_a as absent_days,
  case {% for who in sayers %}when (s.marks & {{ mark[who] }}) <> 0 then '{{ who }}' {% endfor %}end as "by",
  c.contested_by, c.contested_row_no, s.conflict, r.reference, r.date_precision as first_precision,
  s.place >= {{ day_span }} * {{ row_span }} * {{ part_span }} as implied, (s.marks & {{ mark.vouched }}) <> 0 as vouched,
  false as derived, s.last_a as last_absent_date
from stated_findings as s
left join interest_events as r
  on r.codings >= 0 and r.person = s.person
  and r.row_no = s.place // {{ part_span }} % {{ row_span }} and r.part = s.place % {{ part_span }}
left join causes as c
  on c.person = s.person and c.finding_no = s.finding_no and s.state = 'present' and (s.marks & {{ mark.uncontested }}) = 0
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
