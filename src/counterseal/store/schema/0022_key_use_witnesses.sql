-- What else knows of the log of key uses: each certificate remembers the hash of its entry beside the number; each CA
-- how many entries its key has that are of no certificate, and number and hash of the newest of these. A log that was
-- written anew, cut short or added to contradicts them.
alter table certificate add column key_use_hash blob;
alter table ca add column key_uses integer not null default 0;
alter table ca add column key_use integer;
alter table ca add column key_use_hash blob;

update certificate set key_use_hash = (select k.hash from key_use k where k.sequence = certificate.key_use)
    where key_use is not null;
update ca set
    key_uses = (select count(*) from key_use k where k.ca = ca.name and k.action <> 'certificate'),
    key_use = (select max(k.sequence) from key_use k where k.ca = ca.name and k.action <> 'certificate');
update ca set key_use_hash = (select k.hash from key_use k where k.sequence = ca.key_use) where key_use is not null;
