-- incidence: one row per question (fm_after_sle, sle_after_fm), group of persons and year since the first disease: how many
-- had the second one by then, had died or were lost, are still followed, and the cumulative incidence by Aalen and Johansen
-- (1978) with its variance (the delta formula, Dinse and Larson 1986). Death and loss compete: whoever died or was lost did
-- not get the second disease on record. The as-of day alone censors. Steered by limits.
with followed as (
  select case state when 'sle' then 'fm_after_sle' else 'sle_after_fm' end as question, sex, age_days,
    case when ended in ('died', 'lost', 'open') then ended else 'event' end as outcome, days
  from follow_up
  where state in ('sle', 'fm')
),
grouped as (
  select question, outcome, days, unnest([
    'all',
    'sex:' || sex,
    'age:' || case
      when age_days is null then 'not_known'
      {% for start in range(0, limit("disclosure_age_top")|int, limit("disclosure_age_band")|int) %}
      when cast(age_days as double) / 365.25e0 < {{ start + limit("disclosure_age_band")|int }}
        then '{{ start }}-{{ start + limit("disclosure_age_band")|int - 1 }}'
      {% endfor %}
      else '{{ limit("disclosure_age_top") }}_and_over'
    end
  ]) as persons_of
  from followed
  where days >= 0
),
daily as (
  select question, persons_of, days, cast(count(*) as double) as leaving,
    cast(sum(case when outcome = 'event' then 1 else 0 end) as double) as events,
    cast(sum(case when outcome = 'died' then 1 else 0 end) as double) as died,
    cast(sum(case when outcome = 'lost' then 1 else 0 end) as double) as lost
  from grouped
  group by question, persons_of, days
),
at_risk as (
  select *, sum(leaving) over (partition by question, persons_of) - sum(leaving) over so_far + leaving as n,
    sum(leaving) over (partition by question, persons_of) as persons,
    events + died + lost as ends, sum(events) over so_far as events_so_far, sum(died) over so_far as died_so_far,
    sum(lost) over so_far as lost_so_far
  from daily
  window so_far as (partition by question, persons_of order by days rows between unbounded preceding and current row)
),
free as (
  -- the share without any of the three just before the day; nobody is left to ask after a day on which all end
  select *,
    exp(
      sum(ln(greatest(1e0 - ends / n, {{ limit("smallest_probability") }}))) over so_far
      - ln(greatest(1e0 - ends / n, {{ limit("smallest_probability") }}))
    ) as before
  from at_risk
  window so_far as (partition by question, persons_of order by days rows between unbounded preceding and current row)
),
curve as (
  select *, sum(before * events / n) over so_far as incidence,
    case when n > ends then ends / (n * (n - ends)) else 0e0 end as spread
  from free
  window so_far as (partition by question, persons_of order by days rows between unbounded preceding and current row)
),
steps as (
  -- the sums of the delta formula multiplied out, so that each is one running sum
  select *,
    incidence * incidence * sum(spread) over so_far - (incidence + incidence) * sum(spread * incidence) over so_far
    + sum(spread * incidence * incidence) over so_far
    + sum(before * before * (n - events) * events / (n * n * n)) over so_far
    - (incidence + incidence) * sum(before * events / (n * n)) over so_far
    + sum((incidence + incidence) * before * events / (n * n)) over so_far as variance
  from curve
  window so_far as (partition by question, persons_of order by days rows between unbounded preceding and current row)
),
years as (
  select unnest([{% for year in range(1, limit("incidence_years")|int + 1) %}{{ year }}{{ ", " if not loop.last }}{% endfor %}]) as year
),
by_year as (
  select s.*, y.year, row_number() over (partition by s.question, s.persons_of, y.year order by s.days desc) as place
  from steps as s
  inner join years as y on cast(s.days as double) <= cast(y.year as double) * 365.25e0
),
whole as (
  select question, persons_of, max(persons) as persons from at_risk group by question, persons_of
)
select w.question, w.persons_of, y.year, cast(round(w.persons) as bigint) as persons,
  cast(round(coalesce(b.n - b.leaving, w.persons)) as bigint) as at_risk,
  cast(round(coalesce(b.events_so_far, 0e0)) as bigint) as events,
  cast(round(coalesce(b.died_so_far, 0e0)) as bigint) as died,
  cast(round(coalesce(b.lost_so_far, 0e0)) as bigint) as lost,
  coalesce(b.incidence, 0e0) as incidence, greatest(coalesce(b.variance, 0e0), 0e0) as variance
from whole as w
cross join years as y
left join by_year as b on b.question = w.question and b.persons_of = w.persons_of and b.year = y.year and b.place = 1
