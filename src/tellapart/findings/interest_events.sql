-- interest_events: one row per event of a person of interest. Kept: every later stage reads only these.
select e.* from events as e inner join interest as i on i.person = e.person
