"""Issue a batch: numbers reserved, drafts checked, certificates signed, files deposited, all recorded, chunk by chunk.

One process has the CA key, the store and the ledger, and does their part in order; the others do the rest beside it.
A chunk is recorded only when its files are on disk, and handed out only when it is recorded.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from counterseal.authority.batch import tape
from counterseal.authority.batch.check import chunk_size, chunks
from counterseal.authority.batch.produce import Signed, common_files, draft, pack
from counterseal.authority.batch.rows import ClientRow, read_rows
from counterseal.authority.signing import sign_reserved
from counterseal.errors import NotFoundError
from counterseal.moments import epoch
from counterseal.store.records import Reservation, Status
from counterseal.workers import workers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.batch.ledger import Ledger, Place
    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.produce import Chunk, Drafted
    from counterseal.authority.parts import Authority
    from counterseal.pki.certificate import Issuer
    from counterseal.pki.signer import Signer
    from counterseal.store.records import CertificateRecord, NewKeyUse

Issued = tuple["CertificateRecord", "NewKeyUse"]
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
    beside = min(processes, 1) if place.directory else 0
    folder = place.archive.name.removesuffix(".tar")
    with ExitStack() as stack:
        work = stack.enter_context
        drafts = work(workers(partial(draft, order, above, authority.actor, {}), count=processes))
        # Two PEM blocks are made sooner than sent to and fro; a PKCS#12 is not.
        packing = partial(pack, order, above, folder, authority.random_bytes)
        packs = work(workers(packing, count=processes if order.packing else 0))
        hand_out = work(workers(partial(_hand_out, ledger.archive, place), count=beside))
        signer = authority.keystore.signer(authority.store.ca(order.issuer).key_id)  # after the forks: none has the key
        waiting: deque[list[Issued]] = deque()
        rows = (row for row in read_rows(path) if isinstance(row, ClientRow) and row.name not in issued)
        signed = _sign(authority, drafts(_reserve(authority, order, rows)), signer, waiting)
        yield from hand_out(_deposit(authority, ledger, above, folder, packs(signed), waiting))
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


def _sign(
    authority: Authority, drafted: Iterable[Drafted], signer: Signer, waiting: deque[list[Issued]]
) -> Iterator[Signed]:
    """Sign each chunk, and leave it in ``waiting`` to be recorded in the same order."""
    for chunk in drafted:
        issued = sign_reserved(authority, chunk.checked, signer)
        waiting.append(issued)
        yield Signed([record for record, _ in issued], chunk.keys)


def _deposit(
    authority: Authority,
    ledger: Ledger,
    above: Issuer,
    folder: str,
    packed: Iterable[Chunk],
    waiting: deque[list[Issued]],
) -> Iterator[tuple[tuple[int, int], int]]:
    """Put each chunk on disk, then into the store; yield where its members are, and how many certificates it has.

    The chunks of an interrupted run come first, with none: their files may be missing.
    """
    yield from ((part, 0) for part in ledger.parts)
    common = b"" if ledger.parts else tape.encode(common_files(above), folder=folder, at=epoch(authority.clock()))
    for chunk in packed:
        issued = waiting.popleft()
        last_serial = issued[-1][0].serial_number
        part = ledger.deposit(common + chunk.members, chunk.lines, last_serial=last_serial)
        authority.store.record_block(issued)
        common = b""
        yield part, len(issued)


def _hand_out(archive: Path, place: Place, deposited: tuple[tuple[int, int], int]) -> int:
    part, count = deposited
    if place.directory is not None:
        tape.unpack(archive, part, place.directory)
    return count
