"""The TLS server of one connection: who it is, and whom it asks for.

pyOpenSSL's, because Python's ssl can neither name the CAs whose clients are asked for nor let a certificate through
that does not verify; nginx does both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

from counterseal.errors import InputError
from counterseal.handshake.client_context import NO_CERTIFICATE_COMPRESSION, identity_error
from counterseal.handshake.trace.connection import SUITES
from counterseal.handshake.trace.pyopenssl_stream import limit_versions, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.observation import ProbeIdentity, TLSVersion

_MOST_NAMES = 0xFFFF
"""Octets of all names in a CertificateRequest (RFC 8446 4.2.4), each behind two of its length."""


def server_context(
    identity: ProbeIdentity, authorities: Sequence[x509.Certificate] = (), tls_version: TLSVersion | None = None
) -> SSL.Context:
    """Return a context that shows ``identity`` and asks for a certificate of ``authorities`` (none: of any CA).

    Raises KeyAccessError ``probe.identity`` when OpenSSL does not take the identity, InputError ``listen.client_ca``
    when the names of the authorities do not fit into a message.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    limit_versions(context, tls_version)
    context.set_cipher_list(SUITES.encode())
    context.set_options(int(NO_CERTIFICATE_COMPRESSION) | SSL.OP_NO_TICKET)
    # A resumed handshake would have no certificates to explain. The tickets of TLS 1.3, which pyOpenSSL cannot turn
    # off, are good for this context alone, and so for no other connection.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_alpn_select_callback(_choose_protocol)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # judged afterwards
    _name(context, authorities)
    _show(context, identity)
    return context


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
