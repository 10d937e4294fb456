-- The keys of certificates that were revoked because somebody else has them, by the SHA-256 of their
-- SubjectPublicKeyInfo: none of them is certified again. Those of an older store are added by compromised_keys.py.
create table compromised_key (
    key_hash blob not null primary key check (length(key_hash) = 32),
    serial_number blob not null,
    issuer text not null
);
