-- weighed: one row per mark of a person of interest, as words: present (p), present without a likelier cause (c), absent.
-- Occurrences that are contested lose their bit in c; those vouched for late gain their twin. Steered by finding_bits.
with amended as (
  select x.person, x.row_no, x.part,
    bit_or(case when f.word = 1 and x.contested then f.bit else 0 end) as k1, bit_or(case when f.word = 2 and x.contested then f.bit else 0 end) as k2, bit_or(case when f.word = 3 and x.contested then f.bit else 0 end) as k3, bit_or(case when f.word = 4 and x.contested then f.bit else 0 end) as k4, bit_or(case when f.word = 5 and x.contested then f.bit else 0 end) as k5,
    bit_or(case when f.word = 1 and not x.contested then f.bit else 0 end) as v1, bit_or(case when f.word = 2 and not x.contested then f.bit else 0 end) as v2, bit_or(case when f.word = 3 and not x.contested then f.bit else 0 end) as v3, bit_or(case when f.word = 4 and not x.contested then f.bit else 0 end) as v4, bit_or(case when f.word = 5 and not x.contested then f.bit else 0 end) as v5
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
  m.p1 | coalesce(k.v1, 0) as p1, m.p2 | coalesce(k.v2, 0) as p2, m.p3 | coalesce(k.v3, 0) as p3, m.p4 | coalesce(k.v4, 0) as p4, m.p5 | coalesce(k.v5, 0) as p5,
  (m.p1 & ~coalesce(k.k1, 0)) | coalesce(k.v1, 0) as c1, (m.p2 & ~coalesce(k.k2, 0)) | coalesce(k.v2, 0) as c2, (m.p3 & ~coalesce(k.k3, 0)) | coalesce(k.v3, 0) as c3, (m.p4 & ~coalesce(k.k4, 0)) | coalesce(k.v4, 0) as c4, (m.p5 & ~coalesce(k.k5, 0)) | coalesce(k.v5, 0) as c5,
  m.a1, m.a2, m.a3, m.a4, m.a5
from interest_marks as m
left join amended as k on k.person = m.person and k.row_no = m.row_no and k.part = m.part
