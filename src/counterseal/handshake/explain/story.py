"""What a whole handshake came to: the few facts that the meaning of single messages depends on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from counterseal.handshake.wire.messages import (
    Alert,
    Certificate,
    CertificateRequest,
    ClientHello,
    EncryptedExtensions,
    ServerHello,
    ServerKeyExchange,
    Side,
)
from counterseal.handshake.wire.numbers import TLS13
from counterseal.handshake.wire.suites import KeyExchange, key_exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.wire.decode import Decoded

T = TypeVar("T")
_CLOSE_NOTIFY = 0


@dataclass(frozen=True, slots=True)
class Story:
    """The facts of one handshake; None where it did not get that far.

    ``group`` is the group of the key exchange, ``prime_bits`` the size of a finite field where there is no group.
    ``request`` is what the server asked of the client, ``client_chain`` what the client sent then. ``alert`` is the
    first fatal alert and who sent it.
    """

    version: int | None = None
    cipher_suite: int | None = None
    exchange: KeyExchange = KeyExchange.OTHER
    group: int | None = None
    prime_bits: int | None = None
    resumed: bool = False
    extended_master_secret: bool = False
    protocol: str | None = None
    offered: ClientHello | None = None
    request: CertificateRequest | None = None
    server_chain: tuple[bytes, ...] | None = field(default=None, repr=False)
    client_chain: tuple[bytes, ...] | None = field(default=None, repr=False)
    alert: tuple[Side, int] | None = None

    @property
    def is_tls13(self) -> bool:
        """Whether TLS 1.3 was chosen."""
        return self.version is not None and self.version >= TLS13


_EXTENDED_MASTER_SECRET = 23


def read_story(decoded: Sequence[Decoded], *, resumed: bool = False) -> Story:
    """Return the facts that these messages hold; ``resumed`` is OpenSSL's word, which TLS 1.2 messages do not say."""
    hellos = [one.message for one in decoded if isinstance(one.message, ServerHello)]
    chosen = next((hello for hello in reversed(hellos) if not hello.retry), None)
    signed = _first(decoded, ServerKeyExchange)
    suite = chosen.cipher_suite if chosen else None
    encrypted = _first(decoded, EncryptedExtensions)
    chains = {one.sender: one.message.chain for one in decoded if isinstance(one.message, Certificate)}
    return Story(
        version=chosen.version if chosen else None,
        cipher_suite=suite,
        exchange=key_exchange(suite),
        group=(chosen.group if chosen else None) or (signed.group if signed else None),
        prime_bits=signed.prime_bits if signed else None,
        resumed=resumed or (chosen is not None and chosen.psk is not None),
        extended_master_secret=chosen is not None and _EXTENDED_MASTER_SECRET in chosen.extensions,
        protocol=(chosen.protocol if chosen else None) or (encrypted.protocol if encrypted else None),
        offered=_first(decoded, ClientHello),
        request=_first(decoded, CertificateRequest),
        server_chain=chains.get(Side.SERVER),
        client_chain=chains.get(Side.CLIENT),
        alert=next(
            (
                (one.sender, one.message.description)
                for one in decoded
                if isinstance(one.message, Alert) and one.message.fatal and one.message.description != _CLOSE_NOTIFY
            ),
            None,
        ),
    )


def _first(decoded: Sequence[Decoded], kind: type[T]) -> T | None:
    return next((one.message for one in decoded if isinstance(one.message, kind)), None)
