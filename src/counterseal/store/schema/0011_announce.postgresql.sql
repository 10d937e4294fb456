-- What a replica may keep in memory is announced when it changes, by the transaction that changes it and only if that commits
-- (LISTEN/NOTIFY), whatever program it was: the standing of a certificate, but for its first, and a new list.

create function announce() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'crl' then
        perform pg_notify('counterseal', 'crl ' || new.issuer);
    else
        perform pg_notify('counterseal', 'certificate ' || new.issuer || ' ' || encode(new.serial_number, 'hex'));
    end if;
    return null;
end $$;

create trigger certificate_announce after update of status, revoked_at, revocation_reason on certificate for each row
when (old.status <> 'reserved' and (old.status, old.revoked_at, old.revocation_reason)
    is distinct from (new.status, new.revoked_at, new.revocation_reason))
execute function announce();

create trigger crl_announce after insert on crl for each row execute function announce();
