-- points: one row per person with any finding: points of all sets at face value, and whether each is met (three values).
-- true: met with what is known; false: no outcome of the unknown could meet it; NULL: in between.
with readings as (
  select person, 'known' as reading, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5 from states
  union all
  select person, 'best' as reading, p1 | (4611686018427387903 & ~a1) as p1, p2 | (4611686016279904255 & ~a2) as p2, p3 | (4611686018427387903 & ~a3) as p3, p4 | (32767 & ~a4) as p4, p5 | (17592186044415 & ~a5) as p5, a1, a2, a3, a4, a5 from states
  union all
  select person, 'best' as reading,
    p1 | (4611686018427387903 & ~a1 & ~137438953472) as p1, p2 | (4611686016279904255 & ~a2 & ~65536) as p2, p3 | (4611686018427387903 & ~a3 & ~0) as p3, p4 | (32767 & ~a4 & ~0) as p4, p5 | (17592186044415 & ~a5 & ~0) as p5, a1, a2, a3, a4, a5
  from states
),
itemized as (
  select person, reading, p1, p2, p3, p4, p5, a1, a2, a3, a4, a5,
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
  select *, cast(case when eular_acr_2019__fever then 2 else 0 end + greatest(case when eular_acr_2019__leukopenia then 3 else 0 end, case when eular_acr_2019__thrombocytopenia then 4 else 0 end, case when eular_acr_2019__autoimmune_hemolysis then 4 else 0 end) + greatest(case when eular_acr_2019__delirium then 2 else 0 end, case when eular_acr_2019__psychosis then 3 else 0 end, case when eular_acr_2019__seizure then 5 else 0 end) + greatest(case when eular_acr_2019__alopecia_nonscarring then 2 else 0 end, case when eular_acr_2019__oral_ulcers then 2 else 0 end, case when eular_acr_2019__subacute_cutaneous_or_discoid_lupus then 4 else 0 end, case when eular_acr_2019__acute_cutaneous_lupus then 6 else 0 end) + greatest(case when eular_acr_2019__effusion then 5 else 0 end, case when eular_acr_2019__acute_pericarditis then 6 else 0 end) + case when eular_acr_2019__joint_involvement then 6 else 0 end + greatest(case when eular_acr_2019__proteinuria then 4 else 0 end, case when eular_acr_2019__nephritis_class_ii_or_v then 8 else 0 end, case when eular_acr_2019__nephritis_class_iii_or_iv then 10 else 0 end) + case when eular_acr_2019__antiphospholipid_antibodies then 2 else 0 end + greatest(case when eular_acr_2019__low_c3_or_c4 then 3 else 0 end, case when eular_acr_2019__low_c3_and_c4 then 4 else 0 end) + greatest(case when eular_acr_2019__anti_dsdna then 6 else 0 end, case when eular_acr_2019__anti_sm then 6 else 0 end) as decimal(6, 2)) as eular_acr_2019__points,
    cast(case when slicc_2012__acute_cutaneous_lupus then 1 else 0 end + case when slicc_2012__chronic_cutaneous_lupus then 1 else 0 end + case when slicc_2012__oral_or_nasal_ulcers then 1 else 0 end + case when slicc_2012__alopecia_nonscarring then 1 else 0 end + case when slicc_2012__synovitis then 1 else 0 end + case when slicc_2012__serositis then 1 else 0 end + case when slicc_2012__renal then 1 else 0 end + case when slicc_2012__neurologic then 1 else 0 end + case when slicc_2012__hemolytic_anemia then 1 else 0 end + case when slicc_2012__leukopenia_or_lymphopenia then 1 else 0 end + case when slicc_2012__thrombocytopenia then 1 else 0 end + case when slicc_2012__ana then 1 else 0 end + case when slicc_2012__anti_dsdna then 1 else 0 end + case when slicc_2012__anti_sm then 1 else 0 end + case when slicc_2012__antiphospholipid_antibodies then 1 else 0 end + case when slicc_2012__low_complement then 1 else 0 end + case when slicc_2012__direct_coombs then 1 else 0 end as decimal(6, 2)) as slicc_2012__points,
    cast(case when acr_1997__malar_rash then 1 else 0 end + case when acr_1997__discoid_rash then 1 else 0 end + case when acr_1997__photosensitivity then 1 else 0 end + case when acr_1997__oral_ulcers then 1 else 0 end + case when acr_1997__arthritis then 1 else 0 end + case when acr_1997__serositis then 1 else 0 end + case when acr_1997__renal then 1 else 0 end + case when acr_1997__neurologic then 1 else 0 end + case when acr_1997__hematologic then 1 else 0 end + case when acr_1997__immunologic then 1 else 0 end + case when acr_1997__ana then 1 else 0 end as decimal(6, 2)) as acr_1997__points,
    cast(case when slerpi__malar_or_maculopapular_rash then 3 else 0 end + case when slerpi__subacute_cutaneous_or_discoid_lupus then 2 else 0 end + case when slerpi__alopecia then 1.5 else 0 end + case when slerpi__mucosal_ulcers then 1 else 0 end + case when slerpi__arthritis then 2 else 0 end + case when slerpi__serositis then 1.5 else 0 end + case when slerpi__leukopenia then 1.5 else 0 end + case when slerpi__thrombocytopenia_or_autoimmune_hemolysis then 4.5 else 0 end + case when slerpi__neurologic then 1.5 else 0 end + case when slerpi__proteinuria then 4.5 else 0 end + case when slerpi__ana then 3 else 0 end + case when slerpi__low_c3_and_c4 then 2 else 0 end + case when slerpi__immunologic then 2.5 else 0 end + case when slerpi__interstitial_lung_disease then -1 else 0 end as decimal(6, 2)) as slerpi__points
  from itemized
),
decided as (
  select person, reading,
    eular_acr_2019__points, (eular_acr_2019__points >= 10 and (eular_acr_2019__fever or eular_acr_2019__leukopenia or eular_acr_2019__thrombocytopenia or eular_acr_2019__autoimmune_hemolysis or eular_acr_2019__delirium or eular_acr_2019__psychosis or eular_acr_2019__seizure or eular_acr_2019__alopecia_nonscarring or eular_acr_2019__oral_ulcers or eular_acr_2019__subacute_cutaneous_or_discoid_lupus or eular_acr_2019__acute_cutaneous_lupus or eular_acr_2019__effusion or eular_acr_2019__acute_pericarditis or eular_acr_2019__joint_involvement or eular_acr_2019__proteinuria or eular_acr_2019__nephritis_class_ii_or_v or eular_acr_2019__nephritis_class_iii_or_iv) and (p3 & 67108864) <> 0) as eular_acr_2019__met, case when (p3 & 67108864) <> 0 then true when (a3 & 67108864) <> 0 then false end as eular_acr_2019__entry,
    slicc_2012__points, ((slicc_2012__points >= 4 and (slicc_2012__acute_cutaneous_lupus or slicc_2012__chronic_cutaneous_lupus or slicc_2012__oral_or_nasal_ulcers or slicc_2012__alopecia_nonscarring or slicc_2012__synovitis or slicc_2012__serositis or slicc_2012__renal or slicc_2012__neurologic or slicc_2012__hemolytic_anemia or slicc_2012__leukopenia_or_lymphopenia or slicc_2012__thrombocytopenia) and (slicc_2012__ana or slicc_2012__anti_dsdna or slicc_2012__anti_sm or slicc_2012__antiphospholipid_antibodies or slicc_2012__low_complement or slicc_2012__direct_coombs)) or ((p3 & 1099511627776) <> 0 and (p1 & 16) <> 0) or ((p3 & 1099511627776) <> 0 and (p1 & 32) <> 0)) as slicc_2012__met, cast(null as boolean) as slicc_2012__entry,
    acr_1997__points, (acr_1997__points >= 4) as acr_1997__met, cast(null as boolean) as acr_1997__entry,
    slerpi__points, (slerpi__points > 7) as slerpi__met, cast(null as boolean) as slerpi__entry
  from summed
)
select person
  , max(case when reading = 'known' then eular_acr_2019__points end) as eular_acr_2019_points,
  case when bool_or(reading = 'known' and eular_acr_2019__met) then true when bool_or(eular_acr_2019__met) then null else false end as eular_acr_2019_met
  , max(case when reading = 'known' then slicc_2012__points end) as slicc_2012_points,
  case when bool_or(reading = 'known' and slicc_2012__met) then true when bool_or(slicc_2012__met) then null else false end as slicc_2012_met
  , max(case when reading = 'known' then acr_1997__points end) as acr_1997_points,
  case when bool_or(reading = 'known' and acr_1997__met) then true when bool_or(acr_1997__met) then null else false end as acr_1997_met
  , max(case when reading = 'known' then slerpi__points end) as slerpi_points,
  case when bool_or(reading = 'known' and slerpi__met) then true when bool_or(slerpi__met) then null else false end as slerpi_met
from decided
group by person
