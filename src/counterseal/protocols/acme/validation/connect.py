"""Opening a connection to an address that was checked, and to no other (no second look-up in between)."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.reach import meanings, parse_address, refusal
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.protocols.acme.validation.reach import Address
    from counterseal.protocols.acme.validation.resolver import Resolver
    from counterseal.service.settings import Network

CONNECT_SECONDS = 4.0
TRIED = 3
"""Addresses of a name that are tried, so that one which does not answer cannot hold everything."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How validation reaches a host: names to addresses, and which addresses are allowed."""

    resolver: Resolver
    allowed: Sequence[Network] = ()
    denied: Sequence[Network] = ()

    async def open(
        self, host: str, port: int, *, context: ssl.SSLContext | None = None, server_name: str | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to one of the host's addresses; raises Lookup with the failure of the last one."""
        last = Failure("connection", f"{host} has no address that could be tried")
        for address in (await self._permitted(host))[:TRIED]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        str(address), port, ssl=context, server_hostname=server_name if context else None
                    )
            except (OSError, TimeoutError) as error:
                last = _failure(address, port, error)
        raise Lookup(last)

    async def _permitted(self, host: str) -> list[Address]:
        found = await self.resolver.addresses(host)
        refused = {one: refusal(one, allowed=self.allowed, denied=self.denied, own=is_own(one)) for one in found}
        permitted = [one for one in found if refused[one] is None]
        if not permitted:
            shown = ", ".join(f"{one}: {reason}" for one, reason in refused.items())
            raise Lookup(Failure("connection", f"{host} is not contacted, by policy ({shown})"))
        return permitted


def is_own(address: Address) -> bool:
    """Whether the address is this machine's, also as an IPv6 address that wraps it."""
    return any(map(_leaves_from, meanings(address)))


def _leaves_from(address: Address) -> bool:
    """Whether a datagram to the address would leave from it. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version of IP
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return parse_address(probe.getsockname()[0]) == address
    except OSError:
        return False


def _failure(address: Address, port: int, error: Exception) -> Failure:
    shown = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    if isinstance(error, ssl.SSLError):
        text = str(error).partition("] ")[2].partition(" (")[0]  # [SSL: REASON] words (where it was noticed)
        reason = (error.reason or text).lower().replace("_", " ")
        return Failure("tls", f"{shown}: the TLS handshake failed: {reason}")
    if isinstance(error, TimeoutError):
        return Failure("connection", f"{shown}: no connection within {CONNECT_SECONDS:g} s")
    return Failure("connection", f"{shown}: {reason_of(error)}")


def reason_of(error: Exception) -> str:
    """Return what the system says of an error, which its own text often hides."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number else "the connection broke"
