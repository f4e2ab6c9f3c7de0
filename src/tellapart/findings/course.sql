-- course: one row per person to date, clock, day and basis, as closed words: what was known of the person by that day.
-- clock `course`: by the day it happened; `known`: by the day it could be known. Undated marks never give a date.
-- To date: persons who meet a set, or who have a derived finding (its first day is read here).
{% from 'findings/masks.sql.j2' import bases with context %}
with to_date as (
  select person from scores
  where basis = 'points' and ({% for s in scored_sets %}{{ s }}_met{{ " or " if not loop.last }}{% endfor %})
  union
  select person from masks where basis = 'points' and ({{ any_derived }})
),
clocked as (
  select w.*, 'course' as clock, w.date as on_day
  from weighed as w inner join to_date as t on t.person = w.person
  where w.date is not null
  union all
  select w.*, 'known' as clock, w.known_date as on_day
  from weighed as w inner join to_date as t on t.person = w.person
  where w.date is not null and w.known_date is not null
),
daily as (
  select person, clock, on_day,
    {{ each("bit_or(p#) as p#") }}, {{ each("bit_or(c#) as c#") }}, {{ each("bit_or(a#) as a#") }}
    {{ occasion_bounds("clocked") }}
  from clocked
  group by person, clock, on_day
),
running as (
  select person, clock, on_day,
    {{ each("bit_or(p#) over w as p#") }}, {{ each("bit_or(c#) over w as c#") }}, {{ each("bit_or(a#) over w as a#") }}
    {{ occasion_bounds_over("w") }}
  from daily
  window w as (partition by person, clock order by on_day rows between unbounded preceding and current row)
),
{{ bases("running", "person, clock, on_day", false) }}
