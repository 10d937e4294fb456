r"""Who is let in: one map per demand, whose value is ``CODE:word``, and the ``if`` lines that act on it.

A demand (the site's, or that of a location) is decided from facts of the connection alone, in this order: shown at all,
verified, issued by an admitted CA, not revoked, known, allowed. Everything that no line names is refused.

=================  ====================================================================
``200:admitted``   a certificate was shown and passes
``200:open``       none was shown and none is needed
``200:proof``      a probe of ours asks, behind an allow list, for the place that leads to the prover alone
``496:missing``    none was shown
``495:failed``     it does not verify (``$ssl_client_verify`` has the reason)
``495:issuer``     it verifies, but comes from a CA that the site does not admit
``495:revoked``    the map of revoked certificates has it
``495:unknown``    the inventory does not have it (``admit = "known"``)
``403:forbidden``  it passes all that, and the allow list does not name it
=================  ====================================================================

Location demands are asked for twice. At server level a map on the path decides, which covers nested and regular
expression locations, ``index``, ``try_files`` and ``X-Accel-Redirect``: these run the server level again. In the
``location ^~`` itself the same demand stands once more, for a rewrite that leads into it. A path that the upstream
might read differently than nginx (``..``, ``//``, ``;``, encoded separators) falls under every demand of the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.demand import END, demand_lines, gate, member_of
from counterseal.nginx.render.words import choose, exact, variable
from counterseal.nginx.site import ClientCertificates
from counterseal.nginx.upstream import Scheme
from counterseal.pki.profile import PROBE_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from counterseal.nginx.material import Material
    from counterseal.nginx.site import Location, Site

PROBE_PATH = "/.well-known/counterseal"
HEADERS_PATH = f"{PROBE_PATH}/headers"
UPSTREAM_PATHS = {Scheme.HTTPS: f"{PROBE_PATH}/upstream", Scheme.GRPCS: f"{PROBE_PATH}/upstream-grpc"}
# The places that lead to sockets of the prover, and never to an application.
_PROVER_PATHS = (HEADERS_PATH, *UPSTREAM_PATHS.values())

# Raw paths that two programs may read differently: dot segments, empty segments, path parameters, backslashes, the hash
# sign, and encoded separators, dots, control characters and percent signs. Matched on the path as the client wrote it.
AMBIGUOUS = r"(?i)^[^?\n]*(?://|/\.{1,2}(?:[/?\n]|%)|[;\\#]|%(?:2[35ef]|3[bf]|5c|7f|[01][0-9a-f]|c[01]))"


def decision_lines(site: Site, material: Material, issuers: Mapping[str, int]) -> Iterator[str]:
    """Yield the maps of one site, each one a demand; the last one that a server block needs is ``verdict``."""
    if not site.verifies:
        return
    open_word = "200:open" if site.client_certificates is ClientCertificates.OPTIONAL else "496:missing"
    yield from demand_lines(site, material, issuers, name=gate(site), none=open_word, allow=site.allow)
    for number, location in enumerate(site.demanding, start=1):
        yield from demand_lines(
            site, material, issuers, name=gate(site, number), none="496:missing", allow=location.allow
        )
        yield from _reach(site, number, location)
    if site.demanding:
        yield from _verdict(site)
    if _keeps_probes_out(site):
        yield from _verdict_for_probes(site)


def verdict(site: Site) -> str:
    """Return the variable that says what becomes of the request as a whole."""
    if not site.verifies:
        return "200:open"
    return variable(site.name, "verdict") if site.demanding else gate(site)


def entry(site: Site) -> str:
    """Return the variable by which a server block with a place for the prover lets in: the verdict, or a probe's."""
    return variable(site.name, "entry") if _keeps_probes_out(site) else verdict(site)


def check_lines(name: str, *, forbidden: int = 403) -> Iterator[str]:
    """Yield what refuses by the value of a demand; whatever is neither refused by name nor let in is refused, too."""
    yield f"if ({name} ~ ^496) {{ return 496; }}"
    yield f"if ({name} ~ ^403) {{ return {forbidden}; }}"
    yield f"if ({name} !~ ^200) {{ return 495; }}"


def gates_around(site: Site, location: Location) -> Iterator[str]:
    """Yield the demands that a location stands under: its own and those of the locations around it."""
    for number, other in enumerate(site.demanding, start=1):
        if f"{location.prefix}/".startswith(f"{other.prefix}/"):
            yield gate(site, number)


def _reach(site: Site, number: int, location: Location) -> Iterator[str]:
    """Yield the map that applies a location's demand to its path, however spelt, and to ambiguous paths."""
    cases = [
        ("default", "200:open"),
        (AMBIGUOUS, gate(site, number)),
        (rf"(?i)^[^\n]*\n{exact(location.prefix)}(?![a-z0-9_-])", gate(site, number)),
    ]
    yield from choose("$request_uri\n$uri", _reached(site, number), cases, volatile=True)


def _verdict(site: Site) -> Iterator[str]:
    reached = [_reached(site, number) for number in range(1, len(site.demanding) + 1)]
    cases = [
        ("default", "495:failed"),
        (rf"^(200:[a-z]+)(?: 200:[a-z]+)*{END}", "$1"),
        ("(?:^| )(4[0-9][0-9]:[a-z]+)", "$1"),
    ]
    yield from choose(" ".join([gate(site), *reached]), variable(site.name, "verdict"), cases, volatile=True)


def _keeps_probes_out(site: Site) -> bool:
    """Whether no probe could reach the application's place, and so nobody see which headers arrive there."""
    around = (one for one in site.demanding if any(f"{path}/".startswith(f"{one.prefix}/") for path in _PROVER_PATHS))
    return site.proxies and any(allow.restricts for allow in (site.allow, *(one.allow for one in around)))


def _verdict_for_probes(site: Site) -> Iterator[str]:
    """Yield the map that lets a probe, verified and sound, through to the prover's own socket and nowhere else."""
    places = "|".join(map(exact, _PROVER_PATHS))
    at_the_prover = rf"^403:forbidden\n(?:{places})\n{member_of(PROBE_GROUP)}"
    cases = [("default", verdict(site)), (at_the_prover, "200:proof")]
    yield from choose(f"{verdict(site)}\n$uri\n$ssl_client_s_dn", variable(site.name, "entry"), cases, volatile=True)


def _reached(site: Site, number: int) -> str:
    return variable(site.name, f"reach_{number}")
