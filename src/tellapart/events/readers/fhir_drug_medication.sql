-- fhir_drug_medication: one row per row of fhir_drug and the concept of its medication: its own, that of a contained
-- Medication ('#id'), or that of a Medication of the same Bundle or anywhere in the source. A Medication without a code
-- of its own is named by its ingredients. What is found nowhere and has no name becomes a problem.
create or replace temp table fhir_drug_medication as
with medications as (
  select
    m.id,
    m.rowid as medication_row,
    case
      when len(m.code.coding) > 0 or m.ingredient is null then m.code
      else {
        'coding': flatten(list_transform(m.ingredient, lambda i: coalesce(i."itemCodeableConcept".coding, []))),
        'text': coalesce(m.code.text, m.ingredient[1]."itemCodeableConcept".text)
      }
    end as concept
  from fhir_medication as m
  where m.id is not null
),
url_anywhere as (
  select full_url, min(id) as id from fhir_medication_url group by full_url having count(distinct id) = 1
),
wanted as (
  select
    r.rowid as rid,
    r.bundle,
    r."medicationCodeableConcept" as own_concept,
    r."medicationReference" as pointer,
    case when r."medicationReference".reference like '#%' then
      list_filter(
        json_transform(
          r.contained,
          '[{"id": "VARCHAR", "code": {"coding": [{"system": "VARCHAR", "code": "VARCHAR", "display": "VARCHAR"}], '
          || '"text": "VARCHAR"}}]'
        ),
        lambda c: ltrim(c.id, '#') = substr(r."medicationReference".reference, 2)
      )[1].code
    end as contained_concept
  from fhir_drug as r
),
found as (
  select
    w.*,
    m.medication_row,
    m.concept as medication_concept
  from wanted as w
  left join fhir_medication_url as near on near.bundle = w.bundle and near.full_url = w.pointer.reference
  left join url_anywhere as far on far.full_url = w.pointer.reference
  left join medications as m on m.id = coalesce(
    near.id,
    nullif(regexp_extract(w.pointer.reference, '(?:^|/)Medication/([^/?#|]+)(?:/_history/[^/?#]+)?$', 1), ''),
    far.id,
    nullif(regexp_extract(w.pointer.reference, '^urn:(?:uuid|oid):(.+)$', 1), '')
  )
)
select
  rid,
  bundle,
  pointer.reference as pointer,
  medication_row,
  coalesce(
    own_concept,
    contained_concept,
    medication_concept,
    case when pointer.display is not null then {
      'coding': cast([] as struct("system" varchar, code varchar, display varchar)[]), 'text': pointer.display
    } end
  ) as concept
from found;

insert into fhir_problem
select
  rid + getvariable('fhir_offset') as row_no,
  'medication' as field,
  pointer as value,
  case
    when pointer is null then 'The resource does not name a medication.'
    else 'No Medication of the source is meant by this reference.'
  end as reason,
  'Add the Medication to the source, or name the drug in medicationCodeableConcept.' as what_to_do
from fhir_drug_medication
where concept is null;
