-- What a code of MEDS is made of, and a shard of its data as a flat table (see FIELDS).
-- 'LOINC/777-3' -> [LOINC, 777-3]; 'LAB//50912//mg/dL' -> [LAB, 50912, mg/dL]; 'DIAGNOSIS//ICD//10//M329' as MIMIC-IV has it.
create or replace temp macro flat_meds_parts(code) as
  string_split(regexp_replace(trim(code), '^([^/]+)/([^/])', '\1//\2'), '//');

create or replace temp macro flat_meds_system(parts) as
  case
    when parts[2] = 'ICD' and starts_with(upper(parts[1]), 'PROC') then 'icd' || parts[3] || 'pcs'
    when parts[2] = 'ICD' then 'icd' || parts[3] || 'cm'
    when len(parts) > 1 then parts[1]
    else ''
  end;

create or replace temp macro flat_meds_bare(parts) as
  case when parts[2] = 'ICD' then parts[4] when len(parts) > 1 then parts[2] else parts[1] end;

-- what kind of statement a vocabulary makes; the same code of SNOMED CT is a result with a value, a condition without
create or replace temp macro flat_meds_kind(system, has_value) as
  case
    when regexp_matches(lower(system), '^(rxnorm|ndc|atc|drug|medication)') then 'drug'
    when lower(system) = 'cvx' then 'immunization'
    when lower(system) = 'instrument' then 'instrument'
    when regexp_matches(lower(system), '^(cpt|hcpcs|icd(9|10)pcs|procedure)') then 'procedure'
    when lower(system) <> 'loinc' and not has_value then 'condition'
    else 'observation'
  end;

-- of the persons themselves
create or replace temp macro flat_meds_about(code) as
  case
    when code = 'MEDS_BIRTH' then 'birth'
    when code = 'MEDS_DEATH' then 'death'
    when regexp_matches(lower(code), '^(gender|sex)(/|$)') then 'sex'
  end;

create or replace temp macro flat_meds_rows(shard) as table
with cut as (
  select
    *, flat_meds_system(flat_meds_parts(code)) as system, flat_meds_parts(code) as parts,
    nullif(trim(text_value), '') as words
  from query_table(shard)
  where flat_meds_about(code) is null
),
told as (
  select
    *, flat_meds_kind(system, numeric_value is not null or words is not null) as kind,
    -- a titre in words beats the number that was made of it
    case when regexp_matches(words, '(^|[^0-9.,:/])1 ?[:/] ?[0-9]') then words else coalesce(numeric_value, words) end
      as said
  from cut
)
select
  row, 0 as part, cast(null as varchar) as id, getvariable('flat_prefix') || subject_id as person, kind,
  '' as system, code, cast(null as varchar) as display,
  case when kind = 'drug' then numeric_value else said end as value,
  case when said = numeric_value then coalesce(comparator, nullif(regexp_extract(words, '^([<>]=?)', 1), '')) end as comparator,
  case when said = numeric_value then coalesce(unit, case when kind = 'observation' and parts[2] <> 'ICD' then parts[3] end) end
    as unit,
  range_low as low, range_high as high, cast(null as varchar) as range_text, interpretation,
  left("time", 10) as date, left("end", 10) as end_date, left(known_time, 10) as known_date, status,
  coalesce("by", case when kind <> 'observation' and kind <> 'instrument' then 'clinician' end) as "by", method,
  case when kind = 'drug' then words end as text,
  "time" as group_key
from told;
