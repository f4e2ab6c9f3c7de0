-- marks: one row per event that can say something about a finding, as words.
with plain as (
  select r.*,
    case when r.states then 1.5e+300 else coalesce(r.value, 1.5e+300) end as place,
    case when r.by_flag then case when r.interpretation is not null then case r.interpretation when 'L' then 1 when 'N' then 3 when 'H' then 5 when 'POS' then 6 when 'NEG' then 7 else 0 end when r.value < r.low then 1 when r.value > r.high then 5 when r.value >= r.low and r.value <= r.high then 3 when r.value >= r.low and r.high is null then 2 when r.value <= r.high and r.low is null then 4 else 0 end else 0 end as flag
  from (select
    e.person, e.date, e.date_precision, e.known_date, e.row_no, e.part, e.codings, e."by", e.reference, e.text,
    coalesce(e."by" in ('measured', 'clinician'), false) as seen, m.suggests,
    e.value, e.value_to, e.comparator, e.low, e.high, e.interpretation, e.method, e.shape, m.scale, m.keyed_source,
    m.states, m.by_ratio, m.by_flag
  from events as e
  inner join code_marks as m on m.code_key = e.code_id * 2 + case when e.status = 'refuted' then 1 else 0 end
  where e.comparator is null and e.value_to is null and not m.by_ratio and m.keyed_source is null) as r
),
spanned as (
  select r.*,
    case
      when r.comparator in ('<', '<=') then -1e+300 when r.comparator = '>' then r.value + 1e-06 else r.value
    end as vlo,
    case
      when r.comparator in ('>', '>=') then 1e+300 when r.comparator = '<' then r.value - 1e-06
      else coalesce(r.value_to, r.value)
    end as vhi,
    case when r.keyed_source is not null then
      case when r.method is null then 'unknown' when r.method in ('elisa', 'multiplex', 'solid_phase', 'unknown') then r.method else 'other' end
      || '/' || case
        when coalesce(r.shape, 'quantity') = 'quantity' and r.value is null then 'word'
        when coalesce(r.shape, 'quantity') = 'quantity' and coalesce(r.high, 0) <= 0 then 'no_limit'
        else coalesce(r.shape, 'quantity')
      end
    end as variant
  from (
    select
    e.person, e.date, e.date_precision, e.known_date, e.row_no, e.part, e.codings, e."by", e.reference, e.text,
    coalesce(e."by" in ('measured', 'clinician'), false) as seen, m.suggests,
    e.value, e.value_to, e.comparator, e.low, e.high, e.interpretation, e.method, e.shape, m.scale, m.keyed_source,
    m.states, m.by_ratio, m.by_flag
  from events as e
  inner join code_marks as m on m.code_key = e.code_id * 2 + case when e.status = 'refuted' then 1 else 0 end
  where (e.comparator is not null or e.value_to is not null)
    union all
    select
    e.person, e.date, e.date_precision, e.known_date, e.row_no, e.part, e.codings, e."by", e.reference, e.text,
    coalesce(e."by" in ('measured', 'clinician'), false) as seen, m.suggests,
    e.value, e.value_to, e.comparator, e.low, e.high, e.interpretation, e.method, e.shape, m.scale, m.keyed_source,
    m.states, m.by_ratio, m.by_flag
  from events as e
  inner join (select * from code_marks where by_ratio or keyed_source is not null) as m on m.code_key = e.code_id * 2 + case when e.status = 'refuted' then 1 else 0 end
  where e.comparator is null and e.value_to is null
  ) as r
),
flagged as (
  select s.person, s.date, s.date_precision, s.known_date, s.row_no, s.part, s.codings, s."by", s.reference, s.text, s.seen,
    s.suggests, s.vlo, s.vhi, coalesce(v.scale, s.scale) as scale,
    case when s.by_flag then case when s.interpretation is not null then case s.interpretation when 'L' then 1 when 'N' then 3 when 'H' then 5 when 'POS' then 6 when 'NEG' then 7 else 0 end when s.vhi < s.low then 1 when s.vlo > s.high then 5 when s.vlo >= s.low and s.vhi <= s.high then 3 when s.vlo >= s.low and s.high is null then 2 when s.vhi <= s.high and s.low is null then 4 else 0 end else 0 end as flag,
    case when s.by_ratio and s.high > 0 then s.vlo / s.high end as rlo,
    case when s.by_ratio and s.high > 0 then s.vhi / s.high end as rhi
  from spanned as s
  left join variants as v on v.source_id = s.keyed_source and v.variant = s.variant
)
select
  r.person, r.date, r.date_precision, r.known_date, r.row_no, r.part, r.codings, r."by", r.reference, r.text, r.seen,
  r.suggests, t.outcome,
  cast(null as integer) as outcome_lo, cast(null as integer) as outcome_hi,
  cast(null as integer) as outcome_ratio_lo, cast(null as integer) as outcome_ratio_hi,
  case when 1 <= 4 or r.seen then t.p1 else 0 end as p1, case when 2 <= 4 or r.seen then t.p2 else 0 end as p2, case when 3 <= 4 or r.seen then t.p3 else 0 end as p3, case when 4 <= 4 or r.seen then t.p4 else 0 end as p4, case when 5 <= 4 or r.seen then t.p5 else 0 end as p5, t.a1 as a1, t.a2 as a2, t.a3 as a3, t.a4 as a4, t.a5 as a5
from plain as r
inner join results as t on t.flag_key = r.scale * 8 + r.flag and r.place >= t.lo and r.place < t.hi
union all
select
  r.person, r.date, r.date_precision, r.known_date, r.row_no, r.part, r.codings, r."by", r.reference, r.text, r.seen,
  r.suggests, t.outcome,
  lo.outcome_lo as outcome_lo, hi.outcome_hi as outcome_hi,
  rlo.outcome_lo as outcome_ratio_lo, rhi.outcome_hi as outcome_ratio_hi,
  case when 1 <= 4 or r.seen then coalesce(t.p1, 0) | coalesce(lo.p_lo1, 0) | coalesce(hi.p_hi1, 0) | coalesce(rlo.p_lo1, 0) | coalesce(rhi.p_hi1, 0) else 0 end as p1, case when 2 <= 4 or r.seen then coalesce(t.p2, 0) | coalesce(lo.p_lo2, 0) | coalesce(hi.p_hi2, 0) | coalesce(rlo.p_lo2, 0) | coalesce(rhi.p_hi2, 0) else 0 end as p2, case when 3 <= 4 or r.seen then coalesce(t.p3, 0) | coalesce(lo.p_lo3, 0) | coalesce(hi.p_hi3, 0) | coalesce(rlo.p_lo3, 0) | coalesce(rhi.p_hi3, 0) else 0 end as p3, case when 4 <= 4 or r.seen then coalesce(t.p4, 0) | coalesce(lo.p_lo4, 0) | coalesce(hi.p_hi4, 0) | coalesce(rlo.p_lo4, 0) | coalesce(rhi.p_hi4, 0) else 0 end as p4, case when 5 <= 4 or r.seen then coalesce(t.p5, 0) | coalesce(lo.p_lo5, 0) | coalesce(hi.p_hi5, 0) | coalesce(rlo.p_lo5, 0) | coalesce(rhi.p_hi5, 0) else 0 end as p5,
  coalesce(t.a1, 0) | coalesce(lo.a_lo1, 0) | coalesce(hi.a_hi1, 0) | coalesce(rlo.a_lo1, 0) | coalesce(rhi.a_hi1, 0) as a1, coalesce(t.a2, 0) | coalesce(lo.a_lo2, 0) | coalesce(hi.a_hi2, 0) | coalesce(rlo.a_lo2, 0) | coalesce(rhi.a_hi2, 0) as a2, coalesce(t.a3, 0) | coalesce(lo.a_lo3, 0) | coalesce(hi.a_hi3, 0) | coalesce(rlo.a_lo3, 0) | coalesce(rhi.a_hi3, 0) as a3, coalesce(t.a4, 0) | coalesce(lo.a_lo4, 0) | coalesce(hi.a_hi4, 0) | coalesce(rlo.a_lo4, 0) | coalesce(rhi.a_hi4, 0) as a4, coalesce(t.a5, 0) | coalesce(lo.a_lo5, 0) | coalesce(hi.a_hi5, 0) | coalesce(rlo.a_lo5, 0) | coalesce(rhi.a_hi5, 0) as a5
from flagged as r
left join results as t on t.flag_key = r.scale * 8 + r.flag and t.lo = 1.5e+300
left join bands as lo on lo.scale = r.scale and lo.measure = 'value' and r.vlo >= lo.lo and r.vlo < lo.hi
left join bands as hi on hi.scale = r.scale and hi.measure = 'value' and r.vhi >= hi.lo and r.vhi < hi.hi
left join bands as rlo on rlo.scale = r.scale and rlo.measure = 'ratio' and r.rlo >= rlo.lo and r.rlo < rlo.hi
left join bands as rhi on rhi.scale = r.scale and rhi.measure = 'ratio' and r.rhi >= rhi.lo and r.rhi < rhi.hi
