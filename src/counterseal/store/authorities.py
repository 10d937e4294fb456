"""The CAs and the CRLs that they published.

Decides that CRL numbers are dense and never repeated (RFC 5280 5.2.3), and how many old CRLs are kept.
"""

from __future__ import annotations

from counterseal.errors import NotFoundError, StoreError, hint_for
from counterseal.store.key_use_log import KeyUseLog
from counterseal.store.leases import Lease, give_lease_back, require_lease, take_lease
from counterseal.store.records import CARecord, CRLRecord, CRLTimes, NewKeyUse

_CA = (
    "name, purpose, parent, certificate, key_id, case when revoked_at is null then state else 'revoked' end,"
    " created_at, successor, revoked_at, revocation_reason"
)
_INSERT_CA = """
    insert into ca (name, purpose, parent, certificate, key_id, state, created_at, successor, crl_number)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
"""
_REVOKE_CA = "update ca set revoked_at = ?, revocation_reason = ? where name = ?"
_INSERT_CRL = """
    insert into crl (issuer, number, this_update, next_update, entries, change_number, der, base, base_at)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
"""
_LATEST_CRL = """
    select crl.issuer, crl.number, crl.this_update, crl.next_update, crl.der, crl.entries, crl.change_number,
        whole.der, crl.base_at
    from crl left join crl as whole on whole.issuer = crl.issuer and whole.number = crl.base
    where crl.issuer = ? order by crl.number desc limit 1
"""
_WHOLE_CRL = "select number, der from crl where issuer = ? and base is null order by number desc limit 1"
_OLD_CRLS = """
    delete from crl where issuer = ? and number not in
        (select number from crl where issuer = ? order by number desc limit ?)
    and number not in (select base from crl where issuer = ? and base is not null)
"""
_RAISE_CRL_NUMBER = "update ca set crl_number = ? where name = ? and crl_number < ?"
CRLS_KEPT = 5
"""Old CRLs are kept for a look back; a list of a million entries is 50 MB, so not for ever."""
LONG_CRL = 256 * 1024
"""Octets from which on only that is kept of a list which an earlier one has not; some five thousand entries."""


class _Once:
    """While this is entered, the CAs that a store has read stand; a class, because every job enters one."""

    def __init__(self, store: Authorities) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store._once = True  # noqa: SLF001 - a part of it

    def __exit__(self, *_: object) -> None:
        self._store._once, self._store._known = False, None  # noqa: SLF001 - same


class Authorities(KeyUseLog):
    """CAs and CRLs."""

    _once = False
    _known: tuple[CARecord, ...] | None = None

    def cas_once(self) -> _Once:
        """Read the CAs once at most inside, for a job that is over soon: each look is a way to a server and back."""
        return _Once(self)

    def add_ca(self, record: CARecord, key_use: NewKeyUse | None = None, *, crl_number: int = 0) -> None:
        """Add a CA and log the signature that made it, together; raises StoreError (``store.ca_exists``).

        ``crl_number`` is the last one already used, for an imported CA, which has no ``key_use`` of ours either.
        """
        values = (
            record.name,
            record.purpose,
            record.parent,
            record.certificate,
            record.key_id,
            record.state,
            record.created_at,
            record.successor,
            crl_number,
        )
        with self.transaction():
            if record.parent is not None:
                self.ca(record.parent)
            if not self.run(_INSERT_CA, values):
                raise StoreError("store.ca_exists", f"a CA of that name exists: {record.name}")
            self._known = None
            if key_use is not None:
                self._append_key_uses([key_use])

    def ca(self, name: str) -> CARecord:
        """Return the CA; raises NotFoundError (``store.no_ca``)."""
        if self._once:
            for record in self.cas():
                if record.name == name:
                    return record
            raise self._no_ca(name)
        row = self.row(f"select {_CA} from ca where name = ?", (name,))  # noqa: S608 - constants only
        if row is None:
            raise self._no_ca(name)
        return CARecord(*row)

    def cas(self) -> tuple[CARecord, ...]:
        """Return all CAs, retired and revoked ones too, in the order they were made."""
        if self._known is not None:
            return self._known
        rows = self.rows(f"select {_CA} from ca order by created_at, name")  # noqa: S608 - constants only
        found = tuple(CARecord(*row) for row in rows)
        self._known = found if self._once else None
        return found

    def retire_ca(self, name: str, successor: str) -> None:
        """Mark the CA as one in whose place ``successor`` issues; raises NotFoundError (``store.no_ca``)."""
        with self.transaction():
            self.ca(successor)
            self._known = None
            if not self.run("update ca set state = 'retired', successor = ? where name = ?", (successor, name)):
                raise self._no_ca(name)

    def mark_ca_revoked(self, name: str, *, at: int, reason: str) -> None:
        """Mark the CA as one whose certificate was revoked; raises NotFoundError (``store.no_ca``)."""
        with self.transaction():
            self._known = None
            if not self.run(_REVOKE_CA, (at, reason, name)):
                raise self._no_ca(name)

    def next_crl_number(self, issuer: str) -> int:
        """Take the CA's next CRL number, durable on return: no two callers ever get the same one."""
        with self.transaction():
            row = self.row("update ca set crl_number = crl_number + 1 where name = ? returning crl_number", (issuer,))
            if row is None:
                raise self._no_ca(issuer)
        return int(row[0])

    def begin_crl(self, issuer: str, *, holder: str, seconds: int) -> tuple[Lease, int] | None:
        """Take the CA's next CRL number and, for so long, the right to publish; None while somebody else has that.

        Whoever begins later reads the revocations later, so lists with higher numbers never know less.
        """
        with self.transaction():
            lease = take_lease(self, f"crl {issuer}", holder=holder, seconds=seconds)
            return None if lease is None else (lease, self.next_crl_number(issuer))

    def add_crl(self, record: CRLRecord, key_use: NewKeyUse | None = None, *, lease: Lease | None = None) -> None:
        """Keep a CRL and log its signature, together; only the newest five of a CA stay, and what they go on from.

        Gives the lease back.

        Raises StoreError: ``store.crl_exists`` when that number was already published, ``store.lease_lost`` when the
        time was over and somebody else began.
        """
        times = (record.this_update, record.next_update)
        values = (record.issuer, record.number, *times, record.entries, record.change_number)
        with self.transaction():
            if lease is not None:
                require_lease(self, lease)
                give_lease_back(self, lease)
            self.ca(record.issuer)
            if not self.run(_INSERT_CRL, (*values, *self._to_keep(record))):
                raise StoreError("store.crl_exists", f"a CRL of that number exists: {record.issuer} {record.number}")
            self.run(_OLD_CRLS, (record.issuer, record.issuer, CRLS_KEPT, record.issuer))
            if key_use is not None:
                self._append_key_uses([key_use])

    def raise_crl_number(self, issuer: str, number: int) -> None:
        """Have the numbers of the CA's lists go on from this one at least, which somebody has used."""
        self.run(_RAISE_CRL_NUMBER, (number, issuer, number))

    def last_crl_number(self, issuer: str) -> int:
        """Return the last number that was taken for a list of the CA, whether it was signed or not."""
        return int(self.rows("select crl_number from ca where name = ?", (issuer,))[0][0])

    def forget_crls(self, issuer: str) -> None:
        """Forget the CA's lists, newer ones of which may be out: the next one is made from the store."""
        self.run("delete from crl where issuer = ?", (issuer,))

    def take_crl(self, record: CRLRecord) -> None:
        """Keep a CRL that was signed elsewhere; numbers go on from its own. Raises StoreError ``store.crl_exists``."""
        with self.transaction():
            self.raise_crl_number(record.issuer, record.number)
            self.add_crl(record)

    def latest_crl(self, issuer: str) -> CRLRecord | None:
        """Return the CA's CRL of the highest number, or None when it has published none."""
        row = self.row(_LATEST_CRL, (issuer,))
        if row is None:
            return None
        *values, whole, at = row
        record = CRLRecord(*values)
        if whole is None:
            return record
        from counterseal.store.long_lists import lengthen  # noqa: PLC0415 - cryptography, for long lists alone

        return record._replace(crl=lengthen(record.crl, at, whole))

    def _to_keep(self, record: CRLRecord) -> tuple[bytes, int | None, int | None]:
        """Return what is kept of a list: its octets, and which whole list it goes on from where."""
        if len(record.crl) < LONG_CRL:
            return record.crl, None, None
        from counterseal.store.long_lists import shorten  # noqa: PLC0415 - same

        row = self.row(_WHOLE_CRL, (record.issuer,))
        shortened = None if row is None else shorten(record.crl, row[1])
        if row is None or shortened is None:
            return record.crl, None, None
        octets, at = shortened
        return octets, row[0], at

    def latest_crl_number(self, issuer: str) -> int | None:
        """Return the number of that CRL without reading the list, which may be long."""
        row = self.row("select max(number) from crl where issuer = ?", (issuer,))
        return None if row is None else row[0]

    def has_crl(self, issuer: str, number: int) -> bool:
        """Return whether the CA's CRL of this number is kept."""
        return self.row("select 1 from crl where issuer = ? and number = ?", (issuer, number)) is not None

    def latest_crl_times(self, issuer: str) -> CRLTimes | None:
        """Return number, times and entries of that CRL, also without reading the list."""
        row = self.row(
            "select issuer, number, this_update, next_update, entries from crl"
            " where issuer = ? order by number desc limit 1",
            (issuer,),
        )
        return CRLTimes(*row) if row else None

    def crls_dated(self, issuer: str, this_update: int) -> int:
        """Return how many CRLs of the CA that are kept have this time."""
        rows = self.rows("select count(*) from crl where issuer = ? and this_update = ?", (issuer, this_update))
        return int(rows[0][0])

    def latest_crl_change(self, issuer: str) -> int | None:
        """Return up to which change to the revocations of the CA that CRL tells all, None where that is not known."""
        row = self.row("select change_number from crl where issuer = ? order by number desc limit 1", (issuer,))
        return None if row is None else row[0]

    def _no_ca(self, name: str) -> NotFoundError:
        known = [record.name for record in self.cas()]
        return NotFoundError("store.no_ca", f"no CA of that name: {name}", hint=hint_for(name, known))
