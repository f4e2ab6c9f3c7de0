-- row_classes: one row per source row with its one class in the accounting: what the reader decided, else that of its
-- best part.
with best as (
  select
    row_no,
    bool_or(class = 'used') as used,
    bool_or(class = 'rejected') as rejected,
    bool_or(class = 'withdrawn') as withdrawn
  from readings
  group by row_no
)
select
  s.row_no, s.source_type,
  case
    when s.class is not null then s.class
    when s.row_no in (select row_no from events) then 'used'
    when b.used then 'after_as_of'
    when b.rejected then 'rejected'
    when b.withdrawn then 'withdrawn'
    when b.row_no is not null then 'not_needed'
    when s.row_no in (
      select t.row_no
      from statements as t
      inner join code_map as m
        on m.kind = t.kind and m.system = coalesce(t.system, '') and m.code = coalesce(t.code, '')
        and m.class = 'not_needed'
    ) then 'not_needed'
    when s.source_type in (select code from not_needed where system = 'resource') then 'not_needed'
    when s.row_no in (select row_no from patients where row_no is not null) then 'used'
    else 'unmapped'
  end as class
from source_rows as s
left join best as b on b.row_no = s.row_no
