-- doses: one row per distinct dose of a drug as written (value, unit, text, name of the product) that can be read, as mg a
-- day or mg per kg and day. Steered by dose_words. Read: an amount with a unit of mass, or a count of tablets of one
-- strength in the product's name; how often from the unit (/d) or from the timing or the wording of the text. What is taken as
-- needed, tapered, alternates or names several amounts stays unknown.
with written as (
  select distinct
    value, unit, text, display, lower(replace(coalesce(unit, ''), ' ', '')) as u,
    ' ' || regexp_replace(lower(coalesce(text, '')), '[^a-z0-9./%µ]+', ' ', 'g') || ' ' as t,
    list_distinct(regexp_extract_all(lower(coalesce(display, '')), '([0-9]+(?:\.[0-9]+)?) mg(?: |$)', 1)) as strengths
  from events
  where kind = 'drug' and status = 'asserted'
),
cut as (
  select
    *,
    regexp_extract(u, '^(ug|mcg|µg|mg|g)(/kg)?(/(?:d|day|24h|24\.h))?$', ['mass', 'kg', 'day']) as given,
    regexp_extract(u, '^\{?(tbl|tab|tabs|tablet|tablets|cap|caps|capsule|capsules)\}?(/(?:d|day))?$', ['piece', 'day']) as pieces,
    regexp_extract_all(t, ' ([0-9]+(?:\.[0-9]+)?) ?(?:ug|mcg|µg|mg|g)(?:/kg)?(?:/d|/day)? ') as amounts,
    regexp_extract(t, ' ([0-9]+(?:\.[0-9]+)?) ?(ug|mcg|µg|mg|g)(/kg)?(/d|/day)? ', ['number', 'mass', 'kg', 'day']) as told,
    regexp_extract(t, ' ([0-9]+(?:\.[0-9]+)?|1/2|half|one|two|three) ?(?:tab|tabs|tablet|tablets|cap|caps|capsule|capsules) ', 1) as count_told,
    regexp_extract(t, ' ([0-9]+(?:\.[0-9]+)?) times every ([0-9]+(?:\.[0-9]+)?) (h|d|wk) ', ['times', 'period', 'unit']) as repeat,
    regexp_matches(t, ' (?:prn|as needed|if needed|when needed|taper|tapering|then|alternating|reduce|increase|decrease|or) ') as uncertain
  from written
),
often as (
  -- of the wordings that a text holds the longest says how often ("every other day", not "a day")
  select c.value, c.unit, c.text, c.display, max_by(w.number / w."of", length(w.phrase)) as per_day
  from cut as c
  inner join dose_words as w on w.kind = 'often' and strpos(c.t, ' ' || w.phrase || ' ') > 0
  group by c.value, c.unit, c.text, c.display
),
named as (
  select
    *,
    case
      when given.mass <> '' and value is not null then given.mass
      when value is null and len(amounts) = 1 then told.mass
      else 'mg'
    end as mass,
    coalesce(value, case when len(amounts) = 1 then cast(told.number as double) end) as stated,
    value is null and len(amounts) = 1 or given.mass <> '' as by_mass,
    case when value is null then told.kg else given.kg end <> '' as by_weight,
    given.day <> '' or pieces.day <> '' or (value is null and told.day <> '') as by_day
  from cut
),
read_as as (
  select
    n.value, n.unit, n.text, n.display, n.by_weight,
    case
      when n.by_mass then n.stated
      when len(n.strengths) = 1 and n.pieces.piece <> '' then n.value * cast(n.strengths[1] as double)
      when len(n.strengths) = 1 and n.value is null and len(n.amounts) = 0 then c.number / c."of" * cast(n.strengths[1] as double)
    end * m.number / m."of" as amount,
    case
      when n.by_day then 1
      when n.repeat.unit <> '' then
        cast(n.repeat.times as double) / nullif(cast(n.repeat.period as double) * p.number / p."of", 0)
      else o.per_day
    end as per_day
  from named as n
  inner join dose_words as m on m.kind = 'mass' and m.phrase = n.mass
  left join dose_words as c on c.kind = 'count' and c.phrase = n.count_told
  left join dose_words as p on p.kind = 'period' and p.phrase = n.repeat.unit
  left join often as o
    on o.value is not distinct from n.value and o.unit is not distinct from n.unit
    and o.text is not distinct from n.text and o.display is not distinct from n.display
  where not n.uncertain
)
select
  value, unit, text, display, round(amount * per_day, 6) as amount, case when by_weight then 'mg/kg/d' else 'mg/d' end as amount_unit
from read_as
where amount > 0 and per_day > 0
