-- ignored_codes: one row per code that is listed as irrelevant. Steered by not_needed.
select distinct
  system as short_system,
  case when system in ('icd10cm', 'icd10who', 'icd9cm') then upper(replace(code, '.', '')) else code end as code_key
from not_needed
