-- Every change to a CA's revocations has a number, so that the newest list is made from the one before and what has
-- changed since: ca.changes is the last number, ca.removals the last that took an entry away or replaced one.
alter table ca add column changes integer not null default 0;
alter table ca add column removals integer not null default 0;
alter table revocation add column change_number integer not null default 0;
-- Up to which change a list tells all; null where that is not known.
alter table crl add column change_number integer;

-- The order of a list is that of the changes: what is new stands at its end.
drop index revocation_in_order;
create index revocation_in_order on revocation (issuer, change_number, serial_number, not_after, crl_entry);
-- Whether an entry has left because its certificate has ended: one look-up.
create index revocation_by_end on revocation (issuer, not_after);
