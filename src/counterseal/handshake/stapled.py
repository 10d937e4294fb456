"""Which OCSP response a server staples to its certificate, when it is asked for one (RFC 6066 8, RFC 8446 4.4.2.1).

Python's ssl cannot ask. In TLS 1.2 OpenSSL's own ClientHello is sent with the request added, and what the server
answers travels in the clear; in TLS 1.3 the ClientHello is ours (``wire.opening``). What comes is read up to the
response, and then the connection is left. At the edge: it connects.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from counterseal.errors import InputError
from counterseal.handshake.client_context import client_context
from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.records import messages_in, read_records, record_of
from counterseal.handshake.wire.authentication import certificate
from counterseal.handshake.wire.decode import CHANGE_CIPHER_SPEC
from counterseal.handshake.wire.hello import read_extensions
from counterseal.handshake.wire.numbers import TLS12
from counterseal.handshake.wire.opening import STATUS_REQUEST, Opener, client_hello13
from counterseal.handshake.wire.reader import Reader, vector
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.observation import TLSVersion
    from counterseal.handshake.records import Record
    from counterseal.handshake.trace.dial import Dial

_SERVER_HELLO, _CERTIFICATE, _SERVER_HELLO_DONE, _CERTIFICATE_STATUS = 2, 11, 14, 22
_STATUS_EXTENSION = 5
_NO_HANDSHAKE = "it sent no handshake of this version"


@dataclass(frozen=True, slots=True)
class Stapled:
    """The chain that a server sends, each DER, and the OCSP response beside it (DER), None where none came."""

    chain: tuple[bytes, ...] = field(repr=False)
    response: bytes | None = field(repr=False)


def look_for_response(what: Dial) -> Stapled | None:
    """Return what the server sends, in whichever version; None where the peer does not tell, or after STARTTLS."""
    if what.starttls is not None:
        return None
    versions: tuple[TLSVersion, ...] = ("1.2", "1.3")
    for version in versions:
        with suppress(OSError, ValueError, InputError):
            return ask_for_response(replace(what, tls_version=version))
    return None


def ask_for_response(what: Dial) -> Stapled:
    """Return what the server sends when it is asked in ``tls_version``, 1.2 where that is None.

    Raises OSError (TimeoutError past the timeout, AlertError), InputError ``tls.malformed``; ConnectionResetError where
    the server sends anything but its part of a handshake; ValueError for a server name that nobody can send.
    """
    with connect(what.endpoint, deadline := Deadline.after(what.timeout)) as raw:
        records = read_records(raw, deadline)
        if what.tls_version == "1.3":
            key = X25519PrivateKey.generate()
            name = None if is_ip_address(what.server_name or "") else what.server_name  # RFC 6066 3
            hello = client_hello13(name, os.urandom(32), key.public_key().public_bytes_raw())
            raw.sendall(what.preface + record_of(hello))
            return _in_tls13(records, hello, key)
        raw.sendall(what.preface + record_of(_asking(_client_hello(what))))
        return _in_tls12(records)


def _in_tls12(records: Iterator[Record]) -> Stapled:
    chain: tuple[bytes, ...] = ()
    for message in messages_in((content, fragment) for content, _, fragment in records):
        kind, body = message[0], Reader(message[4:])
        if kind == _CERTIFICATE:
            chain = certificate(body, TLS12).chain
        elif kind == _CERTIFICATE_STATUS:
            return Stapled(chain, _response(message[4:]))
        elif kind == _SERVER_HELLO_DONE:
            return Stapled(chain, None)
    raise ConnectionResetError(_NO_HANDSHAKE)


def _in_tls13(records: Iterator[Record], hello: bytes, key: X25519PrivateKey) -> Stapled:
    answer = next(messages_in((content, fragment) for content, _, fragment in records), b"")
    opener = Opener(hello, answer, key) if answer[:1] == bytes([_SERVER_HELLO]) else None
    if opener is None:
        raise ConnectionResetError(_NO_HANDSHAKE)
    opened = (opener.open(header, octets) for content, header, octets in records if content != CHANGE_CIPHER_SPEC)
    for message in messages_in(opened):
        if message[0] == _CERTIFICATE:
            body = Reader(message[4:])
            body.vector(1)
            entries = [(one.vector(3), dict(read_extensions(one))) for one in [body.inner(3)] for _ in one.repeat()]
            held = entries[0][1] if entries else {}
            response = _response(held[_STATUS_EXTENSION]) if _STATUS_EXTENSION in held else None
            return Stapled(tuple(encoded for encoded, _ in entries), response)
    raise ConnectionResetError(_NO_HANDSHAKE)


def _response(status: bytes) -> bytes:
    """Return the response in a CertificateStatus, behind its type, which is OCSP."""
    return Reader(status[1:]).vector(3)


def _client_hello(what: Dial) -> bytes:
    """Return the body of a ClientHello as OpenSSL makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = client_context("1.2", protocols=what.protocols)
    tls = context.wrap_bio(incoming, outgoing, server_hostname=what.server_name)
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    record = Reader(outgoing.read())
    record.take(3)
    message = record.inner(2)
    message.take(1)
    return message.vector(3)


def _asking(body: bytes) -> bytes:
    """Return the ClientHello in ``body`` with a request for an OCSP response among its extensions."""
    reader = Reader(body)
    reader.take(2 + 32)  # version and random
    for size in (1, 2, 1):  # session, cipher suites, compression
        reader.vector(size)
    head = body[: len(body) - reader.left]
    message = head + vector(reader.vector(2) + STATUS_REQUEST, 2)
    return b"\x01" + vector(message, 3)
