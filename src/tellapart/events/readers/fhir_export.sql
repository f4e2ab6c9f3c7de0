-- source_rows, patients and rejected once more, by what a server says of its export (export_deleted, export_error). Who is
-- deleted goes with all that is on record.
delete from patients
where 'Patient/' || person_id in (select reference from export_deleted);

update source_rows
set "class" = 'withdrawn'
where ("class" is null or "class" = 'used') and (
  reference in (select reference from export_deleted) or 'Patient/' || person_id in (select reference from export_deleted)
);

insert into source_rows by name
select
  (select coalesce(max(row_no), 0) from source_rows) + row_number() over (order by file, line) as row_no,
  'OperationOutcome' as source_type, file, line, file || '#' || line as reference, 'rejected' as class
from (select distinct file, line from export_error);

insert into rejected by name
select
  e.file, e.line, s.reference, 'The server could not export something: ' || e.reason as reason,
  'Ask who runs the server; the export may lack rows.' as what_to_do, s.row_no
from export_error as e
inner join source_rows as s on s.file = e.file and s.line = e.line and s.source_type = 'OperationOutcome';
