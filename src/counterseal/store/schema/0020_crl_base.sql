-- A long list is kept without the entries with which it begins and which are all of another list of the same CA: the
-- number of that one, which is kept whole, and the octet of der before which its entries belong. Null: der is all of it.
alter table crl add column base integer;
alter table crl add column base_at integer;
