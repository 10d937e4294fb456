"""From what both sides derive the session keys, and what that protects against.

RFC 8446 7.1 (TLS 1.3), RFC 5246 8.1 and RFC 7627 4 (TLS 1.2). In words only: no secret is at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.handshake.wire.numbers import explain_group, is_post_quantum
from counterseal.handshake.wire.suites import KeyExchange

if TYPE_CHECKING:
    from counterseal.handshake.explain.story import Story


@dataclass(frozen=True, slots=True)
class Derivation:
    """The steps from public messages to keys; ``forward_secret``: a key stolen later opens no recorded connection."""

    steps: tuple[str, ...]
    forward_secret: bool
    post_quantum: bool
    section: str


def derive(story: Story) -> Derivation | None:
    """Return how the keys of this connection came about, or None when no ServerHello came."""
    if story.version is None:
        return None
    forward = story.group is not None or story.exchange in {KeyExchange.ECDHE, KeyExchange.DHE}
    quantum = story.group is not None and is_post_quantum(story.group)
    if story.is_tls13:
        return Derivation(_tls13(story), forward, quantum, "RFC 8446 7.1")
    section = "RFC 5246 8.1, RFC 7627 4" if story.extended_master_secret else "RFC 5246 8.1"
    return Derivation(_tls12(story), forward and not story.resumed, post_quantum=False, section=section)


def _tls13(story: Story) -> tuple[str, ...]:
    before = ("the secret of the earlier session, which the ticket stands for",) if story.resumed else ()
    shared = (
        f"a shared secret from the two key shares in {explain_group(story.group)}: each side has its own private half "
        "and the other's public one"
        if story.group is not None
        else "no key exchange: nothing but the earlier session's secret"
    )
    return (
        *before,
        shared,
        "with the hash of ClientHello and ServerHello: the keys that encrypt the rest of the handshake",
        "with the hash up to the server's Finished: the keys of the application data, different in each direction",
    )


def _tls12(story: Story) -> tuple[str, ...]:
    if story.resumed:
        return ("the master secret of the earlier session", _KEY_BLOCK)
    mixed = (
        "the master secret: from the pre-master secret and the hash of the whole exchange (extended master secret)"
        if story.extended_master_secret
        else "the master secret: from the pre-master secret and the two randoms"
    )
    return (_pre_master(story), mixed, _KEY_BLOCK)


_KEY_BLOCK = "the keys of both directions: from the master secret and the two randoms"


def _pre_master(story: Story) -> str:
    if story.exchange is KeyExchange.RSA:
        return "the pre-master secret: 48 bytes that the client chose and encrypted to the server's RSA key"
    if story.exchange is KeyExchange.ECDHE and story.group is not None:
        return f"the pre-master secret: what two ephemeral keys in {explain_group(story.group)} have in common"
    if story.exchange is KeyExchange.DHE and story.prime_bits:
        return f"the pre-master secret: what two ephemeral keys modulo a {story.prime_bits}-bit prime have in common"
    return "the pre-master secret, in the way of the cipher suite"
