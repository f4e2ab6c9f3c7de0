-- calls: one row per person of interest: the call and why. Steered by limits (call_*), red_flags.forbids_fm,
-- workup_tests.decides.
{% from 'differential/call.sql.j2' import call with context %}
with undecided as (
  -- `neither` is an answer only where the tests that decide are on record
  select i.person, count(distinct t.test) as missing
  from interest as i
  cross join workup_tests as t
  where t.decides
    and not exists (
      select 1 from workup_tests as w inner join on_record as f on f.finding = w.finding
      where w.test = t.test and f.person = i.person
    )
  group by i.person
),
forbidding as (
  select person, count(*) as flags from red_flags_in_force where forbids group by person
),
checks as (
  select i.person, coalesce(f.flags, 0) as forbidding_flags, coalesce(u.missing, 0) as missing
  from interest as i
  left join forbidding as f on f.person = i.person
  left join undecided as u on u.person = i.person
),
{{ call("intervals", "checks") }}
