"""The messages of a handshake as values, one class each, under the names of RFC 8446 4 and RFC 5246 7.4.

Numbers stay numbers here; ``numbers`` has their names. No secret is kept: of keys, tickets, signatures and encrypted
values only the length. ``extensions`` are the numbers of all extensions in their order, known or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """Who sent something."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        """The one it was sent to."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client offers (RFC 8446 4.1.2); ``versions`` most wanted first, the legacy field where nothing else is."""

    legacy_version: int
    random: bytes
    session_id_length: int
    cipher_suites: tuple[int, ...]
    extensions: tuple[int, ...]
    versions: tuple[int, ...]
    server_name: str | None = None
    protocols: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    key_shares: tuple[int, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    authorities: tuple[bytes, ...] = ()
    ticket_length: int = 0
    psk_identities: int = 0


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What the server chose (RFC 8446 4.1.3); ``retry`` is a HelloRetryRequest (4.1.4)."""

    version: int
    random: bytes
    session_id_length: int
    cipher_suite: int
    extensions: tuple[int, ...]
    group: int | None = None
    psk: int | None = None
    protocol: str | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class EncryptedExtensions:
    """The server's answers that need no key (RFC 8446 4.3.1)."""

    extensions: tuple[int, ...]
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain as it was sent, end entity first, each DER; empty when a client has none to offer (RFC 8446 4.4.2)."""

    chain: tuple[bytes, ...] = field(repr=False)
    stapled: bool = False


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A server asks for a client certificate (RFC 8446 4.3.2, RFC 5246 7.4.4); ``authorities`` are DER names."""

    signature_schemes: tuple[int, ...]
    authorities: tuple[bytes, ...] = ()
    certificate_types: tuple[int, ...] = ()
    extensions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateVerify:
    """A signature over the handshake so far, by the key of the certificate (RFC 8446 4.4.3)."""

    scheme: int
    signature_length: int


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A stapled OCSP response (RFC 6066 8)."""

    response_length: int


@dataclass(frozen=True, slots=True)
class ServerKeyExchange:
    """The server's ephemeral public value, signed (RFC 5246 7.4.3, RFC 8422 5.4); ``scheme`` None means unsigned.

    ``group`` is the elliptic group; with finite-field Diffie-Hellman it is None and ``prime_bits`` is set.
    """

    public_length: int
    group: int | None = None
    prime_bits: int | None = None
    scheme: int | None = None
    signature_length: int = 0


@dataclass(frozen=True, slots=True)
class ClientKeyExchange:
    """The client's part: its ephemeral public value, or with RSA the encrypted pre-master secret (RFC 5246 7.4.7)."""

    encrypted_secret_length: int | None = None
    public_length: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A keyed hash over the whole handshake (RFC 8446 4.4.4, RFC 5246 7.4.9)."""

    length: int


@dataclass(frozen=True, slots=True)
class NewSessionTicket:
    """A ticket with which the client can resume (RFC 8446 4.6.1, RFC 5077 3.3); ``lifetime`` in seconds."""

    lifetime: int
    ticket_length: int
    early_data: int | None = None


@dataclass(frozen=True, slots=True)
class CompressedCertificate:
    """A Certificate message in compressed form (RFC 8879)."""

    algorithm: int
    uncompressed_length: int


@dataclass(frozen=True, slots=True)
class KeyUpdate:
    """The sender's next records are under new keys (RFC 8446 4.6.3)."""

    requested: bool


@dataclass(frozen=True, slots=True)
class Marker:
    """A message without content: ServerHelloDone, HelloRequest, EndOfEarlyData, ChangeCipherSpec."""

    name: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert (RFC 8446 6); ``fatal`` by its level, which TLS 1.3 keeps but does not look at."""

    fatal: bool
    description: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A handshake message of a kind that no standard here assigns."""

    number: int


@dataclass(frozen=True, slots=True)
class Undecoded:
    """A message that is not what its kind demands, and why."""

    name: str
    fault: str


Message = (
    ClientHello
    | ServerHello
    | EncryptedExtensions
    | Certificate
    | CertificateRequest
    | CertificateVerify
    | CertificateStatus
    | ServerKeyExchange
    | ClientKeyExchange
    | Finished
    | NewSessionTicket
    | CompressedCertificate
    | KeyUpdate
    | Marker
    | Alert
    | Unknown
    | Undecoded
)


def message_name(message: Message) -> str:
    """Return the message's name in the standards."""
    if isinstance(message, Marker | Undecoded):
        return message.name
    if isinstance(message, ServerHello) and message.retry:
        return "HelloRetryRequest"
    return f"message {message.number}" if isinstance(message, Unknown) else type(message).__name__
