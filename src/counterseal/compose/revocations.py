"""CRLs and OCSP responses from where certificates point to, fetched only when somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterseal.errors import FileError, InputError, NotFoundError
from counterseal.files import reason_of
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.reading import crls_in
from counterseal.pki.shown import quoted, show_serial

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FETCHED = 64 * 1024 * 1024
FETCH_SECONDS = 10.0
_BROKEN = {
    "RemoteDisconnected": "the connection ended before an answer",
    "BadStatusLine": "what answers is not HTTP",
    "IncompleteRead": "the answer broke off",
}
"""What http.client says in terms of its own, by the exception's name: the module is only loaded to fetch."""


def crls_at(place: str) -> tuple[RevocationList, ...]:
    """Return the lists at a URL; raises FileError ``fetch.failed``, InputError ``crl.none``, ``crl.malformed``."""
    return lists_in(fetch(place), source=place)


def lists_in(content: bytes, *, source: str) -> tuple[RevocationList, ...]:
    """Return the lists in a file of any form, their entries read; raises InputError ``crl.none``, ``crl.malformed``."""
    found = tuple(map(RevocationList, crls_in(content, source=source)))
    for one in found:
        _ = one.crl  # path validation needs one entry at most, what foretells OpenSSL all of them
    return found


def crls_named_by(certificates: Iterable[x509.Certificate]) -> tuple[RevocationList, ...]:
    """Fetch the lists that certificates name by CRL distribution points, each once (RFC 5280 4.2.1.13)."""
    places = dict.fromkeys(place for certificate in certificates for place in _distribution_points(certificate))
    return tuple(crl for place in places for crl in crls_at(place))


def ocsp_about(subject: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPResponse:
    """Ask the responder that a certificate names (RFC 6960 A.1); raises NotFoundError ``ocsp.no_responder``."""
    access = extension_in(read_extensions(subject)[0], x509.AuthorityInformationAccess) or ()
    places = [
        str(one.access_location.value) for one in access if one.access_method == AuthorityInformationAccessOID.OCSP
    ]
    if not places:
        raise NotFoundError(
            "ocsp.no_responder", f"the certificate names no OCSP responder: {show_serial(subject.serial_number)}"
        )
    question = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, SHA1()).build()  # noqa: S303 - the hash every responder knows; no security rests on it (RFC 6960 4.3)
    return ocsp_in(fetch(places[0], question.public_bytes(Encoding.DER)), source=places[0])


def ocsp_in(content: bytes, *, source: str) -> ocsp.OCSPResponse:
    """Return the OCSP response that DER is; raises InputError ``ocsp.malformed``."""
    try:
        return ocsp.load_der_ocsp_response(content)
    except ValueError as error:
        raise InputError("ocsp.malformed", f"not an OCSP response: {source}") from error


def fetch(place: str, question: bytes | None = None) -> bytes:
    """Return what is at an http URL, at most 64 MiB within 10 s; with ``question`` as a POST of an OCSP request.

    Raises InputError ``fetch.scheme`` or ``file.too_large``, FileError ``fetch.failed``.
    """
    if not place.lower().startswith(("http://", "https://")):
        raise InputError("fetch.scheme", f"not fetched, only http and https are: {quoted(place)}")
    import http.client  # noqa: PLC0415 - fetching is rare, and needs all of http
    import urllib.error  # noqa: PLC0415 - same
    import urllib.request  # noqa: PLC0415 - same

    headers = {"User-Agent": "counterseal"} | ({"Content-Type": "application/ocsp-request"} if question else {})
    try:
        request = urllib.request.Request(place, question, headers)  # noqa: S310 - the scheme was looked at
        with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - the same
            content: bytes = answer.read(MAX_FETCHED + 1)
            if answer.length and len(content) <= MAX_FETCHED:
                raise http.client.IncompleteRead(content)  # which read() with a bound leaves to its caller
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the answer, with its connection
        raise FileError("fetch.failed", f"cannot fetch {quoted(place)}: {_reason(error)}") from error
    if len(content) > MAX_FETCHED:
        raise InputError("file.too_large", f"more than {MAX_FETCHED // 1024 // 1024} MiB at {quoted(place)}")
    return content


def _reason(error: Exception) -> str:
    """Say why nothing was fetched, in words."""
    from urllib.error import HTTPError, URLError  # noqa: PLC0415 - as in fetch

    if isinstance(error, HTTPError):
        return f"the answer is {error.code} {error.reason}"
    inner = error.reason if isinstance(error, URLError) else error
    broken = _BROKEN.get(type(inner).__name__)
    return broken or (reason_of(inner) if isinstance(inner, OSError) else str(inner))


def _distribution_points(certificate: x509.Certificate) -> list[str]:
    points = extension_in(read_extensions(certificate)[0], x509.CRLDistributionPoints) or ()
    names = (name for point in points for name in point.full_name or ())
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
