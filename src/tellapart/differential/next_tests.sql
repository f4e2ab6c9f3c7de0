-- next_tests: one row per person of interest, test worth naming and result: how likely, the posterior and the call after it.
-- Steered by test_results, weight_rows (rates), limits (next_test*). The chance of a result under a hypothesis is the product
-- of the rates of the findings that it adds, scaled over the results of the test. What a test teaches is the expected
-- Kullback-Leibler divergence of the posterior after it from the posterior now (decision 19).
{% from 'differential/intervals.sql.j2' import intervals with context %}
{% from 'differential/call.sql.j2' import call with context %}
with fresh as (
  select i.person, {% for h in hypotheses %}sum(ln(r.rate_{{ h }})) as log_{{ h }}{{ ", " if not loop.last }}{% endfor %}
  from imagined as i
  inner join imagined_weights as u on u.person = i.person
  inner join weight_rows as r on r.number = u.number
  left join interest_weights as k on k.person = i.about and k.number = u.number
  where k.number is null
  group by i.person
),
chances as (
  select i.person, i.about, i.test, i.result, i.number, i.decides,
    {% for h in hypotheses %}
    exp(f.log_{{ h }}) / sum(exp(f.log_{{ h }})) over (partition by i.about, i.test) as chance_{{ h }}{{ ", " if not loop.last }}
    {% endfor %}
  from imagined as i
  left join fresh as f on f.person = i.person
),
after_it as (
  select * from (
    {{ intervals("(select i.person, p.setting, p.prior_sle, p.prior_fm, p.prior_both, p.prior_neither from imagined as i inner join person_priors as p on p.person = i.about)", "imagined_weights") }}
  ) as a
),
checks as (
  select i.person, c.forbidding_flags, c.missing - case when i.decides then 1 else 0 end as missing
  from imagined as i
  inner join calls as c on c.person = i.about
),
called as (
  select * from (
    with {{ call("after_it", "checks") }}
  ) as c
),
taught as (
  select c.about as person, c.test, c.result, c.number, d.call, n.call as call_now,
    c.decides and n.ground = 'decisive_tests_missing' as awaited,
    {% for h in hypotheses %}a.p_{{ h }}, {% endfor %}
    {% for h in hypotheses %}b.p_{{ h }} * c.chance_{{ h }}{{ " + " if not loop.last }}{% endfor %} as chance,
    ({% for h in hypotheses %}a.p_{{ h }} * ln(greatest(a.p_{{ h }}, {{ limit("smallest_probability") }}) / greatest(b.p_{{ h }}, {{ limit("smallest_probability") }})){{ " + " if not loop.last }}{% endfor %}) / ln(2.0) as bits
  from chances as c
  inner join after_it as a on a.person = c.person
  inner join called as d on d.person = c.person
  inner join intervals as b on b.person = c.about
  inner join calls as n on n.person = c.about
),
worth as (
  select person, test, sum(chance * bits) as expected_bits, max(call_now) as call_now,
    sum(case when call <> call_now then 1 else 0 end) as changes, sum(case when chance is null then 1 else 0 end) as unweighed,
    bool_or(awaited) as awaited
  from taught
  group by person, test
),
placed as (
  -- every result must weigh; a call that stands must be in question, one that is open may be brought nearer; a test that
  -- the call waits for is named first, whatever it is expected to teach
  select person, test, expected_bits, awaited,
    row_number() over (partition by person order by awaited desc, expected_bits desc, test) as place
  from worth
  where unweighed = 0
    and (
      awaited
      or (expected_bits >= {{ limit("next_test_min_bits") }} and (call_now = 'undetermined' or changes > 0))
    )
)
select t.person, t.test, p.place, p.expected_bits, p.awaited, t.number, t.result, t.chance, t.call,
  {% for h in hypotheses %}t.p_{{ h }}{{ ", " if not loop.last }}{% endfor %}
from taught as t
inner join placed as p on p.person = t.person and p.test = t.test
where p.place <= {{ limit("next_tests_shown") }}
