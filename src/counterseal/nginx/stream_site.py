"""A stream site: TCP behind mutual TLS. Whoever is admitted reaches the upstream, whatever is spoken inside.

nginx decides once, when the connection is made. There is no page that could say why, and no second site on the socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from counterseal.nginx import faults
from counterseal.nginx.any_site import AnySite
from counterseal.nginx.stream_faults import of_stream
from counterseal.nginx.upstream import STREAM_SCHEMES, Scheme


@dataclass(frozen=True, slots=True)
class StreamSite(AnySite):
    """One rendered server block of the stream module. Raises ConfigError ``site.invalid`` with every fault."""

    schemes: ClassVar[tuple[Scheme, ...]] = STREAM_SCHEMES

    def __post_init__(self) -> None:
        faults.refuse(of_stream(self), f"site {self.name[:80]!r}")
