-- interest_marks: one row per mark of a person of interest, from events and forms. Kept: every later stage reads it.
{% set columns = 'm.person, m.date, m.date_precision, m.known_date, m.row_no, m.part, m."by", m.reference, m.text, m.seen, m.strength, m.outcome_code, m.outcome_flag, m.outcome_lo, m.outcome_hi, m.outcome_ratio_lo, m.outcome_ratio_hi' -%}
select {{ columns }} from marks as m inner join interest as i on i.person = m.person
union all
select {{ columns }} from form_marks as m inner join interest as i on i.person = m.person
