"""The one question that is asked once TLS stands, so that a server's verdict on the client is seen.

nginx judges a client certificate in HTTP, a TLS 1.3 server after the client believes the handshake done: either shows
only with something read. HTTP/1.1 is asked for a page; HTTP/2, mail and PostgreSQL for their first words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.handshake.attempt import request_of
from counterseal.handshake.trace.dial import StartTLS

if TYPE_CHECKING:
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.handshake.trace.dial import Dial

_FIRST_WORDS = {
    StartTLS.SMTP: ("EHLO", b"EHLO counterseal.invalid\r\n"),
    StartTLS.IMAP: ("CAPABILITY", b"a2 CAPABILITY\r\n"),
    StartTLS.POP3: ("CAPA", b"CAPA\r\n"),
}
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # RFC 9113 3.4


class Question(NamedTuple):
    """What is sent, under which name it is shown, and whether an HTTP/1.1 answer is read to its end."""

    name: str
    octets: bytes
    is_http: bool = False


def question(what: Dial, protocol: str | None) -> Question | None:
    """Return what to ask over ``protocol`` (ALPN's choice), or None where nothing is to be said.

    Raises InputError ``probe.request`` for a path or host with a space or a line break.
    """
    if what.starttls is StartTLS.POSTGRES:
        return Question("StartupMessage", _startup(what.user or user_of(what.identity)))
    if what.starttls is not None:
        return Question(*_FIRST_WORDS[what.starttls])
    if what.path is None:
        return None
    if protocol in {None, "http/1.1", "http/1.0"}:
        return Question(f"GET {what.path}", request_of(what.host_header, what.path, agent="handshake"), is_http=True)
    return Question("HTTP/2 preface", _HTTP2_PREFACE) if protocol == "h2" else None


def user_of(identity: ProbeIdentity | None) -> str:
    """Return the user whom the certificate names, by its first common name (PostgreSQL 20.12), or counterseal."""
    if identity is None:
        return "counterseal"
    subject = x509.load_pem_x509_certificates(identity.certificate_chain)[0].subject
    names = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names[0] if names and names[0] and "\x00" not in names[0] else "counterseal"


def _startup(user: str) -> bytes:
    body = b"\x00\x03\x00\x00user\x00" + user.encode() + b"\x00\x00"  # PostgreSQL 55.7: version 3.0, then pairs
    return (len(body) + 4).to_bytes(4) + body
