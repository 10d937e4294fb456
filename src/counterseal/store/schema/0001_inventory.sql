-- Portable between SQLite (where every table is made strict) and PostgreSQL: text, integer (64 bits), blob.
-- Times are in seconds since the epoch, UTC.
-- Serial numbers are 20 octets, big-endian, so that their order as bytes is their order as numbers.

create table ca (
    name text not null primary key,
    purpose text not null check (purpose in ('root', 'server', 'client', 'any')),
    parent text references ca (name),
    certificate blob not null,
    key_id text not null,
    state text not null check (state in ('active', 'retired')),
    created_at integer not null,
    crl_number integer not null check (crl_number >= 0)
);

-- One row from the reservation of the serial number on. The key holds the issuer, because imported CAs count from 1.
create table certificate (
    serial_number blob not null check (length(serial_number) = 20),
    issuer text not null references ca (name),
    name text not null,
    profile text not null,
    status text not null check (status in ('reserved', 'valid', 'revoked', 'held')),
    created_at integer not null,
    created_by text not null,
    subject text,
    names text,
    group_name text,
    not_before integer,
    not_after integer,
    revoked_at integer,
    revocation_reason text,
    key_use integer,
    der blob,
    primary key (serial_number, issuer),
    check (status = 'reserved' or (subject is not null and names is not null
        and not_before is not null and not_after is not null)),
    check ((status in ('revoked', 'held')) = (revoked_at is not null and revocation_reason is not null))
);

-- Every listing is one of these, read in order. A reservation is in none of them: that halves its cost.
create index certificate_by_expiry on certificate (status, not_after, serial_number, issuer)
    where not_after is not null;
create index certificate_by_issuer on certificate (issuer, status, not_after, serial_number)
    where not_after is not null;
create index certificate_by_profile on certificate (profile, status, not_after, serial_number, issuer)
    where not_after is not null;
create index certificate_by_name on certificate (name, created_at);
create index certificate_reserved on certificate (created_at, serial_number, issuer)
    where status = 'reserved';

-- What a certificate can be found by, in lower case. direction 0: as written. direction 1: a domain name or a mail
-- address from its end ('com.example.www', 'com.example@ann'), which makes "everything in example.com" a range.
create table certificate_name (
    direction integer not null check (direction in (0, 1)),
    value text not null,
    serial_number blob not null,
    issuer text not null,
    primary key (direction, value, serial_number, issuer)
);

-- The thin copy that CRLs and maps are made from: entries stand ready, encoded, in the order of the list.
create table revocation (
    issuer text not null,
    serial_number blob not null,
    not_after integer not null,
    revoked_at integer not null,
    reason text not null,
    crl_entry blob not null,
    primary key (issuer, serial_number),
    foreign key (serial_number, issuer) references certificate (serial_number, issuer)
);

-- All that a CRL or a map asks for, in its order: a million entries in 0.4 s, five times as fast as through the key.
create index revocation_in_order on revocation (issuer, serial_number, not_after, crl_entry);

create table crl (
    issuer text not null references ca (name),
    number integer not null,
    this_update integer not null,
    next_update integer not null,
    entries integer not null,
    der blob not null,
    primary key (issuer, number)
);

-- The log of every use of a CA key, and its newest entry once more in a row of its own.
create table key_use (
    sequence integer not null primary key check (sequence > 0),
    used_at integer not null,
    actor text not null,
    action text not null,
    ca text not null,
    serial_number blob,
    digest blob not null,
    previous_hash blob not null,
    hash blob not null
);

create table key_use_head (
    only_row integer not null primary key check (only_row = 1),
    sequence integer not null,
    hash blob not null
);
