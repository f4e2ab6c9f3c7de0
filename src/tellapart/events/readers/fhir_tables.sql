-- Working tables of the FHIR reader: everything beside the typed table of each family, which fhir.py creates.

-- one row per file: name as opened, name to print, row of its family's table where it begins, and whether row and line
-- agree (no blank lines)
create or replace temp table fhir_file (filename varchar, file varchar, first_row bigint, exact_lines boolean);

-- one row per line of text to be read as JSON, or whole document (line 1)
create or replace temp table fhir_line (filename varchar, line bigint, json varchar);

-- one row per resource isolated as JSON text; `line` is the line of NDJSON or the entry of a Bundle (from 1); bundle is
-- 0 outside Bundles
create or replace temp table fhir_text (
  filename varchar, line bigint, bundle bigint, full_url varchar, kind varchar, json varchar
);

-- one row per structure of a resource (DuckDB's json_structure) that has another shape than FHIR says
create or replace temp table fhir_misfit (structure varchar, field varchar);

-- one row per resource of a type that is not read
create or replace temp table fhir_other (
  filename varchar, line bigint, bundle bigint, full_url varchar, "resourceType" varchar, id varchar
);

-- one row per line, entry or file that is not a resource that can be read
create or replace temp table fhir_bad (
  filename varchar, line bigint, source_type varchar, reference varchar, field varchar, value varchar, reason varchar,
  what_to_do varchar
);

-- full URLs and identifiers of persons, taken before duplicates go
create or replace temp table fhir_patient_url (bundle bigint, full_url varchar, id varchar);
create or replace temp table fhir_patient_identifier (system varchar, value varchar, id varchar);

-- full URLs of medications
create or replace temp table fhir_medication_url (bundle bigint, full_url varchar, id varchar);

-- one row per row of the family at hand that cannot be used
create or replace temp table fhir_problem (
  row_no bigint, field varchar, value varchar, reason varchar, what_to_do varchar
);

-- medication of each drug row; filled by fhir_drug_medication.sql
create or replace temp table fhir_drug_medication (rid bigint, medication_row bigint);
