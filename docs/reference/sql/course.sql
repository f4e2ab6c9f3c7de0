-- course: one row per person to date, clock, day and basis, as closed words: what was known of the person by that day.
-- clock `course`: by the day it happened; `known`: by the day it could be known. Undated marks never give a date.
-- To date: persons who meet a set, or who have a derived finding (its first day is read here). Only what is present can
-- meet a set, so days on which nothing new is present are no rows, and absence is left out. What was said before says nothing
-- new, unless a further occasion counts, and beyond as many as a set asks for none does.
with to_date as (
  select person from scores
  where basis = 'points' and (eular_acr_2019_met or slicc_2012_met or acr_1997_met or slerpi_met)
  union
  select person from masks where basis = 'points' and ((p1 & 576460889742376960) <> 0)
),
telling as (
  select w.person, w.date, w.known_date, w.p1, w.p2, w.p3, w.p4, w.p5, w.c1, w.c2, w.c3, w.c4, w.c5
  from weighed as w inner join to_date as t on t.person = w.person
  where w.date is not null and (w.p1 <> 0 or w.p2 <> 0 or w.p3 <> 0 or w.p4 <> 0 or w.p5 <> 0)
),
clocked as (
  select *, 'course' as clock, date as on_day from telling
  union all
  select *, 'known' as clock, known_date as on_day from telling where known_date is not null
),
new as (
  select person, clock, min(on_day) as on_day, p1, p2, p3, p4, p5, c1, c2, c3, c4, c5, case when (p1 & 2684354560) <> 0 then date end as date
  from clocked
  group by person, clock, p1, p2, p3, p4, p5, c1, c2, c3, c4, c5, case when (p1 & 2684354560) <> 0 then date end
),
numbered as (
  select *, row_number() over (partition by person, clock, p1, p2, p3, p4, p5, c1, c2, c3, c4, c5 order by on_day, date) as occasion
  from new
),
daily as (
  select person, clock, on_day, bit_or(p1) as p1, bit_or(p2) as p2, bit_or(p3) as p3, bit_or(p4) as p4, bit_or(p5) as p5, bit_or(c1) as c1, bit_or(c2) as c2, bit_or(c3) as c3, bit_or(c4) as c4, bit_or(c5) as c5
    , min(case when (p1 & 536870912) <> 0 then coalesce(date, date '0001-01-01') end) as first_0, max(case when (p1 & 536870912) <> 0 then coalesce(date, date '0001-01-01') end) as last_0, min(case when (p1 & 2147483648) <> 0 then coalesce(date, date '0001-01-01') end) as first_1, max(case when (p1 & 2147483648) <> 0 then coalesce(date, date '0001-01-01') end) as last_1
  from numbered
  where occasion <= 2
  group by person, clock, on_day
),
running as (
  select person, clock, on_day,
    bit_or(p1) over w as p1, bit_or(p2) over w as p2, bit_or(p3) over w as p3, bit_or(p4) over w as p4, bit_or(p5) over w as p5, bit_or(c1) over w as c1, bit_or(c2) over w as c2, bit_or(c3) over w as c3, bit_or(c4) over w as c4, bit_or(c5) over w as c5,
    cast(0 as bigint) as a1, cast(0 as bigint) as a2, cast(0 as bigint) as a3, cast(0 as bigint) as a4, cast(0 as bigint) as a5
    , min(first_0) over w as first_0, max(last_0) over w as last_0, min(first_1) over w as first_1, max(last_1) over w as last_1
  from daily
  window w as (partition by person, clock order by on_day rows between unbounded preceding and current row)
),
counted as (
  select person, clock, on_day, p1, p2, p3, p4, p5 | (case when first_0 < last_0 then 4398046511104 else 0 end | case when first_1 < last_1 then 8796093022208 else 0 end) as p5, c1, c2, c3 | (p3 & 67108864) as c3, c4, c5 | (case when first_0 < last_0 then 4398046511104 else 0 end | case when first_1 < last_1 then 8796093022208 else 0 end) as c5, a1, a2, a3, a4, a5
  from running
),
raw as (
  select person, clock, on_day, 'points' as basis, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from counted
  union all
  select person, clock, on_day, 'attributed' as basis, c1 as p1, c2 as p2, c3 as p3, c4 as p4, c5 as p5, a1 | (p1 & ~c1) as a1, a2 | (p2 & ~c2) as a2, a3 | (p3 & ~c3) as a3, a4 | (p4 & ~c4) as a4, a5 | (p5 & ~c5) as a5 from counted
),
closed as (
  select person, clock, on_day, basis, p1, p2, p3, p4, p5, a1 & ~p1 as a1, a2 & ~p2 as a2, a3 & ~p3 as a3, a4 & ~p4 as a4, a5 & ~p5 as a5
from (
  select person, clock, on_day, basis,
    p1 | (case when (p1 & 274877906944) <> 0 and (p1 & 549755813888) <> 0 then 137438953472 else 0 end) as p1, p2, p3, p4, p5,
    a1 | (case when (a1 & 824633720832) <> 0 then 137438953472 else 0 end) as a1, a2, a3, a4, a5
  from (
  select person, clock, on_day, basis,
    p1 | (case when (p3 & 1030792151040) <> 0 then 549755813888 else 0 end | case when (case when (p1 & 2305843009213693952) <> 0 then 1 else 0 end) + (case when (p2 & 1) <> 0 then 1 else 0 end) + (case when (p2 & 2) <> 0 then 1 else 0 end) + (case when (p1 & 144115188075855872) <> 0 then 1 else 0 end) >= 2 then 864691128455135232 else 0 end | case when (p1 & 6291456) <> 0 then 16777216 else 0 end | case when (p1 & 14680064) <> 0 then 33554432 else 0 end | case when (p1 & 1610612736) <> 0 then 67108864 else 0 end | case when (p1 & 458752) <> 0 then 524288 else 0 end) as p1, p2, p3 | (case when (p1 & 1) <> 0 then 67108864 else 0 end) as p3, p4, p5,
    a1 | (case when (a3 & 68719476736) <> 0 and (a3 & 137438953472) <> 0 and (a3 & 274877906944) <> 0 and (a3 & 549755813888) <> 0 then 549755813888 else 0 end | case when (case when (a1 & 2305843009213693952) <> 0 then 1 else 0 end) + (case when (a2 & 1) <> 0 then 1 else 0 end) + (case when (a2 & 2) <> 0 then 1 else 0 end) + (case when (a1 & 144115188075855872) <> 0 then 1 else 0 end) >= 3 then 576460752303423488 else 0 end | case when (a1 & 2097152) <> 0 and (a1 & 4194304) <> 0 then 23068672 else 0 end | case when (a1 & 1) <> 0 then 15 else 0 end | case when (a1 & 2097152) <> 0 and (a1 & 4194304) <> 0 and (a1 & 8388608) <> 0 then 65011712 else 0 end | case when (a1 & 536870912) <> 0 and (a1 & 1073741824) <> 0 then 5972688896 else 0 end | case when (a1 & 131072) <> 0 and (a1 & 262144) <> 0 and (a1 & 65536) <> 0 then 983040 else 0 end) as a1, a2, a3 | (case when (a3 & 68719476736) <> 0 and (a3 & 137438953472) <> 0 and (a3 & 274877906944) <> 0 and (a3 & 549755813888) <> 0 then 1030792151040 else 0 end | case when (a1 & 1) <> 0 then 67108864 else 0 end) as a3, a4 | (case when (a1 & 131072) <> 0 and (a1 & 262144) <> 0 and (a1 & 65536) <> 0 then 2 else 0 end) as a4, a5
  from (select person, clock, on_day, basis, p1, p2, p3, p4, p5, a1 & ~p1 as a1, a2 & ~p2 as a2, a3 & ~p3 as a3, a4 & ~p4 as a4, a5 & ~p5 as a5 from raw) as raw) as layer_1) as layer_2
),
judged as (
  select person, clock, on_day, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5,
    (case when not ((p5 & 1) <> 0) then 1099511627776 else 0 end | case when not ((p5 & 2) <> 0) then 2199023255552 else 0 end | case when not ((p5 & 4) <> 0) then 4398046511104 else 0 end | case when not ((p5 & 8) <> 0) then 8796093022208 else 0 end | case when not ((p5 & 16) <> 0) then 35184372088832 else 0 end | case when not ((p5 & 32) <> 0) then 70368744177664 else 0 end | case when not ((p5 & 64) <> 0) then 140737488355328 else 0 end | case when true then 281474976710656 else 0 end | case when not ((p5 & 256) <> 0) then 4503599627370496 else 0 end | case when not ((p2 & 549755813888) <> 0 or (p3 & 1048576) <> 0) then 9007199254740992 else 0 end | case when true then 18014398509481984 else 0 end | case when not ((p2 & 549755813888) <> 0 or (p3 & 1048576) <> 0) then 36028797018963968 else 0 end | case when not ((p5 & 4096) <> 0) then 1152921504606846976 else 0 end | case when not ((p5 & 8192) <> 0) then 2305843009213693952 else 0 end) as x1, (case when not ((p5 & 16384) <> 0) then 16384 else 0 end | case when not ((p5 & 32768) <> 0) then 16777216 else 0 end | case when true then 67108864 else 0 end | case when not ((p5 & 131072) <> 0) then 134217728 else 0 end | case when not ((p5 & 262144) <> 0) then 268435456 else 0 end | case when true then 1099511627776 else 0 end | case when true then 2199023255552 else 0 end | case when true then 4398046511104 else 0 end | case when true then 8796093022208 else 0 end | case when true then 17592186044416 else 0 end | case when true then 281474976710656 else 0 end | case when true then 562949953421312 else 0 end | case when true then 1125899906842624 else 0 end | case when true then 2251799813685248 else 0 end | case when true then 4503599627370496 else 0 end | case when true then 9007199254740992 else 0 end | case when true then 18014398509481984 else 0 end | case when true then 36028797018963968 else 0 end | case when true then 72057594037927936 else 0 end | case when true then 144115188075855872 else 0 end | case when true then 288230376151711744 else 0 end | case when true then 576460752303423488 else 0 end | case when true then 1152921504606846976 else 0 end | case when true then 2305843009213693952 else 0 end) as x2, (case when not ((p5 & 274877906944) <> 0) then 262144 else 0 end | case when not ((p5 & 549755813888) <> 0) then 524288 else 0 end | case when true then 8388608 else 0 end) as x3, (case when true then 128 else 0 end) as x4, cast(0 as bigint) as x5
  from closed
  where basis = 'attributed'
)
select person, clock, on_day, basis, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from closed
union all
select person, clock, on_day, 'specific' as basis, p1 & ~x1 as p1, p2 & ~x2 as p2, p3 & ~x3 as p3, p4 & ~x4 as p4, p5 & ~x5 as p5, a1 | (p1 & x1) as a1, a2 | (p2 & x2) as a2, a3 | (p3 & x3) as a3, a4 | (p4 & x4) as a4, a5 | (p5 & x5) as a5 from judged
