-- Answers of the API that a repeated request gets again (Idempotency-Key). The key is kept as a hash; the answer is
-- sealed under a key that follows from the service's secret and the client's key, and is null while it is worked on.
create table api_answer (
    caller text not null,
    key_hash blob not null,
    request_hash blob not null,
    attempt blob not null,
    begun_at integer not null,
    answer blob,
    primary key (caller, key_hash)
);

create index api_answer_begun_at on api_answer (begun_at);
