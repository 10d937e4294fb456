-- How often a caller may ask, whichever replica: a bucket of requests, kept as the time at which it is full again, in
-- microseconds by the clock of the database. A row whose time is over says nothing and goes.
create table allowance (
    caller text not null primary key,
    full_at integer not null
);

create index allowance_by_time on allowance (full_at);
