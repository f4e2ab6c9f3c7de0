-- items: one row per person of interest and basis: the state of every item of every set (present, absent, unknown).
select person, basis
  {% for i in items %}, case when {{ i.present }} then 'present' when {{ i.absent }} then 'absent' else 'unknown' end as {{ i.column }}
  {% endfor %}
from masks
where basis <> 'evidence'
