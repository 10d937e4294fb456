"""What nginx serves at this moment against the generation in force: seen from outside, by a client without anything.

It needs no key of a CA, so that monitoring without a passphrase still sees an nginx that was not reloaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.doctor.check import DEPLOY, Check, broken, ok
from counterseal.authority.endpoints import endpoint_of
from counterseal.authority.unseen import is_served
from counterseal.errors import FileError
from counterseal.files import read_file
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt
from counterseal.handshake.plan import probe_name
from counterseal.handshake.verdict import describe
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.site import Site
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.served import ServedSite
    from counterseal.handshake.observation import Endpoint
    from counterseal.nginx.any_site import AnySite


def check_served(ground: Ground, served: Sequence[ServedSite]) -> Iterator[Check]:
    """Yield for each site whether its addresses answer with the generation in force; nothing where none is served."""
    number = ground.in_force
    if number is None or not is_served(ground):
        return
    for one in served:
        serial = _serial_of(ground, one.site, number)
        endpoints = tuple(map(endpoint_of, one.site.listen))
        faults = [fault for at in endpoints if (fault := _fault(one.site, at, number, serial)) is not None]
        yield from (broken("served", one.site.name, fault, DEPLOY) for fault in faults)
        if not faults:
            told = f"generation {number}" if isinstance(one.site, Site) else f"the certificate of generation {number}"
            yield ok("served", one.site.name, f"{told} at {', '.join(map(str, endpoints))}")


def _fault(site: AnySite, endpoint: Endpoint, number: int, serial: int | None) -> str | None:
    """Return in what an address differs; a stream has no page, so that its certificate alone tells."""
    name = probe_name(site.server_names[0])
    seen = attempt(Attempt(endpoint, name, name))
    if seen.tls_version is None:
        return f"{endpoint} does not answer: {describe(seen)}"
    if isinstance(site, Site) and seen.generation != number:
        answering = "no page of ours" if seen.generation is None else f"generation {seen.generation}"
        return f"{answering} answers at {endpoint}, generation {number} should: nginx did not read it"
    if serial not in {None, seen.server_certificate_serial}:
        shown = seen.server_certificate_serial
        other = "none that can be read" if shown is None else show_serial(shown)
        return f"another certificate is served at {endpoint}, {other}: nginx did not read generation {number}"
    return None


def _serial_of(ground: Ground, site: AnySite, number: int) -> int | None:
    """Return the serial number of the certificate in the generation; None where none can be read, which others tell."""
    path = ground.place.directories.directory(number) / file_of(site, "chain.pem")
    try:
        return x509.load_pem_x509_certificates(read_file(path))[0].serial_number
    except (FileError, ValueError):
        return None
