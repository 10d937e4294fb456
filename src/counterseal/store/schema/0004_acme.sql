-- ACME (RFC 8555). Identifiers of objects are random text that URLs are made of. Documents in JSON are what a client is
-- shown and never searched: contacts, identifiers, ids of authorizations, problems.

create table acme_account (
    id text not null primary key,
    thumbprint text not null unique,
    jwk text not null,
    status text not null check (status in ('valid', 'deactivated', 'revoked')),
    contact text not null,
    terms_agreed integer not null check (terms_agreed in (0, 1)),
    external_key text,
    created_at integer not null
);

-- External account binding (RFC 8555 7.3.4). The MAC key is not here: it follows from the service's secret and the id.
create table acme_external_key (
    id text not null primary key,
    name text not null,
    created_at integer not null,
    created_by text not null,
    expires_at integer,
    reusable integer not null check (reusable in (0, 1)),
    used_at integer,
    revoked_at integer
);

-- An authorization with its challenges: they share a token, and only one of them is ever attempted.
create table acme_authorization (
    id text not null primary key,
    account text not null references acme_account (id),
    kind text not null check (kind in ('dns', 'ip')),
    value text not null,
    wildcard integer not null check (wildcard in (0, 1)),
    status text not null check (status in ('pending', 'valid', 'invalid', 'deactivated', 'revoked')),
    token text not null,
    created_at integer not null,
    expires_at integer not null,
    attempted text,
    validated_at integer,
    error text
);

-- What can be used again: of this account, for this identifier, the one that lasts longest.
create index acme_authorization_reusable on acme_authorization (account, kind, value, wildcard, expires_at)
    where status in ('pending', 'valid');
-- What a process that ended has left half validated.
create index acme_authorization_attempted on acme_authorization (id)
    where status = 'pending' and attempted is not null;
create index acme_authorization_by_expiry on acme_authorization (expires_at);

-- A valid order lasts as long as its certificate.
create table acme_order (
    id text not null primary key,
    account text not null references acme_account (id),
    status text not null check (status in ('pending', 'ready', 'processing', 'valid', 'invalid')),
    identifiers text not null,
    authorizations text not null,
    profile text not null,
    created_at integer not null,
    expires_at integer not null,
    not_after integer,
    replaces text,
    error text,
    issuer text,
    serial_number blob
);

create index acme_order_by_account on acme_order (account, created_at, id);
create index acme_order_processing on acme_order (id) where status = 'processing';
create index acme_order_by_expiry on acme_order (expires_at);
create index acme_order_replacing on acme_order (replaces) where replaces is not null;
create index acme_order_by_certificate on acme_order (serial_number, issuer) where serial_number is not null;

-- Nonces that were used. One that was not used yet proves by itself that a replica of ours made it, and when.
create table acme_nonce (
    nonce text not null primary key,
    expires_at integer not null
);

create index acme_nonce_by_expiry on acme_nonce (expires_at);

-- How often something was done in a window of time, for limits.
create table acme_usage (
    subject text not null,
    action text not null,
    window_start integer not null,
    times integer not null,
    primary key (subject, action, window_start)
);

create index acme_usage_by_window on acme_usage (window_start);
