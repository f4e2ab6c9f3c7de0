-- whatif: one row per person of interest, set and change of its items that would decide it: the fewest unknown items that
-- could still make a set met (change `add`), and each item without which a set that is met would not be (`drop`).
-- Steered by set_items, criteria_sets, limits (fewest_items, fewest_shown). The changed words go through the same scores.
{% from 'criteria/score.sql.j2' import score with context %}
with base as (
  select n.person, {{ each("coalesce(m.p#, 0) as p#") }}, {{ each("coalesce(m.a#, 0) as a#") }}, {% for s in sets %}coalesce(s.{{ s.name }}_met, false) as {{ s.name }}_met{{ ", " if not loop.last }}{% endfor %}
  from interest as n
  left join masks as m on m.person = n.person and m.basis = 'points'
  left join scores as s on s.person = n.person and s.basis = 'points'
),
now as (
  select person, unnest([{% for i in items %}
    case when {{ i.present }} then {{ loop.index }} when not ({{ i.absent }}) then -{{ loop.index }} end{{ "," if not loop.last }}{% endfor %}
    {% for e in openings %}, case when not ({{ e.present }}) and not ({{ e.absent }}) then -{{ items | length + loop.index }} end{% endfor %}
  ]) as code
  from base
),
stand as (
  select n.person, i."set", i.number, i.item, i.choice, i.kind, i.points, i.opens, n.code < 0 as unknown, {{ each("i.g#") }}, {{ each("i.o#") }}
  from now as n
  inner join set_items as i on i.number = abs(n.code)
),
hopes as (
  -- a few of each kind are enough: no other item of the kind could do more
  select *
  from (
    select *, row_number() over (partition by person, "set", kind order by opens desc, points desc, number) as rank
    from (
      select *, row_number() over (partition by person, "set", choice order by points desc, number) as place
      from stand
      where unknown and points >= 0
    ) as chosen
    where place = 1
  ) as ranked
  where rank <= {{ fewest_items + 1 }}
),
{% for n in range(1, fewest_items + 1) %}
ways_{{ n }} as (
  {% if loop.first %}
  select person, "set", number as last, item as items, points, {{ each("g#") }} from hopes
  {% else %}
  select w.person, w."set", h.number as last, w.items || ';' || h.item as items, w.points + h.points as points, {{ each("(w.g# | h.g#) as g#") }}
  from ways_{{ n - 1 }} as w
  inner join hopes as h on h.person = w.person and h."set" = w."set" and h.number > w.last
  {% endif %}
),
{% endfor %}
changed as (
  {% for n in range(1, fewest_items + 1) %}
  select w.person, w."set", 'add' as change, {{ n }} as size, w.items, w.points as worth,
    {{ each("b.p# | (w.g# & ~b.a#) as p#") }}, {{ each("b.a#") }}
  from ways_{{ n }} as w inner join base as b on b.person = w.person
  where case w."set" {% for s in sets %}when '{{ s.name }}' then not b.{{ s.name }}_met {% endfor %}end
  union all
  {% endfor %}
  select d.person, d."set", 'drop' as change, {{ fewest_items }} as size, d.item as items, d.points as worth,
    {{ each("b.p# & ~d.o# as p#") }}, {{ each("b.a#") }}
  from stand as d inner join base as b on b.person = d.person
  where not d.unknown and case d."set" {% for s in sets %}when '{{ s.name }}' then b.{{ s.name }}_met {% endfor %}end
),
scored as (
  select * from (
{{ score("changed", 'person, "set", change, size, items, worth', false, own=true) }}
    select person, "set", change, size, items, worth,
      case "set" {% for s in sets %}when '{{ s.name }}' then {{ s.name }}__met {% endfor %}end as met,
      cast(case "set" {% for s in sets %}when '{{ s.name }}' then {{ s.name }}__points {% endfor %}end as double) as points
    from decided
  ) as judged
  where case change when 'add' then met else not met end
),
placed as (
  select *, min(size) over (partition by person, "set", change) as fewest,
    row_number() over (
      partition by person, "set", change
      order by size, case change when 'add' then -worth else points end, items
    ) as place
  from scored
)
select person, "set", change, items, place, points
from placed
where size = fewest and (change = 'drop' or place <= {{ limit("fewest_shown") }})
