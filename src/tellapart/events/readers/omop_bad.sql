-- source_rows and rejected of lines that are no row of their CSV table (omop_bad: table, file, line, value, reason).
-- Variable: omop_offset.
insert into source_rows by name
select
  rowid + getvariable('omop_offset') as row_no, "table" as source_type, file, line, file || '#' || line as reference,
  'rejected' as class
from omop_bad;

insert into rejected by name
select
  file, line, file || '#' || line as reference, value, reason, 'Correct the line, or export the table again.' as what_to_do,
  rowid + getvariable('omop_offset') as row_no
from omop_bad;
