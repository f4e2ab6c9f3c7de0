-- points: one row per person with any finding: points of all sets at face value, and whether each is met (three values).
-- true: met with what is known; false: no outcome of the unknown could meet it; NULL: in between.
{% from 'criteria/score.sql.j2' import score with context %}
{{ score("states", "person", true) }}
select person
  {% for s in sets %}, max(case when reading = 'known' then {{ s.name }}__points end) as {{ s.name }}_points,
  max({{ s.name }}__points) as {{ s.name }}_possible,
  case when bool_or(reading = 'known' and {{ s.name }}__met) then true when bool_or({{ s.name }}__met) then null else false end as {{ s.name }}_met,
  bool_or(case when reading = 'known' then {{ s.name }}__entry end) as {{ s.name }}_entry
  {% endfor %}
from decided
group by person
