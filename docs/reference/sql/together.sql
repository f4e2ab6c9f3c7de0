-- together: one row per person of interest, two or three of the tests named and a result of each: the words of the record with
-- those results added, as in `imagined`. Tests that show the same finding are not asked for together.
with named as (
  select distinct person, test, place, 1 as tests from next_tests
),
pairs as (
  select a.person, a.test as one, b.test as other, a.tests + b.tests as tests
  from named as a
  inner join named as b on b.person = a.person and b.place > a.place
  where not exists (
    select 1 from test_findings as s inner join test_findings as t on t.finding = s.finding
    where s.test = a.test and t.test = b.test
  )
),
results as (
  select p.person as about, p.one || '+' || p.other as test, p.tests, i.decides + j.decides as decides,
    i.p1 | j.p1 as p1, i.p2 | j.p2 as p2, i.p3 | j.p3 as p3, i.p4 | j.p4 as p4, i.p5 | j.p5 as p5, i.a1 | j.a1 as a1, i.a2 | j.a2 as a2, i.a3 | j.a3 as a3, i.a4 | j.a4 as a4, i.a5 | j.a5 as a5
  from pairs as p
  inner join imagined as i on i.about = p.person and i.test = p.one
  inner join imagined as j on j.about = p.person and j.test = p.other
  union all
  select p.person, p.one || '+' || p.other || '+' || q.other, p.tests + 1, i.decides + j.decides + k.decides,
    i.p1 | j.p1 | k.p1 as p1, i.p2 | j.p2 | k.p2 as p2, i.p3 | j.p3 | k.p3 as p3, i.p4 | j.p4 | k.p4 as p4, i.p5 | j.p5 | k.p5 as p5, i.a1 | j.a1 | k.a1 as a1, i.a2 | j.a2 | k.a2 as a2, i.a3 | j.a3 | k.a3 as a3, i.a4 | j.a4 | k.a4 as a4, i.a5 | j.a5 | k.a5 as a5
  from pairs as p
  inner join pairs as q on q.person = p.person and q.one = p.other
  inner join pairs as r on r.person = p.person and r.one = p.one and r.other = q.other
  inner join imagined as i on i.about = p.person and i.test = p.one
  inner join imagined as j on j.about = p.person and j.test = p.other
  inner join imagined as k on k.about = p.person and k.test = q.other
)
select row_number() over (order by about, test) as person, about, test, tests, decides, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5
from results
