"""Issuing for a face: decided and reserved in one job, signed, recorded in another.

All of it is one job where the serial number was reserved ahead and the key signs at once: nothing has to be durable in
between then.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from counterseal.authority.signing import Issued, Prepared, key_use, record, reserve
from counterseal.errors import StoreError
from counterseal.keystore.software import SoftwareSigner
from counterseal.pki.shown import show_serial
from counterseal.service.log import log_error
from counterseal.service.problems import AWAY, PASSING, UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access
    from counterseal.store.records import NewKeyUse

    Begin = Callable[[Authority], Prepared]
    Together = Callable[[Authority], object]
    Last = Callable[[Authority, Issued], object]
    Write = Callable[[Callable[[Authority], Issued | None]], Awaitable[Issued | None]]

NOT_RESERVED = "store.not_reserved"


async def issue(
    access: Access,
    begin: Begin,
    *,
    acting: Callable[[Authority], Authority],
    together: Together = lambda _authority: None,
    last: Last = lambda _authority, _issued: None,
    undo: Together = lambda _authority: None,
    write: Write | None = None,
    joins: bool = False,
    undone: bool = True,
) -> Issued:
    """Return what was issued, stored durably.

    ``acting`` makes an authority that acts for whoever asks. ``begin`` decides (``authority.issue.prepare``) and does
    what belongs into the transaction that reserves the serial number, which ``write`` runs if not ``access``;
    ``together`` and, with what was issued, ``last`` are done just before the recording, in the very transaction that
    records the certificate, or not at all. Where ``begin`` is durable and no certificate comes of it, ``undo`` is done,
    but not where the store was away for a moment. What ``joins`` others locks no row that another request may want,
    and ``undone=False`` says that ``begin`` and ``last`` write nothing (both as ``together`` and ``undone`` of
    ``Access.write``). Raises what they and ``authority.issue`` raise; then no certificate has left.
    """
    write = write or partial(access.write, together="" if joins else None, undone=undone)
    work = _Work(begin, acting, together, last)
    begun = False
    try:
        issued = await _first(access, write, work)
        if issued is None:
            begun = True
            work.content = await sign(access, work.prepared)
            issued = await access.write(work.complete)
    except Exception as error:
        code = getattr(error, "code", "")
        if code in AWAY:  # which was waited for already, and this may be as long again
            if work.has_signed:
                access.later(_give_up(access, work))
        elif begun and code not in PASSING:
            await _give_up(access, work, undo)
        elif work.has_signed and code != UNANSWERED:  # which may have been recorded
            await _give_up(access, work)
        raise
    access.reserve_ahead(issued.issuer.name)
    return issued


async def _first(access: Access, write: Write, work: _Work) -> Issued | None:
    """Do the first job; once more with another number where a failover has lost the reservation of the one it had."""
    try:
        return await write(work.first)
    except StoreError as error:
        if error.code != NOT_RESERVED:
            raise
    await access.drop_lost()
    return await write(work.first)


async def _give_up(access: Access, work: _Work, undo: Together = lambda _authority: None) -> None:
    """Undo it in the store; where that takes nothing, what was signed is told to the log of the service."""
    work.give_up_content()
    try:
        await access.write(lambda authority: work.discard(authority, undo))
    except StoreError as error:
        for one in work.discarded:
            log_error(
                "signed, and recorded nowhere",
                code=error.code,
                reason=error.message,
                ca=one.issuer.name,
                serial_number=show_serial(one.preview.serial_number),
                sha256=sha256(one.draft.tbs).hexdigest(),
            )


def tell_unrecorded(use: NewKeyUse, error: StoreError) -> None:
    """Tell the log of the service of any other signature that nobody gets and that the store did not take."""
    log_error(
        "signed, and recorded nowhere",
        code=error.code,
        reason=error.message,
        ca=use.ca,
        action=use.action,
        serial_number=None if use.serial_number is None else show_serial(use.serial_number),
        sha256=use.digest.hex(),
    )


class _Work:
    """What is done for one certificate, in one job or in two."""

    prepared: Prepared
    content = b""
    """What was signed, and is not known to be recorded."""

    def __init__(self, begin: Begin, acting: Callable[[Authority], Authority], together: Together, last: Last) -> None:
        self._begin = begin
        self._acting = acting
        self._together = together
        self._last = last
        self.discarded: list[Prepared] = []

    @property
    def has_signed(self) -> bool:
        """Whether the CA's key was used for what may be recorded nowhere."""
        return bool(self.content or self.discarded)

    def first(self, authority: Authority) -> Issued | None:
        """Decide and reserve; complete it as well where nothing has to be durable first, else return None.

        It may be done again, when the database undid it: what was signed before is discarded then.
        """
        actor = self._acting(authority)
        self.give_up_content()
        self.prepared = self._begin(actor)
        if not (reserve(actor, self.prepared) and _is_instant(self.prepared)):
            return None
        self.content = self.prepared.sign()
        return self._complete(actor)

    def complete(self, authority: Authority) -> Issued:
        """Record what was signed, with all that belongs to it."""
        return self._complete(self._acting(authority))

    def _complete(self, actor: Authority) -> Issued:
        self._log_discarded(actor)
        self._together(actor)
        return record(actor, self.prepared, self.content, before=lambda issued: self._last(actor, issued))

    def discard(self, authority: Authority, undo: Together = lambda _authority: None) -> None:
        """Undo what was begun, and log the use of the CA's key for what nobody gets."""
        undo(authority)
        self._log_discarded(self._acting(authority))

    def give_up_content(self) -> None:
        """Let what was signed be for nobody; that it was is to be logged."""
        if self.content:
            self.discarded.append(self.prepared)
            self.content = b""

    def _log_discarded(self, actor: Authority) -> None:
        for one in self.discarded:
            serial_number = one.preview.serial_number
            use = key_use(actor, one.issuer.name, "certificate, discarded", one.draft.tbs, serial_number)
            actor.store.append_key_use(use)


async def sign(access: Access, prepared: Prepared) -> bytes:
    """Return the signed certificate (DER); its serial number must be reserved. Raises KeyAccessError, StoreError."""
    await access.require_here()  # another one records nothing, so no key signs for it
    return prepared.sign() if _is_instant(prepared) else await access.sign(prepared.sign)


def _is_instant(prepared: Prepared) -> bool:
    """Whether signing takes less time than to hand it over to a thread."""
    return isinstance(prepared.signer, SoftwareSigner) and prepared.signer.is_instant
