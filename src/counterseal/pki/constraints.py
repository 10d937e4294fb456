"""Name constraints: which names a CA may certify (RFC 5280 4.2.1.10).

They are made here from what a person writes, and applied to names as OpenSSL does (``crypto/x509/v3_ncons.c``), which
nginx relies on; where the standard leaves doubt the stricter reading counts, so that nothing is issued which some
verifier refuses.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.errors import InputError
from counterseal.pki.names import dns_name, parse_name
from counterseal.pki.shown import quoted
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The common names that OpenSSL takes for DNS names: two labels or more (cn2dnsid in v3_ncons.c).
_DNS_LIKE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)+")
_MAILBOX = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[!-?A-~]+")
_KINDS = {
    x509.DNSName: "DNS names",
    x509.IPAddress: "IP addresses",
    x509.RFC822Name: "mailboxes",
    x509.UniformResourceIdentifier: "URIs",
}
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")


def constrain(permitted: Sequence[str]) -> x509.NameConstraints | None:
    """Return the constraint that permits only ``permitted``; None when nothing is given.

    ``example.com`` permits that DNS name and all below it, ``10.0.0.0/8`` a network, ``ops@example.com`` one mailbox;
    ``email:example.com`` and ``URI:example.com`` the mailboxes and URIs of one host, of the hosts below it with a
    leading dot. Raises InputError (``constraint.*``, ``name.*``).
    """
    if not permitted:
        return None
    return x509.NameConstraints([_subtree(text) for text in permitted], None)


def free_kinds(constraints: x509.NameConstraints) -> tuple[str, ...]:
    """Return the kinds of names that a CA with these may certify any of: those of which nothing is permitted."""
    bounded = {type(subtree) for subtree in constraints.permitted_subtrees or ()}
    return tuple(words for kind, words in _KINDS.items() if kind not in bounded)


def subject_names(subject: x509.Name) -> tuple[x509.GeneralName, ...]:
    """Return the names in a subject to which RFC 5280 applies constraints: itself, and its e-mail addresses."""
    mailboxes = [str(attribute.value) for attribute in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    found = [x509.RFC822Name(mailbox) for mailbox in mailboxes if _MAILBOX.fullmatch(mailbox)]
    return (x509.DirectoryName(subject), *found) if subject.rdns else tuple(found)


def common_name_as_dns(subject: x509.Name, names: Sequence[x509.GeneralName]) -> x509.DNSName | None:
    """Return the common name as OpenSSL constrains it: as a DNS name, when it looks like one and ``names`` has none."""
    common = common_name(subject)
    if not common or not _DNS_LIKE.fullmatch(common) or any(isinstance(name, x509.DNSName) for name in names):
        return None
    return x509.DNSName(common)


def violated_by(constraints: x509.NameConstraints, names: Iterable[x509.GeneralName]) -> tuple[x509.GeneralName, ...]:
    """Return the names that a CA with ``constraints`` must not certify.

    A kind of name without any permitted subtree of that kind is not restricted (RFC 5280 4.2.1.10).
    """
    return tuple(name for name in names if not _allowed(constraints, name))


def _allowed(constraints: x509.NameConstraints, name: x509.GeneralName) -> bool:
    permitted = [subtree for subtree in constraints.permitted_subtrees or () if type(subtree) is type(name)]
    excluded = [subtree for subtree in constraints.excluded_subtrees or () if type(subtree) is type(name)]
    if not permitted and not excluded:
        return True
    if not _is_comparable(name) or any(_reaches(name, subtree) for subtree in excluded):
        return False
    return not permitted or any(_within(name, subtree) for subtree in permitted)


def _is_comparable(name: x509.GeneralName) -> bool:
    """Whether there is a rule for this name; OpenSSL refuses the others as soon as their kind is constrained."""
    if isinstance(name, x509.UniformResourceIdentifier):
        return _host_of(name.value) != ""
    if isinstance(name, x509.RFC822Name):
        return name.value.count("@") == 1
    return isinstance(name, x509.DNSName | x509.IPAddress | x509.DirectoryName)


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    match name, subtree:
        case x509.DNSName(), x509.DNSName():
            return _domain_within(name.value.lower(), subtree.value.lower())
        case x509.IPAddress(), x509.IPAddress():
            return name.value in subtree.value  # type: ignore[operator] # a subtree holds a network, of one version alone
        case x509.RFC822Name(), x509.RFC822Name():
            return _mailbox_within(name.value, subtree.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return _host_within(_host_of(name.value), subtree.value)
        case x509.DirectoryName(), x509.DirectoryName():
            above = comparable(subtree.value)
            return comparable(name.value)[: len(above)] == above
        case _:
            return False


def _reaches(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    """Whether a name lies in an excluded subtree, or is a wildcard that stands for names in it."""
    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName) and name.value.startswith("*."):
        return _within(name, subtree) or _domain_within(subtree.value.lower(), name.value[2:].lower())
    return _within(name, subtree)


def _domain_within(domain: str, base: str) -> bool:
    return not base or domain == base or domain.endswith("." + base.removeprefix("."))


def _mailbox_within(mailbox: str, subtree: str) -> bool:
    local, _, host = mailbox.rpartition("@")
    permitted, at, base = subtree.rpartition("@")
    return _host_within(host, base) and (not at or local == permitted)


def _host_within(host: str, base: str) -> bool:
    """For mail and URI a leading dot means any host below, and none means exactly this host."""
    host, base = host.lower(), base.lower()
    return host.endswith(base) if base.startswith(".") or not base else host == base


def _host_of(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def comparable(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    """Return a name so that two are equal when they differ in case and blanks only.

    RFC 5280 7.1, as OpenSSL does it (x509_name_canon).
    """
    return [
        frozenset((a.oid.dotted_string, _BLANKS.sub(" ", str(a.value).strip()).lower()) for a in rdn)
        for rdn in name.rdns
    ]


def _subtree(text: str) -> x509.GeneralName:
    kind, colon, rest = text.partition(":")
    if colon and kind.lower() == "uri":
        return x509.UniformResourceIdentifier(_host_pattern(rest))
    if colon and kind.lower() == "email" and "@" not in rest:
        return x509.RFC822Name(_host_pattern(rest))
    if colon and kind.lower() == "ip":
        return x509.IPAddress(_network(rest))
    if "/" in text and "://" not in text:
        return x509.IPAddress(_network(text))
    if (rest if kind.lower() == "dns" else text).startswith(("*.", ".")):
        raise InputError(
            "constraint.domain",
            f"not a domain to permit: {quoted(text)}",
            hint="leave out the beginning: a domain stands for itself and for all names below it",
        )
    name = parse_name(text)
    if isinstance(name, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(name.value))
    if isinstance(name, x509.UniformResourceIdentifier):
        raise InputError(
            "constraint.kind",
            f"not a domain, network or mailbox to permit: {quoted(text)}",
            hint="permit a host, as in URI:example.com",
        )
    return name


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InputError(
            "constraint.network", f"not a network to permit: {quoted(text)}", hint=_network_hint(text)
        ) from error


def _network_hint(text: str) -> str | None:
    try:
        return f"the network of this address is {ipaddress.ip_network(text, strict=False)}"
    except ValueError:
        return None


def _host_pattern(text: str) -> str:
    host = text.removeprefix(".")
    return ("." if host != text else "") + dns_name(host).value
