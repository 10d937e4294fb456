-- The log of key uses, counted: how often each CA signed what, of which profile, and for which face of the service.
-- Counted forward in the background, so that nobody who signs waits for it, and nobody who asks counts.
create table key_use_tally (
    ca text not null,
    purpose text not null,
    profile text not null,
    face text not null,
    times integer not null,
    primary key (ca, purpose, profile, face)
);

-- How far the log is counted.
create table key_use_tallied (
    only_row integer not null primary key check (only_row = 1),
    sequence integer not null
);

insert into key_use_tallied (only_row, sequence) values (1, 0);
