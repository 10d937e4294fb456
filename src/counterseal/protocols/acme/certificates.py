"""Certificates: downloaded with their chain (RFC 8555 7.4.2), and asked about for renewal (RFC 9773)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.renewal import SHARE_LEFT
from counterseal.moments import moment
from counterseal.pki.pem import encode_certificates
from counterseal.protocols.acme.exchange import Call, Reply
from counterseal.protocols.acme.objects import show_time
from counterseal.protocols.acme.orders import own_order
from counterseal.protocols.acme.problems import not_found
from counterseal.protocols.acme.renewal import CertificateName, poll_seconds, window
from counterseal.protocols.acme.replacing import find_named
from counterseal.store.records import Status

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

MEDIA_TYPE = "application/pem-certificate-chain"
CHAINS = 2
"""The chain as TLS sends it, and with the trust anchor at its end for those who want to have all."""

_CHAIN = {str(number): number for number in range(CHAINS)}


def certificate(authority: Authority, call: Call) -> Reply:
    """Return the certificate of an order with one of its chains; links name the others."""
    order = own_order(authority, call)
    if order.serial_number is None:
        raise not_found("certificate")
    record = authority.store.certificate(order.serial_number, issuer=order.issuer)
    number = _CHAIN.get(call.parameters.get("chain", "0"))
    if number is None or record.certificate is None:
        raise not_found("certificate")
    path = authority.issuer(record.issuer).path
    above = path if number else path[:-1]
    own = x509.load_der_x509_certificate(record.certificate)
    text = encode_certificates(own, *above).decode()
    alternates = tuple((call.urls.certificate(order.id, one), "alternate") for one in range(CHAINS) if one != number)
    return Reply(text=text, media_type=MEDIA_TYPE, links=alternates)


def renewal_information(authority: Authority, text: str) -> Reply:
    """Return when a certificate should be renewed (RFC 9773 4.2); anybody may ask."""
    record = find_named(authority, CertificateName.parse(text))
    if record is None:
        raise not_found("certificate")
    valid = moment(record.not_before), moment(record.not_after)
    begin, end = window(*valid, share_left=SHARE_LEFT, revoked_at=_revoked_at(authority, record))
    span = {"start": show_time(int(begin.timestamp())), "end": show_time(int(end.timestamp()))}
    return Reply({"suggestedWindow": span}, headers={"Retry-After": str(poll_seconds(*valid))})


def _revoked_at(authority: Authority, record: CertificateRecord) -> datetime | None:
    """Return when it was revoked, or the CA that issued it, or one above that; None where it stands."""
    ca = authority.revoked_at_or_above(authority.store.ca(record.issuer))
    at = record.revoked_at if record.status is Status.REVOKED else ca and ca.revoked_at
    return moment(at) if at else None
