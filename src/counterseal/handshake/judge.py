"""Judge one row: does what was seen meet what was expected, and if not, why.

A pure function. The first unmet part of the expectation names the fault; the most telling come first, so that a server
that asks nobody for a certificate is called that, and not by what it then answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.causes import find_cause
from counterseal.handshake.rows import RowKind, RowResult
from counterseal.handshake.symptoms import Fault
from counterseal.handshake.verdict import describe, describe_backend, verdict
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.observation import Observation, Staple
    from counterseal.handshake.rows import Row
    from counterseal.handshake.site import Stapling


_WHEN_RIGHT = {RowKind.SERVER: "trusted", RowKind.EARLY_DATA: "not offered"}


def judge(row: Row, seen: Observation) -> RowResult:
    """Return the row's result: passed, or failed with the likely cause and the fix."""
    fault = next(_faults(row, seen), None)
    if fault is None:
        observed = _WHEN_RIGHT.get(row.kind) or describe(seen)
        return RowResult(row, observed, passed=True, seconds=seen.seconds)
    cause = find_cause(row, fault, seen)
    return RowResult(
        row,
        _observed(fault, seen),
        passed=False,
        cause=None if cause is None else cause.cause,
        fix=None if cause is None else cause.fix,
        seconds=seen.seconds,
    )


def skip(row: Row, reason: str) -> RowResult:
    """Return the result of a row that was not tried."""
    return RowResult(row, "not tried", passed=True, skipped=reason)


def _faults(row: Row, seen: Observation) -> Iterator[Fault]:
    wanted, ended = row.expected, verdict(seen)
    if row.kind is RowKind.SERVER and (seen.server_verify or (0, ""))[0]:
        yield Fault.SERVER_VERIFY
    if wanted.serial is not None and seen.server_certificate_serial not in {None, wanted.serial}:
        yield Fault.SERIAL
    if wanted.stapling is not None and seen.staple is not None and not _is_stapled_well(wanted.stapling, seen.staple):
        yield Fault.STAPLE
    if seen.leaked:
        yield Fault.LEAKED
    yield from _backend_faults(row, seen)
    yield from _session_faults(row, seen)
    if wanted.stapling is not None and seen.staple is None:
        yield Fault.VERDICT
    if seen.never_connected or ended not in wanted.verdicts or (wanted.closed and not _was_closed(row, seen)):
        yield Fault.VERDICT
    if wanted.alert is not None and seen.alert != wanted.alert:
        yield Fault.ALERT
    if wanted.asked is not None and seen.certificate_requested is (not wanted.asked):
        yield Fault.ASKED
    yield from _page_faults(row, seen)


def _is_stapled_well(wanted: Stapling, staple: Staple) -> bool:
    if not staple.came:
        return not (wanted.meant or staple.demanded)
    return staple.fault is None


def _was_closed(row: Row, seen: Observation) -> bool:
    plain = row.attempt is not None and row.attempt.plain
    return seen.closed and (plain or seen.tls_version is not None)


def _session_faults(row: Row, seen: Observation) -> Iterator[Fault]:
    if row.expected.resumed is False and seen.resumed:
        yield Fault.RESUMED
    if row.expected.early_data is False and seen.early_data:
        yield Fault.EARLY_DATA


def _backend_faults(row: Row, seen: Observation) -> Iterator[Fault]:
    wanted, backend = row.expected, seen.backend
    if wanted.reached is None and wanted.client_serial is None:
        return
    if backend is None:
        yield Fault.NOT_CONNECTED
    elif wanted.reached not in {None, backend.reached}:
        yield Fault.REACHED
    elif wanted.client_serial not in {None, backend.client_serial}:
        yield Fault.CLIENT_SERIAL
    if wanted.status not in {None, seen.status}:
        yield Fault.VERDICT


def _page_faults(row: Row, seen: Observation) -> Iterator[Fault]:
    wanted = row.expected
    if wanted.generation is not None and seen.generation not in {None, wanted.generation}:
        yield Fault.GENERATION
    if wanted.own_page and seen.decision is None:
        yield Fault.OWN_PAGE
    if wanted.verify is not None and not (seen.verify or wanted.verify).startswith(wanted.verify):
        yield Fault.VERIFY
    if row.kind is RowKind.REDIRECT and not (seen.location or "").startswith("https://"):
        yield Fault.LOCATION


def _observed(fault: Fault, seen: Observation) -> str:
    if fault in {Fault.NOT_CONNECTED, Fault.REACHED, Fault.CLIENT_SERIAL}:
        return f"{describe(seen)}, {describe_backend(seen)}"
    if fault is Fault.EARLY_DATA:
        return f"offered, up to {seen.early_data} octets"
    if fault is Fault.ASKED:
        asked = "asked" if seen.certificate_requested else "asked for no certificate"
        return f"{describe(seen)}, {asked}"
    if fault is Fault.GENERATION:
        return f"{describe(seen)}, generation {seen.generation}"
    if fault is Fault.SERIAL and seen.server_certificate_serial is not None:
        return f"server certificate {show_serial(seen.server_certificate_serial)}"
    return describe(seen)
