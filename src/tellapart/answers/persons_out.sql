-- persons_out: one row per person read, as persons.parquet has it. Dates, attribution and intervals for persons of
-- interest; the others have the call `neither` and NULL there. Probabilities are rounded when written.
with codes as (
  select person,
    min(case when finding = 'sle_dx' then first_date end) as sle_dx_first,
    max(case when finding = 'sle_dx' then present_days end) as sle_dx_days,
    min(case when finding = 'fm_dx' then first_date end) as fm_dx_first,
    max(case when finding = 'fm_dx' then present_days end) as fm_dx_days
  from findings
  where finding in ('sle_dx', 'fm_dx') and state = 'present'
  group by person
),
flags as (
  select person, string_agg(flag, ';' order by urgency_rank, flag) as red_flags,
    max(case when forbids then 1 else 0 end) = 1 as forbidding
  from red_flags_in_force
  group by person
),
met as (
  select person
    {% for s in sle_sets %}, max(case when clock = 'course' and basis = 'points' then {{ s }}_date end) as {{ s }}_date
    {% endfor %}
  from met_dates
  group by person
)
select
  p.person, p.person_id, p.sex, p.birth_date, p.age, s.setting,
  i.person is not null as of_interest,
  coalesce(c.call, 'neither') as call,
  {% for h in hypotheses %}round(coalesce(v.p_{{ h }}, d.p_{{ h }}), 6) as p_{{ h }},
  round(v.p_{{ h }}_low, 6) as p_{{ h }}_low, round(v.p_{{ h }}_high, 6) as p_{{ h }}_high,
  {% endfor %}
  {% for s in sle_sets %}
  cast(coalesce(q.{{ s }}_points, 0) as double) as {{ s }}_points,
  cast(a.{{ s }}_points as double) as {{ s }}_points_attributed,
  cast(b.{{ s }}_points as double) as {{ s }}_points_specific,
  q.{{ s }}_met as {{ s }}_met, a.{{ s }}_met as {{ s }}_met_attributed, b.{{ s }}_met as {{ s }}_met_specific,
  m.{{ s }}_date as {{ s }}_met_date,
  {% endfor %}
  {% for s in fm_sets %}
  cast(f.{{ s }}_points as double) as {{ s }}_points, cast(f.{{ s }}_points as double) as {{ s }}_points_attributed,
  cast(f.{{ s }}_points as double) as {{ s }}_points_specific, f.{{ s }}_met as {{ s }}_met,
  f.{{ s }}_met as {{ s }}_met_attributed, f.{{ s }}_met as {{ s }}_met_specific, f.{{ s }}_date as {{ s }}_met_date,
  {% endfor %}
  k.sle_dx_first, coalesce(k.sle_dx_days, 0) as sle_dx_days, k.fm_dx_first, coalesce(k.fm_dx_days, 0) as fm_dx_days,
  coalesce(f.any_met, false) as fm_any_met,
  coalesce({% for s in sle_sets %}coalesce(b.{{ s }}_met, false){{ " or " if not loop.last }}{% endfor %}, false) as sle_any_specific,
  coalesce({% for s in sle_sets %}coalesce(q.{{ s }}_met, false){{ " or " if not loop.last }}{% endfor %}, false) as sle_any_points,
  coalesce(g.forbidding, false) as forbidding_flag,
  coalesce(g.red_flags, '') as red_flags
from persons as p
inner join settings as s on s.person = p.person
inner join posterior as d on d.person = p.person
left join points as q on q.person = p.person
left join interest as i on i.person = p.person
left join intervals as v on v.person = p.person
left join calls as c on c.person = p.person
left join scores as a on a.person = p.person and a.basis = 'attributed'
left join scores as b on b.person = p.person and b.basis = 'specific'
left join met as m on m.person = p.person
left join fm_points as f on f.person = p.person
left join codes as k on k.person = p.person
left join flags as g on g.person = p.person
