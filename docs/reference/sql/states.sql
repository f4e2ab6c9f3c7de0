-- states: one row per person with any finding, as closed words (present p, absent a). Steered by finding_derived.
-- Two occasions are two distinct dates; all undated entries together are one.
with summed as (
  select person, bit_or(p1) as p1, bit_or(p2) as p2, bit_or(p3) as p3, bit_or(p4) as p4, bit_or(p5) as p5, bit_or(a1) as a1, bit_or(a2) as a2, bit_or(a3) as a3, bit_or(a4) as a4, bit_or(a5) as a5, min(case when (p1 & 536870912) <> 0 then coalesce(date, date '0001-01-01') end) as first_0, max(case when (p1 & 536870912) <> 0 then coalesce(date, date '0001-01-01') end) as last_0, min(case when (p1 & 2147483648) <> 0 then coalesce(date, date '0001-01-01') end) as first_1, max(case when (p1 & 2147483648) <> 0 then coalesce(date, date '0001-01-01') end) as last_1
  from (
    select person, date, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from marks
    union all
    select person, date, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from form_marks
  ) as said
  group by person
),
counted as (
  select person, p1, p2, p3, p4, p5 | (case when first_0 < last_0 then 4398046511104 else 0 end | case when first_1 < last_1 then 8796093022208 else 0 end) as p5, a1, a2, a3, a4, a5
  from summed
)
select person, p1, p2, p3, p4, p5, a1 & ~p1 as a1, a2 & ~p2 as a2, a3 & ~p3 as a3, a4 & ~p4 as a4, a5 & ~p5 as a5
from (
  select person,
    p1 | (case when (p1 & 274877906944) <> 0 and (p1 & 549755813888) <> 0 then 137438953472 else 0 end) as p1, p2, p3, p4, p5,
    a1 | (case when (a1 & 824633720832) <> 0 then 137438953472 else 0 end) as a1, a2, a3, a4, a5
  from (
  select person,
    p1 | (case when (p3 & 1030792151040) <> 0 then 549755813888 else 0 end | case when (case when (p1 & 2305843009213693952) <> 0 then 1 else 0 end) + (case when (p2 & 1) <> 0 then 1 else 0 end) + (case when (p2 & 2) <> 0 then 1 else 0 end) + (case when (p1 & 144115188075855872) <> 0 then 1 else 0 end) >= 2 then 864691128455135232 else 0 end | case when (p1 & 6291456) <> 0 then 16777216 else 0 end | case when (p1 & 14680064) <> 0 then 33554432 else 0 end | case when (p1 & 1610612736) <> 0 then 67108864 else 0 end | case when (p1 & 458752) <> 0 then 524288 else 0 end) as p1, p2, p3 | (case when (p1 & 1) <> 0 then 67108864 else 0 end) as p3, p4, p5,
    a1 | (case when (a3 & 68719476736) <> 0 and (a3 & 137438953472) <> 0 and (a3 & 274877906944) <> 0 and (a3 & 549755813888) <> 0 then 549755813888 else 0 end | case when (case when (a1 & 2305843009213693952) <> 0 then 1 else 0 end) + (case when (a2 & 1) <> 0 then 1 else 0 end) + (case when (a2 & 2) <> 0 then 1 else 0 end) + (case when (a1 & 144115188075855872) <> 0 then 1 else 0 end) >= 3 then 576460752303423488 else 0 end | case when (a1 & 2097152) <> 0 and (a1 & 4194304) <> 0 then 23068672 else 0 end | case when (a1 & 1) <> 0 then 15 else 0 end | case when (a1 & 2097152) <> 0 and (a1 & 4194304) <> 0 and (a1 & 8388608) <> 0 then 65011712 else 0 end | case when (a1 & 536870912) <> 0 and (a1 & 1073741824) <> 0 then 5972688896 else 0 end | case when (a1 & 131072) <> 0 and (a1 & 262144) <> 0 and (a1 & 65536) <> 0 then 983040 else 0 end) as a1, a2, a3 | (case when (a3 & 68719476736) <> 0 and (a3 & 137438953472) <> 0 and (a3 & 274877906944) <> 0 and (a3 & 549755813888) <> 0 then 1030792151040 else 0 end | case when (a1 & 1) <> 0 then 67108864 else 0 end) as a3, a4 | (case when (a1 & 131072) <> 0 and (a1 & 262144) <> 0 and (a1 & 65536) <> 0 then 2 else 0 end) as a4, a5
  from (select person, p1, p2, p3, p4, p5, a1 & ~p1 as a1, a2 & ~p2 as a2, a3 & ~p3 as a3, a4 & ~p4 as a4, a5 & ~p5 as a5 from counted) as raw) as layer_1) as layer_2
