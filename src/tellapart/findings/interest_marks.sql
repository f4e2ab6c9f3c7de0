-- interest_marks: one row per mark of a person of interest, from events and forms.
{% from 'findings/marks.sql.j2' import marks with context %}
select * from (
{{ marks("interest_events") }}
) as said
union all
select m.person, m.date, m.date_precision, m.known_date, e.row_no, m.part, m.codings, m."by", m.reference, m.text, m.seen,
  m.suggests, m.outcome, m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi,
  {{ each("m.p#") }}, {{ each("m.a#") }}
from form_marks as m
inner join interest_events as e
  on e.person = m.person and e.source_row_no = m.row_no and e.part = m.part and e.codings >= 0
