-- The codings of the codes seen (flat_coding) as statements, for normalize.know_codes.
insert into statements by name
select distinct kind, system, code from flat_coding;
