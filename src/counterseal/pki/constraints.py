"""Name constraints: which names a CA may certify (RFC 5280 4.2.1.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.names import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def constrain(permitted: Sequence[str]) -> x509.NameConstraints | None:
    """Return the constraint that permits only ``permitted``: DNS domains, IP networks, ``email:`` or ``URI:`` hosts.

    None when nothing is given. Raises InputError (``constraint.*``).
    """
    if not permitted:
        return None
    return x509.NameConstraints([_subtree(text) for text in permitted], None)


def violated_by(constraints: x509.NameConstraints, names: Iterable[x509.GeneralName]) -> tuple[x509.GeneralName, ...]:
    """Return the names that a CA with ``constraints`` must not certify.

    A kind of name without any permitted subtree of that kind is not restricted (RFC 5280 4.2.1.10).
    """
    return tuple(name for name in names if not _allowed(constraints, name))


def _allowed(constraints: x509.NameConstraints, name: x509.GeneralName) -> bool:
    if any(_within(name, subtree) for subtree in constraints.excluded_subtrees or ()):
        return False
    permitted = [subtree for subtree in constraints.permitted_subtrees or () if type(subtree) is type(name)]
    return not permitted or any(_within(name, subtree) for subtree in permitted)


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    match name, subtree:
        case x509.DNSName(), x509.DNSName():
            return _host_within(name.value.removeprefix("*."), subtree.value)
        case x509.IPAddress(), x509.IPAddress():
            return name.value.version == subtree.value.version and name.value in subtree.value  # type: ignore[operator] # a subtree holds a network
        case x509.RFC822Name(), x509.RFC822Name():
            return _mailbox_within(name.value, subtree.value)
        case x509.UniformResourceIdentifier(), x509.UniformResourceIdentifier():
            return _uri_host_within(urlsplit(name.value).hostname or "", subtree.value)
        case x509.DirectoryName(), x509.DirectoryName():
            return list(name.value.rdns[: len(subtree.value.rdns)]) == list(subtree.value.rdns)
        case _:
            return False


def _host_within(host: str, domain: str) -> bool:
    host, domain = host.lower(), domain.lower().lstrip(".")
    return not domain or host == domain or host.endswith("." + domain)


def _mailbox_within(mailbox: str, subtree: str) -> bool:
    if "@" in subtree:
        return mailbox.lower() == subtree.lower()
    return _uri_host_within(mailbox.rpartition("@")[2], subtree)


def _uri_host_within(host: str, subtree: str) -> bool:
    """For mail and URI a leading dot means any host below, and none means exactly this host."""
    host, subtree = host.lower(), subtree.lower()
    return host.endswith(subtree) if subtree.startswith(".") else host == subtree


def _subtree(text: str) -> x509.GeneralName:
    import ipaddress  # noqa: PLC0415 - only when a CA is made

    try:
        return x509.IPAddress(ipaddress.ip_network(text.removeprefix("IP:")))
    except ValueError:
        pass
    kind, colon, rest = text.partition(":")
    if colon and kind.lower() == "uri":
        return x509.UniformResourceIdentifier(("." if rest.startswith(".") else "") + _domain(rest))
    if colon and kind.lower() == "email" and "@" not in rest:
        return x509.RFC822Name(("." if rest.startswith(".") else "") + _domain(rest))
    name = parse_name(text.lstrip(".").removeprefix("*."))
    if not isinstance(name, x509.DNSName | x509.RFC822Name):
        raise InputError("constraint.kind", f"not a domain, network or mailbox to permit: {text!r}")
    return name


def _domain(text: str) -> str:
    name = parse_name("DNS:" + text.lstrip("."))
    return str(name.value)
