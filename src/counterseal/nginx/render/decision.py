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

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.nginx.faults import split_subject
from counterseal.nginx.render.inventory import uses_map
from counterseal.nginx.render.words import choose, exact, serial_hex, variable
from counterseal.nginx.site import Admit, ClientCertificates
from counterseal.nginx.upstream import Scheme
from counterseal.pki.profile import PROBE_GROUP
from counterseal.pki.subject import nginx_name, parse_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from counterseal.nginx.material import Material
    from counterseal.nginx.site import Allow, Location, Site

PROBE_PATH = "/.well-known/counterseal"
HEADERS_PATH = f"{PROBE_PATH}/headers"
UPSTREAM_PATHS = {Scheme.HTTPS: f"{PROBE_PATH}/upstream", Scheme.GRPCS: f"{PROBE_PATH}/upstream-grpc"}
# The places that lead to sockets of the prover, and never to an application.
_PROVER_PATHS = (HEADERS_PATH, *UPSTREAM_PATHS.values())

# Raw paths that two programs may read differently: dot segments, empty segments, path parameters, backslashes, the hash
# sign, and encoded separators, dots, control characters and percent signs. Matched on the path as the client wrote it.
AMBIGUOUS = r"(?i)^[^?\n]*(?://|/\.{1,2}(?:[/?\n]|%)|[;\\#]|%(?:2[35ef]|3[bf]|5c|7f|[01][0-9a-f]|c[01]))"

# The attributes of a distinguished name, as RFC 2253 prints it, that stand before another one.
_BEFORE = r"(?:(?>(?:[^,+\\]|\\.)*)[,+])*"
_NEVER = "(?!)"
_END = r"\z"
# In the facts after the issuer: not revoked, known. Then the serial number.
_SOUND = "[|]0[|]1[|]"
_ANY_SERIAL = "[0-9A-F]*[|]"


def decision_lines(site: Site, material: Material, issuers: Mapping[str, int]) -> Iterator[str]:
    """Yield the maps of one site, each one a demand; the last one that a server block needs is ``verdict``."""
    if not site.verifies:
        return
    open_word = "200:open" if site.client_certificates is ClientCertificates.OPTIONAL else "496:missing"
    yield from _demand(site, material, issuers, name=gate(site), none=open_word, allow=site.allow)
    for number, location in enumerate(site.demanding, start=1):
        yield from _demand(site, material, issuers, name=gate(site, number), none="496:missing", allow=location.allow)
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


def gate(site: Site, number: int = 0) -> str:
    """Return the variable of one demand: 0 is the site's own, then its demanding locations in order."""
    return variable(site.name, f"gate_{number}" if number else "gate")


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


def _demand(
    site: Site, material: Material, issuers: Mapping[str, int], *, name: str, none: str, allow: Allow
) -> Iterator[str]:
    revoked = "$counterseal_revoked" if uses_map(site, material) else "0"
    known = "$counterseal_known" if site.admit is Admit.KNOWN else "1"
    facts = f"$ssl_client_verify|$counterseal_issuer|{revoked}|{known}|$ssl_client_serial|$ssl_client_s_dn"
    admitted = _any_of(issuers[dn] for dn in material.issuer_dns)
    passing = _allowed(site, material, issuers, allow) if allow.restricts else [admitted + _SOUND]
    cases = [
        ("default", "403:forbidden" if allow.restricts else "495:failed"),
        ("^NONE[|]", none),
        # A sibling CA under the same root has no CRL here: that is its own fault, not one of the lists.
        (f"^FAILED:unable to get certificate CRL[|](?!{admitted}[|])", "495:issuer"),
        ("^(?!SUCCESS[|])", "495:failed"),
        (f"^SUCCESS[|](?!{admitted}[|])", "495:issuer"),
        ("^SUCCESS[|][0-9]+[|]1[|]", "495:revoked"),
        ("^SUCCESS[|][0-9]+[|]0[|]0[|]", "495:unknown"),
        *((f"^SUCCESS[|]{facts}", "200:admitted") for facts in passing),
    ]
    yield from choose(facts, name, cases)


def _allowed(site: Site, material: Material, issuers: Mapping[str, int], allow: Allow) -> Iterator[str]:
    """Yield what the facts after ``SUCCESS|`` look like for each entry of an allow list."""
    any_issuer = _any_of(issuers[dn] for dn in material.issuer_dns)
    for number in allow.serial_numbers:
        yield f"{any_issuer}{_SOUND}{serial_hex(number)}[|]"
    for text in allow.subjects:
        ca, subject = split_subject(text)
        issuer = any_issuer if ca is None else _any_of(issuers[dn] for dn in issuers_of(site, material, ca))
        yield f"{issuer}{_SOUND}{_ANY_SERIAL}{exact(nginx_name(parse_subject(subject)))}{_END}"
    for group in allow.groups:
        yield f"{any_issuer}{_SOUND}{_ANY_SERIAL}{_member_of(group)}"


def _member_of(group: str) -> str:
    """Return what a whole subject looks like that has this OU."""
    unit = nginx_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, group)]))
    return f"{_BEFORE}{exact(unit)}(?:[,+]|{_END})"


def issuers_of(site: Site, material: Material, ca: str) -> tuple[str, ...]:
    """Return the issuer names of one client CA of the site."""
    if len(site.client_cas) == 1:
        return material.issuer_dns
    return tuple(dn for dn, name in zip(material.issuer_dns, material.issuer_cas, strict=False) if name == ca)


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
        (rf"^(200:[a-z]+)(?: 200:[a-z]+)*{_END}", "$1"),
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
    at_the_prover = rf"^403:forbidden\n(?:{places})\n{_member_of(PROBE_GROUP)}"
    cases = [("default", verdict(site)), (at_the_prover, "200:proof")]
    yield from choose(f"{verdict(site)}\n$uri\n$ssl_client_s_dn", variable(site.name, "entry"), cases, volatile=True)


def _reached(site: Site, number: int) -> str:
    return variable(site.name, f"reach_{number}")


def _any_of(numbers: Iterable[int]) -> str:
    alternatives = "|".join(map(str, numbers))
    return f"(?:{alternatives})" if alternatives else _NEVER
