-- fhir_duplicate: one row per row of the family at hand (fhir_row) that repeats another one.
-- Of rows with one type and id the latest stays (meta.lastUpdated, meta.versionId, then the text itself, and last the
-- name of its file, so that the choice does not hang on the order in which files are read); rows without an id are
-- duplicates only if their text is equal.
with same_id as (
  select "resourceType", id from fhir_row where id is not null group by "resourceType", id having count(*) > 1
),
same_text as (
  select "resourceType", canonical from fhir_row where id is null group by "resourceType", canonical having count(*) > 1
),
ranked as (
  select
    r.rid,
    row_number() over (
      partition by r."resourceType", r.id
      order by
        try_cast(r.last_updated as timestamptz) desc nulls last, r.last_updated desc nulls last,
        try_cast(r.version_id as bigint) desc nulls last, r.version_id desc nulls last,
        r.canonical desc, r.filename, r.rid
    ) as place
  from fhir_row as r
  inner join same_id as s on s."resourceType" = r."resourceType" and s.id = r.id
  union all
  select
    r.rid,
    row_number() over (partition by r."resourceType", r.canonical order by r.filename, r.rid) as place
  from fhir_row as r
  inner join same_text as s on s."resourceType" = r."resourceType" and s.canonical = r.canonical
  where r.id is null
)
select rid from ranked where place > 1
