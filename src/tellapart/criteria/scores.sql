-- scores: one row per person of interest and basis (points, attributed, specific, strict), over the whole record.
{% from 'criteria/score.sql.j2' import score, settled with context %}
{{ score("(select * from masks where basis <> 'evidence') as counted", "person, basis", true) }}
{{ settled("person, basis", true) }}
