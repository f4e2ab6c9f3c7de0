-- met_dates: one row per person who meets a set, clock (course, known) and basis: the first day on which each set was met.
-- course: by the day things happened; known: by the day they could be known. NULL when never, or only with undated findings.
{% from 'criteria/score.sql.j2' import score with context %}
{{ score("course", "person, clock, on_day, basis", false) }}
select person, clock, basis
  {% for s in sets %}, min(case when {{ s.name }}__met then on_day end) as {{ s.name }}_date
  {% endfor %}
from decided
group by person, clock, basis
