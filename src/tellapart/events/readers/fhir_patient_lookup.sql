-- fhir_patient_url, fhir_patient_identifier: one row per full URL and per identifier of a person, from every copy of
-- it.
insert into fhir_patient_url
select distinct bundle, full_url, id from fhir_patient where full_url is not null and id is not null;

insert into fhir_patient_identifier
select distinct coalesce(i.x."system", '') as "system", i.x.value as value, p.id
from fhir_patient as p
cross join unnest(p.identifier) as i(x)
where i.x.value is not null and p.id is not null;
