-- flat_meds_person: one row per row of a shard that is about the person: what (birth, death, sex) and its value.
-- Variables: flat_shard, flat_offset, flat_file.
create temp table if not exists flat_meds_person (row_no bigint, file varchar, row bigint, subject varchar, what varchar, value varchar);

insert into flat_meds_person
select
  row + getvariable('flat_offset'), getvariable('flat_file'), row, subject_id, flat_meds_about(code),
  case flat_meds_about(code) when 'sex' then coalesce(flat_meds_parts(code)[2], text_value) else left("time", 10) end
from query_table(getvariable('flat_shard'))
where flat_meds_about(code) is not null;

create temp table if not exists flat_meds_subject (subject varchar);

insert into flat_meds_subject select distinct subject_id from query_table(getvariable('flat_shard'));
