-- marks: one row per event that can say something about a finding, as words. Steered by code_marks, bands, flags.
-- A result is an interval [vlo, vhi]: `bands` holds what each end decides; `flags` what the laboratory's own flag or
-- limits say; `code_marks` what the code alone states.
select
  e.person, e.date, e.date_precision, e.known_date, e.row_no, e.part, e."by", e.reference, e.text, e.seen, e.strength,
  e.outcome as outcome_code, f.outcome as outcome_flag,
  lo.outcome_lo as outcome_lo, coalesce(hi.outcome_hi, lo.outcome_hi) as outcome_hi,
  rlo.outcome_lo as outcome_ratio_lo, coalesce(rhi.outcome_hi, rlo.outcome_hi) as outcome_ratio_hi,
  {{ each("case when # <= " ~ real_words ~ " or e.seen then e.p# | coalesce(f.p#, 0) | coalesce(lo.p_lo#, 0) | coalesce(hi.p_hi#, lo.p_hi#, 0) | coalesce(rlo.p_lo#, 0) | coalesce(rhi.p_hi#, rlo.p_hi#, 0) else 0 end as p#") }},
  {{ each("e.a# | coalesce(f.a#, 0) | coalesce(lo.a_lo#, 0) | coalesce(hi.a_hi#, lo.a_hi#, 0) | coalesce(rlo.a_lo#, 0) | coalesce(rhi.a_hi#, rlo.a_hi#, 0) as a#") }}
from (
  select
    x.*,
    case
      when x.interpretation is not null then x.interpretation
      when x.vhi < x.low then 'L'
      when x.vlo > x.high then 'H'
      when x.vlo >= x.low and x.vhi <= x.high then 'N'
      when x.vlo >= x.low and x.high is null then 'NL'
      when x.vhi <= x.high and x.low is null then 'NH'
    end as flag,
    case when x.high > 0 then x.vlo / x.high end as rlo,
    case when x.high > 0 then x.vhi / x.high end as rhi
  from (
    select
      ev.person, ev.date, ev.date_precision, ev.known_date, ev.row_no, ev.part, ev."by", ev.reference, ev.text,
      ev.low, ev.high, ev.interpretation,
      (ev."by" in ('measured', 'clinician')) as seen,
      m.source_id, m.strength, m.outcome,
      case when m.keyed then
        case when ev.method is null then 'unknown' when ev.method in ({{ methods }}) then ev.method else 'other' end
        || '/' || case
          when coalesce(ev.shape, 'quantity') = 'quantity' and ev.value is null then 'word'
          when coalesce(ev.shape, 'quantity') = 'quantity' and coalesce(ev.high, 0) <= 0 then 'no_limit'
          else coalesce(ev.shape, 'quantity')
        end
      else '' end as variant,
      case
        when ev.comparator in ('<', '<=') then -{{ everywhere }}
        when ev.comparator = '>' then ev.value + {{ grid }}
        else ev.value
      end as vlo,
      case
        when ev.comparator in ('>', '>=') then {{ everywhere }}
        when ev.comparator = '<' then ev.value - {{ grid }}
        else coalesce(ev.value_to, ev.value)
      end as vhi,
      {{ each("m.p#") }}, {{ each("m.a#") }}
    from events as ev
    inner join code_marks as m on m.code_id = ev.code_id and m.status = ev.status
  ) as x
) as e
left join flags as f on f.source_id = e.source_id and f.variant = e.variant and f.flag = e.flag
left join bands as lo
  on lo.source_id = e.source_id and lo.variant = e.variant and lo.measure = 'value' and e.vlo >= lo.lo and e.vlo < lo.hi
left join bands as hi
  on hi.source_id = e.source_id and hi.variant = e.variant and hi.measure = 'value' and e.vhi >= hi.lo and e.vhi < hi.hi
  and e.vhi > e.vlo
left join bands as rlo
  on rlo.source_id = e.source_id and rlo.variant = e.variant and rlo.measure = 'ratio' and e.rlo >= rlo.lo and e.rlo < rlo.hi
left join bands as rhi
  on rhi.source_id = e.source_id and rhi.variant = e.variant and rhi.measure = 'ratio' and e.rhi >= rhi.lo and e.rhi < rhi.hi
  and e.rhi > e.rlo
