-- reported: one row per clinical statement and known code of it, typed, in canonical units, whenever it became known.
-- Of several codings of one statement with the same meaning the first stays. A value that came without limits and without a flag is read against the usual
-- range of its sex, and says so (range_from, text). codings: 0 the only known
-- coding of its statement, 1 the first of several, -1 a later one. Steered by usual_ranges.
with repeats as (
  select distinct r.row_no, r.part, r.code_id, r.coding_no
  from readings as r
  inner join readings as e on e.row_no = r.row_no and e.part = r.part and e.code_id = r.code_id
  where r.coding_no > 0 and e.coding_no < r.coding_no
),
several as (
  select distinct r.row_no, r.part
  from readings as r
  where r.coding_no > 0 and r.class = 'used'
),
first_known as (
  select r.row_no, r.part, min(r.coding_no) as coding_no
  from readings as r
  inner join several as s on s.row_no = r.row_no and s.part = r.part
  where r.class = 'used'
  group by r.row_no, r.part
)
select
  r.person, r.row_no, r.part, 
  case when l.row_no is null then 0 when r.coding_no = l.coding_no then 1 else -1 end as codings, r.reference, r.kind, r.code_id, r.system, r.code, r.display,
  r.date, r.date_precision, r.known_date, r.known_precision, r.end_date,
  r.value, r.value_to, r.comparator, r.unit, coalesce(r.low, u.low) as low, coalesce(r.high, u.high) as high,
  r.interpretation, r.status, r."by", r.method, r.shape,
  case when u.finding is not null then coalesce(r.text, '') || ' (against the usual range)' else r.text end as text,
  r.group_key,
  case when u.finding is not null then 'usual' when r.low is not null or r.high is not null then 'laboratory' end as range_from
from readings as r
inner join registered as p on p.person = r.person
left join first_known as l on l.row_no = r.row_no and l.part = r.part
left join usual_ranges as u
  on u.finding = r.source and u.sex = p.sex and u.unit = r.unit
  and r.low is null and r.high is null and r.interpretation is null and r.value is not null
where r.class = 'used'
  and not exists (
    select 1 from repeats as x
    where x.row_no = r.row_no and x.part = r.part and x.code_id = r.code_id and x.coding_no = r.coding_no
  )
