"""Names to addresses and records: by the system, or by the name servers that the rules name.

Without ``resolvers`` addresses come from the system (so /etc/hosts counts, as administrators expect) and TXT and CAA
from the name servers of /etc/resolv.conf.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.reach import Address, parse_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.rdata import Rdata

SECONDS = 5.0
MOST = 8
"""Addresses of a name that are looked at."""

DNS_PORT = 53


class Lookup(Exception):  # noqa: N818 - it carries a failure
    """A name has no answer; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Resolver:
    """Asks for addresses, TXT and CAA records."""

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._servers = tuple(servers)
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def addresses(self, name: str) -> list[Address]:
        """Return the addresses of a name, IPv6 and IPv4; raises Lookup when there is none."""
        known = parse_address(name)
        if known is not None:
            return [known]
        found = await (self._ask_addresses(name) if self._servers else self._system_addresses(name))
        if not found:
            raise Lookup(Failure("dns", f"{name} has no address"))
        return found[:MOST]

    async def texts(self, name: str) -> list[bytes]:
        """Return the TXT records of a name, the strings of each joined; raises Lookup."""
        return [b"".join(getattr(record, "strings", ())) for record in await self._ask(name, "TXT", missing=None)]

    async def caa(self, name: str) -> list[tuple[int, str, str]]:
        """Return flags, tag and value of the CAA records of a name; none is an answer too."""
        records = await self._ask(name, "CAA", missing=[])
        return [(int(one.flags), one.tag.decode().lower(), one.value.decode()) for one in records]  # type: ignore[attr-defined] # of CAA

    async def _system_addresses(self, name: str) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SECONDS):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise Lookup(Failure("dns", f"{name} cannot be resolved: {_reason(error)}")) from None
        return list(dict.fromkeys(ip_address(address[0]) for *_, address in found if "%" not in str(address[0])))

    async def _ask_addresses(self, name: str) -> list[Address]:
        both = await asyncio.gather(self._ask(name, "AAAA", missing=[]), self._ask(name, "A", missing=[]))
        return [ip_address(str(record)) for records in both for record in records]

    async def _ask(self, name: str, kind: str, *, missing: list[Rdata] | None) -> list[Rdata]:
        try:
            answer = await self._configured().resolve(f"{name}.", kind, lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            if missing is not None:
                return missing
            raise Lookup(Failure("dns", f"there is no {kind} record at {name}")) from error
        except (dns.exception.DNSException, OSError) as error:
            raise Lookup(Failure("dns", f"{kind} of {name} cannot be asked: {type(error).__name__}")) from error
        return list(answer)

    def _configured(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            self._resolver.cache = None  # a client that has just set a record must not meet an old answer
            if self._servers:
                self._resolver.nameservers = [_server(text) for text in self._servers]
        return self._resolver


def _server(text: str) -> dns.nameserver.Nameserver:
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port or DNS_PORT))


def _reason(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or "bad name"
