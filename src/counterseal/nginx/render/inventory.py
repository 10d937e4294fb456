"""Who issued a certificate, and whether it is revoked or known: the maps that all sites share.

The literal keys of an nginx map ignore case, and a key longer than 46 octets needs a directive of the http block that
may stand there only once. So the issuer becomes a number by exact regular expressions, and the lists are keyed by
``number:serial``: at most 46 octets, digits only. Issuers no site names have number 0 and pass nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.fileset import PlannedFile
from counterseal.nginx.choices import Admit, Revocation
from counterseal.nginx.render.words import block, whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout

REVOKED_FILE, KNOWN_FILE = "maps/revoked.map", "maps/known.map"


def number_issuers(materials: Iterable[Material]) -> dict[str, int]:
    """Return a number from 1 for every issuer name of any site, in the order met."""
    names = dict.fromkeys(name for material in materials for name in material.issuer_dns)
    return {name: number for number, name in enumerate(names, start=1)}


def uses_map(site: AnySite, material: Material) -> bool:
    """Whether revocations of this site are decided by the map."""
    return site.verifies and _settled(site, material) is not Revocation.CRL


def uses_crl(site: AnySite, material: Material) -> bool:
    """Whether revocations of this site are decided by a CRL in the handshake."""
    return site.verifies and _settled(site, material) is not Revocation.MAP


def _settled(site: AnySite, material: Material) -> Revocation:
    return site.revocation.settle(material.revocations, has_lists=material.has_lists)


def list_files(sites: Sequence[tuple[AnySite, Material]], issuers: Mapping[str, int]) -> tuple[PlannedFile, ...]:
    """Return the revoked and the known certificates of all sites that ask for the lists."""
    revoked = (material.revoked for site, material in sites if uses_map(site, material))
    known = (material.known for site, material in sites if site.admit is Admit.KNOWN)
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


def _entries(lists: Iterable[Mapping[str, Collection[str]]], issuers: Mapping[str, int]) -> bytes:
    """Return the lines of a map: there may be a million, so those of an issuer are joined in one go."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for by_issuer in lists:
        for name, serials in by_issuer.items():
            found[name].update(dict.fromkeys(serials))  # several sites ask for the same
    numbered = ((number, found[name]) for name, number in issuers.items() if found[name])
    text = "".join(f"{number}:" + f" 1;\n{number}:".join(serials) + " 1;\n" for number, serials in numbered)
    return text.upper().encode()
