-- series: one row per person of interest, finding that a series or an order of records makes, and source row (part) that
-- completes it: a value that changed within some days, or a finding while a drug is in use. Steered by series_rules.
-- A change that reaches its threshold counts; two values of one day have no order.
with measured as (
  select e.person, c.source, e.date, e.known_date, e.value, e.row_no, e.part, e."by"
  from interest_events as e
  inner join codes as c on c.code_id = e.code_id and c.rule = 'result'
  inner join (select distinct source from series_rules where test <> 'on_drug') as s on s.source = c.source
  where e.status = 'asserted' and e.date is not null and e.value is not null and e.comparator is null
),
completed as (
  select n.person, r.finding, n.row_no, n.part, n.date, n.known_date, n."by", true as vouched
  from measured as n
  inner join series_rules as r on r.source = n.source
  inner join measured as p
    on p.person = n.person and p.source = n.source
    and p.date < n.date and date_diff('day', p.date, n.date) <= r.within_days
    and case r.test
      when 'ratio' then round(n.value - r.threshold * p.value, 6) >= 0
      when 'rise' then round(n.value - p.value - r.threshold, 6) >= 0
      when 'fall' then round(p.value - n.value - r.threshold, 6) >= 0
    end
  union all
  select s.person, r.finding, s.row_no, s.part, s.date, s.known_date, s."by", s.vouched
  from series_rules as r
  inner join stated as s on r.test = 'on_drug' and s.finding = r.source and s.state = 'present' and s.date is not null
  inner join exposures as x
    on x.person = s.person and (x.drug = r.drug or x.drug_class = r.drug_class) and x.start_date <= s.date
    and (x.ongoing or date_diff('day', x.end_date, s.date) <= x.days_after)
)
select person, finding, row_no, part, date, min(known_date) as known_date, min("by") as "by", bool_or(vouched) as vouched
from completed
group by person, finding, row_no, part, date
