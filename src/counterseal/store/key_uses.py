"""The chain that the key-use log is: how an entry is encoded, how entries hang together, and what breaks it.

Each ``hash`` is SHA-256 over the lengths of eight fields (32 bits each, big-endian) and the fields: a tag, the previous
entry's hash, sequence number and time in decimal with a space between, actor, action, CA, serial number in hex (empty
when there is none) and digest. No two entries encode alike. PURE: entries and head are handed in.
"""

from __future__ import annotations

import re
from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import InputError
from counterseal.findings import Finding, Severity
from counterseal.store.records import GENESIS_HASH, KeyUse, LogHead, NewKeyUse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LENGTHS = Struct(">8I").pack
_HEAD = re.compile("([0-9]{1,19}):([0-9A-Fa-f]{64})")
_TAG = b"counterseal key use 1"
_HINT = "compare with a backup or a noted head to see what was changed"


class Verification(NamedTuple):
    """What a verification of the log found, and where the log ended then; no ``head`` where it cannot be read."""

    head: LogHead | None
    findings: tuple[Finding, ...]


def chain(head: LogHead | KeyUse, new: NewKeyUse) -> KeyUse:
    """Return ``new`` as the entry that follows ``head``, which the entry before it can be itself."""
    sequence = head.sequence + 1
    return KeyUse(
        sequence,
        new.at,
        new.actor,
        new.action,
        new.ca,
        new.serial_number,
        new.digest,
        head.hash,
        _hash(sequence, new, head.hash),
    )


def show_head(head: LogHead) -> str:
    """Return a head as it is noted elsewhere: ``NUMBER:HASH``."""
    return f"{head.sequence}:{head.hash.hex()}"


def parse_head(text: str) -> LogHead:
    """Return the head that ``show_head`` showed; raises InputError ``log.head``."""
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        hint = "NUMBER:HASH, as it was printed by: counterseal log verify"
        raise InputError("log.head", f"not a head of the log: {text!r}", hint=hint)
    return LogHead(int(found[1]), bytes.fromhex(found[2]))


def find_faults(uses: Iterable[KeyUse], head: LogHead, anchor: LogHead | None = None) -> Iterator[Finding]:
    """Yield what is wrong with the log: edits, gaps, changed order, a missing end, an ``anchor`` that is not in it.

    ``uses`` in the order of their sequence numbers, ``head`` the separate record of the newest, ``anchor`` a head that
    was noted outside the store.
    """
    last = LogHead(0, GENESIS_HASH)
    anchored = anchor is None or anchor == last
    for use in uses:
        yield from _faults_of(use, last)
        last = LogHead(use.sequence, use.hash)
        anchored = anchored or anchor == last
    if last != head:
        yield _fault("log.end", f"the log ends at entry {last.sequence}, its head says {head.sequence}", head.sequence)
    if not anchored and anchor is not None:
        yield _fault("log.anchor", f"the noted head is not in the log: entry {anchor.sequence}", anchor.sequence)


def _faults_of(use: KeyUse, last: LogHead) -> Iterator[Finding]:
    if use.sequence != last.sequence + 1:
        yield _fault("log.gap", f"entry {use.sequence} follows entry {last.sequence}", use.sequence)
    elif use.previous_hash != last.hash:
        yield _fault("log.link", f"entry does not follow the one before it: {use.sequence}", use.sequence)
    new = NewKeyUse(use.at, use.actor, use.action, use.ca, use.serial_number, use.digest)
    if use.hash != _hash(use.sequence, new, use.previous_hash):
        yield _fault("log.edited", f"entry was changed after it was written: {use.sequence}", use.sequence)


def _fault(code: str, message: str, sequence: int) -> Finding:
    return Finding(code, Severity.CRITICAL, message, where=f"key-use log entry {sequence}", hint=_HINT)


def _hash(sequence: int, use: NewKeyUse, previous_hash: bytes) -> bytes:
    serial = b"" if use.serial_number is None else b"%x" % use.serial_number
    actor, action, ca = use.actor.encode(), use.action.encode(), use.ca.encode()
    numbers = b"%d %d" % (sequence, use.at)
    fields = (_TAG, previous_hash, numbers, actor, action, ca, serial, use.digest)
    return sha256(_LENGTHS(*map(len, fields)) + b"".join(fields)).digest()
