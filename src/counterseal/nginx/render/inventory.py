"""Who issued a certificate, and whether it is revoked or known: the maps that all sites share.

The literal keys of an nginx map ignore case, and a key longer than 46 octets needs a directive of the http block that
may stand there only once. So the issuer becomes a number by exact regular expressions, and the lists are keyed by
``number:serial``: at most 46 octets, digits only. Issuers no site names have number 0 and pass nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.fileset import PlannedFile
from counterseal.nginx.choices import Admit, Revocation
from counterseal.nginx.render.words import block, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout

_OCTETS, _ZERO = 64, b"\0"
"""More octets than any serial number has, also one of an imported CA that heeds no limit (RFC 5280 4.1.2.2: 20)."""

REVOKED_FILE, KNOWN_FILE = "maps/revoked.map", "maps/known.map"


def number_issuers(materials: Iterable[Material]) -> dict[str, int]:
    """Return a number from 1 for every issuer name of any site, in the order met."""
    names = dict.fromkeys(name for material in materials for name in material.issuer_dns)
    return {name: number for number, name in enumerate(names, start=1)}


def uses_map(site: AnySite, material: Material) -> bool:
    """Whether revocations of this site are decided by the map."""
    return site.verifies and site.revocation.settle(len(material.revoked)) is not Revocation.CRL


def uses_crl(site: AnySite, material: Material) -> bool:
    """Whether revocations of this site are decided by a CRL in the handshake."""
    return site.verifies and site.revocation.settle(len(material.revoked)) is not Revocation.MAP


def list_files(sites: Sequence[tuple[AnySite, Material]], issuers: Mapping[str, int]) -> tuple[PlannedFile, ...]:
    """Return the revoked and the known certificates of all sites that ask for the lists."""
    revoked = (pair for site, material in sites if uses_map(site, material) for pair in material.revoked)
    known = (pair for site, material in sites if site.admit is Admit.KNOWN for pair in material.known)
    return (
        PlannedFile(REVOKED_FILE, _entries(revoked, issuers)),
        PlannedFile(KNOWN_FILE, _entries(known, issuers)),
    )


def inventory_lines(issuers: Mapping[str, int], layout: Layout) -> Iterator[str]:
    """Yield the maps behind ``$counterseal_issuer``, ``$counterseal_revoked`` and ``$counterseal_known``."""
    names = [f"{whole(name)} {number};" for name, number in issuers.items()]
    yield from block("map $ssl_client_i_dn $counterseal_issuer", ["default 0;", *names])
    for what, path in (("revoked", REVOKED_FILE), ("known", KNOWN_FILE)):
        lines = ["default 0;", f"include {layout.place(path)};"]
        yield from block(f'map "$counterseal_issuer:$ssl_client_serial" $counterseal_{what}', lines)


def _entries(pairs: Iterable[tuple[str, int]], issuers: Mapping[str, int]) -> bytes:
    """Return the lines of a map; there may be a million, so each is what ``show_serial`` says without calling it."""
    heads = {name: f"{number}:" for name, number in issuers.items()}
    found = dict.fromkeys(pairs)  # several sites ask for the same
    lines = [
        f"{heads[name]}{serial.to_bytes(_OCTETS, 'big').lstrip(_ZERO).hex() or '00'} 1;\n"
        for name, serial in found
        if name in heads
    ]
    return "".join(lines).upper().encode()
