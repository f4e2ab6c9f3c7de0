-- together_weights: one row per imagined combination of results and finding that would count then: the number of its weight.
{% from 'differential/expected.sql.j2' import imagined_weights with context %}
{{ imagined_weights("together") }}
