-- readings: one row per statement and knowledge code of it, typed, in canonical units, with what is wrong with it.
-- class: used (so far: the as-of day is not applied yet) | rejected | withdrawn | not_needed (no result in it).
-- Steered by code_map, findings, units, unit_aliases, reference_ranges, limits. No unit is guessed: a number without
-- one is used only if its code fixes the unit or exactly one unit fits the reference range that came with it.
with bounds as (
  select
    max(case when "limit" = 'date_year_min' then cast(value as double) end) as year_min,
    max(case when "limit" = 'date_year_max' then cast(value as double) end) as year_max,
    coalesce(max(case when "limit" = 'titre_min' then cast(value as double) end), 0) as titre_min,
    max(case when "limit" = 'range_proof_factor' then cast(value as double) end) as proof
  from limits
),
own_units as (
  select
    finding, unit_seen as seen, try_cast(factor as double) as factor,
    coalesce(try_cast("offset" as double), 0) as shift, unit,
    try_cast(plausible_low as double) as plausible_low, try_cast(plausible_high as double) as plausible_high
  from units
  where try_cast(factor as double) is not null
),
unit_map as (
  -- one row per finding and unit as written: the unit itself or another spelling of it
  select finding, seen, factor, shift, unit, plausible_low, plausible_high from own_units
  union all
  select u.finding, a.seen, u.factor, u.shift, u.unit, u.plausible_low, u.plausible_high
  from own_units as u
  inner join unit_aliases as a on a.ucum = u.seen
  where not exists (select 1 from own_units as o where o.finding = u.finding and o.seen = a.seen)
),
measured as (
  -- one row per finding: how its results are read
  select
    f.finding, f.by_default, f.kind as finding_kind, coalesce(f.unit, '') as unit,
    case
      when f.kind <> 'value' then 'free'
      when coalesce(f.unit, '') in ('', '{titer}') then 'titre'
      when f.finding in (select finding from own_units where seen = '{plus}') then 'strip'
      else 'number'
    end as mode
  from findings as f
),
titre_units as (
  select distinct u.seen
  from unit_map as u
  inner join measured as d on d.finding = u.finding and d.mode = 'titre'
),
unitless as (
  select distinct m.source, s.low, s.high, s.range_text
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.rule = 'result'
  where coalesce(trim(s.unit), '') = '' and (s.low <> '' or s.high <> '' or s.range_text <> '')
),
unitless_ranges as (
  select
    u.source, u.low as low_text, u.high as high_text, u.range_text,
    coalesce(try_cast(u.low as double), case when r.comparator in ('>', '>=') or r.number_to is not null then r.number end)
      as low,
    coalesce(try_cast(u.high as double), r.number_to, case when r.comparator in ('<', '<=') then r.number end) as high
  from unitless as u
  left join texts as r on r.text = u.range_text
),
proofs as (
  select
    r.source, r.low_text, r.high_text, r.range_text, min(u.factor) as factor, min(u.shift) as shift,
    min(u.plausible_low) as plausible_low, min(u.plausible_high) as plausible_high
  from unitless_ranges as r
  inner join own_units as u on u.finding = r.source
  inner join reference_ranges as g on g.finding = r.source
  cross join bounds as b
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
),
typed as (
  select
    s.row_no, s.part, s.coding_no, p.person, s.reference, s.kind, m.code_id, m.short_system as system,
    trim(s.code) as code, s.display, m.source, m.rule, m.item_low, m.item_high,
    s.group_key, s.text, s.status, nullif(trim(s.absent_reason), '') as absent_reason,
    coalesce(s."by", d.by_default) as "by",
    coalesce(nullif(trim(lower(s.method)), ''), m.method) as method,
    case when s.kind = 'instrument' then 'item' when m.rule = 'drug' then 'drug' when m.rule = 'state' then 'state'
      else d.mode end as mode,
    d.unit as canonical,
    nullif(trim(s.date), '') as date_text, nullif(trim(s.known_date), '') as known_text,
    nullif(trim(s.end_date), '') as end_text,
    nullif(trim(s.value), '') as value_text, nullif(trim(s.value_to), '') as value_to_text,
    case
      when v.shape is not null then v.shape
      when try_cast(s.value as double) is not null and strpos(s.value, '_') = 0 and not starts_with(s.value, '+')
        then case when abs(try_cast(s.value as double)) < cast('infinity' as double) then 'number' else 'text' end
      when s.value <> '' then 'text'
    end as form,
    case
      when v.shape is not null then v.number
      when try_cast(s.value as double) is not null and strpos(s.value, '_') = 0 and not starts_with(s.value, '+')
        then try_cast(s.value as double)
    end as number,
    coalesce(try_cast(s.value_to as double), v.number_to) as number_to,
    coalesce(case when s.comparator in ('<', '<=', '>', '>=') then s.comparator end, v.comparator) as comparator,
    coalesce(nullif(trim(s.unit), ''), v.unit_text) as unit_text,
    s.low as low_text, s.high as high_text, s.range_text,
    coalesce(try_cast(s.low as double), case when r.comparator in ('>', '>=') or r.number_to is not null then r.number end)
      as low,
    coalesce(try_cast(s.high as double), r.number_to, case when r.comparator in ('<', '<=') then r.number end) as high,
    v.interpretation as word,
    case upper(trim(s.interpretation))
      when 'L' then 'L' when 'LL' then 'L' when 'LU' then 'L' when 'LX' then 'L' when '<' then 'L'
      when 'H' then 'H' when 'HH' then 'H' when 'HU' then 'H' when 'HX' then 'H' when '>' then 'H'
      when 'N' then 'N' when 'A' then 'A' when 'AA' then 'A'
      when 'POS' then 'POS' when 'DET' then 'POS' when 'RR' then 'POS'
      when 'NEG' then 'NEG' when 'ND' then 'NEG' when 'NR' then 'NEG'
      when 'IND' then 'IND' when 'E' then 'IND' when 'WR' then 'IND'
      else i.interpretation
    end as flag
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.class = 'mapped'
  inner join persons as p on p.person_id = s.person_id
  left join measured as d on d.finding = m.source
  left join texts as v on v.text = s.value
  left join texts as r on r.text = s.range_text
  left join texts as i on i.text = s.interpretation
  where not exists (select 1 from source_rows as x where x.row_no = s.row_no and x.class is not null)
),
dated as (
  select
    *,
    try_cast(substr(case length(date_text) when 4 then date_text || '-01-01' when 7 then date_text || '-01'
      else date_text end, 1, 10) as date) as day,
    try_cast(substr(case length(known_text) when 4 then known_text || '-01-01' when 7 then known_text || '-01'
      else known_text end, 1, 10) as date) as known_day,
    try_cast(substr(case length(end_text) when 4 then end_text || '-01-01' when 7 then end_text || '-01'
      else end_text end, 1, 10) as date) as end_day,
    unit_text in (select seen from titre_units) as titre_unit
  from typed
),
shaped as (
  select
    d.*, b.proof,
    coalesce(
      substr(cast(d.day as varchar), 1, length(d.date_text)) = substr(d.date_text, 1, 10)
      and year(d.day) between b.year_min and b.year_max
      and length(d.date_text) not in (5, 6, 8, 9) and substr(d.date_text || 'T', 11, 1) in ('', 'T', 't', ' '),
      d.date_text is null
    ) as date_good,
    coalesce(
      substr(cast(d.known_day as varchar), 1, length(d.known_text)) = substr(d.known_text, 1, 10)
      and year(d.known_day) between b.year_min and b.year_max
      and length(d.known_text) not in (5, 6, 8, 9) and substr(d.known_text || 'T', 11, 1) in ('', 'T', 't', ' '),
      d.known_text is null
    ) as known_good,
    coalesce(
      substr(cast(d.end_day as varchar), 1, length(d.end_text)) = substr(d.end_text, 1, 10)
      and year(d.end_day) between b.year_min and b.year_max
      and length(d.end_text) not in (5, 6, 8, 9) and substr(d.end_text || 'T', 11, 1) in ('', 'T', 't', ' '),
      d.end_text is null
    ) as end_good,
    case
      when d.mode in ('state', 'drug', 'item') or d.mode is null then null
      when d.form = 'titre' and d.mode in ('titre', 'free') then 'titre'
      when d.form = 'number' and d.mode in ('titre', 'free') and d.titre_unit then 'titre'
      when d.form = 'number' and d.mode = 'titre' and d.unit_text is null
        and d.word is null and coalesce(d.method, '') <> 'solid_phase'
        and d.number = floor(d.number) and (d.number = 0 or d.number >= b.titre_min)
        and coalesce(d.high, d.number) >= least(d.number, b.titre_min)
        then 'titre'
      when d.form = 'number' then 'quantity'
      when d.form = 'ordinal' and d.mode in ('strip', 'free', 'titre') then 'ordinal'
      when d.form = 'word' and d.mode = 'strip' and d.word = 'NEG' then 'ordinal'
      when d.form = 'word' then 'word'
    end as shape
  from dated as d
  cross join bounds as b
),
converted as (
  select
    s.*,
    case when s.mode = 'titre' and s.shape = 'quantity' then coalesce(s.method, 'solid_phase') else s.method end
      as assay,
    case
      when s.shape = 'titre' then '{titer}'
      when s.mode not in ('number', 'strip') then null
      when s.unit_text is not null then s.unit_text
      when s.canonical = '1' then '1'
    end as unit_key,
    coalesce(u.factor, q.factor) as factor, coalesce(u.shift, q.shift) as shift,
    coalesce(u.plausible_low, q.plausible_low) as plausible_low,
    coalesce(u.plausible_high, q.plausible_high) as plausible_high
  from shaped as s
  left join unit_map as u
    on u.finding = s.source
    and u.seen = case
      when s.shape = 'titre' then '{titer}'
      when s.mode not in ('number', 'strip') then null
      when s.unit_text is not null then s.unit_text
      when s.canonical = '1' then '1'
    end
  left join proofs as q
    on s.mode in ('number', 'strip') and s.shape = 'quantity' and s.unit_text is null and s.canonical <> '1'
    and q.source = s.source
    and q.low_text is not distinct from s.low_text and q.high_text is not distinct from s.high_text
    and q.range_text is not distinct from s.range_text
),
scaled as (
  select
    *,
    case
      when shape = 'quantity' and mode in ('number', 'strip') then
        number * coalesce(factor, case when unit_key = canonical then 1 end) + coalesce(shift, 0)
      when shape = 'ordinal' and form = 'word' then 0
      when shape = 'ordinal' and mode = 'titre' then null
      when mode in ('item', 'drug') or shape in ('quantity', 'titre', 'ordinal') then number
    end as scaled,
    case
      when shape = 'quantity' and mode in ('number', 'strip') then
        number_to * coalesce(factor, case when unit_key = canonical then 1 end) + coalesce(shift, 0)
      when shape = 'ordinal' and mode = 'titre' then null
      when mode = 'item' or shape in ('quantity', 'titre', 'ordinal') then number_to
    end as scaled_to,
    case
      when mode in ('number', 'strip') and shape = 'quantity'
        then low * coalesce(factor, case when unit_key = canonical then 1 end) + coalesce(shift, 0)
      when mode in ('free', 'titre') then low
    end as scaled_low,
    case
      when mode in ('number', 'strip') and shape = 'quantity'
        then high * coalesce(factor, case when unit_key = canonical then 1 end) + coalesce(shift, 0)
      when mode in ('free', 'titre') then high
    end as scaled_high,
    case
      when mode = 'item' then case word when 'POS' then 1 when 'NEG' then 0 end
    end as ticked,
    case
      when mode not in ('free', 'titre', 'number', 'strip') then null
      when word is not null then word
      when shape = 'ordinal' and mode <> 'strip' then
        case when number >= 1 then 'POS' when number_to > 0 then 'IND' else 'NEG' end
      when flag = 'A' then case when mode in ('free', 'titre') and coalesce(shape, '') <> 'quantity' then 'POS' end
      when flag is not null then flag
      when mode in ('free', 'titre') and kind <> 'observation' and value_text is null and absent_reason is null
        then case when status = 'refuted' then 'NEG' else 'POS' end
    end as meaning
  from converted
),
faulted as (
  select
    *,
    case
      when status = 'withdrawn' then null
      when not date_good then 'date'
      when not known_good then 'known_date'
      when not end_good then 'end_date'
      when value_to_text is not null and number_to is null then 'value_to'
      when mode = 'drug' or mode is null or value_text is null then null
      when mode = 'item' then
        case
          when form = 'word' and ticked is not null then null
          when form <> 'number' then 'text'
          when number < item_low or number > item_high then 'item_range'
        end
      when mode = 'state' then
        case
          when kind not in ('observation', 'finding') then null
          when form = 'number' and comparator is null and number in (0, 1) and unit_text is null then null
          when form = 'number' then 'number_for_state'
          when form = 'word' and word in ('POS', 'NEG') then null
          when form = 'ordinal' and (number >= 1 or coalesce(number_to, 0) = 0) then null
          when flag in ('POS', 'NEG', 'A') then null
          else 'text'
        end
      when form = 'ambiguous' then 'ambiguous_number'
      when form = 'text' and mode in ('free', 'titre') and meaning is not null then null
      when form = 'text' then 'text'
      when form = 'titre' and mode in ('number', 'strip') then 'titre_for_number'
      when form = 'ordinal' and mode = 'number' then 'ordinal_for_number'
      when shape = 'quantity' and mode in ('number', 'strip') and scaled is null then
        case when unit_text is null then 'no_unit' else 'unit_unknown' end
      when number < 0 and coalesce(plausible_low, 0) >= 0 and mode <> 'free' then 'negative'
      when scaled < plausible_low and coalesce(comparator, '') not in ('<', '<=') then 'implausible'
      when scaled > plausible_high then 'implausible'
      when scaled_to > plausible_high then 'implausible'
    end as fault
  from scaled
)
select
  person, row_no, part, coding_no, reference, kind, code_id, source, system, code, display,
  case when date_good then day end as date,
  case when not date_good or date_text is null then 'none'
    when length(date_text) = 4 then 'year' when length(date_text) = 7 then 'month' else 'day' end as date_precision,
  case when date_good and known_good then greatest(known_day, day) end as known_date,
  case
    when not date_good or not known_good or coalesce(date_text, known_text) is null then 'none'
    when known_day is not null and (day is null or known_day >= day) then
      case length(known_text) when 4 then 'year' when 7 then 'month' else 'day' end
    else case length(date_text) when 4 then 'year' when 7 then 'month' else 'day' end
  end as known_precision,
  case when end_good then end_day end as end_date,
  round(case when ticked is not null then ticked else scaled end, 6) as value,
  round(scaled_to, 6) as value_to,
  case when scaled is not null then comparator end as comparator,
  case
    when mode = 'drug' then unit_text
    when shape = 'titre' then '{titer}'
    when mode in ('number', 'strip') and scaled is not null then canonical
    when scaled is not null then unit_text
  end as unit,
  case when scaled_low > scaled_high then null else round(scaled_low, 6) end as low,
  case when scaled_low > scaled_high then null else round(scaled_high, 6) end as high,
  meaning as interpretation,
  case
    when mode = 'state' and kind in ('observation', 'finding') and value_text is not null then
      case
        when word = 'NEG' then 'refuted'
        when word = 'POS' then coalesce(status, 'asserted')
        when number = 0 and coalesce(number_to, 0) = 0 then 'refuted'
        when number is null and flag = 'NEG' then 'refuted'
        else coalesce(status, 'asserted')
      end
    when mode = 'state' and flag = 'NEG' then 'refuted'
    when mode in ('state', 'drug') then coalesce(status, 'asserted')
    else 'asserted'
  end as status,
  "by", assay as method, shape, text, group_key,
  case
    when status = 'withdrawn' then 'withdrawn'
    when fault is not null then 'rejected'
    when mode in ('free', 'titre', 'number', 'strip') and scaled is null and meaning is null then 'not_needed'
    when mode = 'state' and kind = 'observation' and value_text is null and absent_reason is not null then 'not_needed'
    when mode = 'item' and scaled is null and ticked is null then 'not_needed'
    else 'used'
  end as class,
  fault,
  case fault when 'date' then date_text when 'known_date' then known_text when 'end_date' then end_text
    when 'value_to' then value_to_text else value_text end as fault_value,
  number as raw_number, unit_text as raw_unit, canonical, plausible_low, plausible_high
from faulted
