-- next_tests: one row per person of interest, test worth naming and result: how likely, the posterior and the call after it.
-- Steered by test_results, weight_rows (rates), limits (next_test*).
{% from 'differential/expected.sql.j2' import expected with context %}
{{ expected("imagined", "imagined_weights") }},
placed as (
  -- every result must weigh; a call that stands must be in question, one that is open may be brought nearer; a test that
  -- the call waits for is named first, whatever it is expected to teach
  select person, test, expected_bits, awaited > 0 as awaited,
    row_number() over (partition by person order by awaited desc, expected_bits desc, test) as place
  from worth
  where unweighed = 0
    and (
      awaited > 0
      or (expected_bits >= {{ limit("next_test_min_bits") }} and (call_now = 'undetermined' or changes > 0))
    )
)
select t.person, t.test, p.place, p.expected_bits, p.awaited, i.number, i.result, t.chance, t.call,
  {% for h in hypotheses %}t.p_{{ h }}{{ ", " if not loop.last }}{% endfor %}
from taught as t
inner join placed as p on p.person = t.person and p.test = t.test
inner join imagined as i on i.person = t.imagined
where p.place <= {{ limit("next_tests_shown") }}
