-- weighed: one row per mark of a person of interest, as words: present (p), present without a likelier cause (c), absent.
-- Occurrences that are contested lose their bit in c; those vouched for late gain their twin. Steered by finding_bits.
with amended as (
  select x.person, x.row_no, x.part,
    {{ each("bit_or(case when f.word = # and x.contested then f.bit else 0 end) as k#") }},
    {{ each("bit_or(case when f.word = # and not x.contested then f.bit else 0 end) as v#") }}
  from (
    select person, row_no, part, finding, true as contested from contests
    union all
    select person, row_no, part, 'seen:' || finding as finding, false as contested from stated
    where state = 'present' and vouched_late
  ) as x
  inner join finding_bits as f on f.finding = x.finding
  group by x.person, x.row_no, x.part
)
select m.person, m.date, m.known_date,
  {{ each("m.p# | coalesce(k.v#, 0) as p#") }},
  {{ each("(m.p# & ~coalesce(k.k#, 0)) | coalesce(k.v#, 0) as c#") }},
  {{ each("m.a#") }}
from interest_marks as m
left join amended as k on k.person = m.person and k.row_no = m.row_no and k.part = m.part
