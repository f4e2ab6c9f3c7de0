-- set_agreement: one row per basis and pair of criteria sets (by their places): how many persons meet both, one, neither,
-- and Cohen's kappa. Met on record is true against everything else (design §4); `open` counts those of whom the first set
-- says nothing yet. One scan a basis: persons are counted by their pattern of verdicts first. A set paired with itself
-- (kappa 1) gives its own counts; kappa is NULL where everybody is on one side by both.
with patterns as (
  select 'specific' as basis, eular_acr_2019_met_specific as met_1, slicc_2012_met_specific as met_2, acr_1997_met_specific as met_3, slerpi_met_specific as met_4, fm_2016_met_specific as met_5, fm_2011_met_specific as met_6, fm_2010_met_specific as met_7, fm_1990_met_specific as met_8, aapt_2019_met_specific as met_9, first_met_specific as met_10,
    count(*) as persons
  from persons_out
  group by eular_acr_2019_met_specific, slicc_2012_met_specific, acr_1997_met_specific, slerpi_met_specific, fm_2016_met_specific, fm_2011_met_specific, fm_2010_met_specific, fm_1990_met_specific, aapt_2019_met_specific, first_met_specific
  union all
  select 'points' as basis, eular_acr_2019_met as met_1, slicc_2012_met as met_2, acr_1997_met as met_3, slerpi_met as met_4, fm_2016_met as met_5, fm_2011_met as met_6, fm_2010_met as met_7, fm_1990_met as met_8, aapt_2019_met as met_9, first_met as met_10,
    count(*) as persons
  from persons_out
  group by eular_acr_2019_met, slicc_2012_met, acr_1997_met, slerpi_met, fm_2016_met, fm_2011_met, fm_2010_met, fm_1990_met, aapt_2019_met, first_met
),
numbered as (
  select *, row_number() over (
    order by basis, met_1, met_2, met_3, met_4, met_5, met_6, met_7, met_8, met_9, met_10
  ) as pattern
  from patterns
),
places as (
  select unnest([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) as place
),
verdicts as (
  select n.basis, n.pattern, n.persons, p.place,
    case p.place when 1 then n.met_1 when 2 then n.met_2 when 3 then n.met_3 when 4 then n.met_4 when 5 then n.met_5 when 6 then n.met_6 when 7 then n.met_7 when 8 then n.met_8 when 9 then n.met_9 when 10 then n.met_10 end as met
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
  case place_a when 1 then 'eular_acr_2019' when 2 then 'slicc_2012' when 3 then 'acr_1997' when 4 then 'slerpi' when 5 then 'fm_2016' when 6 then 'fm_2011' when 7 then 'fm_2010' when 8 then 'fm_1990' when 9 then 'aapt_2019' when 10 then 'first' end as set_a,
  case place_b when 1 then 'eular_acr_2019' when 2 then 'slicc_2012' when 3 then 'acr_1997' when 4 then 'slerpi' when 5 then 'fm_2016' when 6 then 'fm_2011' when 7 then 'fm_2010' when 8 then 'fm_1990' when 9 then 'aapt_2019' when 10 then 'first' end as set_b,
  cast(met_both as bigint) as met_both, cast(only_a as bigint) as only_a, cast(only_b as bigint) as only_b,
  cast(met_neither as bigint) as met_neither, cast(open_a as bigint) as open_a,
  case when apart > 0e0 then (2e0 * beyond) / apart end as kappa
from chance
