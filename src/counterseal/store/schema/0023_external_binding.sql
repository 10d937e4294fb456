-- The externalAccountBinding with which an account was made, as JSON: its object shows it again (RFC 8555 7.3.4). Null where
-- there was none, or nobody wrote it down yet.
alter table acme_account add column external_binding text;
