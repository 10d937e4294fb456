-- Against accidents and careless tools, not against somebody who owns the file: that is what the hashes are for.

create trigger key_use_no_update before update on key_use
begin
    select raise(abort, 'the key-use log is append-only');
end;

create trigger key_use_no_delete before delete on key_use
begin
    select raise(abort, 'the key-use log is append-only');
end;

-- "insert or replace" deletes without firing a delete trigger.
create trigger key_use_no_replace before insert on key_use
when exists (select 1 from key_use where sequence = new.sequence)
begin
    select raise(abort, 'the key-use log is append-only');
end;

create trigger key_use_head_no_delete before delete on key_use_head
begin
    select raise(abort, 'the key-use log is append-only');
end;

create trigger key_use_head_only_forward before update on key_use_head
when new.sequence < old.sequence or (new.sequence = old.sequence and new.hash <> old.hash)
begin
    select raise(abort, 'the key-use log is append-only');
end;

insert into key_use_head (only_row, sequence, hash) values (1, 0, zeroblob(32));
