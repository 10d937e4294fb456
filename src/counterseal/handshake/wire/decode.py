"""One message from its bytes, and a whole handshake in its order: what was agreed on decides how the rest is read.

The version and the cipher suite stand in the ServerHello; a HelloRetryRequest settles the version as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.wire import authentication, exchange, hello
from counterseal.handshake.wire.messages import (
    Alert,
    ClientHello,
    Finished,
    KeyUpdate,
    Marker,
    Message,
    ServerHello,
    Side,
    Undecoded,
    Unknown,
)
from counterseal.handshake.wire.numbers import TLS12
from counterseal.handshake.wire.reader import Reader, refuse
from counterseal.handshake.wire.suites import key_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
"""Content types (RFC 8446 B.1)."""
LONGEST_MESSAGE = 2**17
"""Longer messages are not read; OpenSSL's own limit for a chain is 100 kB."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the ServerHello settled, and before it the assumption that TLS 1.2 goes on."""

    version: int = TLS12
    cipher_suite: int | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """A message as it went by: ``at`` in seconds since the start, ``octets`` of a handshake message with its header."""

    at: float
    sender: Side
    content: int
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message, with when and by whom it was sent, and its size in bytes."""

    at: float
    sender: Side
    size: int
    message: Message


_NAMES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
    24: "KeyUpdate",
    25: "CompressedCertificate",
}

_READERS: dict[int, Callable[[Reader, Agreed], Message]] = {
    0: lambda _body, _agreed: Marker("HelloRequest"),
    1: lambda body, _: hello.client_hello(body),
    2: lambda body, _: hello.server_hello(body),
    4: lambda body, agreed: exchange.new_session_ticket(body, agreed.version),
    5: lambda _body, _agreed: Marker("EndOfEarlyData"),
    8: lambda body, _: hello.encrypted_extensions(body),
    11: lambda body, agreed: authentication.certificate(body, agreed.version),
    12: lambda body, agreed: exchange.server_key_exchange(body, key_exchange(agreed.cipher_suite)),
    13: lambda body, agreed: authentication.certificate_request(body, agreed.version),
    14: lambda _body, _agreed: Marker("ServerHelloDone"),
    15: lambda body, _: authentication.certificate_verify(body),
    16: lambda body, agreed: exchange.client_key_exchange(body, key_exchange(agreed.cipher_suite)),
    20: lambda body, _: Finished(len(body.take(body.left))),
    22: lambda body, _: authentication.certificate_status(body),
    24: lambda body, _: KeyUpdate(requested=body.number(1) == 1),
    25: lambda body, _: authentication.compressed_certificate(body),
}


def decode_all(captured: Iterable[Captured]) -> tuple[Decoded, ...]:
    """Return every message of a connection in order, each read as what went before demands."""
    agreed, found = Agreed(), []
    for one in captured:
        message = decode(one.content, one.octets, agreed)
        found.append(Decoded(one.at, one.sender, len(one.octets), message))
        agreed = _settle(agreed, message)
    return tuple(found)


def decode(content: int, octets: bytes, agreed: Agreed) -> Message:
    """Return the message in ``octets``; one that is malformed comes back as Undecoded, never as an exception."""
    kind = octets[0] if content == HANDSHAKE and octets else None
    name = {CHANGE_CIPHER_SPEC: "ChangeCipherSpec", ALERT: "Alert"}.get(content, _NAMES.get(kind or 0, "message"))
    try:
        if content == CHANGE_CIPHER_SPEC:
            return Marker("ChangeCipherSpec")
        return _alert(Reader(octets)) if content == ALERT else _handshake(Reader(octets), agreed)
    except InputError as error:
        return Undecoded(name, error.message.removeprefix("malformed TLS message: "))


def _alert(reader: Reader) -> Alert:
    level, description = reader.number(1), reader.number(1)
    reader.finish()
    return Alert(fatal=level == 2, description=description)  # noqa: PLR2004 - RFC 8446 6


def _handshake(reader: Reader, agreed: Agreed) -> Message:
    if reader.left > LONGEST_MESSAGE:
        refuse(f"{reader.left} bytes are more than {LONGEST_MESSAGE}")
    kind, body = reader.number(1), reader.inner(3)
    reader.finish()
    read = _READERS.get(kind)
    if read is None:
        return Unknown(kind)
    message = read(body, agreed)
    body.finish()
    return message


def _settle(agreed: Agreed, message: Message) -> Agreed:
    if isinstance(message, ServerHello):
        return Agreed(message.version, message.cipher_suite)
    return replace(agreed, version=TLS12, cipher_suite=None) if isinstance(message, ClientHello) else agreed
