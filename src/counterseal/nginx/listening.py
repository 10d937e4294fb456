"""What the argument of a ``listen`` directive means: an address and its ports, told apart as nginx does."""

from __future__ import annotations

import re
from typing import NamedTuple

_SOCKET = re.compile(r"(?:(?P<address>\[[^\]]*\]|[^\[\]:]+):)?(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")
_USUAL = 80


class Address(NamedTuple):
    """An address (``*`` for every IPv4 address, IPv6 in brackets, a host name as written) and a range of ports."""

    host: str
    first_port: int
    last_port: int


def read_address(text: str) -> Address | None:
    """Read ``443``, ``127.0.0.1:8443``, ``[::]:443``, ``*:8000-8010`` or ``localhost``; None for a Unix socket."""
    if text.startswith("unix:"):
        return None
    match = _SOCKET.fullmatch(text)
    if match is None:
        return Address(_canonical(text), _USUAL, _USUAL)
    first = int(match["first"])
    return Address(_canonical(match["address"] or "*"), first, int(match["last"] or first))


def _canonical(host: str) -> str:
    return "*" if host == "0.0.0.0" else host.lower()  # noqa: S104 - compared, never bound
