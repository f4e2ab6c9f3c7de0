-- treatment: one row per person of interest, rule whose trigger holds, and term of it: what the term found, what became
-- of the rule. Steered by treatment_rules, treatment_terms.
-- A term compares a fact, which is an interval, and is true, false or unknown. All terms of an alternative must hold, the
-- weights of the alternatives that hold reach what their group asks for, and all groups of a rule must hold.
-- state: fires; silent (nothing fails, something is unknown); excused (a documented reason).
with considered as (
  -- a trigger holds, or might: that a drug was prescribed long ago is not enough
  select distinct f.person, t.rule_no
  from treatment_terms as t
  inner join treatment_facts as f on f.ask = t.ask
  where t.role = 'trigger' and not (t.measure = 'on' and f.low < 0) and not (t.measure = 'count' and f.low < t.threshold)
    and case t.comparator when '>' then coalesce(f.high > t.threshold, true) when '>=' then coalesce(f.high >= t.threshold, true)
      when '<' then f.low < t.threshold when '<=' then f.low <= t.threshold else false end
),
listed as (select distinct person from drug_use),
judged as (
  select k.person, k.rule_no, t.term, t.role, t."group", t.least, t.alternative, t.weight, f.low, f.high, f.reference,
    case
      when t.comparator = 'none' then
        case when f.low >= 0 then false when f.person is not null then null when t.measure not in ('on', 'count') or m.person is not null then true end
      when f.person is null then
        case when t.measure in ('code', 'drug_induced', 'masked', 'labs') or (t.measure in ('on', 'count') and m.person is not null) then false end
      when t.comparator = '>' then case when f.low > t.threshold then true when f.high <= t.threshold then false end
      when t.comparator = '>=' then case when f.low >= t.threshold then true when f.high < t.threshold then false end
      when t.comparator = '<' then case when f.high < t.threshold then true when f.low >= t.threshold then false end
      when t.comparator = '<=' then case when f.high <= t.threshold then true when f.low > t.threshold then false end
    end as holds
  from considered as k
  inner join treatment_terms as t on t.rule_no = k.rule_no
  left join treatment_facts as f on f.person = k.person and f.ask = t.ask
  left join listed as m on m.person = k.person
),
ways as (
  select person, rule_no, role, "group", least, alternative, weight,
    case when bool_or(not holds) then false when count(holds) = count(*) then true end as holds
  from judged
  group by person, rule_no, role, "group", least, alternative, weight
),
groups as (
  select person, rule_no, role, "group",
    case when sum(case when holds then weight else 0 end) >= least then true
      when sum(case when coalesce(holds, true) then weight else 0 end) < least then false end as holds
  from ways
  group by person, rule_no, role, "group", least
),
settled as (
  -- what blocks or excuses counts only when it is known to hold
  select *, bool_or(purpose = 'disagreement' and state = 'fires') over (partition by person) as disputed
  from (
    select g.person, g.rule_no, r.rule, r.purpose,
      case when bool_or(g.role = 'excuses' and coalesce(g.holds, false)) then 'excused'
        when bool_and(g.role in ('excuses', 'blocks') or coalesce(g.holds, false)) then 'fires' else 'silent' end as state
    from groups as g
    inner join treatment_rules as r on r.rule_no = g.rule_no
    group by g.person, g.rule_no, r.rule, r.purpose
    having not bool_or(g.role not in ('excuses', 'blocks') and not coalesce(g.holds, true))
      and not bool_or(g.role = 'blocks' and coalesce(g.holds, false))
  ) as held
)
select s.person, s.rule, s.state, j.term, coalesce(j.holds and w.holds, false) as counted, j.holds is null as unknown, j.low, j.high, j.reference
from settled as s
inner join judged as j on j.person = s.person and j.rule_no = s.rule_no and j.role <> 'blocks'
inner join ways as w on w.person = j.person and w.rule_no = j.rule_no and w."group" = j."group" and w.alternative = j.alternative
where s.purpose <> 'choice' or not s.disputed
