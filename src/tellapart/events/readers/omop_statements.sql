-- statements, source_rows and rejected of the rows pulled from one table (omop_row). Words for concepts of values and
-- units come from the CDM's vocabulary (omop_word), else from the list that ships (omop_concepts). A titre in the words
-- of the source beats the number and the concept that were made of it. Known: the day of the visit, if it is later.
-- A drug without instructions in words is taken as many pieces a day as were given for the days of supply, each of the strength
-- in the vocabulary (omop_strength; https://ohdsi.github.io/CommonDataModel/drug_dose.html, 1). One piece for several
-- days is rather one package, so that the dose stays unknown.
-- Variables: omop_table, omop_by, omop_offset, omop_file.
-- the words of SNOMED CT end in what they are and may repeat the test ('Urine protein test = ++ (finding)')
create or replace temp macro omop_said(words) as
  regexp_replace(regexp_replace(words, ' \((qualifier value|finding)\)$', ''), '^.* test = ', '');
create or replace temp macro omop_number(written) as regexp_replace(written, '\.0+$', '');

insert into source_rows by name
select
  r.rowid + getvariable('omop_offset') as row_no,
  getvariable('omop_table') as source_type,
  getvariable('omop_file') as file,
  getvariable('omop_table') || coalesce(':' || r.id, '#' || (r.rowid + 1)) as reference,
  p.person_id,
  case
    when p.person_id is null then 'rejected'
    when d.first_row < r.rowid then 'duplicate'
  end as class
from omop_row as r
left join omop_named as p on p.omop_id = r.person and p.again = 1
left join (select id, min(rowid) as first_row from omop_row group by id having count(*) > 1) as d on d.id = r.id;

insert into rejected by name
select
  s.file, s.reference, 'person_id' as field, r.person as value, 'No row of person has this person_id.' as reason,
  'Add the person, or leave the row out.' as what_to_do, s.row_no
from source_rows as s
inner join omop_row as r on r.rowid + getvariable('omop_offset') = s.row_no
where s.class = 'rejected' and s.source_type = getvariable('omop_table');

insert into statements by name
with words as (
  select concept_id, code, display from omop_concepts where use in ('unit', 'value')
  union all
  select w.concept_id, w.code, w.display
  from omop_word as w
  where not exists (select 1 from omop_concepts as c where c.use in ('unit', 'value') and c.concept_id = w.concept_id)
),
worded as (
  select
    r.*, r.rowid + getvariable('omop_offset') as row_no, p.person_id,
    omop_said(nullif(trim(r.value_text), '')) as said,
    omop_said(v.display) as word,
    coalesce(u.code, nullif(trim(r.unit_text), '')) as unit,
    o.code as sign,
    coalesce(b.code, getvariable('omop_by')) as told_by,
    w.date as visit_date,
    case
      when nullif(trim(r.note), '') is null and s.code <> '' and try_cast(r.days as double) > 0
        and (try_cast(r.quantity as double) > 1 or try_cast(r.quantity as double) = try_cast(r.days as double))
        then omop_number(cast(round(try_cast(r.quantity as double) * g.amount / try_cast(r.days as double), 3) as varchar))
    end as daily,
    s.code || '/d' as daily_unit,
    omop_number(r.quantity) || ' for ' || omop_number(r.days) || ' days' as supply
  from omop_row as r
  inner join omop_named as p on p.omop_id = r.person and p.again = 1
  left join words as v on v.concept_id = r.value_concept
  left join words as u on u.concept_id = r.unit_concept
  left join omop_concepts as o on o.use = 'operator' and o.concept_id = r.operator
  left join omop_concepts as b on b.use = 'by' and b.concept_id = r.type
  left join omop_visit as w on w.visit = r.visit
  left join omop_strength as g on g.concept = r.concept
  left join words as s on s.concept_id = g.unit_concept
),
valued as (
  select
    * replace (
      coalesce(daily, number) as number,
      case when daily is not null then daily_unit else unit end as unit,
      case when daily is not null then supply else note end as note
    ),
    case
      when daily is not null then daily
      when regexp_matches(said, '(^|[^0-9.,:/])1 ?[:/] ?[0-9]') then said
      else coalesce(number, word, said)
    end as value
  from worded
)
select
  r.row_no, 0 as part, r.person_id, n.kind,
  getvariable('omop_table') || coalesce(':' || r.id, '#' || (r.row_no - getvariable('omop_offset') + 1)) as reference,
  n.system, n.code, n.display, cast(n.coding_no as integer) as coding_no,
  r.value,
  case
    when r.value is distinct from r.number then null
    when r.sign <> '' then r.sign
    else nullif(regexp_extract(r.said, '^([<>]=?)', 1), '')
  end as comparator,
  case when r.value = r.number then r.unit end as unit,
  r.low, r.high,
  case when r.value = r.number then r.word end as interpretation,
  r.date, r.end_date,
  greatest(r.date, r.visit_date) as known_date,
  case lower(r.status)
    when 'refuted' then 'refuted' when 'entered-in-error' then 'withdrawn' else 'asserted'
  end as status,
  r.told_by as "by",
  nullif(concat_ws('; ', concat_ws(' ', coalesce(n.display, n.code), r.sign, r.value, r.unit), nullif(r.note, '')), '')
    as text,
  case when n.kind = 'instrument' then concat_ws('/', r.person_id, split_part(n.code, '.', 1), coalesce(r.form, r.date)) end
    as group_key
from valued as r
inner join omop_needed as n
  on n."table" = getvariable('omop_table') and n.concept = r.concept and n.source_concept = r.source_concept
  and n.source_value = r.source_value;

-- a drug that was stopped for a stated reason says so in a part of its own
insert into statements by name
select
  r.rowid + getvariable('omop_offset') as row_no, 1 as part, p.person_id, 'stopped' as kind,
  getvariable('omop_table') || coalesce(':' || r.id, '#' || (r.rowid + 1)) as reference,
  n.system, n.code, n.display, cast(n.coding_no as integer) as coding_no,
  coalesce(r.end_date, r.date) as date, coalesce(r.end_date, r.date) as known_date, 'asserted' as status,
  coalesce(b.code, getvariable('omop_by')) as "by",
  concat_ws('; ', coalesce(n.display, n.code), 'stopped: ' || trim(r.stop_reason)) as text
from omop_row as r
inner join omop_named as p on p.omop_id = r.person and p.again = 1
left join omop_concepts as b on b.use = 'by' and b.concept_id = r.type
inner join omop_needed as n
  on n."table" = getvariable('omop_table') and n.concept = r.concept and n.source_concept = r.source_concept
  and n.source_value = r.source_value
where trim(r.stop_reason) <> '';
