-- course: one row per person to date, clock, day and basis, as closed words: what was known of the person by that day.
-- clock `course`: by the day it happened; `known`: by the day it could be known. Undated marks never give a date.
-- To date: persons who meet a set, or who have a derived finding (its first day is read here). Only what is present can
-- meet a set, so days on which nothing new is present are no rows, and absence is left out. What was said before says nothing
-- new, unless a further occasion counts, and beyond as many as a set asks for none does.
{% from 'findings/masks.sql.j2' import bases with context %}
with to_date as (
  select person from scores
  where basis = 'points' and ({% for s in scored_sets %}{{ s }}_met{{ " or " if not loop.last }}{% endfor %})
  union
  select person from masks where basis = 'points' and ({{ any_derived }})
),
telling as (
  select w.person, w.date, w.known_date, {{ each("w.p#") }}, {{ each("w.c#") }}
  from weighed as w inner join to_date as t on t.person = w.person
  where w.date is not null and ({{ anything("w.p") }})
),
clocked as (
  select *, 'course' as clock, date as on_day from telling
  union all
  select *, 'known' as clock, known_date as on_day from telling where known_date is not null
),
new as (
  select person, clock, min(on_day) as on_day, {{ each("p#") }}, {{ each("c#") }}, case when {{ any_occasion }} then date end as date
  from clocked
  group by person, clock, {{ each("p#") }}, {{ each("c#") }}, case when {{ any_occasion }} then date end
),
numbered as (
  select *, row_number() over (partition by person, clock, {{ each("p#") }}, {{ each("c#") }} order by on_day, date) as occasion
  from new
),
daily as (
  select person, clock, on_day, {{ each("bit_or(p#) as p#") }}, {{ each("bit_or(c#) as c#") }}
    {{ occasion_bounds("numbered") }}
  from numbered
  where occasion <= {{ most_occasions }}
  group by person, clock, on_day
),
running as (
  select person, clock, on_day,
    {{ each("bit_or(p#) over w as p#") }}, {{ each("bit_or(c#) over w as c#") }},
    {{ each("cast(0 as bigint) as a#") }}
    {{ occasion_bounds_over("w") }}
  from daily
  window w as (partition by person, clock order by on_day rows between unbounded preceding and current row)
),
{{ bases("running", "person, clock, on_day", false) }}
