-- item_dates: one row per person of interest and item of a set: the first day on which the item was met, at face value.
-- first_date: by the day things happened; known_first_date: by the day they could be known. Undated findings give no date.
-- Steered by item_ways: an item is met by all findings of one way, each on as many distinct days as it asks for.
with days as (
  select person, finding, date, min(known_date) as known_date
  from occurrences
  where state = 'present' and date is not null
  group by person, finding, date
),
numbered as (
  select person, finding, date, known_date,
    row_number() over (partition by person, finding order by date) as occasion,
    row_number() over (partition by person, finding order by known_date, date) as known_occasion
  from days
),
ways as (
  select n.person, w."set", w.item, w.way,
    max(case when n.occasion = w.occasions then n.date end) as first_date,
    max(case when n.known_occasion = w.occasions then n.known_date end) as known_first_date
  from numbered as n
  inner join item_ways as w on w.finding = n.finding and (n.occasion = w.occasions or n.known_occasion = w.occasions)
  group by n.person, w."set", w.item, w.way, w.findings
  having count(distinct w.finding) = w.findings
)
select person, "set", item, min(first_date) as first_date, min(known_first_date) as known_first_date
from ways
group by person, "set", item
