-- Who does something that only one may do at a time, until when by the clock of the database. Each new holder gets the next
-- token: what an earlier one still does is refused where its token is looked at, in the transaction that writes.
create table lease (
    name text not null primary key,
    holder text not null,
    token integer not null,
    expires_at integer not null
);

-- Until when the process that works on it has it; after that another one may take it up.
alter table acme_authorization add column claimed_until integer;
alter table acme_order add column claimed_until integer;
