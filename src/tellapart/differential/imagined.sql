-- imagined: one row per person of interest, test not on record and result that it could have: the words of the record
-- with that result added. Each is a person of its own (a number) to the statements that follow; `about` is whom it
-- imagines. Steered by tests (what holds a test back), test_results.
select
  row_number() over (order by n.person, r.number) as person, n.person as about, r.test, r.result, r.number, case when r.decides then 1 else 0 end as decides,
  {{ each("coalesce(m.p#, 0) | r.p# as p#") }}, {{ each("coalesce(m.a#, 0) | r.a# as a#") }}
from interest as n
cross join test_results as r
left join masks as m on m.person = n.person and m.basis = 'evidence'
left join findings as g on g.person = n.person and g.finding = r.only_if and g.state = 'present'
where (r.only_if is null or g.person is not null)
  and not exists (
    select 1 from test_findings as t inner join on_record as f on f.finding = t.finding
    where t.test = r.test and f.person = n.person
  )
