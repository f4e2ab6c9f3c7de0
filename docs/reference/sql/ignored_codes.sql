-- ignored_codes: one row per code that is listed as irrelevant. Steered by not_needed, local_codes.
select
  system as short_system,
  case when system in ('icd10cm', 'icd10who', 'icd9cm') then upper(replace(code, '.', '')) else code end as code_key
from not_needed
union
select system as short_system, code_key from local_codes where rule = 'not_needed'
