"""The service's own TLS: a context whose certificate can change under it without a connection being dropped.

It asks every client for a certificate and needs none. One that is shown must be for clients and be signed by a CA that
was given to ``admit_clients``, else the handshake fails; its times are not looked at, because who comes with an expired
one is to be told in words (``authority.holder``), and may be allowed to renew it.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 that serves this chain; raises InputError ``serve.certificate``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    load_certificate(context, certificate, key)
    return context


def admit_clients(context: ssl.SSLContext, cas: Iterable[bytes]) -> None:
    """Ask clients for a certificate from now on; ``cas`` (DER) are added to those that may have signed it."""
    context.verify_mode = ssl.CERT_OPTIONAL
    if content := b"".join(cas):
        context.load_verify_locations(cadata=content)


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Serve this chain from the next handshake on; connections that stand are not touched."""
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or getattr(error, "reason", None) or str(error)
        raise InputError(
            "serve.certificate",
            f"cannot serve with {certificate} and {key}: {str(reason).lower()}",
            hint="both must be PEM, the key unencrypted and that of the first certificate",
        ) from error
