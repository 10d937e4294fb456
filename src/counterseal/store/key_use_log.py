"""The append-only log of every use of a CA key, in the database.

Decides that an entry is in the same transaction as what it speaks of, and what a verification looks at.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.findings import Finding, Severity
from counterseal.store.key_uses import Verification, chain, find_faults
from counterseal.store.records import KeyUse, LogHead, NewKeyUse
from counterseal.store.rows import Row, decode_serial, encode_serial
from counterseal.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Work = tuple[str, Iterable[Row]]

_COLUMNS = "sequence, used_at, actor, action, ca, serial_number, digest, previous_hash, hash"
_INSERT = f"insert into key_use ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
_SELECT = f"select {_COLUMNS} from key_use where sequence > ? order by sequence limit ?"  # noqa: S608 - constants only

_HEAD = "select sequence, hash from key_use_head"
# A CA that remembers what is not in the log any more goes on to do so: whatever is done later, a verification tells.
# No `exists`: where the log is short PostgreSQL plans to read all of it for that, and keeps the plan while it grows.
_REMEMBER = """
    update ca set key_use = ?, key_use_hash = ? where name = ? and (key_use is null
        or key_use_hash = (select k.hash from key_use k where k.sequence = ca.key_use))
"""
_COUNT = "update ca set key_uses = key_uses + 1 where name = ?"
_GO_ON = "update key_use_head set sequence = ?, hash = ?"

FINDINGS_SHOWN = 100
_BEFORE_ALL, _ALL = -(1 << 63), (1 << 63) - 1
_TYPES: tuple[type | tuple[type, ...], ...] = (int, int, str, str, str, (bytes, type(None)), bytes, bytes, bytes)
_RESTORE = "it was changed past Counterseal: restore a backup with: counterseal restore"


class KeyUseLog(Session):
    """The key-use log."""

    def append_key_use(self, new: NewKeyUse) -> KeyUse:
        """Log one use of a CA key, durable on return; what issues a certificate or a CRL does this by itself."""
        with self.transaction():
            return self._append_key_uses([new])[0]

    def key_uses(self, *, after: int = 0, limit: int = _ALL) -> Iterator[KeyUse]:
        """Yield the entries with a higher sequence number than ``after``, in order, and no more than ``limit``.

        Who wants a page says so: PostgreSQL has found all of them before it gives the first.
        """
        return map(_key_use, self.each(_SELECT, (after, limit)))

    def key_use_head(self) -> LogHead:
        """Return the newest entry's number and hash (0 and zeros when empty); note it elsewhere as an anchor."""
        return self._head(_HEAD)

    def touch(self) -> None:
        """Write the row of that head as it is, durable on return: whether the database takes a write at all."""
        with self.statement():
            self.run("update key_use_head set only_row = only_row")

    def verify_key_uses(self, *, anchor: LogHead | None = None) -> Verification:
        """Check every entry, the chain, its end, and that it is what certificates and CAs remember of it.

        Finds any edit, deletion, insertion or change of order by somebody who leaves those tables as they are, even if
        he recomputes all hashes and the head. Somebody who rewrites them as well is found only with an ``anchor``, a
        head noted elsewhere. At most 100 findings are returned.
        """
        with self._reading():
            row = self.row(_HEAD)
            head = None if row is None else LogHead(*row)
            return Verification(head, tuple(islice(self._faults(head, anchor), FINDINGS_SHOWN)))

    def _append_key_uses(self, new: Iterable[NewKeyUse]) -> list[KeyUse]:
        """Append inside the caller's transaction, each remembered by its CA."""
        uses, works = self._chain_key_uses(new)
        remembering = [(use.sequence, use.hash, use.ca) for use in uses]
        self.run_together([*works, (_REMEMBER, remembering), (_COUNT, [(use.ca,) for use in uses])])
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
            raise self._no_head()
        return LogHead(*row)

    def _no_head(self) -> StoreError:
        return StoreError("store.no_log_head", f"the key-use log has lost its head: {self.place}", hint=_RESTORE)

    def _faults(self, head: LogHead | None, anchor: LogHead | None) -> Iterator[Finding]:
        from counterseal.store.key_use_witnesses import contradictions  # noqa: PLC0415 - for a verification alone

        try:
            if head is None:
                raise self._no_head()
            yield from find_faults(self.key_uses(after=_BEFORE_ALL), head, anchor)
            yield from contradictions(self, head)
        except StoreError as error:
            yield Finding("log.unreadable", Severity.CRITICAL, error.message, where="key-use log", hint=error.hint)


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
