"""Nonces that prove themselves (RFC 8555 6.5): when it was made, twelve octets of its own, and a MAC of both.

Nothing is stored for those that are never used. Where processes share a store, the octets are random, any replica that
knows the secret takes what another one made, and that each is used once is the store's affair: it keeps the used ones
until they are too old to be taken anyway. A process that serves a store in a file numbers its nonces instead and
remembers which were used, a bit each, so nothing is written for them at all (``Numbered``).
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from counterseal.protocols.acme.encoding import decode, encode
from counterseal.protocols.acme.problems import Problem

LIFETIME_SECONDS = 3_600
OWN_BYTES = 12
PROCESS_BYTES = 6
PAGE = 4_096
"""Nonces whose bits are forgotten together."""

_TIME_BYTES, _MAC_BYTES = 5, 16
_SKEW_SECONDS = 60


class Nonce(NamedTuple):
    """A nonce of ours that is not too old: as it came, its own octets, and until when it is good."""

    text: str
    own: bytes
    until: int


class Numbered:
    """The nonces of one process, which is named by random octets: numbers, and which of them were used.

    What another process made, such as this service before it was started anew, is not taken: the client is told
    ``badNonce`` and comes again.
    """

    def __init__(self, process: bytes) -> None:
        self._process = process
        self._made = 0
        self._first = 0
        self._used: deque[tuple[bytearray, int]] = deque()
        """From the page ``_first`` on: which were used, and when the page was begun."""

    def next(self, at: int) -> bytes:
        """Return the octets of a new nonce."""
        number, self._made = self._made, self._made + 1
        if number % PAGE == 0:
            self._forget(at)
            self._used.append((bytearray(PAGE // 8), at))
        return self._process + number.to_bytes(OWN_BYTES - PROCESS_BYTES, "big")

    def use(self, own: bytes) -> bool:
        """Use a nonce up, and say whether it was one of this process that was not used before."""
        number = int.from_bytes(own[PROCESS_BYTES:], "big")
        page, place = number // PAGE - self._first, number % PAGE
        if own[:PROCESS_BYTES] != self._process or not 0 <= page < len(self._used):
            return False
        bits, bit = self._used[page][0], 1 << place % 8
        is_first = not bits[place // 8] & bit
        bits[place // 8] |= bit
        return is_first

    def _forget(self, at: int) -> None:
        """Drop the pages of which all are too old: the last one was made before the next page was begun."""
        while len(self._used) > 1 and self._used[1][1] + LIFETIME_SECONDS < at:
            self._used.popleft()
            self._first += 1


def make_nonce(secret: bytes, *, at: int, own: bytes) -> str:
    """Return a new nonce; ``own`` is ``OWN_BYTES`` octets that no other one has."""
    body = at.to_bytes(_TIME_BYTES, "big") + own
    return encode(body + _mac(secret, body))


def check_nonce(secret: bytes, nonce: str | None, *, at: int) -> Nonce:
    """Return a nonce that was made with the secret; raises Problem ``badNonce`` for others, and for old ones.

    What is no base64url is ``malformed`` (RFC 8555 6.5.2).
    """
    if nonce is None:
        raise bad_nonce("the protected header has no nonce")
    octets = decode(nonce, "nonce")
    body, mac = octets[:-_MAC_BYTES], octets[-_MAC_BYTES:]
    if len(octets) != _TIME_BYTES + OWN_BYTES + _MAC_BYTES or not compare_digest(mac, _mac(secret, body)):
        raise bad_nonce("not a nonce of this server")
    made = int.from_bytes(body[:_TIME_BYTES], "big")
    if not made - _SKEW_SECONDS <= at <= made + LIFETIME_SECONDS:
        raise bad_nonce("the nonce is too old")
    return Nonce(nonce, body[_TIME_BYTES:], made + LIFETIME_SECONDS)


def bad_nonce(detail: str) -> Problem:
    """Return the problem after which a client takes the new nonce of the answer and tries again."""
    return Problem("badNonce", detail)


def _mac(secret: bytes, body: bytes) -> bytes:
    return blake2b(body, key=secret, digest_size=_MAC_BYTES).digest()  # RFC 7693; a third of the time of an HMAC
