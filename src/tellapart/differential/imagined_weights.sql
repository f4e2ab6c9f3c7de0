-- imagined_weights: one row per imagined result and finding that would count then: the number of its weight.
{% from 'differential/expected.sql.j2' import imagined_weights with context %}
{{ imagined_weights("imagined") }}
