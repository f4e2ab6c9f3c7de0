-- fm_points: one row per person with a filled-in form: for every FM set points, met ever, and its first day.
-- A set read from a form made for another is never the reason why somebody meets an FM set. Points are those of the latest form that meets the set, else of the latest form; of several on one day the highest.
with ranked as (
  select *,
    row_number() over (
      partition by person, "set"
      order by case when met then 0 else 1 end, date desc nulls last, points desc, points_possible desc,
        wpi_low desc nulls last, sss_low desc nulls last, wpi_high desc nulls last, group_key
    ) as place
  from fm_forms
)
select person, bool_or(met and not approximate) as any_met
  ,
  max(case when "set" = 'fm_2016' and place = 1 then group_key end) as fm_2016_form,
  max(case when "set" = 'fm_2016' and place = 1 then cast(points as decimal(6, 2)) end) as fm_2016_points,
  max(case when "set" = 'fm_2016' and place = 1 then cast(points_possible as decimal(6, 2)) end) as fm_2016_possible,
  case
    when bool_or("set" = 'fm_2016' and met) then true
    when bool_or("set" = 'fm_2016' and met is null) then null
    when bool_or("set" = 'fm_2016') then false
  end as fm_2016_met,
  min(case when "set" = 'fm_2016' and met then date end) as fm_2016_date,
  min(case when "set" = 'fm_2016' and met then known_date end) as fm_2016_known_date
  ,
  max(case when "set" = 'fm_2011' and place = 1 then group_key end) as fm_2011_form,
  max(case when "set" = 'fm_2011' and place = 1 then cast(points as decimal(6, 2)) end) as fm_2011_points,
  max(case when "set" = 'fm_2011' and place = 1 then cast(points_possible as decimal(6, 2)) end) as fm_2011_possible,
  case
    when bool_or("set" = 'fm_2011' and met) then true
    when bool_or("set" = 'fm_2011' and met is null) then null
    when bool_or("set" = 'fm_2011') then false
  end as fm_2011_met,
  min(case when "set" = 'fm_2011' and met then date end) as fm_2011_date,
  min(case when "set" = 'fm_2011' and met then known_date end) as fm_2011_known_date
  ,
  max(case when "set" = 'fm_2010' and place = 1 then group_key end) as fm_2010_form,
  max(case when "set" = 'fm_2010' and place = 1 then cast(points as decimal(6, 2)) end) as fm_2010_points,
  max(case when "set" = 'fm_2010' and place = 1 then cast(points_possible as decimal(6, 2)) end) as fm_2010_possible,
  case
    when bool_or("set" = 'fm_2010' and met) then true
    when bool_or("set" = 'fm_2010' and met is null) then null
    when bool_or("set" = 'fm_2010') then false
  end as fm_2010_met,
  min(case when "set" = 'fm_2010' and met then date end) as fm_2010_date,
  min(case when "set" = 'fm_2010' and met then known_date end) as fm_2010_known_date
  ,
  max(case when "set" = 'fm_1990' and place = 1 then group_key end) as fm_1990_form,
  max(case when "set" = 'fm_1990' and place = 1 then cast(points as decimal(6, 2)) end) as fm_1990_points,
  max(case when "set" = 'fm_1990' and place = 1 then cast(points_possible as decimal(6, 2)) end) as fm_1990_possible,
  case
    when bool_or("set" = 'fm_1990' and met) then true
    when bool_or("set" = 'fm_1990' and met is null) then null
    when bool_or("set" = 'fm_1990') then false
  end as fm_1990_met,
  min(case when "set" = 'fm_1990' and met then date end) as fm_1990_date,
  min(case when "set" = 'fm_1990' and met then known_date end) as fm_1990_known_date
  ,
  max(case when "set" = 'aapt_2019' and place = 1 then group_key end) as aapt_2019_form,
  max(case when "set" = 'aapt_2019' and place = 1 then cast(points as decimal(6, 2)) end) as aapt_2019_points,
  max(case when "set" = 'aapt_2019' and place = 1 then cast(points_possible as decimal(6, 2)) end) as aapt_2019_possible,
  case
    when bool_or("set" = 'aapt_2019' and met) then true
    when bool_or("set" = 'aapt_2019' and met is null) then null
    when bool_or("set" = 'aapt_2019') then false
  end as aapt_2019_met,
  min(case when "set" = 'aapt_2019' and met then date end) as aapt_2019_date,
  min(case when "set" = 'aapt_2019' and met then known_date end) as aapt_2019_known_date
  ,
  max(case when "set" = 'first' and place = 1 then group_key end) as first_form,
  max(case when "set" = 'first' and place = 1 then cast(points as decimal(6, 2)) end) as first_points,
  max(case when "set" = 'first' and place = 1 then cast(points_possible as decimal(6, 2)) end) as first_possible,
  case
    when bool_or("set" = 'first' and met) then true
    when bool_or("set" = 'first' and met is null) then null
    when bool_or("set" = 'first') then false
  end as first_met,
  min(case when "set" = 'first' and met then date end) as first_date,
  min(case when "set" = 'first' and met then known_date end) as first_known_date
from ranked
group by person
