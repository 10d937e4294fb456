"""Finalizing an order (RFC 8555 7.4): a CSR that asks for exactly what was ordered becomes the certificate.

The steps of an order beside those of ``service.issuing``: its state ``processing`` is durable together with the serial
number, its last state together with the certificate, so it is issued once or not at all. The CSR is kept
meanwhile: what a process that died has begun, another one finishes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography import x509
from msgspec.json import decode as read_stored

from counterseal.authority.issue import prepare
from counterseal.authority.order import order_from_csr
from counterseal.errors import InputError, NotFoundError, RefusedError, StoreError
from counterseal.moments import epoch, moment
from counterseal.pki.csr import parse_csr
from counterseal.pki.subject import subject_of
from counterseal.protocols.acme.accounts import require_account
from counterseal.protocols.acme.encoding import decode
from counterseal.protocols.acme.exchange import HOUR
from counterseal.protocols.acme.identifiers import Identifier, common_identifier, requested_by
from counterseal.protocols.acme.orders import own_order, show
from counterseal.protocols.acme.payloads import Finalize
from counterseal.protocols.acme.problems import Failure, Problem, Subproblem
from counterseal.protocols.acme.standing import status_of
from counterseal.protocols.acme.states import ORDER, OrderEvent, OrderStatus, follow
from counterseal.store.acme.accounts import find_account
from counterseal.store.acme.authorizations import find_authorization
from counterseal.store.acme.orders import change_order, complete_order

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued, Prepared
    from counterseal.pki.csr import CSR
    from counterseal.pki.policy import Asked
    from counterseal.protocols.acme.exchange import Call, Reply
    from counterseal.store.acme.records import AuthorizationRecord, OrderRecord

MAX_COMMON_NAME = 64
CAA_SECONDS = 8 * HOUR
"""For so long CAA stands as it was asked (CA/Browser Forum, Baseline Requirements 3.2.2.8)."""

_DER_SEQUENCE = 0x30


class Finalization:
    """A request to finalize an order; its steps may be done again, where the database undid them."""

    _order: OrderRecord

    def __init__(self, call: Call) -> None:
        self._call = call

    def begin(self, authority: Authority) -> Prepared:
        """Check the CSR, decide and turn the order to ``processing``.

        A CSR that does not fit leaves the order ``ready``, so that the client can send a better one.
        """
        call = self._call
        self._order = order = own_order(authority, call)
        state = status_of(authority, order, call.at)
        finalizing = follow(ORDER, state, OrderEvent.FINALIZE)
        if finalizing is state:
            raise Problem("orderNotReady", f"the order is {state}")
        content = decode(call.read(Finalize).csr, "csr")
        prepared = _prepare(authority, order, _read_csr(content, call))
        if not change_order(authority.store, order.id, was=order.status, status=finalizing, csr=content):
            raise Problem("orderNotReady", "the order is being finalized already")
        return prepared

    def begin_late(self, authority: Authority) -> Prepared:
        """Begin some time after the request was opened: the account may have been deactivated meanwhile."""
        require_account(find_account(authority.store, self._call.owner.id))
        return self.begin(authority)

    def complete(self, authority: Authority, issued: Issued) -> None:
        """Turn the order to ``valid``; raises StoreError where it is not ``processing`` any more."""
        complete(authority, self._order.id, issued)

    def give_up(self, authority: Authority) -> None:
        """Turn the order to ``invalid``."""
        give_up(authority, self._order.id)

    def reply(self, issued: Issued) -> Reply:
        """Return the answer that shows the order as it is now, with its certificate."""
        record = issued.record
        order = self._order._replace(
            issuer=record.issuer, serial_number=record.serial_number, expires_at=record.not_after
        )
        return show(self._call, order, OrderStatus.VALID)


def begin_again(authority: Authority, order: OrderRecord) -> Prepared:
    """Decide anew about an order that was claimed in ``processing``; what was reserved for it is not used any more."""
    at = epoch(authority.clock())
    if order.csr is None or order.expires_at <= at:
        raise Problem("orderNotReady", "the order's time was over before its certificate was signed")
    require_account(find_account(authority.store, order.account))  # RFC 8555 7.3.6
    return _prepare(authority, order, parse_csr(order.csr))


def reused_authorizations(authority: Authority, call: Call) -> list[AuthorizationRecord]:
    """Return the order's authorizations that were validated, and CAA with them, before it was made or long ago."""
    order = own_order(authority, call)
    found = [find_authorization(authority.store, one) for one in read_stored(order.authorizations)]
    before = max(order.created_at, call.at - CAA_SECONDS)
    return [one for one in found if one is not None and (one.validated_at or 0) <= before]


def complete(authority: Authority, identifier: str, issued: Issued) -> None:
    """Turn the order to ``valid``; raises StoreError where it is not ``processing`` any more."""
    done = complete_order(
        authority.store,
        identifier,
        was=OrderStatus.PROCESSING,
        issuer=issued.record.issuer,
        serial_number=issued.record.serial_number,
        expires_at=issued.record.not_after,
    )
    if not done:
        raise StoreError("acme.order_lost", f"the order changed while it was finalized: {identifier}")


def give_up(authority: Authority, identifier: str) -> None:
    """Turn an order that could not be signed to ``invalid``; the reason is in the log, not in the order."""
    failure = Failure("serverInternal", "the certificate could not be signed")
    error = json.dumps(failure.document())
    failed = follow(ORDER, OrderStatus.PROCESSING, OrderEvent.FAIL)
    change_order(authority.store, identifier, was=OrderStatus.PROCESSING, status=failed, error=error)


def _prepare(authority: Authority, order: OrderRecord, csr: CSR) -> Prepared:
    asked = _asked(authority, order, csr)
    named = read_stored(order.identifiers)[0]["value"]
    try:
        return prepare(authority, asked, name=named)
    except RefusedError as error:
        if error.code == "ca.revoked":  # no other CSR would do
            raise Problem("serverInternal", error.message, status=503) from None
        reasons = tuple(Subproblem("badCSR", finding.message) for finding in error.findings)
        raise Problem("badCSR", error.message, subproblems=reasons) from None


def _read_csr(content: bytes, call: Call) -> CSR:
    if not content or content[0] != _DER_SEQUENCE:
        raise Problem("badCSR", "the csr is not DER in base64url (RFC 8555 7.4)")
    try:
        csr = parse_csr(content)
    except InputError as error:
        raise Problem("badCSR", error.message) from None
    if csr.unmet:
        raise Problem("badCSR", f"no certificate here gets what the csr asks for: {', '.join(csr.unmet)}")
    if csr.public_key == call.key.public_key:
        raise Problem("badCSR", "the key of an account must not be that of a certificate (RFC 8555 11.1)")
    return csr


def _asked(authority: Authority, order: OrderRecord, csr: CSR) -> Asked:
    ordered = tuple(Identifier(one["type"], one["value"]) for one in read_stored(order.identifiers))
    wished = requested_by(csr)
    if wished != frozenset(ordered):
        missing = ", ".join(sorted(one.value for one in frozenset(ordered) - wished)) or "none"
        foreign = ", ".join(sorted(one.value for one in wished - frozenset(ordered))) or "none"
        raise Problem("badCSR", f"the csr does not ask for what was ordered: missing {missing}; not ordered {foreign}")
    try:
        asked = order_from_csr(authority.profile(order.profile), csr)
    except (InputError, NotFoundError) as error:
        raise Problem("badCSR", error.message) from None
    if order.not_after is not None:
        asked = asked._replace(profile=asked.profile.for_strangers(), not_after=moment(order.not_after))
    common = common_identifier(csr.subject)
    named = ordered if common is None else (common, *ordered)
    short = next((one.value for one in named if len(one.value) <= MAX_COMMON_NAME), None)
    subject = x509.Name([]) if short is None else subject_of(short)
    return asked._replace(subject=subject, names=tuple(one.general_name() for one in ordered))
