-- flag_words: one row per HL7 code of an interpretation (in capitals), with the flag that it means here.
-- A (abnormal) is resolved where it is read: on a qualitative test it means positive, on a quantity nothing.
select *
from (
  values
    ('L', 'L'), ('LL', 'L'), ('LU', 'L'), ('LX', 'L'), ('<', 'L'),
    ('H', 'H'), ('HH', 'H'), ('HU', 'H'), ('HX', 'H'), ('>', 'H'),
    ('N', 'N'), ('A', 'A'), ('AA', 'A'),
    ('POS', 'POS'), ('DET', 'POS'), ('RR', 'POS'),
    ('NEG', 'NEG'), ('ND', 'NEG'), ('NR', 'NEG'),
    ('IND', 'IND'), ('E', 'IND'), ('WR', 'IND')
) as f (code, flag)
