"""What nginx answers a client for its certificate: status, internal code, reason, and the line in the error log.

nginx lets OpenSSL pass over every error and then refuses in HTTP with the last one (ngx_http_process_request in
ngx_http_request.c); the TLS handshake succeeds either way. Knows no file: the certificates that a configuration names
are handed in. What OpenSSL reports is foretold in ``pki/openssl``; its messages are with ``handshake/verify_reasons``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.revocation import undecided_issuers
from counterseal.pki.openssl.verify import SECURITY_LEVEL, Verification, verify
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

DEFAULT_VERIFY_DEPTH = 1
BAD_REQUEST, CERTIFICATE_ERROR, NO_CERTIFICATE, ADMITTED = 400, 495, 496, 200
MISDIRECTED, PLAIN_HTTP = 421, 497
# ngx_ssl_verify_error_optional: what optional_no_ca lets pass.
_OPTIONAL = frozenset({
    Error.DEPTH_ZERO_SELF_SIGNED_CERT,
    Error.SELF_SIGNED_CERT_IN_CHAIN,
    Error.UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
    Error.UNABLE_TO_VERIFY_LEAF_SIGNATURE,
})  # fmt: skip


class VerifyClient(StrEnum):
    """The values of ``ssl_verify_client``; ``off`` asks for no certificate."""

    OFF = "off"
    ON = "on"
    OPTIONAL = "optional"
    OPTIONAL_NO_CA = "optional_no_ca"


@dataclass(frozen=True, slots=True)
class ClientVerification:
    """The directives of a server block that decide about clients, with the certificates and CRLs of their files.

    ``trusted`` are those of ``ssl_client_certificate`` and of ``ssl_trusted_certificate``, which go into one store;
    ``crls`` None means that there is no ``ssl_crl``. ``security_level`` is OpenSSL's, ``@SECLEVEL`` in ``ssl_ciphers``.
    ``takes_deltas``: whether it takes a delta CRL for a full one, as before 3.0.22 and 3.5.8; not known, it may.
    """

    trusted: tuple[x509.Certificate, ...]
    verify_depth: int = DEFAULT_VERIFY_DEPTH
    crls: tuple[x509.CertificateRevocationList, ...] | None = None
    verify_client: VerifyClient = VerifyClient.ON
    security_level: int = SECURITY_LEVEL
    takes_deltas: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """What nginx looks at before any certificate; ``sni`` is a name that it serves, None where none is sent."""

    tls: bool = True
    sni: str | None = None
    host: str | None = None

    @property
    def misdirected(self) -> bool:
        """Whether ``Host`` is another name than the one negotiated (ngx_http_set_virtual_server)."""
        return self.sni is not None and self.host is not None and _bare(self.sni) != _bare(self.host)


OVER_TLS = Request()


@dataclass(frozen=True, slots=True)
class NginxAnswer:
    """What nginx does with a client: ``status`` as the client sees it, ``code`` for ``error_page``, and why.

    ``error`` is OpenSSL's number, also where nginx lets it pass; ``verification`` is None when no certificate came.
    ``undecided`` are issuers with two lists of one date, of which this nginx or that takes the other.
    """

    status: int
    code: int | None
    error: Error
    verification: Verification | None
    undecided: tuple[x509.Name, ...] = ()


def answer_client(
    chain: Sequence[x509.Certificate], site: ClientVerification, *, at: datetime, request: Request = OVER_TLS
) -> NginxAnswer:
    """Return what nginx answers a client that sends ``chain``, its own certificate first; empty when it sends none."""
    if not request.tls:
        return NginxAnswer(BAD_REQUEST, PLAIN_HTTP, Error.OK, None)
    asked = site.verify_client is not VerifyClient.OFF
    if asked and request.misdirected:
        return NginxAnswer(MISDIRECTED, MISDIRECTED, Error.OK, None)
    if not (asked and chain):
        refused = site.verify_client is VerifyClient.ON
        code = NO_CERTIFICATE if refused else None
        return NginxAnswer(BAD_REQUEST if refused else ADMITTED, code, Error.OK, None)
    told = verify(
        chain[0],
        chain[1:],
        site.trusted,
        purpose=Purpose.CLIENT,
        at=at,
        depth=site.verify_depth,
        crls=site.crls,
        security_level=site.security_level,
        takes_deltas=site.takes_deltas,
    )
    undecided = undecided_issuers(site.crls or ())
    passes = told.last is Error.OK or (site.verify_client is VerifyClient.OPTIONAL_NO_CA and told.last in _OPTIONAL)
    if passes:
        return NginxAnswer(ADMITTED, None, told.last, told, undecided)
    return NginxAnswer(BAD_REQUEST, CERTIFICATE_ERROR, told.last, told, undecided)


def _bare(name: str) -> str:
    """Return a name as nginx compares it: in small letters, without port and final dot (ngx_http_validate_host)."""
    host, _, port = name.lower().rpartition(":")
    return (host if host and port.isdigit() else name.lower()).removesuffix(".")
