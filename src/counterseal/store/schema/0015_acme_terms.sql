-- The terms of service, by their URL, that an account agreed to; null when there were none, or nobody wrote it down yet.
alter table acme_account add column terms text;
