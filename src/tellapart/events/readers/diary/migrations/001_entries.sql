-- One row per local calendar day, signal and origin: what is typed and what a device says stand side by side.
create table entries (
    day text not null check (day glob '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    signal text not null,
    origin text not null,
    value real not null,
    written text not null,
    primary key (day, signal, origin)
) strict, without rowid;
