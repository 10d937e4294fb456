"""What a face is handed, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.keystore.secret import derive
from counterseal.service.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from starlette.routing import Route

    from counterseal.service.access import Access
    from counterseal.service.origin import Origin
    from counterseal.service.short_way import ShortWay


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that every face of this process works with."""

    access: Access
    origin: Origin
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes] = field(repr=False)
    secret: bytes = field(repr=False)
    """What all replicas share and nobody else knows; each use takes a key of its own from it."""
    trusts_proxy: bool = False
    """Whether a proxy on a Unix socket is believed which certificate a client showed it: see ``service.peer``."""
    trusts_real_ip: bool = False
    """Whether it is believed from which address the client came."""
    metrics: Metrics = field(default_factory=Metrics)
    short_way: ShortWay | None = None

    def key(self, use: str) -> bytes:
        """Return the key for one use of the shared secret."""
        return derive(self.secret, use)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Something to be done again and again in the background; a failure is logged, and it is tried the next time."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[None]]
    at_once: bool = False
    """Whether the first time is when the service starts, beside it, and not after a pause."""


@dataclass(frozen=True, slots=True)
class Face:
    """One protocol: its routes, and its work in the background."""

    routes: Sequence[Route]
    upkeep: Sequence[Upkeep] = ()
    start: Callable[[], Awaitable[None]] | None = None
    """Called once before the first request: what a process that ended left unfinished is taken up again."""
    public: bool = False
    """Whether it may be asked without TLS: what it says is public and signed (RFC 5280 8, RFC 6960 A.1)."""
    entry: tuple[str, str] | None = None
    """What people call it, and the path with which its clients begin."""
