-- scores: one row per person of interest and basis (points, attributed, specific, strict), over the whole record.
{% from 'criteria/score.sql.j2' import score with context %}
{{ score("(select * from masks where basis <> 'evidence') as counted", "person, basis", true) }}
select person, basis
  {% for s in sets %}, max(case when reading = 'known' then {{ s.name }}__points end) as {{ s.name }}_points,
  max({{ s.name }}__points) as {{ s.name }}_possible,
  case when bool_or(reading = 'known' and {{ s.name }}__met) then true when bool_or({{ s.name }}__met) then null else false end as {{ s.name }}_met,
  bool_or(case when reading = 'known' then {{ s.name }}__entry end) as {{ s.name }}_entry
  {% endfor %}
from decided
group by person, basis
