-- imagined_weights: one row per imagined result and finding that would count then: the number of its weight.
{% from 'differential/used.sql.j2' import used_weights with context %}
{{ used_weights("imagined") }}
