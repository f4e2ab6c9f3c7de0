-- whatif: one row per person of interest, set and change of its items that would decide it: the fewest unknown items that
-- could still make a set met (change `add`), and each item without which a set that is met would not be (`drop`).
-- Steered by set_items, criteria_sets, limits (fewest_items, fewest_shown). The changed words go through the same scores.
with base as (
  select n.person, coalesce(m.p1, 0) as p1, coalesce(m.p2, 0) as p2, coalesce(m.p3, 0) as p3, coalesce(m.p4, 0) as p4, coalesce(m.p5, 0) as p5, coalesce(m.a1, 0) as a1, coalesce(m.a2, 0) as a2, coalesce(m.a3, 0) as a3, coalesce(m.a4, 0) as a4, coalesce(m.a5, 0) as a5, coalesce(s.eular_acr_2019_met, false) as eular_acr_2019_met, coalesce(s.slicc_2012_met, false) as slicc_2012_met, coalesce(s.acr_1997_met, false) as acr_1997_met, coalesce(s.slerpi_met, false) as slerpi_met
  from interest as n
  left join masks as m on m.person = n.person and m.basis = 'points'
  left join scores as s on s.person = n.person and s.basis = 'points'
),
now as (
  select person, unnest([
    case when ((p2 & 16777216) <> 0) then 1 when not (((a2 & 16777216) <> 0)) then -1 end,
    case when ((p1 & 536870912) <> 0) then 2 when not (((a1 & 536870912) <> 0)) then -2 end,
    case when ((p1 & 68719476736) <> 0) then 3 when not (((a1 & 68719476736) <> 0)) then -3 end,
    case when ((p1 & 137438953472) <> 0) then 4 when not (((a1 & 137438953472) <> 0)) then -4 end,
    case when ((p2 & 65536) <> 0) then 5 when not (((a2 & 65536) <> 0)) then -5 end,
    case when ((p2 & 32768) <> 0 and not ((p2 & 65536) <> 0)) then 6 when not (((a2 & 32768) <> 0 or (p2 & 65536) <> 0)) then -6 end,
    case when ((p2 & 16384) <> 0) then 7 when not (((a2 & 16384) <> 0)) then -7 end,
    case when ((p1 & 140737488355328) <> 0) then 8 when not (((a1 & 140737488355328) <> 0)) then -8 end,
    case when ((p1 & 35184372088832) <> 0) then 9 when not (((a1 & 35184372088832) <> 0)) then -9 end,
    case when ((p1 & 4398046511104) <> 0) or ((p1 & 8796093022208) <> 0) then 10 when not (((a1 & 4398046511104) <> 0) and ((a1 & 8796093022208) <> 0)) then -10 end,
    case when ((p1 & 2199023255552) <> 0) then 11 when not (((a1 & 2199023255552) <> 0)) then -11 end,
    case when ((p1 & 72057594037927936) <> 0) or ((p1 & 144115188075855872) <> 0) then 12 when not (((a1 & 72057594037927936) <> 0) and ((a1 & 144115188075855872) <> 0)) then -12 end,
    case when ((p1 & 576460752303423488) <> 0) then 13 when not (((a1 & 576460752303423488) <> 0)) then -13 end,
    case when ((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0) then 14 when not (((a1 & 4503599627370496) <> 0) and ((a1 & 9007199254740992) <> 0 or (a1 & 36028797018963968) <> 0)) then -14 end,
    case when ((p2 & 4) <> 0) then 15 when not (((a2 & 4) <> 0)) then -15 end,
    case when ((p2 & 256) <> 0) or ((p2 & 2048) <> 0) then 16 when not (((a2 & 256) <> 0) and ((a2 & 2048) <> 0)) then -16 end,
    case when ((p2 & 512) <> 0) or ((p2 & 1024) <> 0) then 17 when not (((a2 & 512) <> 0) and ((a2 & 1024) <> 0)) then -17 end,
    case when ((p1 & 131072) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p4 & 2) <> 0) then 18 when not (((a1 & 131072) <> 0) and ((a1 & 262144) <> 0) and ((a1 & 65536) <> 0) and ((a1 & 524288) <> 0) and ((a4 & 2) <> 0)) then -18 end,
    case when ((p1 & 16777216) <> 0) then 19 when not (((a1 & 16777216) <> 0)) then -19 end,
    case when ((p1 & 2097152) <> 0 and (p1 & 4194304) <> 0) then 20 when not (((a1 & 2097152) <> 0 or (a1 & 4194304) <> 0)) then -20 end,
    case when ((p3 & 16777216) <> 0) then 21 when not (((a3 & 16777216) <> 0)) then -21 end,
    case when ((p1 & 64) <> 0) then 22 when not (((a1 & 64) <> 0)) then -22 end,
    case when ((p1 & 2199023255552) <> 0) or ((p1 & 4398046511104) <> 0) or ((p3 & 262144) <> 0) then 23 when not (((a1 & 2199023255552) <> 0) and ((a1 & 4398046511104) <> 0) and ((a3 & 262144) <> 0)) then -23 end,
    case when ((p3 & 524288) <> 0) then 24 when not (((a3 & 524288) <> 0)) then -24 end,
    case when ((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0) then 25 when not (((a1 & 35184372088832) <> 0) and ((a1 & 70368744177664) <> 0)) then -25 end,
    case when ((p1 & 140737488355328) <> 0) then 26 when not (((a1 & 140737488355328) <> 0)) then -26 end,
    case when ((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0) then 27 when not (((a1 & 4503599627370496) <> 0) and ((a1 & 9007199254740992) <> 0 or (a1 & 36028797018963968) <> 0)) then -27 end,
    case when ((p1 & 1152921504606846976) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 2305843009213693952) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p2 & 1) <> 0) or ((p2 & 2) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0) then 28 when not (((a1 & 1152921504606846976) <> 0) and ((a1 & 72057594037927936) <> 0) and ((a3 & 131072) <> 0) and ((a1 & 2305843009213693952) <> 0) and ((a1 & 144115188075855872) <> 0) and ((a2 & 1) <> 0) and ((a2 & 2) <> 0) and ((a1 & 576460752303423488) <> 0) and ((a1 & 288230376151711744) <> 0)) then -28 end,
    case when ((p1 & 17179869184) <> 0) or ((p2 & 16) <> 0) then 29 when not (((a1 & 17179869184) <> 0) and ((a2 & 16) <> 0)) then -29 end,
    case when ((p2 & 16384) <> 0) or ((p2 & 32768) <> 0) or ((p2 & 262144) <> 0) or ((p2 & 131072) <> 0) or ((p2 & 524288) <> 0) or ((p2 & 1048576) <> 0) or ((p2 & 65536) <> 0) then 30 when not (((a2 & 16384) <> 0) and ((a2 & 32768) <> 0) and ((a2 & 262144) <> 0) and ((a2 & 131072) <> 0) and ((a2 & 524288) <> 0) and ((a2 & 1048576) <> 0) and ((a2 & 65536) <> 0)) then -30 end,
    case when ((p1 & 137438953472) <> 0) then 31 when not (((a1 & 137438953472) <> 0)) then -31 end,
    case when ((p1 & 536870912) <> 0) or ((p1 & 1073741824) <> 0) or ((p1 & 67108864) <> 0) then 32 when not (((a1 & 536870912) <> 0) and ((a1 & 1073741824) <> 0) and ((a1 & 67108864) <> 0)) then -32 end,
    case when ((p1 & 68719476736) <> 0) then 33 when not (((a1 & 68719476736) <> 0)) then -33 end,
    case when ((p1 & 16) <> 0) then 34 when not (((a1 & 16) <> 0)) then -34 end,
    case when ((p1 & 34359738368) <> 0) then 35 when not (((a1 & 34359738368) <> 0)) then -35 end,
    case when ((p1 & 64) <> 0) then 36 when not (((a1 & 64) <> 0)) then -36 end,
    case when ((p1 & 131072) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p1 & 1048576) <> 0) or ((p4 & 2) <> 0) then 37 when not (((a1 & 131072) <> 0) and ((a1 & 262144) <> 0) and ((a1 & 65536) <> 0) and ((a1 & 524288) <> 0) and ((a1 & 1048576) <> 0) and ((a4 & 2) <> 0)) then -37 end,
    case when ((p1 & 2097152) <> 0) or ((p1 & 4194304) <> 0) or ((p1 & 8388608) <> 0) or ((p1 & 16777216) <> 0) or ((p1 & 33554432) <> 0) then 38 when not (((a1 & 2097152) <> 0) and ((a1 & 4194304) <> 0) and ((a1 & 8388608) <> 0) and ((a1 & 16777216) <> 0) and ((a1 & 33554432) <> 0)) then -38 end,
    case when ((p1 & 274877906944) <> 0 and not ((p1 & 137438953472) <> 0)) then 39 when not (((a1 & 274877906944) <> 0 or (p1 & 137438953472) <> 0)) then -39 end,
    case when ((p1 & 1099511627776) <> 0) then 40 when not (((a1 & 1099511627776) <> 0)) then -40 end,
    case when ((p1 & 8796093022208) <> 0) then 41 when not (((a1 & 8796093022208) <> 0)) then -41 end,
    case when ((p1 & 17592186044416) <> 0) or ((p3 & 262144) <> 0) then 42 when not (((a1 & 17592186044416) <> 0) and ((a3 & 262144) <> 0)) then -42 end,
    case when ((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0) then 43 when not (((a1 & 35184372088832) <> 0) and ((a1 & 70368744177664) <> 0)) then -43 end,
    case when ((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0) then 44 when not (((a1 & 4503599627370496) <> 0) and ((a1 & 9007199254740992) <> 0)) then -44 end,
    case when ((p1 & 1152921504606846976) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p2 & 2) <> 0) or ((p2 & 1) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0) then 45 when not (((a1 & 1152921504606846976) <> 0) and ((a3 & 131072) <> 0) and ((a1 & 72057594037927936) <> 0) and ((a2 & 2) <> 0) and ((a2 & 1) <> 0) and ((a1 & 144115188075855872) <> 0) and ((a1 & 576460752303423488) <> 0) and ((a1 & 288230376151711744) <> 0)) then -45 end,
    case when ((p2 & 4) <> 0) or ((p3 & 134217728) <> 0) or ((p2 & 8) <> 0) then 46 when not (((a2 & 4) <> 0) and ((a3 & 134217728) <> 0) and ((a2 & 8) <> 0)) then -46 end,
    case when ((p2 & 16384) <> 0) or ((p2 & 32768) <> 0) then 47 when not (((a2 & 16384) <> 0) and ((a2 & 32768) <> 0)) then -47 end,
    case when ((p1 & 137438953472) <> 0) or ((p1 & 536870912) <> 0 and (p5 & 4398046511104) <> 0) or ((p1 & 2147483648) <> 0 and (p5 & 8796093022208) <> 0) or ((p1 & 68719476736) <> 0) then 48 when not (((a1 & 137438953472) <> 0) and ((a1 & 536870912) <> 0) and ((a1 & 2147483648) <> 0) and ((a1 & 68719476736) <> 0)) then -48 end,
    case when ((p1 & 32) <> 0) or ((p1 & 64) <> 0) or ((p4 & 1) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 1048576) <> 0) then 49 when not (((a1 & 32) <> 0) and ((a1 & 64) <> 0) and ((a4 & 1) <> 0) and ((a1 & 65536) <> 0) and ((a1 & 1048576) <> 0)) then -49 end,
    case when ((p1 & 16) <> 0) then 50 when not (((a1 & 16) <> 0)) then -50 end,
    case when ((p1 & 2199023255552) <> 0) then 51 when not (((a1 & 2199023255552) <> 0)) then -51 end,
    case when ((p1 & 4398046511104) <> 0) or ((p1 & 8796093022208) <> 0) then 52 when not (((a1 & 4398046511104) <> 0) and ((a1 & 8796093022208) <> 0)) then -52 end,
    case when ((p1 & 140737488355328) <> 0) then 53 when not (((a1 & 140737488355328) <> 0)) then -53 end,
    case when ((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0) then 54 when not (((a1 & 35184372088832) <> 0) and ((a1 & 70368744177664) <> 0)) then -54 end,
    case when ((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0) then 55 when not (((a1 & 4503599627370496) <> 0) and ((a1 & 9007199254740992) <> 0 or (a1 & 36028797018963968) <> 0)) then -55 end,
    case when ((p1 & 1152921504606846976) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 2305843009213693952) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p2 & 1) <> 0) or ((p2 & 2) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0) then 56 when not (((a1 & 1152921504606846976) <> 0) and ((a1 & 72057594037927936) <> 0) and ((a3 & 131072) <> 0) and ((a1 & 2305843009213693952) <> 0) and ((a1 & 144115188075855872) <> 0) and ((a2 & 1) <> 0) and ((a2 & 2) <> 0) and ((a1 & 576460752303423488) <> 0) and ((a1 & 288230376151711744) <> 0)) then -56 end,
    case when ((p1 & 536870912) <> 0) then 57 when not (((a1 & 536870912) <> 0)) then -57 end,
    case when ((p1 & 68719476736) <> 0) or ((p1 & 137438953472) <> 0) then 58 when not (((a1 & 68719476736) <> 0) and ((a1 & 137438953472) <> 0)) then -58 end,
    case when ((p2 & 16384) <> 0) or ((p2 & 32768) <> 0) or ((p2 & 262144) <> 0) or ((p2 & 131072) <> 0) or ((p2 & 524288) <> 0) or ((p2 & 1048576) <> 0) or ((p2 & 65536) <> 0) then 59 when not (((a2 & 16384) <> 0) and ((a2 & 32768) <> 0) and ((a2 & 262144) <> 0) and ((a2 & 131072) <> 0) and ((a2 & 524288) <> 0) and ((a2 & 1048576) <> 0) and ((a2 & 65536) <> 0)) then -59 end,
    case when ((p2 & 4) <> 0) then 60 when not (((a2 & 4) <> 0)) then -60 end,
    case when ((p1 & 16) <> 0) then 61 when not (((a1 & 16) <> 0)) then -61 end,
    case when ((p1 & 2097152) <> 0 and (p1 & 4194304) <> 0) then 62 when not (((a1 & 2097152) <> 0 or (a1 & 4194304) <> 0)) then -62 end,
    case when ((p1 & 32) <> 0) or ((p1 & 64) <> 0) or ((p4 & 1) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p1 & 1048576) <> 0) then 63 when not (((a1 & 32) <> 0) and ((a1 & 64) <> 0) and ((a4 & 1) <> 0) and ((a1 & 262144) <> 0) and ((a1 & 65536) <> 0) and ((a1 & 524288) <> 0) and ((a1 & 1048576) <> 0)) then -63 end,
    case when ((p2 & 2147483648) <> 0) then 64 when not (((a2 & 2147483648) <> 0)) then -64 end
    , case when not ((p3 & 67108864) <> 0) and not ((a3 & 67108864) <> 0) then -65 end, case when not ((p3 & 1099511627776) <> 0) and not ((a3 & 1099511627776) <> 0) then -66 end, case when not ((p1 & 32) <> 0) and not ((a1 & 32) <> 0) then -67 end
  ]) as code
  from base
),
stand as (
  select n.person, i."set", i.number, i.item, i.choice, i.kind, i.points, i.opens, n.code < 0 as unknown, i.g1, i.g2, i.g3, i.g4, i.g5, i.o1, i.o2, i.o3, i.o4, i.o5
  from now as n
  inner join set_items as i on i.number = abs(n.code)
),
hopes as (
  -- a few of each kind are enough: no other item of the kind could do more
  select *
  from (
    select *, row_number() over (partition by person, "set", kind order by opens desc, points desc, number) as rank
    from (
      select *, row_number() over (partition by person, "set", choice order by points desc, number) as place
      from stand
      where unknown and points >= 0
    ) as chosen
    where place = 1
  ) as ranked
  where rank <= 5
),
ways_1 as (
  select person, "set", number as last, item as items, points, g1, g2, g3, g4, g5 from hopes
),
ways_2 as (
  select w.person, w."set", h.number as last, w.items || ';' || h.item as items, w.points + h.points as points, (w.g1 | h.g1) as g1, (w.g2 | h.g2) as g2, (w.g3 | h.g3) as g3, (w.g4 | h.g4) as g4, (w.g5 | h.g5) as g5
  from ways_1 as w
  inner join hopes as h on h.person = w.person and h."set" = w."set" and h.number > w.last
),
ways_3 as (
  select w.person, w."set", h.number as last, w.items || ';' || h.item as items, w.points + h.points as points, (w.g1 | h.g1) as g1, (w.g2 | h.g2) as g2, (w.g3 | h.g3) as g3, (w.g4 | h.g4) as g4, (w.g5 | h.g5) as g5
  from ways_2 as w
  inner join hopes as h on h.person = w.person and h."set" = w."set" and h.number > w.last
),
ways_4 as (
  select w.person, w."set", h.number as last, w.items || ';' || h.item as items, w.points + h.points as points, (w.g1 | h.g1) as g1, (w.g2 | h.g2) as g2, (w.g3 | h.g3) as g3, (w.g4 | h.g4) as g4, (w.g5 | h.g5) as g5
  from ways_3 as w
  inner join hopes as h on h.person = w.person and h."set" = w."set" and h.number > w.last
),
changed as (
  select w.person, w."set", 'add' as change, 1 as size, w.items, w.points as worth,
    b.p1 | (w.g1 & ~b.a1) as p1, b.p2 | (w.g2 & ~b.a2) as p2, b.p3 | (w.g3 & ~b.a3) as p3, b.p4 | (w.g4 & ~b.a4) as p4, b.p5 | (w.g5 & ~b.a5) as p5, b.a1, b.a2, b.a3, b.a4, b.a5
  from ways_1 as w inner join base as b on b.person = w.person
  where case w."set" when 'eular_acr_2019' then not b.eular_acr_2019_met when 'slicc_2012' then not b.slicc_2012_met when 'acr_1997' then not b.acr_1997_met when 'slerpi' then not b.slerpi_met end
  union all
  select w.person, w."set", 'add' as change, 2 as size, w.items, w.points as worth,
    b.p1 | (w.g1 & ~b.a1) as p1, b.p2 | (w.g2 & ~b.a2) as p2, b.p3 | (w.g3 & ~b.a3) as p3, b.p4 | (w.g4 & ~b.a4) as p4, b.p5 | (w.g5 & ~b.a5) as p5, b.a1, b.a2, b.a3, b.a4, b.a5
  from ways_2 as w inner join base as b on b.person = w.person
  where case w."set" when 'eular_acr_2019' then not b.eular_acr_2019_met when 'slicc_2012' then not b.slicc_2012_met when 'acr_1997' then not b.acr_1997_met when 'slerpi' then not b.slerpi_met end
  union all
  select w.person, w."set", 'add' as change, 3 as size, w.items, w.points as worth,
    b.p1 | (w.g1 & ~b.a1) as p1, b.p2 | (w.g2 & ~b.a2) as p2, b.p3 | (w.g3 & ~b.a3) as p3, b.p4 | (w.g4 & ~b.a4) as p4, b.p5 | (w.g5 & ~b.a5) as p5, b.a1, b.a2, b.a3, b.a4, b.a5
  from ways_3 as w inner join base as b on b.person = w.person
  where case w."set" when 'eular_acr_2019' then not b.eular_acr_2019_met when 'slicc_2012' then not b.slicc_2012_met when 'acr_1997' then not b.acr_1997_met when 'slerpi' then not b.slerpi_met end
  union all
  select w.person, w."set", 'add' as change, 4 as size, w.items, w.points as worth,
    b.p1 | (w.g1 & ~b.a1) as p1, b.p2 | (w.g2 & ~b.a2) as p2, b.p3 | (w.g3 & ~b.a3) as p3, b.p4 | (w.g4 & ~b.a4) as p4, b.p5 | (w.g5 & ~b.a5) as p5, b.a1, b.a2, b.a3, b.a4, b.a5
  from ways_4 as w inner join base as b on b.person = w.person
  where case w."set" when 'eular_acr_2019' then not b.eular_acr_2019_met when 'slicc_2012' then not b.slicc_2012_met when 'acr_1997' then not b.acr_1997_met when 'slerpi' then not b.slerpi_met end
  union all
  select d.person, d."set", 'drop' as change, 4 as size, d.item as items, d.points as worth,
    b.p1 & ~d.o1 as p1, b.p2 & ~d.o2 as p2, b.p3 & ~d.o3 as p3, b.p4 & ~d.o4 as p4, b.p5 & ~d.o5 as p5, b.a1, b.a2, b.a3, b.a4, b.a5
  from stand as d inner join base as b on b.person = d.person
  where not d.unknown and case d."set" when 'eular_acr_2019' then b.eular_acr_2019_met when 'slicc_2012' then b.slicc_2012_met when 'acr_1997' then b.acr_1997_met when 'slerpi' then b.slerpi_met end
),
scored as (
  select * from (
with readings as (
  select person, "set", change, size, items, worth, 'known' as reading, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from changed
),
itemized as (
  select person, "set", change, size, items, worth, reading, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5,
    (((p2 & 16777216) <> 0)) as eular_acr_2019__fever,
    (((p1 & 536870912) <> 0)) as eular_acr_2019__leukopenia,
    (((p1 & 68719476736) <> 0)) as eular_acr_2019__thrombocytopenia,
    (((p1 & 137438953472) <> 0)) as eular_acr_2019__autoimmune_hemolysis,
    (((p2 & 65536) <> 0)) as eular_acr_2019__delirium,
    (((p2 & 32768) <> 0 and not ((p2 & 65536) <> 0))) as eular_acr_2019__psychosis,
    (((p2 & 16384) <> 0)) as eular_acr_2019__seizure,
    (((p1 & 140737488355328) <> 0)) as eular_acr_2019__alopecia_nonscarring,
    (((p1 & 35184372088832) <> 0)) as eular_acr_2019__oral_ulcers,
    (((p1 & 4398046511104) <> 0) or ((p1 & 8796093022208) <> 0)) as eular_acr_2019__subacute_cutaneous_or_discoid_lupus,
    (((p1 & 2199023255552) <> 0)) as eular_acr_2019__acute_cutaneous_lupus,
    (((p1 & 72057594037927936) <> 0) or ((p1 & 144115188075855872) <> 0)) as eular_acr_2019__effusion,
    (((p1 & 576460752303423488) <> 0)) as eular_acr_2019__acute_pericarditis,
    (((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0)) as eular_acr_2019__joint_involvement,
    (((p2 & 4) <> 0)) as eular_acr_2019__proteinuria,
    (((p2 & 256) <> 0) or ((p2 & 2048) <> 0)) as eular_acr_2019__nephritis_class_ii_or_v,
    (((p2 & 512) <> 0) or ((p2 & 1024) <> 0)) as eular_acr_2019__nephritis_class_iii_or_iv,
    (((p1 & 131072) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p4 & 2) <> 0)) as eular_acr_2019__antiphospholipid_antibodies,
    (((p1 & 16777216) <> 0)) as eular_acr_2019__low_c3_or_c4,
    (((p1 & 2097152) <> 0 and (p1 & 4194304) <> 0)) as eular_acr_2019__low_c3_and_c4,
    (((p3 & 16777216) <> 0)) as eular_acr_2019__anti_dsdna,
    (((p1 & 64) <> 0)) as eular_acr_2019__anti_sm,
    (((p1 & 2199023255552) <> 0) or ((p1 & 4398046511104) <> 0) or ((p3 & 262144) <> 0)) as slicc_2012__acute_cutaneous_lupus,
    (((p3 & 524288) <> 0)) as slicc_2012__chronic_cutaneous_lupus,
    (((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0)) as slicc_2012__oral_or_nasal_ulcers,
    (((p1 & 140737488355328) <> 0)) as slicc_2012__alopecia_nonscarring,
    (((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0)) as slicc_2012__synovitis,
    (((p1 & 1152921504606846976) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 2305843009213693952) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p2 & 1) <> 0) or ((p2 & 2) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0)) as slicc_2012__serositis,
    (((p1 & 17179869184) <> 0) or ((p2 & 16) <> 0)) as slicc_2012__renal,
    (((p2 & 16384) <> 0) or ((p2 & 32768) <> 0) or ((p2 & 262144) <> 0) or ((p2 & 131072) <> 0) or ((p2 & 524288) <> 0) or ((p2 & 1048576) <> 0) or ((p2 & 65536) <> 0)) as slicc_2012__neurologic,
    (((p1 & 137438953472) <> 0)) as slicc_2012__hemolytic_anemia,
    (((p1 & 536870912) <> 0) or ((p1 & 1073741824) <> 0) or ((p1 & 67108864) <> 0)) as slicc_2012__leukopenia_or_lymphopenia,
    (((p1 & 68719476736) <> 0)) as slicc_2012__thrombocytopenia,
    (((p1 & 16) <> 0)) as slicc_2012__ana,
    (((p1 & 34359738368) <> 0)) as slicc_2012__anti_dsdna,
    (((p1 & 64) <> 0)) as slicc_2012__anti_sm,
    (((p1 & 131072) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p1 & 1048576) <> 0) or ((p4 & 2) <> 0)) as slicc_2012__antiphospholipid_antibodies,
    (((p1 & 2097152) <> 0) or ((p1 & 4194304) <> 0) or ((p1 & 8388608) <> 0) or ((p1 & 16777216) <> 0) or ((p1 & 33554432) <> 0)) as slicc_2012__low_complement,
    (((p1 & 274877906944) <> 0 and not ((p1 & 137438953472) <> 0))) as slicc_2012__direct_coombs,
    (((p1 & 1099511627776) <> 0)) as acr_1997__malar_rash,
    (((p1 & 8796093022208) <> 0)) as acr_1997__discoid_rash,
    (((p1 & 17592186044416) <> 0) or ((p3 & 262144) <> 0)) as acr_1997__photosensitivity,
    (((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0)) as acr_1997__oral_ulcers,
    (((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0)) as acr_1997__arthritis,
    (((p1 & 1152921504606846976) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p2 & 2) <> 0) or ((p2 & 1) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0)) as acr_1997__serositis,
    (((p2 & 4) <> 0) or ((p3 & 134217728) <> 0) or ((p2 & 8) <> 0)) as acr_1997__renal,
    (((p2 & 16384) <> 0) or ((p2 & 32768) <> 0)) as acr_1997__neurologic,
    (((p1 & 137438953472) <> 0) or ((p1 & 536870912) <> 0 and (p5 & 4398046511104) <> 0) or ((p1 & 2147483648) <> 0 and (p5 & 8796093022208) <> 0) or ((p1 & 68719476736) <> 0)) as acr_1997__hematologic,
    (((p1 & 32) <> 0) or ((p1 & 64) <> 0) or ((p4 & 1) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 1048576) <> 0)) as acr_1997__immunologic,
    (((p1 & 16) <> 0)) as acr_1997__ana,
    (((p1 & 2199023255552) <> 0)) as slerpi__malar_or_maculopapular_rash,
    (((p1 & 4398046511104) <> 0) or ((p1 & 8796093022208) <> 0)) as slerpi__subacute_cutaneous_or_discoid_lupus,
    (((p1 & 140737488355328) <> 0)) as slerpi__alopecia,
    (((p1 & 35184372088832) <> 0) or ((p1 & 70368744177664) <> 0)) as slerpi__mucosal_ulcers,
    (((p1 & 4503599627370496) <> 0) or ((p1 & 9007199254740992) <> 0 and (p1 & 36028797018963968) <> 0)) as slerpi__arthritis,
    (((p1 & 1152921504606846976) <> 0) or ((p1 & 72057594037927936) <> 0) or ((p3 & 131072) <> 0) or ((p1 & 2305843009213693952) <> 0) or ((p1 & 144115188075855872) <> 0) or ((p2 & 1) <> 0) or ((p2 & 2) <> 0) or ((p1 & 576460752303423488) <> 0) or ((p1 & 288230376151711744) <> 0)) as slerpi__serositis,
    (((p1 & 536870912) <> 0)) as slerpi__leukopenia,
    (((p1 & 68719476736) <> 0) or ((p1 & 137438953472) <> 0)) as slerpi__thrombocytopenia_or_autoimmune_hemolysis,
    (((p2 & 16384) <> 0) or ((p2 & 32768) <> 0) or ((p2 & 262144) <> 0) or ((p2 & 131072) <> 0) or ((p2 & 524288) <> 0) or ((p2 & 1048576) <> 0) or ((p2 & 65536) <> 0)) as slerpi__neurologic,
    (((p2 & 4) <> 0)) as slerpi__proteinuria,
    (((p1 & 16) <> 0)) as slerpi__ana,
    (((p1 & 2097152) <> 0 and (p1 & 4194304) <> 0)) as slerpi__low_c3_and_c4,
    (((p1 & 32) <> 0) or ((p1 & 64) <> 0) or ((p4 & 1) <> 0) or ((p1 & 262144) <> 0) or ((p1 & 65536) <> 0) or ((p1 & 524288) <> 0) or ((p1 & 1048576) <> 0)) as slerpi__immunologic,
    (((p2 & 2147483648) <> 0)) as slerpi__interstitial_lung_disease
  from readings
),
summed as (
  select *, case when "set" = 'eular_acr_2019' then cast(case when eular_acr_2019__fever then 2 else 0 end + greatest(case when eular_acr_2019__leukopenia then 3 else 0 end, case when eular_acr_2019__thrombocytopenia then 4 else 0 end, case when eular_acr_2019__autoimmune_hemolysis then 4 else 0 end) + greatest(case when eular_acr_2019__delirium then 2 else 0 end, case when eular_acr_2019__psychosis then 3 else 0 end, case when eular_acr_2019__seizure then 5 else 0 end) + greatest(case when eular_acr_2019__alopecia_nonscarring then 2 else 0 end, case when eular_acr_2019__oral_ulcers then 2 else 0 end, case when eular_acr_2019__subacute_cutaneous_or_discoid_lupus then 4 else 0 end, case when eular_acr_2019__acute_cutaneous_lupus then 6 else 0 end) + greatest(case when eular_acr_2019__effusion then 5 else 0 end, case when eular_acr_2019__acute_pericarditis then 6 else 0 end) + case when eular_acr_2019__joint_involvement then 6 else 0 end + greatest(case when eular_acr_2019__proteinuria then 4 else 0 end, case when eular_acr_2019__nephritis_class_ii_or_v then 8 else 0 end, case when eular_acr_2019__nephritis_class_iii_or_iv then 10 else 0 end) + case when eular_acr_2019__antiphospholipid_antibodies then 2 else 0 end + greatest(case when eular_acr_2019__low_c3_or_c4 then 3 else 0 end, case when eular_acr_2019__low_c3_and_c4 then 4 else 0 end) + greatest(case when eular_acr_2019__anti_dsdna then 6 else 0 end, case when eular_acr_2019__anti_sm then 6 else 0 end) as decimal(6, 2)) end as eular_acr_2019__points,
    case when "set" = 'slicc_2012' then cast(case when slicc_2012__acute_cutaneous_lupus then 1 else 0 end + case when slicc_2012__chronic_cutaneous_lupus then 1 else 0 end + case when slicc_2012__oral_or_nasal_ulcers then 1 else 0 end + case when slicc_2012__alopecia_nonscarring then 1 else 0 end + case when slicc_2012__synovitis then 1 else 0 end + case when slicc_2012__serositis then 1 else 0 end + case when slicc_2012__renal then 1 else 0 end + case when slicc_2012__neurologic then 1 else 0 end + case when slicc_2012__hemolytic_anemia then 1 else 0 end + case when slicc_2012__leukopenia_or_lymphopenia then 1 else 0 end + case when slicc_2012__thrombocytopenia then 1 else 0 end + case when slicc_2012__ana then 1 else 0 end + case when slicc_2012__anti_dsdna then 1 else 0 end + case when slicc_2012__anti_sm then 1 else 0 end + case when slicc_2012__antiphospholipid_antibodies then 1 else 0 end + case when slicc_2012__low_complement then 1 else 0 end + case when slicc_2012__direct_coombs then 1 else 0 end as decimal(6, 2)) end as slicc_2012__points,
    case when "set" = 'acr_1997' then cast(case when acr_1997__malar_rash then 1 else 0 end + case when acr_1997__discoid_rash then 1 else 0 end + case when acr_1997__photosensitivity then 1 else 0 end + case when acr_1997__oral_ulcers then 1 else 0 end + case when acr_1997__arthritis then 1 else 0 end + case when acr_1997__serositis then 1 else 0 end + case when acr_1997__renal then 1 else 0 end + case when acr_1997__neurologic then 1 else 0 end + case when acr_1997__hematologic then 1 else 0 end + case when acr_1997__immunologic then 1 else 0 end + case when acr_1997__ana then 1 else 0 end as decimal(6, 2)) end as acr_1997__points,
    case when "set" = 'slerpi' then cast(case when slerpi__malar_or_maculopapular_rash then 3 else 0 end + case when slerpi__subacute_cutaneous_or_discoid_lupus then 2 else 0 end + case when slerpi__alopecia then 1.5 else 0 end + case when slerpi__mucosal_ulcers then 1 else 0 end + case when slerpi__arthritis then 2 else 0 end + case when slerpi__serositis then 1.5 else 0 end + case when slerpi__leukopenia then 1.5 else 0 end + case when slerpi__thrombocytopenia_or_autoimmune_hemolysis then 4.5 else 0 end + case when slerpi__neurologic then 1.5 else 0 end + case when slerpi__proteinuria then 4.5 else 0 end + case when slerpi__ana then 3 else 0 end + case when slerpi__low_c3_and_c4 then 2 else 0 end + case when slerpi__immunologic then 2.5 else 0 end + case when slerpi__interstitial_lung_disease then -1 else 0 end as decimal(6, 2)) end as slerpi__points
  from itemized
),
decided as (
  select person, "set", change, size, items, worth, reading,
    eular_acr_2019__points, case when "set" = 'eular_acr_2019' then (eular_acr_2019__points >= 10 and (eular_acr_2019__fever or eular_acr_2019__leukopenia or eular_acr_2019__thrombocytopenia or eular_acr_2019__autoimmune_hemolysis or eular_acr_2019__delirium or eular_acr_2019__psychosis or eular_acr_2019__seizure or eular_acr_2019__alopecia_nonscarring or eular_acr_2019__oral_ulcers or eular_acr_2019__subacute_cutaneous_or_discoid_lupus or eular_acr_2019__acute_cutaneous_lupus or eular_acr_2019__effusion or eular_acr_2019__acute_pericarditis or eular_acr_2019__joint_involvement or eular_acr_2019__proteinuria or eular_acr_2019__nephritis_class_ii_or_v or eular_acr_2019__nephritis_class_iii_or_iv) and (p3 & 67108864) <> 0) end as eular_acr_2019__met, case when "set" = 'eular_acr_2019' then case when (p3 & 67108864) <> 0 then true when (a3 & 67108864) <> 0 then false end end as eular_acr_2019__entry,
    slicc_2012__points, case when "set" = 'slicc_2012' then ((slicc_2012__points >= 4 and (slicc_2012__acute_cutaneous_lupus or slicc_2012__chronic_cutaneous_lupus or slicc_2012__oral_or_nasal_ulcers or slicc_2012__alopecia_nonscarring or slicc_2012__synovitis or slicc_2012__serositis or slicc_2012__renal or slicc_2012__neurologic or slicc_2012__hemolytic_anemia or slicc_2012__leukopenia_or_lymphopenia or slicc_2012__thrombocytopenia) and (slicc_2012__ana or slicc_2012__anti_dsdna or slicc_2012__anti_sm or slicc_2012__antiphospholipid_antibodies or slicc_2012__low_complement or slicc_2012__direct_coombs)) or ((p3 & 1099511627776) <> 0 and (p1 & 16) <> 0) or ((p3 & 1099511627776) <> 0 and (p1 & 32) <> 0)) end as slicc_2012__met, case when "set" = 'slicc_2012' then cast(null as boolean) end as slicc_2012__entry,
    acr_1997__points, case when "set" = 'acr_1997' then (acr_1997__points >= 4) end as acr_1997__met, case when "set" = 'acr_1997' then cast(null as boolean) end as acr_1997__entry,
    slerpi__points, case when "set" = 'slerpi' then (slerpi__points > 7) end as slerpi__met, case when "set" = 'slerpi' then cast(null as boolean) end as slerpi__entry
  from summed
)
    select person, "set", change, size, items, worth,
      case "set" when 'eular_acr_2019' then eular_acr_2019__met when 'slicc_2012' then slicc_2012__met when 'acr_1997' then acr_1997__met when 'slerpi' then slerpi__met end as met,
      cast(case "set" when 'eular_acr_2019' then eular_acr_2019__points when 'slicc_2012' then slicc_2012__points when 'acr_1997' then acr_1997__points when 'slerpi' then slerpi__points end as double) as points
    from decided
  ) as judged
  where case change when 'add' then met else not met end
),
placed as (
  select *, min(size) over (partition by person, "set", change) as fewest,
    row_number() over (
      partition by person, "set", change
      order by size, case change when 'add' then -worth else points end, items
    ) as place
  from scored
)
select person, "set", change, items, place, points
from placed
where size = fewest and (change = 'drop' or place <= 3)
