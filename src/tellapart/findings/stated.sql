-- stated: one row per person of interest, finding, state and source row (part), before attribution. Steered by outcomes.
-- An occurrence is `seen` when someone other than the patient vouches for it; a code that only suggests is believed
-- from the second date on that lies far enough after the first (limit suggests_days_apart).
with said as (
  {% for column in ["outcome_code", "outcome_result", "outcome_lo", "outcome_hi", "outcome_ratio_lo", "outcome_ratio_hi"] -%}
  select m.person, m.date, m.date_precision, m.known_date, m.row_no, m.part, m."by", m.seen, m.strength, m.reference, m.text,
    {{ "m.strength = 'suggests'" if column == "outcome_code" else "false" }} as suggested,
    o.finding, o.state, o.implied
  from interest_marks as m inner join outcomes as o on o.outcome = m.{{ column }}
  {{ "union all" if not loop.last }}
  {% endfor %}
),
once as (
  select person, finding, state, row_no, part, date, known_date, "by", reference,
    min(date_precision) as date_precision, min(text) as text,
    min(case when implied then 1 else 0 end) = 1 as implied,
    max(case when seen and not suggested then 1 else 0 end) = 1 as vouched,
    max(case when seen then 1 else 0 end) = 1 as seen
  from said
  group by person, finding, state, row_no, part, date, known_date, "by", reference
)
select
  person, finding, state, row_no, part, date, date_precision, known_date, "by", reference, text, implied,
  (vouched or (seen and coalesce(
    date_diff('day', min(date) over (partition by person, finding, state), date), 0) >= {{ limit("suggests_days_apart") }}
  )) as vouched
from once
