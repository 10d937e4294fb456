-- Against accidents and careless tools, not against somebody who owns the tables: that is what the hashes are for.

create function key_use_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the key-use log is append-only' using errcode = 'integrity_constraint_violation';
end $$;

create trigger key_use_no_update before update on key_use for each row execute function key_use_refuse();
create trigger key_use_no_delete before delete on key_use for each row execute function key_use_refuse();
create trigger key_use_no_truncate before truncate on key_use execute function key_use_refuse();
create trigger key_use_head_no_delete before delete on key_use_head for each row execute function key_use_refuse();
create trigger key_use_head_no_truncate before truncate on key_use_head execute function key_use_refuse();

create trigger key_use_head_only_forward before update on key_use_head for each row
when (new.sequence < old.sequence or (new.sequence = old.sequence and new.hash <> old.hash))
execute function key_use_refuse();

insert into key_use_head (only_row, sequence, hash) values (1, 0, decode(repeat('00', 32), 'hex'));
