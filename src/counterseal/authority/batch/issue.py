"""Issue a batch: numbers reserved, drafts checked, certificates signed, files deposited, all recorded, chunk by chunk.

With another core four kinds of work are done beside each other: this process reserves, notes and records, others make
keys and drafts, one signs, one puts files into the archive. Only this one and the one that signs ever have the CA key.
A chunk is signed only when its numbers are reserved, recorded only when its files are on disk, and handed out only when
it is recorded.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from counterseal.authority.batch import tape
from counterseal.authority.batch.check import chunk_size, chunks
from counterseal.authority.batch.produce import Signed, draft, opening, pack
from counterseal.authority.batch.rows import ClientRow, read_rows
from counterseal.authority.signing import sign_drafts
from counterseal.errors import NotFoundError
from counterseal.moments import epoch
from counterseal.store.records import NewKeyUse, Reservation, Status
from counterseal.workers import keeping, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.batch.ledger import Deposit, Ledger, Place
    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.produce import Chunk, Drafted
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

Issued = list[tuple["CertificateRecord", "NewKeyUse"]]
Numbered = tuple["datetime", list[tuple[int, ClientRow]]]


def is_recorded(authority: Authority, issuer: str, serial_number: int) -> bool:
    """Whether the store has a certificate of this number, and not only its reservation."""
    try:
        return authority.store.certificate(serial_number, issuer=issuer).status is not Status.RESERVED
    except NotFoundError:
        return False


def issue_batch(
    authority: Authority,
    order: BatchOrder,
    path: Path,
    ledger: Ledger,
    place: Place,
    *,
    issued: Collection[str],
    processes: int,
) -> Iterator[int]:
    """Issue the rows of ``path`` whose names are not ``issued``; yield how many each time some are handed out.

    Raises KeyAccessError, StoreError, FileError; whatever ends it, the same call later goes on where it was.
    """
    above = authority.issuer(order.issuer)
    beside = min(processes, 1)
    folder = place.archive.name.removesuffix(".tar")
    packing = partial(pack, order, above, folder, authority.random_bytes)
    put = partial(_deposit, ledger, opening(above, folder, epoch(authority.clock())))
    with ExitStack() as stack:
        work = stack.enter_context
        drafts = work(workers(partial(draft, order, above, authority.actor, {}), count=processes))
        deposits = work(_depositing(packing, put, packers=processes if order.packing else 0, beside=beside))
        hand_out = work(workers(partial(_hand_out, ledger.archive, place), count=beside if place.directory else 0))
        signer = authority.keystore.signer(authority.store.ca(order.issuer).key_id)  # no fork before this has the key
        sign = work(workers(partial(sign_drafts, signer), count=beside))
        rows = (row for row in read_rows(path) if isinstance(row, ClientRow) and row.name not in issued)
        drafted = drafts(_reserve(authority, order, rows))
        signed = keeping(sign, ((chunk, chunk.drafts) for chunk in drafted))
        issuing = (_complete(authority, chunk, certificates) for chunk, certificates in signed)
        yield from hand_out(_record(authority, ledger, keeping(deposits, issuing)))
    ledger.finish()


def _reserve(authority: Authority, order: BatchOrder, rows: Iterable[ClientRow]) -> Iterator[Numbered]:
    """Take a serial number for each row, durable before its draft is even made."""
    for chunk in chunks(rows, chunk_size(order)):
        now = authority.clock().replace(microsecond=0)  # all of a second share their times, so that they have one model
        at, issuer, profile, actor = epoch(now), order.issuer, order.profile.name, authority.actor
        numbered = list(zip(authority.serial_numbers(len(chunk)), chunk, strict=True))
        authority.store.reserve_block(
            [Reservation(number, issuer, row.name, profile, at, actor) for number, row in numbered]
        )
        yield now, numbered


def _complete(authority: Authority, chunk: Drafted, signed: list[tuple[bytes, bytes]]) -> tuple[Issued, Signed]:
    """Return what is to be recorded of a chunk, and what is to be packed of it."""
    at, actor = epoch(authority.clock()), authority.actor
    issued = [
        (record.signed(content), NewKeyUse(at, actor, "certificate", record.issuer, record.serial_number, digest))
        for record, (content, digest) in zip(chunk.records, signed, strict=True)
    ]
    to_pack = [
        (record.name, record.serial_number, record.not_after, content, key)
        for record, (content, _), key in zip(chunk.records, signed, chunk.keys, strict=True)
    ]
    return issued, Signed(at, to_pack)


@contextmanager
def _depositing(
    packing: Callable[[Signed], Chunk], put: Callable[[Chunk], Deposit], *, packers: int, beside: int
) -> Iterator[Callable[[Iterable[Signed]], Iterator[Deposit]]]:
    """Give what packs and deposits chunks in order: one process does both, or several pack, where it takes long."""

    def pack_and_put(signed: Signed) -> Deposit:
        return put(packing(signed))

    if packers:
        with workers(packing, count=packers) as packs:
            yield lambda signed: map(put, packs(signed))
    else:
        with workers(pack_and_put, count=beside) as deposits:
            yield deposits


def _deposit(ledger: Ledger, begin: bytes, chunk: Chunk) -> Deposit:
    return ledger.deposit(chunk.members, chunk.lines, opening=begin)


def _record(
    authority: Authority, ledger: Ledger, deposited: Iterable[tuple[Issued, Deposit]]
) -> Iterator[tuple[tuple[int, int], int]]:
    """Put each chunk that is on disk into the store; yield where its members are, and how many certificates it has.

    The chunks of an interrupted run come first, with none: their files may be missing.
    """
    yield from ((part, 0) for part in ledger.parts)
    for issued, deposit in deposited:
        ledger.note(deposit, last_serial=issued[-1][0].serial_number)
        authority.store.record_block(issued)
        yield (deposit.start, deposit.end), len(issued)


def _hand_out(archive: Path, place: Place, deposited: tuple[tuple[int, int], int]) -> int:
    part, count = deposited
    if place.directory is not None:
        tape.unpack(archive, part, place.directory)
    return count
