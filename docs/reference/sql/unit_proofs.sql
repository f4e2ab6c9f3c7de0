-- unit_proofs: one row per finding and reference range, as written beside numbers without unit, that proves the unit:
-- exactly one conversion brings both limits near the usual ones. Steered by unit_map, reference_ranges, reading_limits.
with unitless as (
  select distinct m.source, s.low as low_text, s.high as high_text, s.range_text
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.mode = 'number'
  where coalesce(trim(s.unit), '') = '' and (s.low <> '' or s.high <> '' or s.range_text <> '')
),
ranges as (
  select
    u.source, u.low_text, u.high_text, u.range_text,
    coalesce(try_cast(u.low_text as double), r.low) as low,
    coalesce(try_cast(u.high_text as double), r.high) as high
  from unitless as u
  left join texts as r on r.text = u.range_text
)
select
  r.source, r.low_text, r.high_text, r.range_text, min(u.factor) as factor, min(u.shift) as shift,
  min(u.plausible_low) as plausible_low, min(u.plausible_high) as plausible_high
from ranges as r
inner join unit_map as u on u.finding = r.source and u.seen = u.unit
inner join reference_ranges as g on g.finding = r.source
cross join reading_limits as b
where (coalesce(try_cast(g.low as double), 0) <> 0 or coalesce(try_cast(g.high as double), 0) <> 0)
  and case
    when coalesce(try_cast(g.low as double), 0) = 0 then coalesce(r.low, 0) = 0
    else r.low * u.factor + u.shift
      between try_cast(g.low as double) / b.proof and try_cast(g.low as double) * b.proof
  end
  and case
    when try_cast(g.high as double) is null then r.high is null
    else r.high * u.factor + u.shift
      between try_cast(g.high as double) / b.proof and try_cast(g.high as double) * b.proof
  end
group by r.source, r.low_text, r.high_text, r.range_text
having min(u.factor) = max(u.factor) and min(u.shift) = max(u.shift)
