"""How many HTTP requests there were, and how long they took: two series for Prometheus that every request counts.

The library's own counters take a lock and a dozen calls for each; these belong to the event loop and are dressed when
somebody asks for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_BOUNDS = (*map(str, BUCKETS), "+Inf")


class RequestCounts(Collector):
    """The requests of one process."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._took: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(_BOUNDS))
        """For each face how many took as long as each bucket says, the one without a bound last."""
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, face: str, status: int, seconds: float) -> None:
        """Count one that took so long, from its head to the end of its answer."""
        self._requests[face, status] += 1
        self._took[face][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[face] += seconds

    def collect(self) -> list[Metric]:
        """Return both series as they are now."""
        requests = CounterMetricFamily(
            "counterseal_http_requests", "HTTP requests by face and status", labels=["face", "status"]
        )
        for (face, status), number in self._requests.items():
            requests.add_metric([face, str(status)], number)
        durations = HistogramMetricFamily(
            "counterseal_http_request_duration_seconds",
            "From the head of a request to the end of its answer",
            labels=["face"],
        )
        for face, took in self._took.items():
            durations.add_metric([face], list(zip(_BOUNDS, accumulate(took), strict=True)), self._seconds[face])
        return [requests, durations]
