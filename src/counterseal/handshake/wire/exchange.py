"""The key exchange of TLS 1.2, whose form depends on the cipher suite, and what follows it.

ServerKeyExchange and ClientKeyExchange (RFC 5246 7.4.3 and 7.4.7, RFC 8422 5.4 and 5.7), NewSessionTicket (RFC 5077
3.3, RFC 8446 4.6.1). Of what is secret or could be misused only lengths are kept.
"""

from __future__ import annotations

from counterseal.handshake.wire.hello import read_extensions
from counterseal.handshake.wire.messages import ClientKeyExchange, NewSessionTicket, ServerKeyExchange
from counterseal.handshake.wire.numbers import TLS13
from counterseal.handshake.wire.reader import Reader, refuse
from counterseal.handshake.wire.suites import KeyExchange

_EARLY_DATA, _NAMED_CURVE = 42, 3


def server_key_exchange(body: Reader, exchange: KeyExchange) -> ServerKeyExchange:
    """Read the server's ephemeral parameters and the length of the signature over them."""
    if exchange is KeyExchange.ECDHE:
        if body.number(1) != _NAMED_CURVE:
            refuse("an elliptic curve without a name (RFC 8422 5.4 leaves only named ones)")
        group, public = body.number(2), body.vector(1)
        return ServerKeyExchange(len(public), group, None, *_signature(body))
    if exchange is KeyExchange.DHE:
        prime, _generator, public = body.vector(2), body.vector(2), body.vector(2)
        bits = int.from_bytes(prime, "big").bit_length()
        return ServerKeyExchange(len(public), None, bits, *_signature(body))
    body.take(body.left)
    return ServerKeyExchange(0)


def client_key_exchange(body: Reader, exchange: KeyExchange) -> ClientKeyExchange:
    """Read the client's part of the exchange."""
    if exchange is KeyExchange.RSA:
        return ClientKeyExchange(encrypted_secret_length=len(body.vector(2)))
    if exchange is KeyExchange.ECDHE:
        return ClientKeyExchange(public_length=len(body.vector(1)))
    if exchange is KeyExchange.DHE:
        return ClientKeyExchange(public_length=len(body.vector(2)))
    return ClientKeyExchange(public_length=len(body.take(body.left)))


def new_session_ticket(body: Reader, version: int) -> NewSessionTicket:
    """Read a NewSessionTicket."""
    lifetime = body.number(4)
    if version < TLS13:
        return NewSessionTicket(lifetime, len(body.vector(2)))
    _age, _nonce, ticket = body.number(4), body.vector(1), body.vector(2)
    early = dict(read_extensions(body)).get(_EARLY_DATA)
    return NewSessionTicket(lifetime, len(ticket), None if early is None else Reader(early).number(4))


def _signature(body: Reader) -> tuple[int | None, int]:
    return (body.number(2), len(body.vector(2))) if body.left else (None, 0)  # anonymous suites sign nothing
