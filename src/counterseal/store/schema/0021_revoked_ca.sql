-- When the certificate of a CA was revoked, and why: it issues nothing from then on, and nobody it issued to is admitted.
alter table ca add column revoked_at integer;
alter table ca add column revocation_reason text;
update ca set
    revoked_at = (select revoked_at from certificate where issuer = ca.parent and der = ca.certificate),
    revocation_reason = (select revocation_reason from certificate where issuer = ca.parent and der = ca.certificate);
