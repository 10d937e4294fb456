"""Who is asking: the one answer for every face, ``await peer_of(service, request)``.

A certificate counts where its key was proved: in the TLS of this very connection; or, on a Unix socket and only where
``trust_client_cert`` says so, by a proxy that sends it in ``Client-Cert`` (RFC 9440 2.2), or URL-encoded as nginx's
``$ssl_client_escaped_cert`` has it. Over TCP that header is never looked at. What the certificate is worth now, the
inventory says (``authority.holder``): TLS itself checks neither revocation nor time here.
"""

from __future__ import annotations

import base64
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from counterseal.authority.holder import CLIENT_AUTH, NO_GRACE, Holder, holder_of
from counterseal.errors import InputError

if TYPE_CHECKING:
    from datetime import timedelta

    from cryptography.x509.oid import ObjectIdentifier
    from starlette.requests import Request
    from starlette.types import Scope

    from counterseal.service.parts import Service

HEADER = "client-cert"
REAL_IP = b"x-real-ip"


async def peer_of(
    service: Service, request: Request, *, usage: ObjectIdentifier | None = CLIENT_AUTH, grace: timedelta = NO_GRACE
) -> Holder | None:
    """Return who holds the certificate that the client showed; None when it showed none.

    ``usage`` and ``grace`` are those of ``holder_of``: by default an expired certificate is refused. Raises
    RefusedError ``peer.*`` (status 403) and InputError ``peer.malformed`` (status 400).
    """
    content = shown_certificate(request, trusts_proxy=service.trusts_proxy)
    if content is None:
        return None
    holder = await service.access.read(lambda authority: holder_of(authority, content, usage=usage, grace=grace))
    request.state.log["peer"] = holder.name
    return holder


def shown_certificate(request: Request, *, trusts_proxy: bool) -> bytes | None:
    """Return the certificate (DER) whose key the client proved to have, None without one; raises InputError.

    ``trusts_proxy`` is whether the header is believed on a Unix socket.
    """
    state: dict[str, Any] = request.scope["state"]
    if not (trusts_proxy and is_unix(state)):
        return _peer_certificate(state)
    values = request.headers.getlist(HEADER)
    if len(values) > 1:
        raise _malformed("is there twice: the proxy must replace what a client sends")
    return _read(values[0]) if values and values[0] else None


def is_unix(state: dict[str, Any]) -> bool:
    """Whether the connection of ``scope["state"]`` came over a Unix socket: from this machine, by who may open it."""
    return bool(state.get("unix"))


def real_client(scope: Scope) -> tuple[str, int] | None:
    """Return the client's address as a proxy has it in its one ``X-Real-IP``, with no port; None where it has none."""
    values = [value for name, value in scope["headers"] if name == REAL_IP]
    try:
        (value,) = values
        return str(ip_address(value.decode("ascii"))), 0
    except ValueError:  # UnicodeDecodeError's too
        return None


def _peer_certificate(state: dict[str, Any]) -> bytes | None:
    tls = state.get("tls")
    certificate: bytes | None = tls.getpeercert(binary_form=True) if tls is not None else None
    return certificate


def _read(value: str) -> bytes:
    """Return the DER in a structured field's byte sequence (RFC 8941 3.3.5), or in URL-encoded PEM."""
    try:
        if value.startswith(":") and value.endswith(":"):
            return base64.b64decode(value[1:-1], validate=True)
        return ssl.PEM_cert_to_DER_cert(unquote(value))
    except ValueError:  # binascii's is one
        raise _malformed("is neither base64 between colons (RFC 9440) nor URL-encoded PEM") from None


def _malformed(what: str) -> InputError:
    return InputError("peer.malformed", f"the header Client-Cert {what}")
