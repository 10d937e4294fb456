"""The service's own TLS: a context whose certificate can change under it without a connection being dropped."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from counterseal.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 that serves this chain; raises InputError ``serve.certificate``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    load_certificate(context, certificate, key)
    return context


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
