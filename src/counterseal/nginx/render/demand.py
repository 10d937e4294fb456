"""One demand: a map from the facts of a connection to ``CODE:word``, the same for HTTP and stream.

The words, and what acts on them, are those of ``decision``. Everything that no line names is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.nginx.choices import Admit
from counterseal.nginx.faults import split_subject
from counterseal.nginx.render.inventory import uses_map
from counterseal.nginx.render.words import choose, exact, variable
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name, parse_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from counterseal.nginx.any_site import Allow, AnySite
    from counterseal.nginx.material import Material

# The attributes of a distinguished name, as RFC 2253 prints it, that stand before another one.
_BEFORE = r"(?:(?>(?:[^,+\\]|\\.)*)[,+])*"
_NEVER = "(?!)"
END = r"\z"
# In the facts after the issuer: not revoked, known. Then the serial number.
_SOUND = "[|]0[|]1[|]"
_ANY_SERIAL = "[0-9A-F]*[|]"


def gate(site: AnySite, number: int = 0) -> str:
    """Return the variable of one demand: 0 is the site's own, then its demanding locations in order."""
    return variable(site.name, f"gate_{number}" if number else "gate")


def demand_lines(
    site: AnySite, material: Material, issuers: Mapping[str, int], *, name: str, none: str, allow: Allow
) -> Iterator[str]:
    """Yield the map of one demand, by the variable ``name``; ``none`` is its value where no certificate was shown."""
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


def _allowed(site: AnySite, material: Material, issuers: Mapping[str, int], allow: Allow) -> Iterator[str]:
    """Yield what the facts after ``SUCCESS|`` look like for each entry of an allow list."""
    any_issuer = _any_of(issuers[dn] for dn in material.issuer_dns)
    for number in allow.serial_numbers:
        yield f"{any_issuer}{_SOUND}{show_serial(number)}[|]"
    for text in allow.subjects:
        ca, subject = split_subject(text)
        issuer = any_issuer if ca is None else _any_of(issuers[dn] for dn in issuers_of(site, material, ca))
        yield f"{issuer}{_SOUND}{_ANY_SERIAL}{exact(nginx_name(parse_subject(subject)))}{END}"
    for group in allow.groups:
        yield f"{any_issuer}{_SOUND}{_ANY_SERIAL}{member_of(group)}"


def member_of(group: str) -> str:
    """Return what a whole subject looks like that has this OU."""
    unit = nginx_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, group)]))
    return f"{_BEFORE}{exact(unit)}(?:[,+]|{END})"


def issuers_of(site: AnySite, material: Material, ca: str) -> tuple[str, ...]:
    """Return the issuer names of one client CA of the site."""
    if len(site.client_cas) == 1:
        return material.issuer_dns
    return tuple(dn for dn, name in zip(material.issuer_dns, material.issuer_cas, strict=False) if name == ca)


def _any_of(numbers: Iterable[int]) -> str:
    alternatives = "|".join(map(str, numbers))
    return f"(?:{alternatives})" if alternatives else _NEVER
