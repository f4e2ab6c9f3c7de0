-- fhir_medication_url: one row per full URL of a Medication, from every copy of it.
insert into fhir_medication_url
select distinct bundle, full_url, id from fhir_medication where full_url is not null and id is not null;
