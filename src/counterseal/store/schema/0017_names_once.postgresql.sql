-- Here a table is always apart from its key.
comment on table certificate_name is 'what a certificate can be found by, in lower case';
