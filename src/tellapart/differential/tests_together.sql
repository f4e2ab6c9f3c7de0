-- tests_together: one row per person of interest and number of tests: the two, and the three, of the tests named that teach most
-- together, and how likely every call is after them. Steered by limits (next_test_min_bits): a test that adds less is not added.
{% from 'differential/expected.sql.j2' import expected with context %}
{{ expected("together", "together_weights") }},
sized as (
  select w.person, w.test, s.tests, w.awaited, w.expected_bits,
    row_number() over (partition by w.person, s.tests order by w.awaited desc, w.expected_bits desc, w.test) as place
  from worth as w
  inner join (select distinct about, test, tests from together) as s on s.about = w.person and s.test = w.test
),
best as (
  select person, test, tests, awaited, expected_bits from sized where place = 1
  union all
  select distinct person, test, 1, case when awaited then 1 else 0 end, expected_bits from next_tests where place = 1
),
chosen as (
  select b.person, b.test, b.tests, b.awaited, b.expected_bits
  from best as b
  inner join best as f on f.person = b.person and f.tests = b.tests - 1
  where b.awaited > f.awaited or b.expected_bits >= f.expected_bits + {{ limit("next_test_min_bits") }}
)
select c.person, c.tests, c.test, c.awaited, c.expected_bits,
  {% for h in hypotheses %}sum(case when t.call = '{{ h }}' then t.chance else 0.0 end) as chance_{{ h }}, {% endfor %}
  sum(case when t.call = 'undetermined' then t.chance else 0.0 end) as chance_undetermined
from chosen as c
inner join taught as t on t.person = c.person and t.test = c.test
group by c.person, c.tests, c.test, c.awaited, c.expected_bits
