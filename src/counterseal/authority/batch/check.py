"""A batch judged before anything is issued: every row that policy or lint would refuse, every name that stands twice.

The rows are read once here and once more to be issued, so that memory does not grow with the file but by the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from counterseal.authority.batch.rows import ClientRow, fault, read_rows
from counterseal.authority.batch.shape import Shape, has_shapes, plain
from counterseal.authority.signing import check_draft
from counterseal.bundles.pem import file_stem
from counterseal.errors import InputError, RefusedError
from counterseal.findings import Finding
from counterseal.keystore.software import generate_key
from counterseal.pki.certificate import assemble_end_entity
from counterseal.pki.keys import signature_algorithm
from counterseal.pki.names import parse_name
from counterseal.pki.policy import decide
from counterseal.pki.shown import counted
from counterseal.workers import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.parts import Authority
    from counterseal.pki.certificate import Issuer

CHUNK = 1000
CHUNK_PACKED = 50  # a PKCS#12 takes milliseconds: what is lost by a kill, and the wait for the last worker, stay short
SHOWN = 3
_INPUT_CODES = ("batch.", "name.", "subject.", "duration.")


@dataclass(frozen=True, slots=True)
class Examined:
    """How many rows there are, how many of them are still to be issued, and the ``SHOWN`` first of these by name."""

    rows: int
    remaining: int
    first: tuple[str, ...] = ()


def examine(
    authority: Authority,
    order: BatchOrder,
    path: Path,
    *,
    issued: Collection[str],
    occupied: Callable[[str], Path | None],
    processes: int,
) -> Examined:
    """Judge every row; ``issued`` are the names done before, ``occupied`` tells a file that is in a stem's place.

    Raises RefusedError ``batch.refused`` or, when a row is malformed, InputError ``batch.rows``, with a finding for
    each fault of each row; InputError ``batch.empty``, ``batch.columns``.
    """
    above, now = authority.issuer(order.issuer), authority.clock()
    faults: list[Finding] = []
    counted = [0, 0]
    first: list[str] = []
    stand_in = generate_key(order.key).public_key()
    judge = partial(_judge, order, above, now, stand_in)
    rows = _noting(_readable(path, faults, counted, issued, occupied), first)
    given = chunks(_one_of_each_shape(order, above, judge, rows, faults), CHUNK)
    begun = list(islice(given, 2))
    with workers(judge, count=processes if len(begun) > 1 else 0) as spread:
        for found in spread(chain(begun, given)):
            faults += found
    if not counted[0]:
        raise InputError("batch.empty", f"there is no row in the file: {path}")
    if faults:
        _raise(path, sorted(faults, key=_line))
    return Examined(counted[0], counted[1], tuple(first))


def chunk_size(order: BatchOrder) -> int:
    """Return how many certificates are made at a time; who has no more to make needs no second process."""
    return CHUNK_PACKED if order.packing else CHUNK


def chunks(rows: Iterable[ClientRow], size: int) -> Iterator[list[ClientRow]]:
    """Yield the rows, ``size`` at a time."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _noting(rows: Iterable[ClientRow], first: list[str]) -> Iterator[ClientRow]:
    for row in rows:
        if len(first) < SHOWN:
            first.append(row.name)
        yield row


def _readable(
    path: Path,
    faults: list[Finding],
    counted: list[int],
    issued: Collection[str],
    occupied: Callable[[str], Path | None],
) -> Iterator[ClientRow]:
    seen: dict[str, str] = {}
    for row in read_rows(path):
        counted[0] += 1
        if isinstance(row, Finding):
            faults.append(row)
            continue
        stem = file_stem(row.name)
        first = seen.setdefault(stem, row.where)
        if first != row.where:
            faults.append(fault(row.where, "batch.twice", f"name stands twice: {row.name!r}", f"first in {first}"))
        if row.name in issued:
            continue
        counted[1] += 1
        if taken := occupied(stem):
            faults.append(fault(row.where, "file.exists", f"file exists already: {taken}", "pass --force to replace"))
        yield row


def _one_of_each_shape(
    order: BatchOrder,
    above: Issuer,
    judge: Callable[[Sequence[ClientRow]], list[Finding]],
    rows: Iterable[ClientRow],
    faults: list[Finding],
) -> Iterator[ClientRow]:
    """Judge plain rows, one of each shape, see there; yield the others, which take long and may be sent elsewhere."""
    shaped, good = has_shapes(order, above), set[Shape]()
    for row in rows:
        alike = plain(order, row) if shaped else None
        if alike is None:
            yield row
        elif alike.shape not in good:
            found = judge([row])
            faults += found
            if not found:
                good.add(alike.shape)


def _judge(
    order: BatchOrder, above: Issuer, now: datetime, stand_in: CertificatePublicKeyTypes, rows: Sequence[ClientRow]
) -> list[Finding]:
    return [
        fault(row.where, one.code, one.message, one.hint)
        for row in rows
        for one in _faults(order, above, now, stand_in, row)
    ]


def _faults(
    order: BatchOrder,
    above: Issuer,
    now: datetime,
    stand_in: CertificatePublicKeyTypes,
    row: ClientRow,
) -> Iterator[Finding]:
    unreadable = [one for text in row.names for one in _name_faults(row, text)]
    if unreadable:
        yield from unreadable
        return
    try:
        request = decide(order.asked(row, stand_in), above, serial_number=1 << 128, now=now)
        algorithm = signature_algorithm(above.certificate.public_key())
        check_draft(assemble_end_entity(request, above, algorithm), above.path)
    except RefusedError as error:
        yield from error.findings
    except InputError as error:
        yield fault(row.where, error.code, error.message, error.hint)


def _name_faults(row: ClientRow, text: str) -> Iterator[Finding]:
    try:
        parse_name(text)
    except InputError as error:
        yield fault(row.where, error.code, error.message, error.hint)


def _line(finding: Finding) -> int:
    return int((finding.where or "").rpartition(":")[2])


def _raise(path: Path, faults: Sequence[Finding]) -> None:
    count = len({one.where for one in faults})
    message = f"{path}: {counted(count, 'row')} cannot be issued, so nothing was"
    if any(one.code.startswith(_INPUT_CODES) for one in faults):
        raise InputError("batch.rows", message, findings=faults)
    raise RefusedError("batch.refused", message, findings=faults)
