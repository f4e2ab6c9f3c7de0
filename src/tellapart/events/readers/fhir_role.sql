-- source_rows of PractitionerRole: it only names the specialties of visits, so it is counted like a type that is not
-- read.
update source_rows
set class = case when list_contains(getvariable('fhir_not_needed'), source_type) then 'not_needed' else 'unmapped' end
where source_type = 'PractitionerRole' and class is null;
