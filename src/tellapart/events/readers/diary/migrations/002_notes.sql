-- What is not a number: medicines, what helps, tests done, questions. The same text on the same day is one note.
create table notes (
    day text not null check (day glob '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    kind text not null,
    text text not null,
    written text not null,
    primary key (day, kind, text)
) strict, without rowid;
