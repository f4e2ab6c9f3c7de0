-- Macros of the FHIR reader, temporary and dropped with its tables. They hold FHIR R4's own words, nothing clinical.

-- status of a record with the codes of Observation, DiagnosticReport, QuestionnaireResponse, FamilyMemberHistory,
-- Medication: http://hl7.org/fhir/R4/valueset-observation-status.html
create or replace temp macro fhir_record_status(code) as
  case when code in ('entered-in-error', 'cancelled') then 'withdrawn' else 'asserted' end;

-- status of something done (Procedure, Encounter, Immunization): what was only planned, or not done, tells nothing
create or replace temp macro fhir_done(code) as
  case when code in ('entered-in-error', 'cancelled', 'not-done', 'preparation', 'planned') then 'withdrawn'
    else 'asserted' end;

-- Condition and AllergyIntolerance: http://hl7.org/fhir/R4/valueset-condition-ver-status.html
create or replace temp macro fhir_verified(concept) as
  case
    when list_contains(list_transform(concept.coding, lambda c: c.code), 'entered-in-error') then 'withdrawn'
    when list_contains(list_transform(concept.coding, lambda c: c.code), 'refuted') then 'refuted'
    else 'asserted'
  end;

-- the four medication resources: an order not carried out is no exposure, and no evidence of absence either; only
-- MedicationStatement 'not-taken' and an order not to give say that the person does not take it
create or replace temp macro fhir_drug_status(kind, code, intent, do_not_perform) as
  case
    when code in ('entered-in-error', 'cancelled', 'draft', 'not-done', 'declined', 'intended', 'preparation')
      then 'withdrawn'
    when intent in ('proposal', 'option') then 'withdrawn'
    when code = 'not-taken' or do_not_perform = 'true' then 'refuted'
    else 'asserted'
  end;

-- how a report prints a resource; an id made by the reader for a resource without one holds '#' and names the file
create or replace temp macro fhir_reference(kind, id) as
  case when contains(id, '#') then id else kind || '/' || id end;

-- reference of a subject: the text of the reference, or the identifier of a logical one
create or replace temp macro fhir_subject_key(subject) as
  coalesce(
    nullif(subject.reference, ''),
    'identifier:' || coalesce(subject.identifier.system, '') || '|' || subject.identifier.value,
    ''
  );

-- codings of a concept; a concept with text only has one coding, whose display is the text
create or replace temp macro fhir_codings(concept) as
  case
    when len(concept.coding) > 0 then concept.coding
    when concept.text is not null
      then [{'system': cast(null as varchar), 'code': cast(null as varchar), 'display': concept.text}]
  end;

create or replace temp macro fhir_concept_text(concept) as
  coalesce(concept.text, concept.coding[1].display, concept.coding[1].code);

-- UCUM code, else the text of the unit; a code of another system than UCUM is not a unit
create or replace temp macro fhir_unit(quantity) as
  case
    when quantity.code is not null and (
      quantity.system is null or quantity.system = 'http://unitsofmeasure.org' or quantity.unit is null
    ) then quantity.code
    else quantity.unit
  end;

-- number of a ratio without a trailing '.0': 1:320.0 is the titre 1:320
create or replace temp macro fhir_whole(number_text) as regexp_replace(number_text, '\.0+$', '');

-- a ratio is a titre ('1:320') unless its parts carry units; then it is one number with the unit of the division
create or replace temp macro fhir_ratio(ratio) as
  case
    when ratio.numerator.value is null or ratio.denominator.value is null then null
    when fhir_unit(ratio.numerator) is null and fhir_unit(ratio.denominator) is null
      then fhir_whole(ratio.numerator.value) || ':' || fhir_whole(ratio.denominator.value)
    else coalesce(
      cast(
        try_cast(ratio.numerator.value as double) / nullif(try_cast(ratio.denominator.value as double), 0) as varchar
      ),
      ratio.numerator.value || ':' || ratio.denominator.value
    )
  end;

create or replace temp macro fhir_ratio_unit(ratio) as
  fhir_unit(ratio.numerator) || coalesce('/' || fhir_unit(ratio.denominator), '');

-- the words of SNOMED CT end in what they are ('Positive (qualifier value)') and may repeat the test ('Urine protein
-- test = ++ (finding)'); the word alone is the result
create or replace temp macro fhir_word(words) as
  regexp_replace(regexp_replace(words, ' \((qualifier value|finding)\)$', ''), '^.* test = ', '');

create or replace temp macro fhir_value(r) as
  coalesce(
    r.valueQuantity.value,
    r.valueString,
    fhir_word(fhir_concept_text(r.valueCodeableConcept)),
    r.valueInteger,
    r.valueBoolean,
    r.valueRange.low.value,
    r.valueRange.high.value,
    fhir_ratio(r.valueRatio)
  );

create or replace temp macro fhir_comparator(r) as
  coalesce(
    r.valueQuantity.comparator,
    case
      when r.valueRange.low.value is null and r.valueRange.high.value is not null then '<='
      when r.valueRange.low.value is not null and r.valueRange.high.value is null then '>='
    end,
    r.valueRatio.denominator.comparator,
    r.valueRatio.numerator.comparator
  );

create or replace temp macro fhir_value_unit(r) as
  coalesce(
    fhir_unit(r.valueQuantity), fhir_unit(r.valueRange.low), fhir_unit(r.valueRange.high), fhir_ratio_unit(r.valueRatio)
  );

-- the usual range of the laboratory: the one range that is 'normal' (or says no type) and meant for everybody. Several
-- ranges for different people cannot be told apart here, so then there is none: unknown, not wrong.
create or replace temp macro fhir_usual_ranges(ranges) as
  list_filter(
    ranges,
    lambda x: coalesce(x.type.coding[1].code, 'normal') = 'normal' and coalesce(len(x.appliesTo), 0) = 0
  );

create or replace temp macro fhir_usual_range(ranges) as
  case
    when len(ranges) = 1 and coalesce(ranges[1].type.coding[1].code, 'normal') = 'normal' then ranges[1]
    when len(ranges) > 1 and len(fhir_usual_ranges(ranges)) = 1 then fhir_usual_ranges(ranges)[1]
  end;

-- interpretation: its first code, else its text; a coded value that is itself an interpretation (POS), a
-- SNOMED CT qualifier or a LOINC answer (both have a code for Positive) says the same
create or replace temp macro fhir_interpretation(r) as
  coalesce(
    r.interpretation[1].coding[1].code,
    r.interpretation[1].text,
    list_filter(
      r.valueCodeableConcept.coding,
      lambda c: c.system in (
        'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
        'http://terminology.hl7.org/CodeSystem/v2-0078',
        'http://snomed.info/sct',
        'http://loinc.org'
      )
    )[1].code
  );

-- is this reference the patient, or a relative speaking for the patient?
create or replace temp macro fhir_is_patient(reference, subject_reference) as
  reference = subject_reference
  or regexp_matches(reference, '(^|/)(Patient|RelatedPerson)/');

create or replace temp macro fhir_notes(note) as
  nullif(array_to_string(list_transform(note, lambda n: n.text), ' '), '');
