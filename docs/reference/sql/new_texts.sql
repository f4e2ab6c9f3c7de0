-- new_texts: one row per distinct wording of a result, a flag or a reference range that texts does not hold yet.
-- Plain numbers are left out, except those that are codes of answers (result_words).
with worded as (
  select distinct
    case
      when s.kind <> 'drug' and s.value <> ''
        and (try_cast(s.value as double) is null or strpos(s.value, '_') > 0 or starts_with(s.value, '+')
          or s.value in (select word from result_words))
        then s.value
    end as value,
    nullif(s.range_text, '') as range_text,
    nullif(s.interpretation, '') as interpretation
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.class = 'mapped'
),
seen as (
  select value as text from worded
  union
  select range_text as text from worded
  union
  select interpretation as text from worded
)
select n.text
from seen as n
where n.text is not null and not exists (select 1 from texts as t where t.text = n.text)
