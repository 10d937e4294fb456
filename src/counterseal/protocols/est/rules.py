"""What ``[est]`` of counterseal.toml may say, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ESTRules:
    """The rules of the EST server.

    ``server_keys`` offers serverkeygen; ``renew_after_expiry`` is for how long after its end a certificate can still
    be renewed by whoever has its key. ``requests_per_minute`` is for one token or holder, at all replicas together; 0:
    no limit.
    """

    enabled: bool = True
    server_keys: bool = True
    renew_after_expiry: timedelta = timedelta(0)
    requests_per_minute: int = 600
