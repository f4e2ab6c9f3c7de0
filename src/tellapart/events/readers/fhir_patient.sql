-- patients: one row per Patient (its duplicates are gone by now).
insert into patients
select
  r.id as person_id,
  case when r.gender in ('male', 'female', 'other') then r.gender else 'unknown' end as sex,
  r."birthDate" as birth_date,
  r."deceasedDateTime" as death_date,
  r.rowid + getvariable('fhir_offset') as row_no
from fhir_patient as r
where r.id is not null and not contains(r.id, '#');
