"""Issuing for a face: decided and reserved in one job, signed in a thread, recorded in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.issue import prepare
from counterseal.authority.signing import Issued, Prepared, key_use, record, reserve
from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.pki.policy import Asked
    from counterseal.service.access import Access

    Decide = Callable[[Authority], Asked]
    First = Callable[[Authority, Prepared], object]
    Together = Callable[[Authority], object]
    Last = Callable[[Authority, Issued], object]


async def issue(
    access: Access,
    decide: Decide,
    *,
    name: str,
    acting: Callable[[Authority], Authority],
    issuer: str | None = None,
    first: First = lambda _authority, _prepared: None,
    together: Together = lambda _authority: None,
    last: Last = lambda _authority, _issued: None,
) -> Issued:
    """Return what was issued, stored durably.

    ``decide`` says what is asked of policy, ``issuer`` which CA issues it (None: the active one for its purpose);
    ``acting`` makes an authority that acts for whoever asks. ``first`` is done in the transaction that reserves the
    serial number, ``together`` before and ``last`` after the recording in the very transaction that records the
    certificate, or not at all. Raises what they and ``authority.issue`` raise; then no certificate has left.
    """

    def begin(authority: Authority) -> Prepared:
        actor = acting(authority)
        prepared = prepare(actor, decide(actor), name=name, issuer=issuer)
        first(actor, prepared)
        reserve(actor, prepared)
        return prepared

    prepared = await access.write(begin)
    content = await access.sign(prepared.sign)

    def complete(authority: Authority) -> Issued:
        actor = acting(authority)
        together(actor)
        issued = record(actor, prepared, content)
        last(actor, issued)
        return issued

    try:
        return await access.write(complete)
    except CountersealError:
        await access.write(lambda authority: _log_discarded(acting(authority), prepared))
        raise


def _log_discarded(authority: Authority, prepared: Prepared) -> None:
    """Log the use of the CA's key for what nobody gets."""
    serial_number = prepared.preview.serial_number
    use = key_use(authority, prepared.issuer.name, "certificate, discarded", prepared.draft.tbs, serial_number)
    authority.store.append_key_use(use)
