-- wrong_label_drugs: one row per person of interest, wrong label and class of drugs given for it (label_drugs): on how many days
-- of the label drugs of the class are known to have been taken (days of each drug added, days in two records of one drug
-- once), and as how many mg of prednisone, of steroids whose dose can be read. Records without an end are counted beside: how long
-- they went on is not known beyond the day on which they were last stated.
with spans as (
  select w.person, w.label, x.drug, x.drug_class, x.row_no, x.part, not x.ongoing and x.days_after > 0 as open,
    case when x.dose_unit = 'mg/d' then x.dose * d.prednisone_factor end as dose,
    greatest(date_diff('day', w.from_date, x.start_date), 0) as begins,
    least(case when x.ongoing then date_diff('day', w.from_date, w.to_date) else date_diff('day', w.from_date, x.end_date) end,
      date_diff('day', w.from_date, w.to_date) - 1) as ends
  from wrong_labels as w
  inner join exposures as x on x.person = w.person
  inner join label_drugs as k on k.label = w.label and k.drug_class = x.drug_class
  inner join drugs as d on d.drug = x.drug
  where x.start_date < w.to_date and (x.ongoing or x.end_date >= w.from_date)
),
reached as (
  select *, max(ends) over (
      partition by person, label, drug order by begins, row_no, part rows between unbounded preceding and current row
    ) as so_far
  from spans
),
counted as (
  select *, greatest(ends - greatest(begins,
    coalesce(lag(so_far) over (partition by person, label, drug order by begins, row_no, part) + 1, 0)) + 1, 0) as days
  from reached
)
select person, label, drug_class, count(*) as records, cast(sum(case when open then 1 else 0 end) as bigint) as open_records,
  cast(sum(days) as bigint) as days, round(sum(cast(days as double) * dose), 6) as dose_days,
  cast(sum(case when dose is null and days > 0 then 1 else 0 end) as bigint) as unread_doses
from counted
group by person, label, drug_class
