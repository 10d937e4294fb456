-- Serial numbers that a batch reserved together, and the names they are for, in the same order: one row, which goes when all
-- its certificates are recorded. numbers has 20 octets each, names one to a line.
create table reserved_block (
    first_number blob not null,
    issuer text not null references ca (name),
    numbers blob not null,
    names text not null,
    profile text not null,
    created_at integer not null,
    created_by text not null,
    primary key (first_number, issuer)
);
