-- intervals: one row per person of interest: posterior with interval. Steered by weights, limits.
{% from 'differential/intervals.sql.j2' import intervals with context %}
{{ intervals("(select p.* from person_priors as p inner join interest as i on i.person = p.person)", "interest_weights") }}
