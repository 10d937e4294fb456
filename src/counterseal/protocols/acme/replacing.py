"""An order that replaces a certificate (RFC 9773 5): of the same account, for a name in common, and once.

By the word ``'replaces'``, in such quotes, in a refusal acme.sh knows that the order may be had without it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import NotFoundError
from counterseal.pki.certificate import subject_key_identifier
from counterseal.protocols.acme.problems import Problem, malformed, unauthorized
from counterseal.protocols.acme.renewal import CertificateName
from counterseal.protocols.acme.standing import status_of
from counterseal.protocols.acme.states import OrderStatus
from counterseal.store.acme.orders import find_order_of_certificate, orders_replacing
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.exchange import Call
    from counterseal.protocols.acme.identifiers import Identifier
    from counterseal.store.records import CertificateRecord


def find_named(authority: Authority, name: CertificateName) -> CertificateRecord | None:
    """Return the certificate of ours that a name stands for, or None."""
    for ca in authority.store.cas():
        certificate = x509.load_der_x509_certificate(ca.certificate)
        if subject_key_identifier(certificate).digest == name.key_identifier:
            try:
                record = authority.store.certificate(name.serial_number, issuer=ca.name)
            except NotFoundError:
                continue
            if record.status is not Status.RESERVED:
                return record
    return None


def check_replaces(authority: Authority, call: Call, text: str, identifiers: Sequence[Identifier]) -> None:
    """Raise Problem when the order cannot replace the certificate of this name."""
    record = find_named(authority, CertificateName.parse(text))
    if record is None:
        raise malformed("'replaces' names no certificate of this CA")
    former = find_order_of_certificate(authority.store, record.serial_number, record.issuer)
    if former is None or former.account != call.owner.id:
        raise unauthorized("'replaces' names a certificate of another account")
    had = {(one["type"], one["value"]) for one in json.loads(former.identifiers)}
    if not had & {(one.kind, one.value) for one in identifiers}:
        raise malformed("'replaces' names a certificate that has no name in common with this order")
    authority.store.hold(record.serial_number, issuer=record.issuer)  # of two orders at once one is the first
    for other in orders_replacing(authority.store, text):
        if status_of(authority, other, call.at) is not OrderStatus.INVALID:
            raise Problem("alreadyReplaced", "another order replaces this certificate already")
