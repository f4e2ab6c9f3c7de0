-- met_dates: one row per person who meets a set, clock (course, known) and basis: the first day on which each set was met.
-- course: by the day things happened; known: by the day they could be known. NULL when never, when only with undated
-- findings, and when something later excludes what had met it.
{% from 'criteria/score.sql.j2' import score with context %}
{{ score("course", "person, clock, on_day, basis", false) }}
select d.person, d.clock, d.basis
  {% for s in sets %}, min(case when d.{{ s.name }}__met and s.{{ s.name }}_met then d.on_day end) as {{ s.name }}_date
  {% endfor %}
from decided as d
inner join scores as s on s.person = d.person and s.basis = d.basis
group by d.person, d.clock, d.basis
