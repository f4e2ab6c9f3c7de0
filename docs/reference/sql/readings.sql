-- readings: one row per statement and knowledge code of it, typed, in canonical units, with what is wrong with it.
-- class: used (so far: the as-of day is not applied yet) | rejected | withdrawn | not_needed (no result in it).
-- Steered by code_map, flag_words, unit_map, unit_proofs, reading_limits. No unit is guessed: a number without one is
-- used only if its code fixes the unit (the site's own codes may, own_unit) or exactly one unit fits the reference range
-- that came with it (unit_proofs).
with typed as (
  select
    s.row_no, s.part, s.coding_no, p.person, s.reference, s.kind, m.code_id, m.short_system as system,
    trim(s.code) as code, s.display, m.source, m.item_low, m.item_high, m.mode, m.canonical,
    s.group_key, s.text, s.status, nullif(trim(s.absent_reason), '') as absent_reason,
    coalesce(s."by", m.by_default) as "by",
    coalesce(nullif(trim(lower(s.method)), ''), m.method) as method,
    nullif(trim(s.date), '') as date_text, nullif(trim(s.known_date), '') as known_text,
    nullif(trim(s.end_date), '') as end_text,
    try_cast(substr(trim(s.date) || case length(trim(s.date)) when 4 then '-01-01' when 7 then '-01' else '' end, 1, 10)
      as date) as date_cast,
    try_cast(substr(trim(s.known_date)
      || case length(trim(s.known_date)) when 4 then '-01-01' when 7 then '-01' else '' end, 1, 10) as date)
      as known_cast,
    try_cast(substr(trim(s.end_date)
      || case length(trim(s.end_date)) when 4 then '-01-01' when 7 then '-01' else '' end, 1, 10) as date) as end_cast,
    nullif(trim(s.value), '') as value_text, nullif(trim(s.value_to), '') as value_to_text,
    case
      when v.shape is not null then v.shape
      when strpos(s.value, '_') = 0 and not starts_with(s.value, '+')
        and abs(try_cast(s.value as double)) < cast('infinity' as double)
        then 'number'
      when s.value <> '' then 'text'
    end as form,
    case when v.shape is not null then v.number else try_cast(s.value as double) end as number,
    coalesce(try_cast(s.value_to as double), v.number_to) as number_to,
    coalesce(case when s.comparator in ('<', '<=', '>', '>=') then s.comparator end, v.comparator) as comparator,
    coalesce(nullif(trim(s.unit), ''), v.unit_text, m.own_unit) as unit_text,
    coalesce(nullif(trim(s.unit), ''), v.unit_text, m.own_unit, m.default_unit) as unit_key, m.unit_finding,
    m.own_unit, m.own_high, m.own_limit,
    s.low as low_text, s.high as high_text, s.range_text,
    coalesce(try_cast(s.low as double), r.low) as low,
    coalesce(try_cast(s.high as double), r.high) as high,
    v.interpretation as word,
    coalesce(w.flag, i.interpretation) as flag
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.class = 'mapped'
  inner join registered as p on p.person_id = s.person_id
  left join texts as v on v.text = s.value
  left join texts as r on r.text = s.range_text
  left join texts as i on i.text = s.interpretation
  left join flag_words as w on w.code = upper(trim(s.interpretation))
  where not exists (select 1 from source_rows as x where x.row_no = s.row_no and x.class is not null)
),
shaped as (
  select
    t.*,
    -- a day as it was written, not as the cast would have it ('2021-3-4', '2021/03/04')
    case
      when t.date_cast >= b.first_day and t.date_cast < b.day_after
        and starts_with(t.date_text, substr(cast(t.date_cast as varchar), 1, length(t.date_text)))
        and substr(t.date_text, 11, 1) in ('', 'T', ' ')
        then t.date_cast
    end as day,
    case
      when t.known_cast >= b.first_day and t.known_cast < b.day_after
        and starts_with(t.known_text, substr(cast(t.known_cast as varchar), 1, length(t.known_text)))
        and substr(t.known_text, 11, 1) in ('', 'T', ' ')
        then t.known_cast
    end as known_day,
    case
      when t.end_cast >= b.first_day and t.end_cast < b.day_after
        and starts_with(t.end_text, substr(cast(t.end_cast as varchar), 1, length(t.end_text)))
        and substr(t.end_text, 11, 1) in ('', 'T', ' ')
        then t.end_cast
    end as end_day,
    case
      when t.mode not in ('number', 'strip', 'titre', 'free') then null
      when t.form = 'titre' and t.mode in ('titre', 'free') then 'titre'
      when t.form = 'number' and t.mode in ('titre', 'free') and t.unit_text is not null and u.seen is not null
        then 'titre'
      when t.form = 'number' and t.mode = 'titre' and t.unit_text is null
        and t.word is null and coalesce(t.method, '') <> 'solid_phase'
        and t.number = floor(t.number) and (t.number = 0 or t.number >= b.titre_min)
        and coalesce(t.high, t.number) >= least(t.number, b.titre_min)
        then 'titre'
      when t.form = 'number' then 'quantity'
      when t.form = 'ordinal' and t.mode <> 'number' then 'ordinal'
      when t.form = 'word' and t.mode = 'strip' and t.word = 'NEG' then 'ordinal'
      when t.form = 'word' then 'word'
    end as shape,
    coalesce(u.factor, q.factor) as factor, coalesce(u.shift, q.shift) as shift,
    coalesce(u.plausible_low, q.plausible_low) as plausible_low,
    coalesce(u.plausible_high, q.plausible_high) as plausible_high
  from typed as t
  cross join reading_limits as b
  left join unit_map as u on u.finding = t.unit_finding and u.seen = t.unit_key
  left join unit_proofs as q
    on t.mode = 'number' and t.unit_key is null and q.source = t.source
    and q.low_text is not distinct from t.low_text and q.high_text is not distinct from t.high_text
    and q.range_text is not distinct from t.range_text
),
scaled as (
  select
    *,
    case
      when shape = 'quantity' and mode in ('number', 'strip') then number * factor + shift
      when shape = 'ordinal' and form = 'word' then 0
      when shape = 'ordinal' and mode = 'titre' then null
      when mode = 'item' and form = 'word' then case word when 'POS' then 1 when 'NEG' then 0 end
      when mode in ('item', 'drug') or shape in ('quantity', 'titre', 'ordinal') then number
    end as scaled,
    case
      when shape = 'quantity' and mode in ('number', 'strip') then number_to * factor + shift
      when shape = 'ordinal' and mode = 'titre' then null
      when mode = 'item' or shape in ('quantity', 'titre', 'ordinal') then number_to
    end as scaled_to,
    case
      when low > high then null
      when mode in ('free', 'titre') then low
      when shape = 'quantity' then low * factor + shift
    end as scaled_low,
    case
      when low > high then null
      when mode in ('free', 'titre')
        then coalesce(high, case when low is null and unit_text is not distinct from own_unit then own_high end)
      when shape = 'quantity' then coalesce(high * factor + shift, case when low is null then own_limit end)
    end as scaled_high,
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
  from shaped
),
faulted as (
  select
    *,
    case
      when status = 'withdrawn' then null
      when day is null and date_text is not null then 'date'
      when known_day is null and known_text is not null then 'known_date'
      when end_day is null and end_text is not null then 'end_date'
      when value_to_text is not null and coalesce(number_to < number, true) then 'value_to'
      when mode = 'drug' or mode is null or value_text is null then null
      when mode = 'item' then
        case
          when form not in ('number', 'word') or scaled is null then 'text'
          when scaled < item_low or scaled > item_high then 'item_range'
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
      when mode = 'titre' and shape = 'quantity' then null
      when scaled < plausible_low and coalesce(comparator, '') not in ('<', '<=') then 'implausible'
      when scaled > plausible_high or scaled_to > plausible_high then 'implausible'
    end as fault
  from scaled
)
select
  person, row_no, part, coding_no, reference, kind, code_id, source, system, code, display,
  day as date,
  case when day is null then 'none' else
    case length(date_text) when 4 then 'year' when 7 then 'month' else 'day' end end as date_precision,
  greatest(known_day, day) as known_date,
  case
    when coalesce(day, known_day) is null then 'none'
    else case length(case when day is null or known_day >= day then known_text else date_text end)
      when 4 then 'year' when 7 then 'month' else 'day' end
  end as known_precision,
  end_day as end_date,
  round(scaled, 6) as value,
  round(scaled_to, 6) as value_to,
  case when scaled is not null then comparator end as comparator,
  case
    when shape = 'titre' then '{titer}'
    when scaled is null then null
    when mode in ('number', 'strip') then canonical
    else unit_text
  end as unit,
  round(scaled_low, 6) as low,
  round(scaled_high, 6) as high,
  meaning as interpretation,
  case
    when mode = 'state' and (kind in ('observation', 'finding') and value_text is not null or flag = 'NEG') then
      case
        when word = 'NEG' or (word is null and number is null and flag = 'NEG')
          or (number = 0 and coalesce(number_to, 0) = 0) then 'refuted'
        else coalesce(status, 'asserted')
      end
    when mode in ('state', 'drug') then coalesce(status, 'asserted')
    else 'asserted'
  end as status,
  "by",
  case when mode = 'titre' and shape = 'quantity' then coalesce(method, 'solid_phase') else method end as method,
  shape,
  case when f.high is null and scaled_high is not null then concat(text, ' (limit of the site''s own codes)') else text end
    as text,
  group_key,
  case
    when status = 'withdrawn' then 'withdrawn'
    when fault is not null then 'rejected'
    when mode in ('free', 'titre', 'number', 'strip') and scaled is null and meaning is null then 'not_needed'
    when mode = 'state' and kind = 'observation' and value_text is null and absent_reason is not null then 'not_needed'
    when mode = 'item' and scaled is null then 'not_needed'
    else 'used'
  end as class,
  fault,
  case fault when 'date' then date_text when 'known_date' then known_text when 'end_date' then end_text
    when 'value_to' then value_to_text else value_text end as fault_value,
  number as raw_number, unit_text as raw_unit
from faulted as f
