"""What no two sites can both have, whatever nginx serves them: names and sockets that it could not tell apart.

``nginx -t`` only warns of a name taken twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity
from counterseal.nginx.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.listen import Listen


def conflicts(sites: Sequence[AnySite]) -> Iterator[Finding]:
    """Yield each thing that two sites have; ``where`` is the key of the later one, ``panel.listen``."""
    web = [site for site in sites if isinstance(site, Site)]
    yield from _names(web)
    yield from _sockets(web)
    for site in sites:
        if not isinstance(site, Site):
            yield from _stream_sockets(site, sites)


def _names(sites: Sequence[Site]) -> Iterator[Finding]:
    owners: dict[tuple[Listen, str], Site] = {}
    for site in sites:
        for listen in site.sockets:
            for name in (name.lower() for name in site.server_names):
                owner = owners.setdefault((listen, name), site)
                if owner is not site:
                    told = f"server name of two sites on {listen}: {name}, of {owner.name} and {site.name}"
                    yield _conflict(f"{site.name}.server_names", told, "nginx would serve the first one only")


def _sockets(sites: Sequence[Site]) -> Iterator[Finding]:
    owners = {listen: site for site in sites for listen in site.listen}
    for site in sites:
        for listen in site.redirect_from:
            if listen in owners and owners[listen] is not site:
                told = f"socket speaks TLS for one site and plain HTTP for another: {listen}, of {owners[listen].name}"
                yield _conflict(f"{site.name}.redirect_from", told, "give the redirect a socket of its own, such as 80")


def _stream_sockets(site: AnySite, sites: Sequence[AnySite]) -> Iterator[Finding]:
    for listen in site.listen:
        other = next((one for one in sites if one is not site and listen in one.sockets), None)
        if other is not None:
            told = f"socket of stream site {site.name} is another site's too: {listen}, of {other.name}"
            hint = "give it a socket of its own: nginx could not tell its clients from those of another site"
            yield _conflict(f"{site.name}.listen", told, hint)


def _conflict(where: str, message: str, hint: str) -> Finding:
    return Finding("nginx.sites", Severity.CRITICAL, message, where=where, hint=hint)
