-- occurrences: one row per person of interest, finding, state and source row (part), with the likelier cause on record, if
-- any, and the row that holds it; with what a series of records makes.
select
  o.person, o.finding, o.finding_no, o.state, o.row_no, o.part, o.date, o.known_date, o."by",
  o.implied, o.vouched or o.vouched_late as vouched, o.vouched_late,
  c.cause as contested_by, c.cause_row_no as contested_row_no
from stated as o
left join contests as c
  on c.person = o.person and c.finding = o.finding and c.row_no = o.row_no and c.part = o.part and o.state = 'present'
union all
select s.person, s.finding, f.finding_no, 'present' as state, s.row_no, s.part, s.date, s.known_date, s."by", false as implied,
  s.vouched, false as vouched_late, cast(null as varchar) as contested_by, cast(null as bigint) as contested_row_no
from series as s
inner join finding_bits as f on f.finding = s.finding
