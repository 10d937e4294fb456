"""The TLS server of one connection: who it is, whom it asks for, and every message of its handshake kept.

pyOpenSSL's, because Python's ssl can neither name the CAs whose clients are asked for nor let a certificate through
that does not verify; nginx does both. What pyOpenSSL has no call for is OpenSSL's message callback: it is in the
bindings that it stands on, under private names, as it is in Python's ssl (``recorder``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from counterseal.errors import InputError
from counterseal.handshake.client_context import NO_CERTIFICATE_COMPRESSION, identity_error
from counterseal.handshake.trace.connection import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.handshake.observation import ProbeIdentity, TLSVersion
    from counterseal.handshake.trace.recorder import Recorder

_VERSIONS: dict[TLSVersion | None, tuple[int, int]] = {
    None: (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION),
    "1.2": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION),
    "1.3": (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION),
}
_MOST_NAMES = 0xFFFF
"""Octets of all names in a CertificateRequest (RFC 8446 4.2.4), each behind two of its length."""
_MESSAGE_CALLBACK = "void (*)(int, int, int, const void *, size_t, SSL *, void *)"


def server_context(
    identity: ProbeIdentity, authorities: Sequence[x509.Certificate] = (), tls_version: TLSVersion | None = None
) -> SSL.Context:
    """Return a context that shows ``identity`` and asks for a certificate of ``authorities`` (none: of any CA).

    Raises KeyAccessError ``probe.identity`` when OpenSSL does not take the identity, InputError ``listen.client_ca``
    when the names of the authorities do not fit into a message.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    least, most = _VERSIONS[tls_version]
    context.set_min_proto_version(least)
    context.set_max_proto_version(most)
    context.set_cipher_list(SUITES.encode())
    context.set_options(int(NO_CERTIFICATE_COMPRESSION) | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # a resumed handshake would have no certificates to explain
    context.set_alpn_select_callback(_choose_protocol)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # judged afterwards
    _name(context, authorities)
    _show(context, identity)
    return context


def record(context: SSL.Context, recorder: Recorder) -> Callable[..., None]:
    """Have the recorder see each message; what is returned must live as long as the connection does.

    Raises InputError ``trace.unsupported`` where the bindings have no message callback.
    """
    attach = getattr(lib, "SSL_CTX_set_msg_callback", None)
    if attach is None:
        raise InputError(
            "trace.unsupported",
            "this cryptography cannot show TLS messages: its bindings of OpenSSL have no message callback",
            hint="install the version of cryptography that this version of counterseal was tested with",
        )

    def see(written: int, _version: int, content: int, octets: object, length: int, _tls: object, _arg: object) -> None:
        recorder.see(is_read=not written, content=content, octets=bytes(ffi.buffer(octets, length)))

    callback: Callable[..., None] = ffi.callback(_MESSAGE_CALLBACK, see)
    attach(context._context, callback)  # noqa: SLF001 - pyOpenSSL has no call for it
    return callback


def _name(context: SSL.Context, authorities: Sequence[x509.Certificate]) -> None:
    size = sum(2 + len(one.subject.public_bytes()) for one in authorities)
    if size > _MOST_NAMES:
        raise InputError(
            "listen.client_ca",
            f"the names of {len(authorities)} CAs take {size} octets, and a CertificateRequest holds {_MOST_NAMES}",
            hint="name the CAs that issue your clients; nginx gives up in the same place",
        )
    for one in authorities:
        context.add_client_ca(one)


def _show(context: SSL.Context, identity: ProbeIdentity) -> None:
    try:
        own, *issuers = x509.load_pem_x509_certificates(identity.certificate_chain)
        context.use_certificate(own)
        for one in issuers:
            context.add_extra_chain_cert(one)
        context.use_privatekey(load_pem_private_key(identity.private_key, None))  # type: ignore[arg-type] # TypeError
        context.check_privatekey()
    except SSL.Error as error:
        raise identity_error(identity, reason_of(error)) from error
    except (TypeError, ValueError) as error:
        raise identity_error(identity, str(error)) from error


def _choose_protocol(_tls: SSL.Connection, offered: list[bytes]) -> bytes | SSL._NoOverlappingProtocols:
    return b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def reason_of(error: SSL.Error) -> str:
    """Return OpenSSL's own words for what came first, empty where it has none."""
    queue = error.args[0] if error.args else ()
    return str(queue[0][2]) if isinstance(queue, list) and queue else ""
