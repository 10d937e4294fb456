"""Names to addresses and records: by the system, or by the name servers that the rules name.

Without ``resolvers`` addresses come from /etc/hosts, as administrators expect, before the name servers of
/etc/resolv.conf are asked; TXT and CAA come from these alone. Names are whole: nothing is appended to them.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.reach import Address, parse_address
from counterseal.protocols.acme.validation.system import System

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
        self._system = None if servers else System()
        self._named = _asking(servers)

    async def addresses(self, name: str) -> list[Address]:
        """Return the addresses of a name, IPv6 and IPv4 by turns; raises Lookup when there is none."""
        known = parse_address(name)
        if known is not None:
            return [known]
        listed = self._system.addresses(name) if self._system else ()
        found = _by_turns(listed) or await self._ask_addresses(name)
        if not found:
            raise Lookup(Failure("dns", f"{name} has no address"))
        return found[:MOST]

    async def texts(self, name: str) -> list[bytes]:
        """Return the TXT records of a name, the strings of each joined; raises Lookup."""
        return [b"".join(getattr(record, "strings", ())) for record in await self._ask(name, "TXT", missing=None)]

    async def caa(self, name: str) -> list[tuple[int, str, str]]:
        """Return flags, tag and value (with U+FFFD for what is no ASCII) of a name's CAA records; none is an answer."""
        records = await self._ask(name, "CAA", missing=[])
        return [(int(one.flags), one.tag.decode().lower(), one.value.decode("ascii", "replace")) for one in records]  # type: ignore[attr-defined] # of CAA

    async def _ask_addresses(self, name: str) -> list[Address]:
        """Ask for both kinds; where one is answered, the other need not be."""
        kinds = (self._ask(name, kind, missing=[]) for kind in ("AAAA", "A"))
        both = await asyncio.gather(*kinds, return_exceptions=True)
        found = _by_turns([ip_address(str(record)) for one in both if isinstance(one, list) for record in one])
        for one in both:
            if isinstance(one, BaseException) and not found:
                raise one
        return found

    async def _ask(self, name: str, kind: str, *, missing: list[Rdata] | None) -> list[Rdata]:
        try:
            answer = await self._configured().resolve(f"{name.removesuffix('.')}.", kind, lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            if missing is not None:
                return missing
            raise Lookup(Failure("dns", f"there is no {kind} record at {name}")) from error
        except (dns.exception.DNSException, OSError, ValueError) as error:  # the last: resolv.conf is wrong
            raise Lookup(Failure("dns", f"{kind} of {name} cannot be asked: {type(error).__name__}")) from error
        return list(answer)

    def _configured(self) -> dns.asyncresolver.Resolver:
        resolver = self._system.resolver() if self._system else self._named
        resolver.cache = None  # a client that has just set a record must not meet an old answer
        return resolver


def _asking(servers: Sequence[str]) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [_server(text) for text in servers]
    return resolver


def _by_turns(addresses: Sequence[Address]) -> list[Address]:
    """Return an IPv6 and an IPv4 address by turns: few are tried, and this host may lack the way to all of one kind."""
    kinds = ([one for one in addresses if one.version == version] for version in (6, 4))
    return [one for one in chain(*zip_longest(*kinds)) if one is not None]


def _server(text: str) -> dns.nameserver.Nameserver:
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port or DNS_PORT))
