-- row_classes: one row per source row with its one class in the accounting: what the reader decided, else its best part.
with best as (
  select
    r.row_no,
    bool_or(r.class = 'used' and coalesce(r.known_date <= h.as_of, coalesce(h.as_of >= h.document_as_of, true))) as used,
    bool_or(r.class = 'used') as later,
    bool_or(r.class = 'rejected') as rejected,
    bool_or(r.class = 'withdrawn') as withdrawn
  from readings as r
  inner join horizons as h on h.person = r.person
  group by r.row_no
),
ignored as (
  select distinct s.row_no
  from statements as s
  inner join code_map as m
    on m.kind = s.kind and m.system = coalesce(s.system, '') and m.code = coalesce(s.code, '') and m.class = 'not_needed'
)
select
  s.row_no, s.source_type,
  case
    when s.class is not null then s.class
    when b.used then 'used'
    when b.later then 'after_as_of'
    when b.rejected then 'rejected'
    when b.withdrawn then 'withdrawn'
    when b.row_no is not null or i.row_no is not null or n.code is not null then 'not_needed'
    when p.row_no is not null then 'used'
    else 'unmapped'
  end as class
from source_rows as s
left join best as b on b.row_no = s.row_no
left join ignored as i on i.row_no = s.row_no
left join not_needed as n on n.system = 'resource' and n.code = s.source_type
left join (select distinct row_no from patients) as p on p.row_no = s.row_no
