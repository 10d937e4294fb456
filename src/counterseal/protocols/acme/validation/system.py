"""What this host's administrator says of names: /etc/hosts, and the name servers of /etc/resolv.conf.

The system's own way, getaddrinfo, keeps a thread until a name server answers or all its attempts are over, which no
timeout of ours shortens: the names of one client, on a server that stays silent, would take every thread. So the two
files that it reads are read here, anew when they have changed, and the servers asked without a thread.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import dns.asyncresolver

from counterseal.protocols.acme.validation.reach import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TextIO

    from counterseal.protocols.acme.validation.reach import Address

HOSTS = Path("/etc/hosts")
RESOLV_CONF = Path("/etc/resolv.conf")
ON_THIS_HOST = "127.0.0.1"
_APPENDED = (["search"], ["domain"])
Made = TypeVar("Made")


class System:
    """The two files as they are now."""

    def __init__(self) -> None:
        self._hosts = _Kept(HOSTS, parse_hosts)
        self._resolver = _Kept(RESOLV_CONF, _resolver)

    def addresses(self, name: str) -> Sequence[Address]:
        """Return the addresses that the hosts file has for a name; one that cannot be read has none."""
        try:
            return self._hosts.now().get(name.removesuffix(".").lower(), ())
        except OSError:
            return ()

    def resolver(self) -> dns.asyncresolver.Resolver:
        """Return what asks the system's name servers; raises what reading the file does, but where there is none."""
        try:
            return self._resolver.now()
        except FileNotFoundError:
            return _resolver(())


class _Kept(Generic[Made]):
    """What was made from a file, until the file is another."""

    def __init__(self, path: Path, make: Callable[[TextIO], Made]) -> None:
        self._path, self._make = path, make
        self._last: tuple[tuple[int, ...], Made] | None = None

    def now(self) -> Made:
        found = self._path.stat()
        version = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if self._last is None or self._last[0] != version:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                self._last = version, self._make(file)
        return self._last[1]


def parse_hosts(lines: TextIO | Sequence[str]) -> Mapping[str, Sequence[Address]]:
    """Return the addresses of each name, in small letters; lines that are none are passed over, as the system does."""
    found: dict[str, dict[Address, None]] = {}
    for line in lines:
        first, *names = line.partition("#")[0].split() or [""]
        address = parse_address(first)
        if address is not None:
            for name in names:
                found.setdefault(name.lower(), {})[address] = None
    return {name: tuple(addresses) for name, addresses in found.items()}


def _resolver(lines: TextIO | Sequence[str]) -> dns.asyncresolver.Resolver:
    """Return what asks the servers that these name, else one on this host, as the system does.

    Names are whole, so nothing is read of what would be appended to others, which may be wrong.
    """
    kept = [line for line in lines if line.split()[:1] not in _APPENDED]
    if not any(len(words) > 1 and words[0] == "nameserver" for words in map(str.split, kept)):
        kept.append(f"nameserver {ON_THIS_HOST}\n")
    return dns.asyncresolver.Resolver(filename=StringIO("".join(kept)))
