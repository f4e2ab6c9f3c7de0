-- source_rows of Medication: used when a drug of a person names it, else unmapped (nobody is known to take it).
-- Needs fhir_offset of the family medication.
update source_rows
set class = case
  when row_no in (
    select medication_row + getvariable('fhir_offset') from fhir_drug_medication where medication_row is not null
  ) then 'used'
  else 'unmapped'
end
where source_type = 'Medication' and class is null;
