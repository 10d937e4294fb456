"""The short way: what was answered before, octet for octet, is answered again without HTTP being read.

A face that can say at once whether its last answer still stands teaches the octets of the request and how it is
answered again. One whose answer depends on the body alone teaches the octets of the head, and answers other bodies of
the same length behind them: so the head was read as HTTP once, and where the body ends is no question. Everything else
goes the usual way. What goes the short way is counted as every other
request is; the log has one line for many, and they carry no request id, which would lead to no line.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError
from counterseal.service.log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from counterseal.service.metrics import Metrics

    Again = Callable[[bytes], bytes | None]
    """Returns the whole HTTP response to these octets, or None when the request has to go the usual way."""

    Shape = tuple[bytes, int]
    """The octets of a head, the empty line included, and how many there are with the body."""

OCTETS = "octets"
"""Where ``scope["state"]`` has the octets of a request that arrived whole, alone, on a connection that is kept."""

LONGEST = 2_048
KNOWN = 20_000
"""Requests that are known at most; beyond that the oldest go."""

TOLD_SECONDS = 10.0


_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class _Known:
    face: str
    again: Again


class ShortWay:
    """The requests of one process that are answered again, and how many were."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: OrderedDict[bytes | Shape, _Known] = OrderedDict()
        self._untold = 0

    def learn(self, octets: bytes, face: str, again: Again) -> None:
        """Have these octets, which are a whole request, answered by ``again`` from now on."""
        self._learn(octets, face, again)

    def learn_head(self, octets: bytes, body: bytes, face: str, again: Again) -> None:
        """Have every body of this length answered so behind this head, where these octets are no more than the two.

        With another coding (RFC 9112 6.1), such as in chunks, there is more.
        """
        shape = _shape(octets)
        if body and octets == shape[0] + body:
            self._learn(shape, face, again)

    def _learn(self, key: bytes | Shape, face: str, again: Again) -> None:
        self._known[key] = _Known(face, again)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def answer(self, octets: bytes) -> bytes | None:
        """Return the response to a request of these octets, or None for the usual way; counts what it answers."""
        key: bytes | Shape = octets
        known = self._known.get(key)
        if known is None:
            key = _shape(octets)
            known = self._known.get(key)
        if known is None:
            return None
        began = time.perf_counter()
        try:
            response = known.again(octets)
        except CountersealError:  # the usual way fails too, and says how
            response = None
        if response is None:
            self._known.pop(key, None)
            return None
        self._metrics.requests.count(known.face, 200, time.perf_counter() - began)
        self._untold += 1
        return response

    async def tell(self) -> None:
        """Log how many there were since the last time."""
        count, self._untold = self._untold, 0
        if count:
            log("requests answered again", count=count)


def octets_of(request: Request) -> bytes | None:
    """Return the octets of a request that arrived in one piece, on a connection that is kept; else None."""
    octets: bytes | None = request.scope["state"].get(OCTETS)
    return octets


def _shape(octets: bytes) -> Shape:
    head, end, _ = octets.partition(_END)
    return head + end, len(octets)
