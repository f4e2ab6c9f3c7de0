-- sensitivity: one row per person of interest and finding that counts: the posterior and the call if it were wrong and the record did
-- not say it. The other findings keep their bits: a reading that falls away gives nothing to the others of its block. Red flags and
-- tests on record stay as they are. Steered by weight_rows, limits (call_*).
{% from 'differential/intervals.sql.j2' import intervals with context %}
{% from 'differential/call.sql.j2' import call with context %}
with doubted as (
  select row_number() over (order by person, number) as person, person as about, number from interest_weights
),
others as (
  select d.person, k.number
  from doubted as d
  inner join interest_weights as k on k.person = d.about and k.number <> d.number
),
without as (
  select * from (
    {{ intervals("(select d.person, p.setting, p.prior_sle, p.prior_fm, p.prior_both, p.prior_neither from doubted as d inner join person_priors as p on p.person = d.about)", "others") }}
  ) as w
),
checks as (
  select d.person, c.forbidding_flags, c.missing
  from doubted as d
  inner join calls as c on c.person = d.about
),
called as (
  select * from (
    with {{ call("without", "checks") }}
  ) as c
)
select d.about as person, d.number, c.call, c.call <> n.call as changes,
  {% for h in hypotheses %}w.p_{{ h }}{{ ", " if not loop.last }}{% endfor %}
from doubted as d
inner join without as w on w.person = d.person
inner join called as c on c.person = d.person
inner join calls as n on n.person = d.about
