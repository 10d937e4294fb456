-- Whether a list is younger than every revocation is asked by each refresh: one look-up, whatever the number of them.
create index revocation_by_time on revocation (issuer, revoked_at);
