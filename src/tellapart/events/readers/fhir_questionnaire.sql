-- statements of QuestionnaireResponse: one row per answer to an item of one of our instruments (variable
-- fhir_instruments), three levels deep. The item is named by its linkId ('fm_2016.fatigue'), or by the questionnaire's
-- URL and the linkId ('…/fm_2016' and 'fatigue'). Who ticks places of a list was asked for all of them: each place
-- becomes one item ('fm_2016.site.neck'), 1 if ticked, 0 if not (variable fhir_sites; without it only what is ticked).
-- A questionnaire that is not ours is read by the linkIds and wordings of questionnaire_words (variables fhir_word_keys,
-- fhir_word_codes): by wording only if it asks for many pain sites (variable fhir_sites_asked), and a question about pain
-- whose answers are all sites is a body map: its other sites were asked too. Yes is 1.
-- By the patient, unless a practitioner is the author.
create or replace macro fhir_worded(kind, said) as
  getvariable('fhir_word_codes')[list_position(
    getvariable('fhir_word_keys'),
    kind || ':' || case kind
      when 'text' then trim(regexp_replace(lower(said), '[^a-z0-9]+', ' ', 'g')) else lower(said)
    end
  )];
insert into statements
with forms as (
  select
    r.rowid + getvariable('fhir_offset') as row_no,
    s.person_id,
    fhir_reference('QuestionnaireResponse', r.id) as reference,
    r.authored,
    fhir_record_status(r.status) as status,
    case
      when regexp_matches(r.author.reference, '(^|/)(Practitioner|PractitionerRole|Organization)/') then 'clinician'
      else 'patient'
    end as author,
    replace(lower(regexp_extract(r.questionnaire, '([^/|#]+)(?:[|#].*)?$', 1)), '-', '_') as form,
    r.item
  from fhir_questionnaire as r
  inner join fhir_subject as s
    on s.bundle = r.bundle and s.subject_key = fhir_subject_key(r.subject) and s.person_id is not null
),
level_1 as (
  select row_no, unnest(item) as i from forms
),
level_2 as (
  select
    row_no,
    unnest(list_concat(
      coalesce(i.item, []), coalesce(flatten(list_transform(i.answer, lambda a: coalesce(a.item, []))), [])
    )) as i
  from level_1
),
level_3 as (
  select
    row_no,
    unnest(list_concat(
      coalesce(i.item, []), coalesce(flatten(list_transform(i.answer, lambda a: coalesce(a.item, []))), [])
    )) as i
  from level_2
),
answers as (
  select row_no, i."linkId" as link, i.text as words, unnest(i.answer) as a from level_1
  union all by name
  select row_no, i."linkId" as link, i.text as words, unnest(i.answer) as a from level_2
  union all by name
  select row_no, i."linkId" as link, i.text as words, unnest(i.answer) as a from level_3
),
answered as (
  select
    f.row_no,
    f.person_id,
    f.reference,
    f.authored,
    f.status,
    f.author,
    a.words,
    a.link,
    coalesce(
      fhir_worded('link', a.link),
      case
        when list_contains(getvariable('fhir_instruments'), split_part(a.link, '.', 1)) then a.link
        when list_contains(getvariable('fhir_instruments'), f.form) then f.form || '.' || a.link
      end
    ) as known,
    fhir_worded('text', a.words) as worded,
    case
      when regexp_matches(lower(a.words), 'pain|hurt|ache|body map')
        then fhir_worded('text', coalesce(a.a."valueCoding".display, a.a."valueString"))
    end as place,
    coalesce(
      case a.a."valueBoolean" when 'true' then '1' when 'false' then '0' end,
      fhir_worded('answer', a.a."valueCoding".code),
      a.a."valueInteger", a.a."valueDecimal", a.a."valueQuantity".value, a.a."valueCoding".code,
      a.a."valueCoding".display, a.a."valueString", a.a."valueDate"
    ) as value,
    fhir_unit(a.a."valueQuantity") as unit,
    a.a."valueCoding".display as shown
  from answers as a
  inner join forms as f on f.row_no = a.row_no
),
recognized as (
  select
    *,
    count(distinct case when worded like '%.site.%' then worded end) over (partition by row_no) as sites_asked,
    bool_and(coalesce(place like '%.site.%', false)) over (partition by row_no, link) and worded is null as is_map
  from answered
),
coded as (
  select
    row_no, person_id, reference, authored, status, author, words, unit, shown,
    case
      when known is not null then known
      when sites_asked >= getvariable('fhir_sites_asked') then worded
      when is_map then split_part(place, '.site.', 1) || '.pain_sites'
    end as code,
    case when known is null and is_map then split_part(place, '.site.', 2) else value end as value
  from recognized
),
named as (
  select
    *,
    code like '%.pain_sites' and try_cast(value as double) is null as is_site
  from coded
  where code is not null and value is not null
),
sited as (
  select
    row_no, person_id, reference, authored, status, author, words, unit, shown,
    case when is_site then regexp_replace(code, 'pain_sites$', 'site.') || value else code end as code,
    case when is_site then '1' else value end as value
  from named
  union all
  select distinct
    n.row_no, n.person_id, n.reference, n.authored, n.status, n.author, n.words, null as unit, null as shown,
    regexp_replace(n.code, 'pain_sites$', 'site.') || l.site as code,
    '0' as value
  from named as n
  cross join unnest(getvariable('fhir_sites')) as l(site)
  where n.is_site and not exists (
    select 1 from named as t where t.row_no = n.row_no and t.code = n.code and t.value = l.site
  )
)
select
  row_no,
  cast(row_number() over (partition by row_no order by code, value, unit, shown) as integer) as part,
  person_id,
  'instrument' as kind,
  reference,
  'instrument' as "system",
  code,
  coalesce(words, code) as display,
  0 as coding_no,
  value,
  cast(null as varchar) as value_to,
  cast(null as varchar) as comparator,
  unit,
  cast(null as varchar) as low,
  cast(null as varchar) as high,
  cast(null as varchar) as range_text,
  cast(null as varchar) as interpretation,
  authored as date,
  cast(null as varchar) as end_date,
  authored as known_date,
  status,
  author as "by",
  cast(null as varchar) as method,
  coalesce(words, code) || ': ' || coalesce(shown, value) as text,
  cast(null as varchar) as absent_reason,
  reference as group_key
from sited;
