"""Which addresses validation may go to. PURE: addresses and networks are handed in.

Private networks are the normal case of a private CA. Not reached are this machine itself, link-local addresses (cloud
metadata lives there), multicast and what is nobody's; an IPv6 address that wraps an IPv4 address counts as that one.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.service.settings import Network

Address = IPv4Address | IPv6Address

CLOSED: tuple[tuple[Network, str], ...] = (
    (ip_network("0.0.0.0/8"), "no address"),
    (ip_network("127.0.0.0/8"), "a loopback address"),
    (ip_network("169.254.0.0/16"), "a link-local address"),
    (ip_network("224.0.0.0/4"), "a multicast address"),
    (ip_network("240.0.0.0/4"), "a reserved address"),
    (ip_network("::/128"), "no address"),
    (ip_network("::1/128"), "a loopback address"),
    (ip_network("fe80::/10"), "a link-local address"),
    (ip_network("fec0::/10"), "a site-local address"),
    (ip_network("ff00::/8"), "a multicast address"),
    (ip_network("fd00:ec2::254/128"), "a metadata service"),
    (ip_network("64:ff9b:1::/48"), "an address behind a translator"),  # RFC 8215
)
NOT_OPENED = "which allow_networks does not open"
_WRAPPING = tuple(map(IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
"""NAT64 (RFC 6052), IPv4-compatible (RFC 4291 2.5.5.1), IPv4-translated (RFC 2765 2.1)."""

_LOW_32 = (1 << 32) - 1


def refusal(
    address: Address, *, allowed: Sequence[Network], denied: Sequence[Network], own: bool = False
) -> str | None:
    """Return why this address is not reached, or None; ``own`` says that it is one of this machine's.

    ``denied`` comes before ``allowed``, and ``allowed`` before what is closed by default.
    """
    every = meanings(address)
    if any(_within(one, denied) for one in every):
        return "in a network that deny_networks closes"
    if all(_within(one, allowed) for one in every):
        return None
    for network, what in CLOSED:
        if any(one in network for one in every):
            return f"{what}, {NOT_OPENED}"
    return f"an address of this CA itself, {NOT_OPENED}" if own else None


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def meanings(address: Address) -> frozenset[Address]:
    """Return the address, and the IPv4 address inside an IPv6 one (mapped, translated, 6to4, Teredo, NAT64 ...)."""
    return frozenset({address, _wrapped(address)})


def _wrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if int(address) >> 24 and any(address in network for network in _WRAPPING):  # ::1 wraps nothing
        return IPv4Address(int(address) & _LOW_32)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def parse_address(text: str) -> Address | None:
    """Return the address that ``text`` spells, or None when it is a name.

    Nor is one with a zone, which means something on one machine alone, and is equal to no address without.
    """
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
