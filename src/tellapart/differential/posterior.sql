-- posterior: one row per person: the point posterior from findings at face value. Steered by weights, blocks, priors.
{% from 'differential/posterior.sql.j2' import posterior with context %}
{{ posterior("person_priors", "weights_used", ["bits_sle", "bits_fm", "bits_both"]) }}
select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
  {% for h in hypotheses %}w_{{ h }} / (w_sle + w_fm + w_both + w_neither) as p_{{ h }}{{ ", " if not loop.last }}{% endfor %}
from raised
