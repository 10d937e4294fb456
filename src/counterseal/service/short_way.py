"""The short way: a request that was answered before, octet for octet, is answered again without being taken apart.

A face that can say by one look into the store whether its last answer still stands teaches the octets of the request
and how it is answered again; everything else goes the usual way. What goes the short way is counted as every other
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

    from prometheus_client import Counter, Histogram
    from starlette.requests import Request

    from counterseal.service.metrics import Metrics

    Again = Callable[[], bytes | None]
    """Returns the whole HTTP response, or None when the request has to go the usual way."""

OCTETS = "octets"
"""Where ``scope["state"]`` has the octets of a request that arrived whole, alone, on a connection that is kept."""

LONGEST = 2_048
KNOWN = 20_000
"""Requests that are known at most; beyond that the oldest go."""

TOLD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Known:
    again: Again
    requests: Counter
    seconds: Histogram


class ShortWay:
    """The requests of one process that are answered again, and how many were."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._untold = 0

    def learn(self, request: Request, face: str, again: Again) -> None:
        """Have such requests answered by ``again`` from now on, where this one arrived in one piece."""
        octets = request.scope["state"].get(OCTETS)
        if octets is None:
            return
        requests, seconds = self._metrics.requests.labels(face, "200"), self._metrics.request_seconds.labels(face)
        self._known[octets] = _Known(again, requests, seconds)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def answer(self, octets: bytes) -> bytes | None:
        """Return the response to a request of these octets, or None for the usual way; counts what it answers."""
        known = self._known.get(octets)
        if known is None:
            return None
        began = time.perf_counter()
        try:
            response = known.again()
        except CountersealError:  # the usual way fails too, and says how
            response = None
        if response is None:
            del self._known[octets]
            return None
        known.requests.inc()
        known.seconds.observe(time.perf_counter() - began)
        self._untold += 1
        return response

    async def tell(self) -> None:
        """Log how many there were since the last time."""
        count, self._untold = self._untold, 0
        if count:
            log("requests answered again", count=count)
