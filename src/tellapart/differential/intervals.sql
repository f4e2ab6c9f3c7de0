-- intervals: one row per person of interest: posterior with interval. Steered by weights (bits and their sd), limits.
-- Closed form on the logit scale (delta method): the log of each hypothesis' weight varies by the sum of its findings'
-- variances (sampling and between studies, see weights), and a share moves against all others by their weight in it.
-- Hypotheses that share one rate (`both` from `sle`) move together: their coefficients are added before squaring.
{% from 'differential/posterior.sql.j2' import posterior with context %}
{{ posterior("(select p.* from person_priors as p inner join interest as i on i.person = p.person)", "interest_weights", ["bits_sle", "bits_fm", "bits_both"] + variance_columns) }},
shared as (
  select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
    {% for c in variance_columns %}cast({{ c }} as double) as {{ c }}, {% endfor %}
    {% for h in hypotheses %}w_{{ h }} / (w_sle + w_fm + w_both + w_neither) as p_{{ h }}{{ ", " if not loop.last }}
  {% endfor %}
  from raised
),
logits as (
  select *,
    {% for h in hypotheses %}
    ln(greatest(p_{{ h }}, {{ limit("smallest_probability") }}) / greatest(1.0 - p_{{ h }}, {{ limit("smallest_probability") }})) as logit_{{ h }},
    ln(2.0) * sqrt({% for g in rate_groups %}
      v_{{ g }} * power({% for j in g.split("_") %}{{ "1.0" if j == h else "-p_" ~ j ~ " / greatest(1.0 - p_" ~ h ~ ", " ~ limit("smallest_probability") ~ ")" }}{{ " + " if not loop.last }}{% endfor %}, 2.0){{ " + " if not loop.last }}{% endfor %}) as sd_{{ h }}{{ ", " if not loop.last }}
    {% endfor %}
  from shared
)
select person, setting, prior_sle, prior_fm, prior_both, prior_neither, bits_sle, bits_fm, bits_both,
  {% for h in hypotheses %}
  p_{{ h }},
  1.0 / (1.0 + exp(-(logit_{{ h }} - {{ limit("interval_z") }} * sd_{{ h }}))) as p_{{ h }}_low,
  1.0 / (1.0 + exp(-(logit_{{ h }} + {{ limit("interval_z") }} * sd_{{ h }}))) as p_{{ h }}_high{{ ", " if not loop.last }}
  {% endfor %}
from logits
