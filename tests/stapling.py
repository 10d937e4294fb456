"""OCSP responses to a server's certificate, right and wrong, as nginx would find them in its ssl_stapling_file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

if TYPE_CHECKING:
    from pki_fixtures import Issued

STAPLE_FILE = "response.der"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def response(
    about: Issued, issuer: Issued, *, signer: Issued | None = None, age: timedelta = _HOUR, revoked: bool = False
) -> bytes:
    """Return a response as DER that is good for a day, signed by the issuer unless another ``signer`` forges it."""
    signer, now = signer or issuer, datetime.now(UTC)
    assert isinstance(signer.private_key, ec.EllipticCurvePrivateKey)
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    when, reason = (now - age, x509.ReasonFlags.key_compromise) if revoked else (None, None)
    builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    builder = builder.add_response(
        about.certificate, issuer.certificate, hashes.SHA1(), status, now - age, now - age + _DAY, when, reason  # noqa: S303 - RFC 6960 B.1
    )  # fmt: skip
    return builder.sign(signer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def responder_at(port: int) -> x509.AuthorityInformationAccess:
    """Return the extension that names a responder on this machine."""
    location = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/")
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location)])


def wrong_response(role: str, about: Issued, other: Issued, issuer: Issued, stranger: Issued) -> bytes:
    """Return the response that a broken site's ``role`` asks for."""
    return {
        "staple-stale": lambda: response(about, issuer, age=3 * _DAY),
        "staple-early": lambda: response(about, issuer, age=-_DAY),
        "staple-of-another": lambda: response(other, issuer),
        "staple-forged": lambda: response(about, issuer, signer=stranger),
        "staple-revoked": lambda: response(about, issuer, revoked=True),
    }[role]()
