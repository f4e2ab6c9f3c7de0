-- occurrences: one row per person of interest, finding, state and source row (part), with the likelier cause on record, if
-- any, and the row that holds it; with what a series of records makes.
select
  o.person, o.finding, o.state, o.row_no, o.part, o.date, o.known_date, o."by",
  o.implied, o.vouched or o.vouched_late as vouched, o.vouched_late,
  c.cause as contested_by, c.cause_row_no as contested_row_no
from stated as o
left join contests as c
  on c.person = o.person and c.finding = o.finding and c.row_no = o.row_no and c.part = o.part and o.state = 'present'
union all
select person, finding, 'present' as state, row_no, part, date, known_date, "by", false as implied, vouched, false as vouched_late,
  cast(null as varchar) as contested_by, cast(null as bigint) as contested_row_no
from series
