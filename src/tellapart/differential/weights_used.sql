-- weights_used: one row per person and finding that counts: the number of its weight, at face value.
{% from 'differential/used.sql.j2' import used_weights with context %}
{{ used_weights("states") }}
