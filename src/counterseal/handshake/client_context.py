"""The TLS client of a probe: one version, one identity, nothing added from a trust store.

OpenSSL completes a client's chain from the trust store of its context and so changes what nginx sees; therefore a
context with an identity has an empty store, and judging the server is done in a context of its own, without identity.
Private keys reach OpenSSL through a memory file and never touch a disk.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import InputError, KeyAccessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.handshake.observation import ProbeIdentity, TLSVersion

NO_CERTIFICATE_COMPRESSION = ssl.Options(1 << 32 | 1 << 33)
"""OpenSSL's SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_…, which older ones than 3.2 take no notice of.

Chains are to be seen as they are (RFC 8879 would compress them with what Python may not be able to read).
"""
_WEAK_ENDS = ("too small", "too weak")
_TOO_WEAK = "its security level (2) wants RSA of 2048 bits or P-256, signed with SHA-256, in the whole chain"
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def client_context(
    tls_version: TLSVersion | None,
    *,
    identity: ProbeIdentity | None = None,
    trust_anchors: bytes | None = None,
    protocols: Sequence[str] = ("http/1.1",),
) -> ssl.SSLContext:
    """Return a client context for exactly ``tls_version``, or for 1.2 and 1.3 where it is None.

    With ``trust_anchors`` (PEM) it verifies the server; ``protocols`` are offered by ALPN.

    Raises InputError when both are given or the anchors are not PEM, KeyAccessError when the identity cannot be used.
    """
    if identity is not None and trust_anchors is not None:
        raise InputError("probe.context", f"cannot judge the server while presenting an identity: {identity.name}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[tls_version or "1.2"]
    context.maximum_version = _VERSIONS[tls_version or "1.3"]
    context.options |= NO_CERTIFICATE_COMPRESSION
    if protocols:
        context.set_alpn_protocols(protocols)
    if trust_anchors is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_anchors(context, trust_anchors)
    if identity is not None:
        load_identity(context, identity)
    return context


def _load_anchors(context: ssl.SSLContext, anchors: bytes) -> None:
    try:
        context.load_verify_locations(cadata=anchors.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise InputError("probe.anchors", f"cannot read the trust anchors: {error}") from error


def load_identity(context: ssl.SSLContext, identity: ProbeIdentity) -> None:
    """Have ``context`` present the identity; raises KeyAccessError ``probe.identity`` when OpenSSL does not take it."""
    pem = identity.private_key.rstrip(b"\n") + b"\n" + identity.certificate_chain
    try:
        with _readable(pem) as path:
            context.load_cert_chain(path, password=_no_passphrase)
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
        raise identity_error(identity, reason) from error


def identity_error(identity: ProbeIdentity, reason: str) -> KeyAccessError:
    """Return the error for an identity that OpenSSL does not take, for its ``reason``."""
    return KeyAccessError(
        "probe.identity",
        f"OpenSSL does not take the certificate and key of {identity.name}: {reason}",
        hint=_TOO_WEAK if reason.endswith(_WEAK_ENDS) else None,
    )


def _no_passphrase() -> bytes:
    return b""  # otherwise OpenSSL asks on the terminal for an encrypted key


@contextmanager
def _readable(pem: bytes) -> Iterator[str]:
    """Yield a path from which OpenSSL reads ``pem``: a memory file, or where there is none a private directory."""
    with _memory_file(pem) if _has_memory_files() else _private_file(pem) as path:
        yield path


def _has_memory_files() -> bool:
    return hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir()


@contextmanager
def _memory_file(pem: bytes) -> Iterator[str]:
    descriptor = os.memfd_create("probe-identity", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=True) as stream:  # noqa: PTH123 - a descriptor, not a path
        stream.write(pem)
        stream.flush()
        yield f"/proc/self/fd/{descriptor}"


@contextmanager
def _private_file(pem: bytes) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="counterseal-probe-") as directory:
        path = Path(directory, "identity.pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb", closefd=True) as stream:  # noqa: PTH123 - a descriptor, not a path
            stream.write(pem)
        yield str(path)
