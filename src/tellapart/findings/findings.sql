-- findings: one row per person of interest and finding: state ever, dates, days, who says it, the first reference.
-- Present if any occurrence is; contested only if every present occurrence is; conflict: both states on one date.
-- The reference is that of the first day, a stated finding's before an implied one's. Derived findings take their first day from `course`.
with days as (
  -- place: stated before implied, then by day, source row and part, as one number to take the least of
  select person, finding, state, date,
    min(((case when implied then 1 else 0 end * {{ day_span }}
      + coalesce(date_diff('day', {{ no_date }}, date), {{ day_span }} - 1)) * {{ row_span }} + row_no) * {{ part_span }}
      + least(part, {{ part_span }} - 1)) as place,
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
    {% for state, name in [("present", "p"), ("absent", "a")] %}
    min(case when state = '{{ state }}' then date end) as first_{{ name }}, max(case when state = '{{ state }}' then date end) as last_{{ name }},
    bool_or(state = '{{ state }}' and date is null) as undated_{{ name }}, max(case when state = '{{ state }}' then by_rank end) as by_{{ name }},
    min(case when state = '{{ state }}' then place end) as place_{{ name }}, bool_and(state <> '{{ state }}' or implied) as implied_{{ name }},
    bool_or(state = '{{ state }}' and vouched) as vouched_{{ name }},
    {% endfor %}
    bool_and(state <> 'present' or contested) as contested, min(contested_by) as contested_by,
    min(contested_row_no) as contested_row_no
  from days
  group by person, finding
),
stated_findings as (
  select person, finding, case when present then 'present' else 'absent' end as state,
    {% for c in ["first", "last", "undated", "by", "place", "implied", "vouched"] %}
    case when present then {{ c }}_p else {{ c }}_a end as {{ {"first": "first_date", "last": "last_date", "by": "by_rank"}.get(c, c) }},
    {% endfor %}
    present and contested as contested, contested_by, contested_row_no, present_days, absent_days, last_absent_date
  from tallied
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
select s.person, s.finding, s.state, s.first_date, s.last_date, s.undated, s.present_days, s.absent_days,
  case s.by_rank when 4 then 'measured' when 3 then 'clinician' when 2 then 'text' when 1 then 'patient' end as "by",
  case when s.contested then s.contested_by end as contested_by,
  case when s.contested then s.contested_row_no end as contested_row_no,
  c.person is not null as conflict, r.reference, r.date_precision as first_precision,
  s.implied, s.vouched, false as derived, s.last_absent_date
from stated_findings as s
left join interest_events as r
  on r.codings >= 0 and r.person = s.person
  and r.row_no = s.place // {{ part_span }} % {{ row_span }} and r.part = s.place % {{ part_span }}
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
