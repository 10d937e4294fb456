"""A TCP connection within a deadline, name resolution included.

The resolver of the C library cannot be given a deadline, so it runs in a thread of its own that is left behind when it
takes too long; a numeric address needs none.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.observation import Endpoint


class ResolutionError(OSError):
    """The name has no address, or the resolver does not say."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left; raises TimeoutError when none are."""
        left = self.moment - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def connect(endpoint: Endpoint, deadline: Deadline, *, passed_over: list[str] | None = None) -> socket.socket:
    """Return a connected socket; raises OSError (TimeoutError past the deadline), from the last address tried.

    The time is shared among the addresses of a name, so that a dead one leaves some for the next. Those that take no
    connection are added to ``passed_over``, each with the reason.
    """
    failure = OSError(f"no address for {endpoint.host}")
    addresses = _addresses(endpoint.host, deadline)
    for tried, host in enumerate(addresses):
        try:
            share = deadline.remaining() / (len(addresses) - tried)
            return socket.create_connection((host, endpoint.port), timeout=share)
        except OSError as error:
            failure = error
            if passed_over is not None and len(addresses) > 1:
                reason = (error.strerror or str(error) or "no answer in time").lower()
                passed_over.append(f"{replace(endpoint, host=host)}: {reason}")
    raise failure


def _addresses(host: str, deadline: Deadline) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return _resolve(host, deadline)


def _resolve(host: str, deadline: Deadline) -> list[str]:
    found: list[str] = []
    failures: list[OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            failures.append(ResolutionError(f"cannot resolve {host}: {(reason or str(error)).lower()}"))
        else:
            found.extend(str(address[0]) for *_, address in rows)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if failures:
        raise failures[0]
    if thread.is_alive():
        raise TimeoutError
    return found
