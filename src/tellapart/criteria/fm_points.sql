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
  {% for s in fm_sets %},
  max(case when "set" = '{{ s }}' and place = 1 then group_key end) as {{ s }}_form,
  max(case when "set" = '{{ s }}' and place = 1 then cast(points as decimal(6, 2)) end) as {{ s }}_points,
  max(case when "set" = '{{ s }}' and place = 1 then cast(points_possible as decimal(6, 2)) end) as {{ s }}_possible,
  case
    when bool_or("set" = '{{ s }}' and met) then true
    when bool_or("set" = '{{ s }}' and met is null) then null
    when bool_or("set" = '{{ s }}') then false
  end as {{ s }}_met,
  min(case when "set" = '{{ s }}' and met then date end) as {{ s }}_date,
  min(case when "set" = '{{ s }}' and met then known_date end) as {{ s }}_known_date
  {% endfor %}
from ranked
group by person
