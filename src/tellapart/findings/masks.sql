-- masks: one row per person of interest and basis, as closed words, over the whole record.
{% from 'findings/masks.sql.j2' import bases with context %}
with summed as (
  select person, {{ each("bit_or(p#) as p#") }}, {{ each("bit_or(c#) as c#") }}, {{ each("bit_or(a#) as a#") }}
    {{ occasion_bounds("weighed") }}
  from weighed
  group by person
),
{{ bases("summed", "person", true) }}
