"""Issuing for a face: decided and reserved in one job, signed, recorded in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.signing import Issued, Prepared, key_use, record, reserve
from counterseal.keystore.software import SoftwareSigner
from counterseal.service.problems import PASSING, UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access

    Begin = Callable[[Authority], Prepared]
    Together = Callable[[Authority], object]
    Last = Callable[[Authority, Issued], object]
    Write = Callable[[Begin], Awaitable[Prepared]]


async def issue(
    access: Access,
    begin: Begin,
    *,
    acting: Callable[[Authority], Authority],
    together: Together = lambda _authority: None,
    last: Last = lambda _authority, _issued: None,
    undo: Together = lambda _authority: None,
    write: Write | None = None,
) -> Issued:
    """Return what was issued, stored durably.

    ``acting`` makes an authority that acts for whoever asks. ``begin`` decides (``authority.issue.prepare``) and does
    what belongs into the transaction that reserves the serial number, which ``write`` runs if not ``access``;
    ``together`` is done before and ``last`` after the recording, in the very transaction that records the certificate,
    or not at all. Where ``begin`` is durable and no certificate comes of it, ``undo`` is done, but not where the store
    was away for a moment. Raises what they and ``authority.issue`` raise; then no certificate has left.
    """

    def first(authority: Authority) -> Prepared:
        actor = acting(authority)
        prepared = begin(actor)
        reserve(actor, prepared)
        return prepared

    prepared, content = await (write or access.write)(first), b""

    def complete(authority: Authority) -> Issued:
        actor = acting(authority)
        together(actor)
        issued = record(actor, prepared, content)
        last(actor, issued)
        return issued

    def discard(authority: Authority, code: str) -> None:
        if code not in PASSING:
            undo(authority)
        if content and code != UNANSWERED:  # which may have been recorded
            _log_discarded(acting(authority), prepared)

    try:
        content = await sign(access, prepared)
        return await access.write(complete)
    except Exception as error:
        code = getattr(error, "code", "")
        await access.write(lambda authority: discard(authority, code))
        raise


async def sign(access: Access, prepared: Prepared) -> bytes:
    """Return the signed certificate (DER); its serial number must be reserved. Raises KeyAccessError."""
    signer = prepared.signer
    is_instant = isinstance(signer, SoftwareSigner) and signer.is_instant
    return prepared.sign() if is_instant else await access.sign(prepared.sign)


def _log_discarded(authority: Authority, prepared: Prepared) -> None:
    """Log the use of the CA's key for what nobody gets."""
    serial_number = prepared.preview.serial_number
    use = key_use(authority, prepared.issuer.name, "certificate, discarded", prepared.draft.tbs, serial_number)
    authority.store.append_key_use(use)
