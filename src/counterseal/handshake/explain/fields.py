"""The fields of a message that matter to a person, as (label, value); values from the wire are made safe to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.certificates import show_authority, show_certificate
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.messages import (
    Alert,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    ClientKeyExchange,
    CompressedCertificate,
    EncryptedExtensions,
    Finished,
    KeyUpdate,
    NewSessionTicket,
    ServerHello,
    ServerKeyExchange,
    Undecoded,
)
from counterseal.handshake.wire.numbers import (
    CERTIFICATE_TYPES,
    EXTENSIONS,
    SIGNATURE_SCHEMES,
    VERSIONS,
    explain_group,
    is_grease,
    name_of,
    names_of,
)
from counterseal.handshake.wire.suites import CIPHER_SUITES
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from counterseal.handshake.wire.messages import Message

Field = tuple[str, str]
_LONG, _FIRST = 140, 4


def fields_of(message: Message) -> tuple[Field, ...]:
    """Return the fields of ``message``; empty values are left out."""
    describe = _DESCRIBE.get(type(message))
    return tuple((label, value) for label, value in (describe(message) if describe else ()) if value)


def shorten(value: str) -> str:
    """Return a long list with its first items, and how many are left out."""
    items = value.split(", ")
    if len(value) <= _LONG or len(items) <= _FIRST + 2:
        return value
    return f"{', '.join(items[:_FIRST])} and {len(items) - _FIRST} more"


def _client_hello(message: ClientHello) -> Iterator[Field]:
    yield "versions", ", ".join(names_of(VERSIONS, message.versions))
    yield "server name (SNI)", printable(message.server_name) if message.server_name else "none sent"
    yield "cipher suites", ", ".join(names_of(CIPHER_SUITES, message.cipher_suites))
    yield "protocols (ALPN)", ", ".join(printable(name) for name in message.protocols)
    yield "groups", _groups(message.groups)
    yield "key shares", _groups(message.key_shares)
    yield "signature algorithms", ", ".join(names_of(SIGNATURE_SCHEMES, message.signature_schemes))
    yield "certificate authorities", _authorities(message.authorities)
    yield "session offered", _session_offered(message)
    yield "other extensions", _extensions(message.extensions)
    yield "random", message.random.hex()


def _session_offered(message: ClientHello) -> str:
    if message.psk_identities:
        return f"{message.psk_identities} pre-shared key(s) from a ticket"
    return f"a ticket of {message.ticket_length} bytes" if message.ticket_length else ""


def _server_hello(message: ServerHello) -> Iterator[Field]:
    yield "version", name_of(VERSIONS, message.version)
    yield "cipher suite", name_of(CIPHER_SUITES, message.cipher_suite)
    yield ("group wanted" if message.retry else "group"), "" if message.group is None else explain_group(message.group)
    yield "session", "" if message.psk is None else f"resumed by pre-shared key {message.psk}"
    yield "protocol (ALPN)", printable(message.protocol or "")
    yield "other extensions", _extensions(message.extensions)
    yield "random", "" if message.retry else message.random.hex()
    yield "downgrade mark", _DOWNGRADE.get(message.random[-8:], "")


_DOWNGRADE = {
    b"DOWNGRD\x01": "the server speaks TLS 1.3 too and was held to 1.2 (RFC 8446 4.1.3)",
    b"DOWNGRD\x00": "the server speaks TLS 1.2 or newer too and was held to less (RFC 8446 4.1.3)",
}


def _encrypted_extensions(message: EncryptedExtensions) -> Iterator[Field]:
    yield "protocol (ALPN)", printable(message.protocol or "none chosen")
    yield "other extensions", _extensions(message.extensions)


def _certificate(message: Certificate) -> Iterator[Field]:
    if not message.chain:
        yield "certificates", "none: the list is empty"
    for position, encoded in enumerate(message.chain):
        yield ("certificate" if position == 0 else f"issuer {position}"), show_certificate(encoded)
    yield "stapled OCSP", "yes" if message.stapled else ""


def _certificate_request(message: CertificateRequest) -> Iterator[Field]:
    yield "accepted CAs", _authorities(message.authorities) or "none named: any CA may do"
    yield "signature algorithms", ", ".join(names_of(SIGNATURE_SCHEMES, message.signature_schemes))
    yield "key kinds", ", ".join(CERTIFICATE_TYPES.get(kind, str(kind)) for kind in message.certificate_types)


def _server_key_exchange(message: ServerKeyExchange) -> Iterator[Field]:
    yield "group", "" if message.group is None else explain_group(message.group)
    yield "finite field", f"{message.prime_bits}-bit prime" if message.prime_bits else ""
    yield "public value", f"{message.public_length} bytes"
    yield "signed with", "nothing: anonymous" if message.scheme is None else _scheme(message.scheme)


def _client_key_exchange(message: ClientKeyExchange) -> Iterator[Field]:
    if message.encrypted_secret_length is not None:
        yield "encrypted pre-master secret", f"{message.encrypted_secret_length} bytes"
    else:
        yield "public value", f"{message.public_length} bytes"


def _certificate_verify(message: CertificateVerify) -> Iterator[Field]:
    yield "signed with", _scheme(message.scheme)
    yield "signature", f"{message.signature_length} bytes"


def _ticket(message: NewSessionTicket) -> Iterator[Field]:
    yield "good for", f"{message.lifetime} s"
    yield "ticket", f"{message.ticket_length} bytes"
    yield "early data (0-RTT)", f"up to {message.early_data} bytes" if message.early_data else ""


def _alert(message: Alert) -> Iterator[Field]:
    name, meaning = alert_meaning(message.description)
    yield "alert", f"{name} ({message.description}), {'fatal' if message.fatal else 'warning'}"
    yield "says", meaning if message.description else ""


def _scheme(number: int) -> str:
    return name_of(SIGNATURE_SCHEMES, number)


def _groups(numbers: Iterable[int]) -> str:
    return ", ".join(explain_group(number) for number in numbers if not is_grease(number))


def _authorities(names: Iterable[bytes]) -> str:
    return "; ".join(show_authority(name) for name in names)


_SHOWN_ELSEWHERE = frozenset({0, 10, 13, 16, 41, 43, 47, 51})


def _extensions(numbers: Iterable[int]) -> str:
    return ", ".join(names_of(EXTENSIONS, (number for number in numbers if number not in _SHOWN_ELSEWHERE)))


_DESCRIBE: dict[type, Callable[..., Iterable[Field]]] = {
    ClientHello: _client_hello,
    ServerHello: _server_hello,
    EncryptedExtensions: _encrypted_extensions,
    Certificate: _certificate,
    CertificateRequest: _certificate_request,
    CertificateStatus: lambda message: [("OCSP response", f"{message.response_length} bytes")],
    ServerKeyExchange: _server_key_exchange,
    ClientKeyExchange: _client_key_exchange,
    CertificateVerify: _certificate_verify,
    CompressedCertificate: lambda message: [("uncompressed", f"{message.uncompressed_length} bytes")],
    Finished: lambda message: [("keyed hash", f"{message.length} bytes")],
    NewSessionTicket: _ticket,
    KeyUpdate: lambda message: [("answer wanted", "yes" if message.requested else "no")],
    Alert: _alert,
    Undecoded: lambda message: [("malformed", message.fault)],
}
