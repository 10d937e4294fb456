"""The append-only log of every use of a CA key, in the database.

Decides that an entry is in the same transaction as what it speaks of, and what a verification looks at.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.findings import Finding, Report, Severity
from counterseal.pki.shown import show_serial
from counterseal.store.key_uses import chain, find_faults
from counterseal.store.records import KeyUse, LogHead, NewKeyUse
from counterseal.store.rows import Row, decode_serial, encode_serial
from counterseal.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Work = tuple[str, Iterable[Row]]

_COLUMNS = "sequence, used_at, actor, action, ca, serial_number, digest, previous_hash, hash"
_INSERT = f"insert into key_use ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_SELECT = f"select {_COLUMNS} from key_use where sequence > ? order by sequence"  # noqa: S608 - constants only

_GO_ON = "update key_use_head set sequence = ?, hash = ?"

# Certificates whose log entry is not there, or speaks of another certificate: a log cut short with its head shows here.
_UNLOGGED = """
    select c.serial_number, c.issuer, c.key_use from certificate c left join key_use k on k.sequence = c.key_use
    where c.key_use is not null and (k.sequence is null or k.serial_number <> c.serial_number or k.ca <> c.issuer)
"""
FINDINGS_SHOWN = 100
_BEFORE_ALL = -(1 << 63)
_TYPES: tuple[type | tuple[type, ...], ...] = (int, int, str, str, str, (bytes, type(None)), bytes, bytes, bytes)
_RESTORE = "it was changed past Counterseal: restore a backup with: counterseal restore"


class KeyUseLog(Session):
    """The key-use log."""

    def append_key_use(self, new: NewKeyUse) -> KeyUse:
        """Log one use of a CA key, durable on return; what issues a certificate or a CRL does this by itself."""
        with self.transaction():
            return self._append_key_uses([new])[0]

    def key_uses(self, *, after: int = 0) -> Iterator[KeyUse]:
        """Yield the entries with a higher sequence number than ``after``, in order."""
        return map(_key_use, self.each(_SELECT, (after,)))

    def key_use_head(self) -> LogHead:
        """Return the newest entry's number and hash (0 and zeros when empty); note it elsewhere as an anchor."""
        return self._head("select sequence, hash from key_use_head")

    def touch(self) -> None:
        """Write the row of that head as it is, durable on return: whether the database takes a write at all."""
        with self.statement():
            self.run("update key_use_head set only_row = only_row")

    def verify_key_uses(self, *, anchor: LogHead | None = None) -> Report:
        """Check every entry, the chain, its end, and that each certificate issued here is in it.

        Finds any edit, deletion or change of order by somebody who does not recompute all hashes after it and the head.
        Somebody who does is found only with an ``anchor``, a head noted elsewhere. At most 100 findings are returned.
        """
        with self._reading():
            return Report(tuple(islice(self._faults(anchor), FINDINGS_SHOWN)))

    def _append_key_uses(self, new: Iterable[NewKeyUse]) -> list[KeyUse]:
        """Append inside the caller's transaction."""
        uses, works = self._chain_key_uses(new)
        self.run_together(works)
        return uses

    def _chain_key_uses(self, new: Iterable[NewKeyUse], before: Iterable[Work] = ()) -> tuple[list[KeyUse], list[Work]]:
        """Return the entries, and the works (see ``run_together``) that append them, in the caller's transaction.

        From here to its commit nobody else can append, so what can be done ``before`` is, sent in the same go.
        """
        # An update that changes nothing: it makes appenders queue where readers do not lock the table.
        head: LogHead | KeyUse = self._head(
            "update key_use_head set only_row = only_row returning sequence, hash", before
        )
        uses: list[KeyUse] = []
        for one in new:
            head = chain(head, one)
            uses.append(head)
        if not uses:
            return [], []
        return uses, [(_INSERT, map(_columns, uses)), (_GO_ON, [(head.sequence, head.hash)])]

    def _head(self, statement: str, before: Iterable[Work] = ()) -> LogHead:
        row = self.row_behind(before, statement)
        if row is None:
            raise StoreError("store.no_log_head", f"the key-use log has lost its head: {self.place}", hint=_RESTORE)
        return LogHead(*row)

    def _faults(self, anchor: LogHead | None) -> Iterator[Finding]:
        try:
            yield from find_faults(self.key_uses(after=_BEFORE_ALL), self.key_use_head(), anchor)
            yield from self._unlogged()
        except StoreError as error:
            yield Finding("log.unreadable", Severity.CRITICAL, error.message, where="key-use log", hint=error.hint)

    def _unlogged(self) -> Iterator[Finding]:
        for serial, issuer, sequence in self.each(_UNLOGGED):
            yield Finding(
                "log.unlogged",
                Severity.CRITICAL,
                f"certificate's log entry is missing or speaks of another one: {show_serial(decode_serial(serial))}",
                where=f"certificate of {issuer}, key-use log entry {sequence}",
                hint=_RESTORE,
            )


def _columns(use: KeyUse) -> Row:
    serial = None if use.serial_number is None else encode_serial(use.serial_number)
    return (
        use.sequence,
        use.at,
        use.actor,
        use.action,
        use.ca,
        serial,
        use.digest,
        use.previous_hash,
        use.hash,
    )


def _key_use(row: Row) -> KeyUse:
    if not all(isinstance(value, kind) for value, kind in zip(row, _TYPES, strict=True)):
        raise StoreError("store.log_entry", f"unreadable entry of the key-use log: {row[0]}", hint=_RESTORE)
    sequence, at, actor, action, ca, serial, digest, previous_hash, digest_of_all = row
    number = None if serial is None else decode_serial(serial)
    return KeyUse(sequence, at, actor, action, ca, number, digest, previous_hash, digest_of_all)
