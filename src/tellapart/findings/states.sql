-- states: one row per person with any finding, as closed words (present p, absent a). Steered by finding_derived.
-- Two occasions are two distinct dates; all undated entries together are one.
{% from 'findings/derive.sql.j2' import derive with context %}
with summed as (
  select person, {{ each("bit_or(p#) as p#") }}, {{ each("bit_or(a#) as a#") }}{{ occasion_bounds("marks") }}
  from (
    select person, date, {{ each("p#") }}, {{ each("a#") }} from marks
    union all
    select person, date, {{ each("p#") }}, {{ each("a#") }} from form_marks
  ) as said
  group by person
),
counted as (
  select person, {{ each_word(occasion_bits, "p#") }}, {{ each("a#") }}
  from summed
)
{{ derive("counted", "person") }}
