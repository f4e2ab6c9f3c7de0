-- transitions: one row per way from lupus, fibromyalgia or both to the next state or to death: how many went it, and how many
-- person-years were spent in the state they left. Ways that nobody went are rows too. There is no way out of "neither": who is
-- of interest is chosen by what came later, so that their rate out of it would mean nothing.
with ways as (
  select split_part(way, ' ', 1) as from_state, split_part(way, ' ', 2) as to_state
  from (select unnest(['sle both', 'sle died', 'fm both', 'fm died', 'both died']) as way) as listed
),
spent as (
  select state, count(*) as persons, sum(days) as days
  from follow_up
  where days >= 0
  group by state
),
went as (
  select state, ended, count(*) as persons
  from follow_up
  where days >= 0
  group by state, ended
)
select w.from_state, w.to_state, coalesce(s.persons, 0) as persons, coalesce(g.persons, 0) as events,
  cast(coalesce(s.days, 0) as double) / 365.25e0 as years
from ways as w
left join spent as s on s.state = w.from_state
left join went as g on g.state = w.from_state and g.ended = w.to_state
