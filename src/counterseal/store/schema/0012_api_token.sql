-- Tokens of the API: who shows the secret has this role, for these profiles (null: all) and from these networks (empty: from
-- anywhere). The secret itself is not kept.

create table api_token (
    id text not null primary key,
    secret_hash blob not null,
    name text not null,
    role text not null,
    profiles text,
    networks text not null,
    created_at integer not null,
    created_by text not null,
    expires_at integer not null,
    revoked_at integer,
    last_used_at integer,
    last_used_from text
);

create index api_token_by_expiry on api_token (expires_at);
create index api_token_by_age on api_token (created_at);
