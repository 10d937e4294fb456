"""ClientHello, ServerHello and EncryptedExtensions (RFC 8446 4.1 and 4.2, RFC 5246 7.4.1, RFC 6066 3, RFC 7301)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from counterseal.handshake.wire.messages import ClientHello, EncryptedExtensions, ServerHello
from counterseal.handshake.wire.reader import Reader, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
SERVER_NAME, GROUPS, SIGNATURE_ALGORITHMS, ALPN, SESSION_TICKET = 0, 10, 13, 16, 35
PRE_SHARED_KEY, SUPPORTED_VERSIONS, CERTIFICATE_AUTHORITIES, KEY_SHARE = 41, 43, 47, 51

_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random by which a ServerHello is a HelloRetryRequest: SHA-256 of those words (RFC 8446 4.1.3)."""


class Extension(NamedTuple):
    """One extension as it was sent."""

    number: int
    content: bytes


def read_extensions(reader: Reader) -> tuple[Extension, ...]:
    """Return the extensions, of which each may come once (RFC 8446 4.2)."""
    inner = reader.inner(2)
    found = tuple(Extension(inner.number(2), inner.vector(2)) for _ in inner.repeat())
    if len({one.number for one in found}) != len(found):
        refuse("an extension comes twice")
    return found


def client_hello(body: Reader) -> ClientHello:
    """Read a ClientHello."""
    version, random, session_id = body.number(2), body.take(32), body.vector(1)
    suites, _compression = body.numbers(2, 2), body.vector(1)
    extensions = read_extensions(body) if body.left else ()
    held = dict(extensions)
    return ClientHello(
        legacy_version=version,
        random=random,
        session_id_length=len(session_id),
        cipher_suites=suites,
        extensions=tuple(one.number for one in extensions),
        versions=_whole(held, SUPPORTED_VERSIONS, lambda reader: reader.numbers(1, 2)) or (version,),
        server_name=_whole(held, SERVER_NAME, _server_name),
        protocols=_whole(held, ALPN, _protocols) or (),
        groups=_whole(held, GROUPS, lambda reader: reader.numbers(2, 2)) or (),
        key_shares=_whole(held, KEY_SHARE, _key_shares) or (),
        signature_schemes=_whole(held, SIGNATURE_ALGORITHMS, lambda reader: reader.numbers(2, 2)) or (),
        authorities=_whole(held, CERTIFICATE_AUTHORITIES, lambda reader: reader.vectors(2, 2)) or (),
        ticket_length=len(held.get(SESSION_TICKET, b"")),
        psk_identities=_whole(held, PRE_SHARED_KEY, _psk_identities) or 0,
    )


def server_hello(body: Reader) -> ServerHello:
    """Read a ServerHello, or the HelloRetryRequest that has its form."""
    version, random, session_id = body.number(2), body.take(32), body.vector(1)
    suite, _compression = body.number(2), body.number(1)
    extensions = read_extensions(body) if body.left else ()
    held, retry = dict(extensions), random == _RETRY
    protocols = _whole(held, ALPN, _protocols)
    return ServerHello(
        version=_whole(held, SUPPORTED_VERSIONS, lambda reader: reader.number(2)) or version,
        random=random,
        session_id_length=len(session_id),
        cipher_suite=suite,
        extensions=tuple(one.number for one in extensions),
        group=_whole(held, KEY_SHARE, (lambda reader: reader.number(2)) if retry else _key_share),
        psk=_whole(held, PRE_SHARED_KEY, lambda reader: reader.number(2)),
        protocol=protocols[0] if protocols else None,
        retry=retry,
    )


def encrypted_extensions(body: Reader) -> EncryptedExtensions:
    """Read an EncryptedExtensions."""
    extensions = read_extensions(body)
    protocols = _whole(dict(extensions), ALPN, _protocols)
    return EncryptedExtensions(tuple(one.number for one in extensions), protocols[0] if protocols else None)


def _whole(held: Mapping[int, bytes], number: int, read: Callable[[Reader], T]) -> T | None:
    """Return what ``read`` makes of the whole extension, or None where it was not sent."""
    if number not in held:
        return None
    reader = Reader(held[number])
    found = read(reader)
    reader.finish()
    return found


def _server_name(reader: Reader) -> str | None:
    if not reader.left:  # a server's acknowledgement has no content (RFC 6066 3)
        return None
    names = reader.inner(2)
    found = [(names.number(1), names.vector(2)) for _ in names.repeat()]
    return next((name.decode("ascii", "backslashreplace") for kind, name in found if kind == 0), None)


def _protocols(reader: Reader) -> tuple[str, ...]:
    return tuple(name.decode("ascii", "backslashreplace") for name in reader.vectors(2, 1))


def _key_share(reader: Reader) -> int:
    group, _public = reader.number(2), reader.vector(2)
    return group


def _key_shares(reader: Reader) -> tuple[int, ...]:
    inner = reader.inner(2)
    return tuple(_key_share(inner) for _ in inner.repeat())


def _psk_identities(reader: Reader) -> int:
    inner, count = reader.inner(2), 0
    for _ in inner.repeat():
        _identity, _age = inner.vector(2), inner.number(4)
        count += 1
    _binders = reader.vectors(2, 1)
    return count
