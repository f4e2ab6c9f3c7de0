-- interest_weights: one row per person of interest and finding that counts: the number of its weight.
-- Findings whose every report has a likelier cause are unknown here (basis evidence).
{% from 'differential/used.sql.j2' import used_weights with context %}
{{ used_weights("(select * from masks where basis = 'evidence') as seen") }}
