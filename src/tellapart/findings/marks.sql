-- marks: one row per event that can say something about a finding, as words.
{% from 'findings/marks.sql.j2' import marks with context %}
{{ marks("events") }}
