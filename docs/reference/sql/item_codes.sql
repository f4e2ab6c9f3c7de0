-- item_codes: one row per code of an instrument's item or site, with the range of its answers.
-- Steered by instrument_items, instrument_sites, pain_sites.
select instrument || '.' || item as code, try_cast(low as double) as low, try_cast(high as double) as high
from instrument_items
union all
select i.instrument || '.site.' || s.site as code, cast(0 as double) as low, cast(1 as double) as high
from instrument_sites as i
cross join pain_sites as s
where s.wpi = 'yes'
