"""Which of the user's own certificates a server would take, by the CAs that it names and the kinds of signature.

A browser makes the same choice before it asks its user: what does not match is not even offered, so that the user sees
"no required certificate was sent" for a certificate that lies right there. RFC 8446 4.2.4, RFC 5246 7.4.4; what
Chromium and Firefox leave out beside that (expired, not for clients, Ed25519) was observed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.pki.keys import show_key
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterseal.handshake.wire.messages import CertificateRequest

_SCHEMES_BY_KIND = (
    (rsa.RSAPublicKey, frozenset({0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0201})),
    (ec.EllipticCurvePublicKey, frozenset({0x0403, 0x0503, 0x0603, 0x0203, 0x081A, 0x081B, 0x081C})),
    (ed25519.Ed25519PublicKey, frozenset({0x0807})),
    (ed448.Ed448PublicKey, frozenset({0x0808})),
)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of the user's: where it is from, and its chain, end entity first, no root."""

    name: str
    chain: tuple[x509.Certificate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    """Whether one of the user's certificates fits the request; ``reasons`` say why not, for a browser's choice too."""

    name: str
    subject: str
    fits: bool
    offered_by_browser: bool
    reasons: tuple[str, ...]


def match_own(request: CertificateRequest, own: Sequence[OwnCertificate], at: datetime) -> tuple[Match, ...]:
    """Return for each certificate whether the server would take it, as far as its request says."""
    return tuple(_match(request, one, at) for one in own)


def _match(request: CertificateRequest, own: OwnCertificate, at: datetime) -> Match:
    refused = tuple(_refused(request, own))
    hidden = tuple(_hidden(own.chain[0], at))
    subject = show_subject(own.chain[0].subject)
    return Match(own.name, subject, not refused, not refused and not hidden, (*refused, *hidden))


def _refused(request: CertificateRequest, own: OwnCertificate) -> list[str]:
    reasons = []
    issuers = [certificate.issuer.public_bytes() for certificate in own.chain]
    if request.authorities and not any(issuer in request.authorities for issuer in issuers):
        reasons.append(f"its CA is not among the accepted ones: {show_subject(own.chain[0].issuer)}")
    key = Candidate(own.chain[0]).public_key
    schemes = next((schemes for kind, schemes in _SCHEMES_BY_KIND if isinstance(key, kind)), frozenset[int]())
    if request.signature_schemes and not schemes & set(request.signature_schemes):
        reasons.append(f"the server takes no signature by this kind of key: {show_key(key) if key else 'unreadable'}")
    return reasons


def _hidden(certificate: x509.Certificate, at: datetime) -> list[str]:
    reasons = []
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        reasons.append(f"it is out of its dates: {begin:%Y-%m-%d} to {end:%Y-%m-%d}")
    if not _is_for_clients(certificate):
        reasons.append("its extended key usage has no clientAuth")
    if isinstance(Candidate(certificate).public_key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        reasons.append("browsers do not import this kind of key")
    return reasons


def _is_for_clients(certificate: x509.Certificate) -> bool:
    usage = Candidate(certificate).value(x509.ExtendedKeyUsage)
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return usage is None or not wanted.isdisjoint(usage)
