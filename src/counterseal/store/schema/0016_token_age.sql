-- The newest tokens first, without sorting all of them.
create index token_by_age on token (created_at);
