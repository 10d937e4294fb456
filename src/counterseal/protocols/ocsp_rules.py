"""What ``[ocsp]`` of counterseal.toml may say, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

NONCES = ("accepted", "required", "ignored")


@dataclass(frozen=True, slots=True)
class OCSPRules:
    """How answers are given.

    ``lifetime`` is from this_update to next_update, ``cached`` how long an HTTP cache may keep one: so much later, at
    most, does one behind such a cache learn of a revocation. ``nonces``: a request's nonce is ``accepted``,
    ``required`` or ``ignored``; with one, an answer is signed for it alone.
    """

    enabled: bool = True
    lifetime: timedelta = timedelta(hours=12)
    cached: timedelta = timedelta(minutes=5)
    nonces: str = "accepted"
