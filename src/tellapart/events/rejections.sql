-- rejections: one row per reading, or date of a person, that could not be used, with where, why and what to do.
-- The likely unit is named, never applied: it is each unit in which the number would be plausible for this finding.
with faulty as (
  select distinct
    row_no, part, reference, person, code_id, source, fault, fault_value, raw_number, raw_unit
  from readings
  where class = 'rejected'
),
likely as (
  select
    f.row_no, f.part, f.code_id, string_agg(distinct u.seen, ', ' order by u.seen) as likely_units
  from faulty as f
  inner join unit_map as u on u.finding = f.source and u.seen = u.unit and u.seen is distinct from f.raw_unit
  where f.fault in ('no_unit', 'unit_unknown', 'implausible')
    and f.raw_number * u.factor + u.shift between u.plausible_low and u.plausible_high
  group by f.row_no, f.part, f.code_id
),
people as (
  select t.row_no, t.person_id, 'birth_date' as field, t.birth_date as value
  from patients as t
  inner join registered as p on p.person_id = t.person_id
  where t.birth_date <> '' and p.birth_date is null
  union all
  select t.row_no, t.person_id, 'death_date' as field, t.death_date as value
  from patients as t
  inner join registered as p on p.person_id = t.person_id
  where t.death_date <> '' and p.death_date is null
)
select
  s.file, s.line, f.reference, p.person_id,
  case
    when f.fault in ('date', 'known_date', 'end_date', 'value_to') then f.fault
    when f.fault in ('no_unit', 'unit_unknown') then 'unit'
    else 'value'
  end as field,
  case when f.fault = 'unit_unknown' then f.raw_unit
    when f.fault in ('no_unit', 'implausible') then concat_ws(' ', f.fault_value, f.raw_unit)
    else f.fault_value end as value,
  coalesce(f.source || ': ', '') || case f.fault
    when 'date' then 'not a possible date'
    when 'known_date' then 'not a possible date; without it nobody can say from when on this was known'
    when 'end_date' then 'not a possible date'
    when 'value_to' then 'the upper end of an interval must be a number, and not below the lower one'
    when 'text' then 'this wording of a result is not known'
    when 'number_for_state' then 'a number where the code states something that is present or absent'
    when 'item_range' then 'outside the range of this item'
    when 'ambiguous_number' then 'the comma may stand for decimals or for thousands'
    when 'titre_for_number' then 'a titre where a number is expected'
    when 'ordinal_for_number' then 'a strip grade where a number is expected'
    when 'negative' then 'cannot be negative'
    when 'no_unit' then 'no unit, and neither the code nor a reference range proves one'
    when 'unit_unknown' then 'no conversion from this unit'
    when 'implausible' then 'not a plausible value' || coalesce(' in ' || f.raw_unit, '')
  end
  || coalesce('; likely ' || k.likely_units, '') as reason,
  case
    when f.fault in ('date', 'known_date', 'end_date')
      then 'correct the date at its source (ISO 8601; year, month or day)'
    when f.fault in ('no_unit', 'unit_unknown', 'implausible') then 'give the unit in UCUM at its source'
    when f.fault = 'text' then 'give a number, a titre or a known word such as positive or negative'
    when f.fault = 'item_range' then 'correct the answer'
    when f.fault = 'ambiguous_number' then 'write decimals with a point'
    else 'correct the value at its source'
  end as what_to_do,
  f.row_no
from faulty as f
inner join source_rows as s on s.row_no = f.row_no
inner join registered as p on p.person = f.person
left join likely as k
  on k.row_no = f.row_no and k.part = f.part and k.code_id is not distinct from f.code_id
union all
select
  s.file, s.line, s.reference, d.person_id, d.field, d.value, 'not a possible date' as reason,
  'correct the date at its source (ISO 8601; year, month or day)' as what_to_do, d.row_no
from people as d
left join source_rows as s on s.row_no = d.row_no
