"""Find certificates by what a person types, a serial number or a name; among several, never guess."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from counterseal.errors import AmbiguousError, InputError, NotFoundError, hint_for, shell_line
from counterseal.moments import epoch, moment
from counterseal.pki.profile import UNLISTED
from counterseal.pki.shown import show_serial
from counterseal.store.records import CertificateRecord, Query, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority

_LOOKED_THROUGH = 200
_SERIAL = re.compile(r"(?:([A-Za-z0-9_-]+)/)?(?:0x)?([0-9A-Fa-f]{1,2}(?::?[0-9A-Fa-f]{2})*)")
_NEVER_A_NAME = 16  # digits; a CA that was taken over may have counted from 01, and 01 may be a name


def find(authority: Authority, selector: str, *, statuses: Sequence[Status] = ()) -> CertificateRecord:
    """Return the one certificate that ``selector`` (a serial number in hex, or a name) stands for.

    ``CA/SERIAL`` is a serial number too, for those that CAs which were taken over have both given.

    ``statuses`` narrows a name to certificates of these statuses that have not expired; with none given every
    certificate of that name counts. Raises NotFoundError, AmbiguousError with the candidates.
    """
    found = authority.store.by_name(selector)
    match = _SERIAL.fullmatch(selector)
    if match and (not found or len(match[2]) >= _NEVER_A_NAME):
        record = _numbered(authority, int(match[2].replace(":", ""), 16), match[1])
        if record is not None and record.status is not Status.RESERVED:
            return record
    now = epoch(authority.clock())
    fitting = [r for r in found if r.status in statuses and r.not_after > now] if statuses else found
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _ambiguous(selector, fitting)
    if found:
        wanted = " or ".join(statuses)
        raise NotFoundError(
            "certificate.status",
            f"no certificate named {selector!r} is {wanted}: {_states(found, now)}",
            hint=f"see them: {shell_line('counterseal', 'list', '--name', selector)}",
        )
    hint = _meant(authority, selector)
    raise NotFoundError("certificate.unknown", f"no certificate of this name or serial: {selector!r}", hint=hint)


def _states(found: Sequence[CertificateRecord], now: int) -> str:
    """Return in what states certificates are: ``1 is revoked, 2 are expired``."""
    words = Counter(
        str(one.status) if one.not_after > now or one.status is Status.REVOKED else "expired" for one in found
    )
    return ", ".join(f"{count} {'is' if count == 1 else 'are'} {word}" for word, count in words.items())


def _meant(authority: Authority, selector: str) -> str:
    """Return a question about a name that begins alike and is spelt almost so."""
    begin = selector[: max(len(selector) // 2, 1)].replace("*", "")
    found = authority.store.search(Query(name=begin, without_profiles=UNLISTED, limit=_LOOKED_THROUGH)).records
    return hint_for(selector, [record.name for record in found], "see: counterseal list")


def lookup(authority: Authority, serial_number: int) -> CertificateRecord | None:
    """Return the certificate of this serial number, or None."""
    try:
        return authority.store.certificate(serial_number)
    except (NotFoundError, InputError):
        return None


def _numbered(authority: Authority, serial_number: int, issuer: str | None) -> CertificateRecord | None:
    """Return the certificate of this serial number, or None; raises AmbiguousError where several CAs gave it."""
    try:
        return authority.store.certificate(serial_number, issuer=issuer)
    except AmbiguousError as error:
        error.hint = "say which CA is meant, as it stands above"
        raise
    except (NotFoundError, InputError):
        return None


def _ambiguous(selector: str, found: Sequence[CertificateRecord]) -> AmbiguousError:
    counts = Counter(one.serial_number for one in found)
    numbers = {
        one: f"{one.issuer}/" * (counts[one.serial_number] > 1) + show_serial(one.serial_number) for one in found
    }
    return AmbiguousError(
        "certificate.ambiguous",
        f"{selector!r} stands for {len(found)} certificates",
        candidates=[
            f"{numbers[one]}  {one.status}  until {moment(one.not_after):%Y-%m-%d}  {one.subject}" for one in found
        ],
        hint="give the serial number of the one you mean",
    )
