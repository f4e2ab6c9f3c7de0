-- lupus: one row per person of interest who has lupus by the call or by a coded diagnosis: activity presupposes it.
select person from calls where call in ('sle', 'both')
union
select person from findings where finding = 'sle_dx' and state = 'present'
