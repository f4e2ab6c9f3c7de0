-- points: one row per person with any finding: points of all sets at face value, and whether each is met (three values).
-- true: met with what is known; false: no outcome of the unknown could meet it; NULL: in between.
{% from 'criteria/score.sql.j2' import score, settled with context %}
{{ score("states", "person", true) }}
{{ settled("person", false) }}
