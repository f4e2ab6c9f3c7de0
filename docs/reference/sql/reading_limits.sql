-- reading_limits: one row: the days between which a date is possible, and the limits for numbers without a unit.
-- Steered by limits (date_year_min, date_year_max, titre_min, range_proof_factor).
select
  make_date(cast(max(case when "limit" = 'date_year_min' then cast(value as double) end) as integer), 1, 1)
    as first_day,
  make_date(cast(max(case when "limit" = 'date_year_max' then cast(value as double) end) as integer) + 1, 1, 1)
    as day_after,
  coalesce(max(case when "limit" = 'titre_min' then cast(value as double) end), 0) as titre_min,
  max(case when "limit" = 'range_proof_factor' then cast(value as double) end) as proof
from limits
