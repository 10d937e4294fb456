"""How often one caller may ask: a bucket of tokens each, filled steadily; each face has its own. PURE."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

CALLERS_KEPT = 10_000
"""Beyond these the bucket that was used longest ago is forgotten: it has filled up again since."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """The buckets of one process; ``per_minute`` flow in, half as many fit. 0 means no limit."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._size = max(1.0, per_minute / 2)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, now: float) -> int:
        """Take one token at ``now`` (seconds); return 0, or in how many whole seconds there will be one again."""
        if not self._per_second:
            return 0
        bucket = self._buckets.setdefault(caller, _Bucket(self._size, now))
        self._buckets.move_to_end(caller)
        while len(self._buckets) > CALLERS_KEPT:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._size, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.tokens < 1:
            return max(1, ceil((1 - bucket.tokens) / self._per_second))
        bucket.tokens -= 1
        return 0
