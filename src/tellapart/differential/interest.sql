-- interest: one row per person of interest, for whom dates, references, attribution and intervals are worked out.
-- Coded SLE or FM; an SLE set at a share of its threshold; an FM set met; a red flag ever; P(neither) below a limit.
select s.person
from states as s
inner join points as c on c.person = s.person
left join posterior as d on d.person = s.person
left join fm_points as f on f.person = s.person
where ({{ coded }})
  {% for set, threshold in sle_sets %}or c.{{ set }}_points >= {{ limit("interest_points_fraction") }} * {{ threshold }}
  {% endfor %}
  or f.any_met
  or ({{ red_flag_ever }})
  or d.p_neither < {{ limit("interest_neither_below") }}
