-- The key is the whole row. Without a row number it is stored once, not as a table and an index: a fifth of what
-- recording a certificate takes.
alter table certificate_name rename to certificate_name_twice;

create table certificate_name (
    direction integer not null check (direction in (0, 1)),
    value text not null,
    serial_number blob not null,
    issuer text not null,
    primary key (direction, value, serial_number, issuer)
) without rowid;

insert into certificate_name (direction, value, serial_number, issuer)
    select direction, value, serial_number, issuer from certificate_name_twice order by 1, 2, 3, 4;
drop table certificate_name_twice;
