"""One sentence of meaning for every message, with the section that says so; what a message means depends on the story.

RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 8422 (elliptic curves), RFC 7627 (extended master secret), RFC 5077
(tickets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    Marker,
    NewSessionTicket,
    ServerHello,
    ServerKeyExchange,
    Side,
    Undecoded,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.wire.decode import Decoded


class Meaning(NamedTuple):
    """A sentence, and the section of the standard behind it."""

    text: str
    section: str


def meaning_of(one: Decoded, story: Story) -> Meaning:
    """Return what this message means in this handshake."""
    return _MEANINGS[type(one.message)](one, story)


def _client_hello(one: Decoded, story: Story) -> Meaning:
    again = "" if one.message is story.offered else " again, with a key share of the group that the server wants"
    return Meaning(
        f"The client says what it can do{again}; all of this travels in the clear, the name of the site included.",
        "RFC 8446 4.1.2" if story.is_tls13 or story.version is None else "RFC 5246 7.4.1.2",
    )


def _server_hello(one: Decoded, story: Story) -> Meaning:
    if isinstance(one.message, ServerHello) and one.message.retry:
        return Meaning(
            "The server takes the offer but wants a key share of another group, which costs one round trip.",
            "RFC 8446 4.1.4",
        )
    if not story.is_tls13:
        resumed = " It takes up an earlier session: no certificates, no key exchange." if story.resumed else ""
        return Meaning(
            f"The server chooses version and cipher suite; everything is still readable on the way.{resumed}",
            "RFC 5246 7.4.1.3",
        )
    text = "The server chooses version, suite and group and sends its key share: from here on everything is encrypted."
    resumed = " It takes up an earlier session, so no certificates follow." if story.resumed else ""
    return Meaning(text + resumed, "RFC 8446 4.1.3")


def _encrypted_extensions(_one: Decoded, _story: Story) -> Meaning:
    return Meaning(
        "The rest of the server's answers; in TLS 1.2 they stood readable in the ServerHello.", "RFC 8446 4.3.1"
    )


def _certificate(one: Decoded, story: Story) -> Meaning:
    section = (
        "RFC 8446 4.4.2" if story.is_tls13 else "RFC 5246 7.4.2" if one.sender is Side.SERVER else "RFC 5246 7.4.6"
    )
    hidden = "encrypted" if story.is_tls13 else "readable by everybody on the way"
    if one.sender is Side.SERVER:
        return Meaning(f"The server shows its certificate and what leads to a CA, {hidden}.", section)
    if isinstance(one.message, Certificate) and not one.message.chain:
        return Meaning(
            "The client has no certificate that it wants to offer, and says so with an empty list; the server decides "
            "whether that will do.",
            section,
        )
    return Meaning(f"The client shows its certificate, {hidden}; that it has the key follows.", section)


def _certificate_request(one: Decoded, story: Story) -> Meaning:
    section = "RFC 8446 4.3.2" if story.is_tls13 else "RFC 5246 7.4.4"
    if isinstance(one.message, CertificateRequest) and not one.message.authorities:
        return Meaning("The server asks for a client certificate and names no CAs: any may be offered.", section)
    return Meaning(
        "The server asks for a client certificate and names the CAs whose certificates it takes. A browser offers only "
        "those that match, and stays silent when none does.",
        section,
    )


def _server_key_exchange(_one: Decoded, _story: Story) -> Meaning:
    return Meaning(
        "The server's half of the key exchange, made for this connection alone and signed with its certificate's key, "
        "which proves that it has that key.",
        "RFC 8422 5.4, RFC 5246 7.4.3",
    )


def _client_key_exchange(one: Decoded, _story: Story) -> Meaning:
    if isinstance(one.message, ClientKeyExchange) and one.message.encrypted_secret_length is not None:
        return Meaning(
            "The client chose the pre-master secret and sends it encrypted to the server's RSA key: only the owner of "
            "that key can go on, and whoever gets the key later can read what was recorded.",
            "RFC 5246 7.4.7.1",
        )
    return Meaning("The client's half of the key exchange, made for this connection alone.", "RFC 8422 5.7")


def _certificate_verify(one: Decoded, story: Story) -> Meaning:
    return Meaning(
        f"The {one.sender} signs everything said so far with its certificate's key: the proof that the certificate is "
        "its own and not a copy.",
        "RFC 8446 4.4.3" if story.is_tls13 else "RFC 5246 7.4.8",
    )


def _finished(one: Decoded, story: Story) -> Meaning:
    return Meaning(
        f"A hash over the whole handshake under the new keys: the {one.sender} saw the same messages, so nobody on the "
        "way changed any.",
        "RFC 8446 4.4.4" if story.is_tls13 else "RFC 5246 7.4.9",
    )


def _ticket(_one: Decoded, story: Story) -> Meaning:
    return Meaning(
        "With this ticket the client can come back without certificates; the server then believes what it found out "
        "now, and nginx does not look at CRL and expiry again.",
        "RFC 8446 4.6.1" if story.is_tls13 else "RFC 5077 3.3",
    )


def _alert(one: Decoded, story: Story) -> Meaning:
    section = "RFC 8446 6" if story.is_tls13 or story.version is None else "RFC 5246 7.2"
    if isinstance(one.message, Alert) and one.message.description == 0:
        return Meaning(f"The {one.sender} closes in order.", f"{section}.1")
    return Meaning(f"The {one.sender} ends the connection and says why.", f"{section}.2")


_UNREAD = Meaning("This message does not have the form that its kind demands.", "RFC 8446 3")
_MARKERS = {
    "ChangeCipherSpec": Meaning(
        "From here on the sender encrypts with the new keys; in TLS 1.3 it only reassures boxes on the way that expect "
        "TLS 1.2.",
        "RFC 5246 7.1, RFC 8446 D.4",
    ),
    "ServerHelloDone": Meaning("The server has said what it has to say and waits.", "RFC 5246 7.4.5"),
    "HelloRequest": Meaning("The server wants to negotiate anew on this connection.", "RFC 5246 7.4.1.1"),
    "EndOfEarlyData": Meaning("The client's early data ends here.", "RFC 8446 4.5"),
}

_MEANINGS: dict[type, Callable[[Decoded, Story], Meaning]] = {
    ClientHello: _client_hello,
    ServerHello: _server_hello,
    EncryptedExtensions: _encrypted_extensions,
    Certificate: _certificate,
    CertificateRequest: _certificate_request,
    CertificateStatus: lambda _one, _story: Meaning(
        "The server's CA vouches that the certificate is not revoked, so that the client need not ask.", "RFC 6066 8"
    ),
    ServerKeyExchange: _server_key_exchange,
    ClientKeyExchange: _client_key_exchange,
    CertificateVerify: _certificate_verify,
    CompressedCertificate: lambda one, _story: Meaning(f"The {one.sender}'s chain, compressed.", "RFC 8879 4"),
    Finished: _finished,
    NewSessionTicket: _ticket,
    KeyUpdate: lambda one, _story: Meaning(f"The {one.sender} goes on under fresh keys.", "RFC 8446 4.6.3"),
    Alert: _alert,
    Marker: lambda one, _story: _MARKERS[one.message.name] if isinstance(one.message, Marker) else _UNREAD,
    Unknown: lambda _one, _story: Meaning("A message of a kind that no standard here assigns.", "RFC 8446 4"),
    Undecoded: lambda _one, _story: _UNREAD,
}
