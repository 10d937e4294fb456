-- One-time tokens: who shows the secret gets a certificate that says what stands here. The secret itself is not kept.

create table token (
    id text not null primary key,
    secret_hash blob not null unique,
    name text not null,
    profile text not null,
    names text not null,
    group_name text,
    lifetime integer,
    uses integer not null check (uses > 0),
    used integer not null check (used between 0 and uses),
    created_at integer not null,
    created_by text not null,
    expires_at integer not null,
    revoked_at integer,
    issuer text references ca (name)
);

create index token_by_expiry on token (expires_at);
