-- fhir_concept: one row per conclusion of a DiagnosticReport, drawn by a clinician: its codes, and the classes of nephritis
-- that its words name. Its results are Observations of their own. A class is read from one sentence that names the class and
-- what it is a class of, and holds no word that leaves it open (report_words: fhir_report_about, fhir_report_leaves_open);
-- anything else in words is not read: unknown, never absent.
create or replace temp macro fhir_classes(words) as
  list_sort(list_distinct(flatten(list_transform(
    list_filter(
      string_split_regex(lower(words), '[.;\n\r]+'),
      lambda s: len(list_filter(getvariable('fhir_report_about'), lambda w: contains(s, w))) > 0
        and not contains(s, '?')
        and not list_has_any(string_split_regex(s, '[^a-z]+'), getvariable('fhir_report_leaves_open'))
    ),
    lambda s: flatten(list_transform(
      -- 'class IV-G (A/C)', 'classes III and V', 'class 3 + 5'
      regexp_extract_all(
        s,
        '\bclass(?:es)? ?((?:[iv]+|[1-6])\b(?: ?-? ?[sg]\b)?(?: ?\([ac/]+\))?(?: ?(?:[+,/&]|and|with) ?(?:class )?(?:[iv]+|[1-6])\b(?: ?-? ?[sg]\b)?(?: ?\([ac/]+\))?)*)',
        1
      ),
      lambda x: regexp_extract_all(x, '\b(?:[iv]+|[1-6])\b')
    ))
  ))));
create or replace temp macro fhir_class_concepts(words) as
  list_transform(
    list_filter(fhir_classes(words), lambda c: list_contains(getvariable('fhir_report_class'), c)),
    lambda c: {
      'coding': [{
        'system': 'http://snomed.info/sct',
        'code': getvariable('fhir_report_code')[list_position(getvariable('fhir_report_class'), c)],
        'display': words
      }],
      'text': words
    }
  );
create or replace temp view fhir_concept as
with concluded as (
  select
    *,
    rowid as place,
    list_concat(coalesce("conclusionCode", []), coalesce(fhir_class_concepts(conclusion), [])) as concepts
  from fhir_report
)
select
  r.place + getvariable('fhir_offset') as row_no,
  r.bundle,
  fhir_subject_key(r.subject) as subject_key,
  cast(generate_subscripts(r.concepts, 1) as integer) as part,
  'observation' as kind,
  fhir_reference('DiagnosticReport', r.id) as reference,
  unnest(r.concepts) as concept,
  cast(null as varchar) as value,
  cast(null as varchar) as unit,
  coalesce(r."effectiveDateTime", r."effectivePeriod"."start", r.issued) as date,
  cast(null as varchar) as end_date,
  coalesce(r.issued, r."effectiveDateTime", r."effectivePeriod"."start") as known_date,
  fhir_record_status(r.status) as status,
  'clinician' as "by",
  cast(null as varchar) as text
from concluded as r
where len(r.concepts) > 0;
