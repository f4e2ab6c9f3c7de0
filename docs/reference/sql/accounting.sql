-- accounting: one row per source type and class: how many source rows of it there are, those only counted too.
select source_type, class, cast(sum(n) as bigint) as n
from (
  select source_type, class, count(*) as n from row_classes group by source_type, class
  union all
  select source_type, class, n from left_out
) as c
group by source_type, class
