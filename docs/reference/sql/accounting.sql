-- accounting: one row per source type and class: how many source rows of it there are.
select source_type, class, count(*) as n
from row_classes
group by source_type, class
