-- masks: one row per person of interest, clock, day and basis, as closed words: what is known of the person by that day.
-- clock `end`: the whole record (on_day is NULL); `course`: by the day it happened; `known`: by the day it could be known.
-- basis `points`: every report; `attributed`: without findings whose every report has a likelier cause; `specific`:
-- also without what fibromyalgia explains just as well; `strict`: also without what it explains in part.
-- What is taken out counts as absent, so that nobody hopes for it again; in basis `evidence` (for the differential) what
-- has a likelier cause is unknown instead. Steered by findings.fm_explains, rescued_by.
{% from 'findings/derive.sql.j2' import derive with context %}
with placed as (
  select o.person, o.finding, o.state, o.date, o.known_date, o.contested_by, f.word, f.bit
  from (
    select person, finding, state, date, known_date, contested_by from occurrences
    union all
    select person, 'seen:' || finding as finding, state, date, known_date, contested_by
    from occurrences where vouched and state = 'present'
  ) as o
  inner join finding_bits as f on f.finding = o.finding
),
clocked as (
  select *, 'end' as clock, cast(null as date) as on_day from placed
  union all
  select *, 'course' as clock, date as on_day from placed where date is not null
  union all
  select *, 'known' as clock, known_date as on_day from placed where date is not null and known_date is not null
),
daily as (
  select o.person, o.clock, o.on_day,
    {{ each("bit_or(case when o.word = # and o.state = 'present' then o.bit else 0 end) as p#") }},
    {{ each("bit_or(case when o.word = # and o.state = 'present' and o.contested_by is null then o.bit else 0 end) as c#") }},
    {{ each("bit_or(case when o.word = # and o.state = 'absent' then o.bit else 0 end) as a#") }}
    {{ occasion_bounds_of_finding("o") }}
  from clocked as o
  group by o.person, o.clock, o.on_day
),
running as (
  select person, clock, on_day,
    {{ each("bit_or(p#) over w as p#") }}, {{ each("bit_or(c#) over w as c#") }}, {{ each("bit_or(a#) over w as a#") }}
    {{ occasion_bounds_over("w") }}
  from daily
  window w as (partition by person, clock order by on_day rows between unbounded preceding and current row)
),
counted as (
  select person, clock, on_day, {{ each_word(occasion_bits, "p#") }}, {{ each_word(occasion_bits, "c#") }}, {{ each("a#") }}
  from running
),
raw as (
  select person, clock, on_day, 'points' as basis, {{ each("p#") }}, {{ each("a#") }} from counted
  union all
  select person, clock, on_day, 'attributed' as basis, {{ each("c# as p#") }}, {{ each("a# | (p# & ~c#) as a#") }} from counted
  union all
  select person, clock, on_day, 'evidence' as basis, {{ each("c# as p#") }}, {{ each("a#") }} from counted where clock = 'end'
),
closed as (
  {{ derive("raw", "person, clock, on_day, basis") }}
),
judged as (
  select person, clock, on_day, basis, {{ each("p#") }}, {{ each("a#") }},
    {{ only_word(fm_explained, "x#") }}, {{ only_word(fm_partly, "y#") }}
  from closed
)
select person, clock, on_day, basis, {{ each("p#") }}, {{ each("a#") }} from closed
union all
select person, clock, on_day, 'specific' as basis, {{ each("p# & ~x# as p#") }}, {{ each("a# | (p# & x#) as a#") }}
from judged where basis = 'attributed'
union all
select person, clock, on_day, 'strict' as basis, {{ each("p# & ~(x# | y#) as p#") }}, {{ each("a# | (p# & (x# | y#)) as a#") }}
from judged where basis = 'attributed' and clock = 'end'
