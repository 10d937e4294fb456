"""A ClientHello that offers more than it did: further numbers in its lists, and all the rest octet for octet.

For telling which of the lists has nothing that a server takes. RFC 8446 4.1.2, 4.2.3 and 4.2.7.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.handshake.wire.hello import GROUPS, SIGNATURE_ALGORITHMS, read_extensions
from counterseal.handshake.wire.numbers import GROUPS as GROUP_NAMES
from counterseal.handshake.wire.numbers import SIGNATURE_SCHEMES, TLS13
from counterseal.handshake.wire.reader import Reader, vector
from counterseal.handshake.wire.suites import CIPHER_SUITES, KeyExchange, key_exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from counterseal.handshake.wire.messages import ClientHello


class Offer(StrEnum):
    """A list of a ClientHello of which a server needs to take one."""

    CIPHER_SUITES = "cipher-suites"
    GROUPS = "groups"
    SIGNATURE_ALGORITHMS = "signature-algorithms"


_EXTENSIONS = {Offer.GROUPS: GROUPS, Offer.SIGNATURE_ALGORITHMS: SIGNATURE_ALGORITHMS}
_WITHOUT_CERTIFICATE = ("anon", "PSK", "SRP", "SCSV")  # who takes these needs no certificate, or a shared secret
_SHA256 = 0x0400  # below are the schemes with SHA-1 and SHA-224, wanted least
REGISTERED: Mapping[Offer, tuple[int, ...]] = {
    Offer.CIPHER_SUITES: tuple(
        number for number, name in CIPHER_SUITES.items() if not any(part in name for part in _WITHOUT_CERTIFICATE)
    ),
    Offer.GROUPS: tuple(GROUP_NAMES),
    Offer.SIGNATURE_ALGORITHMS: tuple(sorted(SIGNATURE_SCHEMES, key=lambda scheme: scheme < _SHA256)),
}
"""Everything that a server with a certificate may choose, as far as it is known here."""


def offered_in(hello: ClientHello, offer: Offer, *, version: int | None = None) -> tuple[int, ...]:
    """Return what a ClientHello has in one of its lists; of the suites those of one ``version``, where it is given."""
    return {
        Offer.CIPHER_SUITES: tuple(
            suite for suite in hello.cipher_suites if version is None or _is_of(suite, at_least13=version >= TLS13)
        ),
        Offer.GROUPS: hello.groups,
        Offer.SIGNATURE_ALGORITHMS: hello.signature_schemes,
    }[offer]


def _is_of(suite: int, *, at_least13: bool) -> bool:
    is_signal = "SCSV" in CIPHER_SUITES.get(suite, "")
    return not is_signal and (key_exchange(suite) is KeyExchange.TLS13) is at_least13


def widen(hello: bytes, more: Mapping[Offer, Iterable[int]]) -> bytes:
    """Return the ClientHello, header included, with ``more`` at the end of its lists; one it has not stays away.

    Raises InputError ``tls.malformed`` where ``hello`` is none.
    """
    reader = Reader(hello)
    kind, body = reader.take(1), reader.inner(3)
    head = body.take(2 + 32) + vector(body.vector(1), 1)  # version, random and session
    suites = vector(body.vector(2) + _octets(more.get(Offer.CIPHER_SUITES, ())), 2)
    compression = vector(body.vector(1), 1)
    added = {number: _octets(more.get(offer, ())) for offer, number in _EXTENSIONS.items()}
    extensions = b"".join(
        one.number.to_bytes(2, "big") + vector(_longer(one.content, added.get(one.number, b"")), 2)
        for one in read_extensions(body)
    )
    return kind + vector(head + suites + compression + vector(extensions, 2), 3)


def _longer(content: bytes, added: bytes) -> bytes:
    return vector(Reader(content).vector(2) + added, 2) if added else content


def _octets(numbers: Iterable[int]) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)
