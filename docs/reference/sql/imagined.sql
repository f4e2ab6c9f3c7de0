-- imagined: one row per person of interest, test not on record and result that it could have: the words of the record
-- with that result added. Each is a person of its own (a number) to the statements that follow; `about` is whom it
-- imagines. Steered by tests (what holds a test back), test_results.
select
  row_number() over (order by n.person, r.number) as person, n.person as about, r.test, r.result, r.number, case when r.decides then 1 else 0 end as decides,
  coalesce(m.p1, 0) | r.p1 as p1, coalesce(m.p2, 0) | r.p2 as p2, coalesce(m.p3, 0) | r.p3 as p3, coalesce(m.p4, 0) | r.p4 as p4, coalesce(m.p5, 0) | r.p5 as p5, coalesce(m.a1, 0) | r.a1 as a1, coalesce(m.a2, 0) | r.a2 as a2, coalesce(m.a3, 0) | r.a3 as a3, coalesce(m.a4, 0) | r.a4 as a4, coalesce(m.a5, 0) | r.a5 as a5
from interest as n
cross join test_results as r
left join masks as m on m.person = n.person and m.basis = 'evidence'
left join findings as g on g.person = n.person and g.finding = r.only_if and g.state = 'present'
where (r.only_if is null or g.person is not null)
  and not exists (
    select 1 from test_findings as t inner join on_record as f on f.finding = t.finding
    where t.test = r.test and f.person = n.person
  )
