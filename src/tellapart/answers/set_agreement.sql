-- set_agreement: one row per basis and pair of criteria sets (by their places): how many persons meet both, one, neither,
-- and Cohen's kappa. Met on record is true against everything else (design §4); `open` counts those of whom the first set
-- says nothing yet. One scan a basis: persons are counted by their pattern of verdicts first. A set paired with itself
-- (kappa 1) gives its own counts; kappa is NULL where everybody is on one side by both.
with patterns as (
  {% for basis, column in (("specific", "met_specific"), ("points", "met")) %}
  select '{{ basis }}' as basis, {% for s in sle_sets + fm_sets %}{{ s }}_{{ column }} as met_{{ loop.index }}, {% endfor %}
    count(*) as persons
  from persons_out
  group by {% for s in sle_sets + fm_sets %}{{ s }}_{{ column }}{{ ", " if not loop.last }}{% endfor %}
  {{ "union all" if not loop.last }}
  {% endfor %}
),
numbered as (
  select *, row_number() over (
    order by basis{% for s in sle_sets + fm_sets %}, met_{{ loop.index }}{% endfor %}
  ) as pattern
  from patterns
),
places as (
  select unnest([{% for s in sle_sets + fm_sets %}{{ loop.index }}{{ ", " if not loop.last }}{% endfor %}]) as place
),
verdicts as (
  select n.basis, n.pattern, n.persons, p.place,
    case p.place {% for s in sle_sets + fm_sets %}when {{ loop.index }} then n.met_{{ loop.index }} {% endfor %}end as met
  from numbered as n
  cross join places as p
),
pairs as (
  select a.basis, a.place as place_a, b.place as place_b,
    sum(case when a.met and b.met then a.persons else 0 end) as met_both,
    sum(case when a.met and not coalesce(b.met, false) then a.persons else 0 end) as only_a,
    sum(case when b.met and not coalesce(a.met, false) then a.persons else 0 end) as only_b,
    sum(case when coalesce(a.met, false) or coalesce(b.met, false) then 0 else a.persons end) as met_neither,
    sum(case when a.met is null then a.persons else 0 end) as open_a
  from verdicts as a
  inner join verdicts as b on b.pattern = a.pattern
  group by a.basis, a.place, b.place
),
chance as (
  -- twice the agreement beyond chance, and what it is measured by
  select *,
    cast(met_both as double) * cast(met_neither as double) - cast(only_a as double) * cast(only_b as double) as beyond,
    cast(met_both + only_a as double) * cast(only_a + met_neither as double)
      + cast(met_both + only_b as double) * cast(only_b + met_neither as double) as apart
  from pairs
)
select basis,
  case place_a {% for s in sle_sets + fm_sets %}when {{ loop.index }} then '{{ s }}' {% endfor %}end as set_a,
  case place_b {% for s in sle_sets + fm_sets %}when {{ loop.index }} then '{{ s }}' {% endfor %}end as set_b,
  cast(met_both as bigint) as met_both, cast(only_a as bigint) as only_a, cast(only_b as bigint) as only_b,
  cast(met_neither as bigint) as met_neither, cast(open_a as bigint) as open_a,
  case when apart > 0e0 then (2e0 * beyond) / apart end as kappa
from chance
