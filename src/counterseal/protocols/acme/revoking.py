"""Revocation (RFC 8555 7.6): by the account that ordered, by one that is authorized for all names, or by the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.revoke import revoke_record
from counterseal.errors import InputError, NotFoundError, RefusedError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.extensions import UNREADABLE
from counterseal.pki.reading import load_der_certificate
from counterseal.protocols.acme.encoding import decode
from counterseal.protocols.acme.exchange import Call, Reply
from counterseal.protocols.acme.identifiers import Identifier, common_identifier
from counterseal.protocols.acme.payloads import Revoke
from counterseal.protocols.acme.problems import Problem, malformed, not_found, unauthorized
from counterseal.protocols.acme.states import AuthorizationStatus
from counterseal.store.acme.authorizations import reusable_authorizations
from counterseal.store.acme.orders import find_order_of_certificate
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

REASONS = {
    0: RevocationReason.UNSPECIFIED,
    1: RevocationReason.KEY_COMPROMISE,
    3: RevocationReason.AFFILIATION_CHANGED,
    4: RevocationReason.SUPERSEDED,
    5: RevocationReason.CESSATION_OF_OPERATION,
    9: RevocationReason.PRIVILEGE_WITHDRAWN,
}
"""Those that a holder can know (RFC 5280 5.3.1); a CA's own, and a hold, are not asked for here."""


def revoke(authority: Authority, call: Call) -> Reply:
    """Revoke a certificate of ours; a new CRL follows."""
    wanted = call.read(Revoke)
    certificate = _read(wanted.certificate)
    reason = REASONS.get(wanted.reason or 0)
    if reason is None:
        raise Problem("badRevocationReason", f"not a reason for this: {wanted.reason}; there are {[*REASONS]}")
    record = _find(authority, certificate)
    if not _may(authority, call, certificate, record):
        raise unauthorized("neither the account of this certificate, nor authorized for its names, nor its key")
    try:
        revoke_record(authority, record, reason)
    except RefusedError as error:
        raise Problem("alreadyRevoked" if error.code == "revoke.already" else "unauthorized", error.message) from None
    return Reply(publish=record.issuer)


def _read(text: str) -> x509.Certificate:
    try:
        return load_der_certificate(decode(text, "certificate"))
    except InputError:
        raise malformed("certificate is not a certificate in DER in base64url") from None


def _find(authority: Authority, certificate: x509.Certificate) -> CertificateRecord:
    content = certificate.public_bytes(Encoding.DER)
    for ca in authority.store.cas():
        try:
            record = authority.store.certificate(certificate.serial_number, issuer=ca.name)
        except NotFoundError:
            continue
        if record.certificate == content and record.status is not Status.RESERVED:
            return record
    raise not_found("certificate of this CA")


def _may(authority: Authority, call: Call, certificate: x509.Certificate, record: CertificateRecord) -> bool:
    if call.account is None:
        return certificate.public_key() == call.key.public_key
    order = find_order_of_certificate(authority.store, record.serial_number, record.issuer)
    if order is not None and order.account == call.account.id:
        return True
    return _authorized_for_all(authority, call, certificate)


def _authorized_for_all(authority: Authority, call: Call, certificate: x509.Certificate) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        identifiers = [Identifier.of(name) for name in names]
        common = common_identifier(certificate.subject)
    except (x509.ExtensionNotFound, InputError, Problem, *UNREADABLE):  # the third: a CN that is no host, but a person
        return False
    identifiers += [common] if common else []
    return bool(identifiers) and all(_authorized(authority, call, one) for one in identifiers)


def _authorized(authority: Authority, call: Call, identifier: Identifier) -> bool:
    found = reusable_authorizations(
        authority.store,
        call.owner.id,
        identifier.kind,
        identifier.base,
        wildcard=identifier.wildcard,
        at=call.at,
    )
    return any(one.status == AuthorizationStatus.VALID for one in found)
