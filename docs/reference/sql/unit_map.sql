-- unit_map: one row per finding and unit as it may be written, with its conversion. Steered by units, unit_aliases.
-- Rows of the finding '{titer}' are the units that say "this is a titre" for any finding.
with own as (
  select
    finding, unit_seen as seen, try_cast(factor as double) as factor,
    coalesce(try_cast("offset" as double), 0) as shift,
    try_cast(plausible_low as double) as plausible_low, try_cast(plausible_high as double) as plausible_high
  from units
  where try_cast(factor as double) is not null
),
spelled as (
  select finding, seen, seen as unit, factor, shift, plausible_low, plausible_high from own
  union all
  select o.finding, a.seen, o.seen as unit, o.factor, o.shift, o.plausible_low, o.plausible_high
  from own as o
  inner join unit_aliases as a on a.ucum = o.seen
  where not exists (select 1 from own as x where x.finding = o.finding and x.seen = a.seen)
),
own_unit as (
  -- the canonical unit itself needs no conversion
  select
    f.finding, f.unit as seen, f.unit, cast(1 as double) as factor, cast(0 as double) as shift,
    cast(null as double) as plausible_low, cast(null as double) as plausible_high
  from finding_kinds as f
  where f.kind = 'value' and f.unit <> ''
    and not exists (select 1 from own as x where x.finding = f.finding and x.seen = f.unit)
)
select * from spelled
union all
select * from own_unit
union all
select distinct '{titer}' as finding, s.seen, s.unit, s.factor, s.shift, cast(null as double) as plausible_low,
  cast(null as double) as plausible_high
from spelled as s
inner join finding_kinds as f on f.finding = s.finding and f.kind = 'value' and coalesce(f.unit, '') in ('', '{titer}')
