"""Subject alternative names: what a person types becomes a name of a known kind, or an error that says why not.

The syntax is checked strictly, because nginx and many applications see the names joined into one string: a DNS name
that holds a comma could pass for two. RFC 5280 4.2.1.6, RFC 1034 3.5, RFC 5890 (IDN as A-label), RFC 9525 (wildcards).
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.extensions import extension_in
from counterseal.pki.shown import printable, quoted
from counterseal.pki.subject import show_subject
from counterseal.pki.uris import has_no_host, is_address, uri_host

if TYPE_CHECKING:
    from collections.abc import Callable

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LIKE_AN_ADDRESS = re.compile(r"[0-9]+\.[0-9./]+|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?([%/].*)?")
_NO_ADDRESS = "its last label is a number, so that clients take it for an IPv4 address, such as 10.0.0.7"
_MAX_DNS, _MAX_LOCAL, _MAX_MAILBOX = 253, 64, 254
_remembered = lru_cache(maxsize=256)  # order, policy and lint all look at the same name, one after the other


def parse_name(text: str) -> x509.GeneralName:
    """Return the general name that ``text`` spells.

    ``DNS:``, ``IP:``, ``email:`` and ``URI:`` name the kind; without a prefix it is recognised by its form.
    Raises InputError (``name.*``) with the offending value.
    """
    prefix, colon, rest = text.partition(":")
    parse = _PARSERS.get(prefix.lower()) if colon else None
    return parse(rest) if parse else _guess(text)(text)


def parse_text(text: str) -> tuple[str, str]:
    """Return kind and value of a name that says ``DNS``, ``email`` or ``URI`` in front, as ``parse_name`` reads it.

    For many names: the library's objects take longer than the judgement. Raises InputError (``name.*``).
    """
    kind, _, rest = text.partition(":")
    return kind, _TEXTS[kind](rest)


def names_in(extensions: x509.Extensions) -> tuple[x509.GeneralName, ...]:
    """Return the subject alternative names (RFC 5280 4.2.1.6), none where there is no such extension."""
    return tuple(extension_in(extensions, x509.SubjectAlternativeName) or ())


def show_name(name: x509.GeneralName) -> str:
    """Return the name with its kind in front, as ``parse_name`` reads it; control characters are escaped."""
    kind = kind_of(name)
    if kind != "other":
        return f"{kind}:{printable(str(name.value))}"
    if isinstance(name, x509.DirectoryName):
        return f"DN:{show_subject(name.value)}"
    if isinstance(name, x509.OtherName):
        return f"other:{name.type_id.dotted_string}"
    return f"RID:{name.value.dotted_string}"


def kind_of(name: x509.GeneralName) -> str:
    """Return ``DNS``, ``IP``, ``email``, ``URI`` or, for the kinds we never issue, ``other``."""
    return _KINDS.get(type(name), "other")  # isinstance asks an abstract class, ten times as long


def check_name(name: x509.GeneralName) -> x509.GeneralName:
    """Return the name if its syntax is what ``parse_name`` would accept; raises InputError otherwise.

    For names that come out of a foreign CSR, where any octets may stand.
    """
    kind = kind_of(name)
    if kind == "other":
        raise InputError("name.kind", f"a name of this kind is not issued: {quoted(show_name(name))}")
    return _PARSERS[kind.lower()](str(name.value))


def host_of(name: x509.GeneralName) -> str | None:
    """Return the domain in which a checked name lies: of a DNS name, a mailbox or a URI; None for an address.

    It is empty for a URI without a host, which lies in no domain.
    """
    if isinstance(name, x509.RFC822Name):
        return name.value.rpartition("@")[2]
    if isinstance(name, x509.UniformResourceIdentifier):
        host = uri_host(name.value).lower()
        return None if is_address(host) else host
    return name.value if isinstance(name, x509.DNSName) else None


@_remembered
def dns_name(text: str) -> x509.DNSName:
    """Return a DNS name, see ``dns_text``."""
    return x509.DNSName(dns_text(text))


@_remembered
def dns_text(text: str) -> str:
    """Return a DNS name in lower case, IDN as A-label, a wildcard only as the whole left-most label.

    One dot at the end is left out; a name whose last label is a number is refused, because clients take it for an IPv4
    address (RFC 9525 4.1.1, WHATWG URL 3.5).
    """
    host = text.removesuffix(".")
    wildcard = host.startswith("*.")
    labels = _to_ascii(host[2:] if wildcard else host).lower()
    full = f"*.{labels}" if wildcard else labels
    if not labels or len(full) > _MAX_DNS:
        raise InputError("name.dns", f"DNS name is empty or longer than {_MAX_DNS} octets: {quoted(text)}")
    for label in labels.split("."):
        if not _LABEL.fullmatch(label):
            raise InputError("name.dns", f"not a DNS name: {quoted(text)}", hint=_dns_hint(label))
    if _NUMBER.fullmatch(labels.rpartition(".")[2]):
        raise InputError(
            "name.dns",
            f"not a DNS name: {quoted(text)}",
            hint=_NO_ADDRESS,
        )
    _check_a_labels(labels, text)
    return full


def unicode_of(labels: str) -> str:
    """Return a DNS name that ``dns_text`` gave in the letters that its A-labels stand for."""
    import idna  # noqa: PLC0415 - see below

    wildcard = "*." if labels.startswith("*.") else ""
    return wildcard + idna.decode(labels.removeprefix("*."))


@_remembered
def ip_address(text: str) -> x509.IPAddress:
    """Return an IP address, IPv6 also in brackets; networks and addresses with a zone are refused."""
    try:
        if text.startswith("[") and text.endswith("]"):
            return x509.IPAddress(ipaddress.IPv6Address(_without_zone(text[1:-1])))
        return x509.IPAddress(ipaddress.ip_address(_without_zone(text)))
    except ValueError as error:
        hint = "a certificate names single addresses, not networks" if "/" in text else None
        raise InputError("name.ip", f"not an IP address: {quoted(text)}", hint=hint) from error


def is_ip_address(text: str) -> bool:
    """Whether a host is written as an IP address, in brackets or not."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


@_remembered
def email_address(text: str) -> x509.RFC822Name:
    """Return a mailbox, see ``email_text``."""
    return x509.RFC822Name(email_text(text))


def email_text(text: str) -> str:
    """Return a mailbox with its domain as A-label (RFC 5280 4.2.1.6; no display name, no quoted local part)."""
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _MAX_LOCAL or not _EMAIL_LOCAL.fullmatch(local) or domain.startswith("*"):
        raise InputError("name.email", f"not an e-mail address: {quoted(text)}")
    mailbox = f"{local}@{dns_text(domain)}"
    if len(mailbox) > _MAX_MAILBOX:
        raise InputError("name.email", f"e-mail address is longer than {_MAX_MAILBOX} octets: {quoted(text)}")
    return mailbox


@_remembered
def uri(text: str) -> x509.UniformResourceIdentifier:
    """Return a URI, see ``uri_text``."""
    return x509.UniformResourceIdentifier(uri_text(text))


def uri_text(text: str) -> str:
    """Return an absolute URI such as ``spiffe://example.org/db`` or ``urn:dev:ops:32473-pump-7`` as it was written."""
    host = uri_host(text)
    if not host or text.lower().startswith("spiffe:") or is_address(host):
        return text
    try:
        plain = dns_text(host) == host.lower()
    except InputError as error:
        raise InputError("name.uri", f"not the host of a URI: {quoted(host)}", hint=error.hint) from error
    if not plain:
        raise InputError("name.uri", f"not the host of a URI: {quoted(host)}", hint="leave out the dot at its end")
    return text


def _guess(text: str) -> Callable[[str], x509.GeneralName]:
    if "://" in text or has_no_host(text):
        return uri
    if "@" in text:
        return email_address
    return ip_address if _LIKE_AN_ADDRESS.fullmatch(text) else dns_name


def _without_zone(address: str) -> str:
    if "%" in address:
        raise InputError("name.ip", f"an address with a zone is not certified: {quoted(address)}")
    return address


def _to_ascii(host: str) -> str:
    if host.isascii() or len(host) > _MAX_DNS:
        return host
    import idna  # noqa: PLC0415 - 20 ms that only international names need

    try:
        return idna.encode(host, uts46=True).decode().removesuffix(".")
    except idna.IDNAError as error:
        raise InputError("name.dns", f"not an international DNS name: {quoted(host)}", hint=str(error)) from error


def _check_a_labels(labels: str, text: str) -> None:
    if not labels.startswith("xn--") and ".xn--" not in labels:
        return
    import idna  # noqa: PLC0415 - see above

    try:
        idna.decode(labels)
    except idna.IDNAError as error:
        raise InputError("name.dns", f"not an international DNS name: {quoted(text)}", hint=str(error)) from error


def _dns_hint(label: str) -> str:
    if not label:
        return "there is an empty label: two dots, or one at the start"
    if label.partition(":")[0] in _PARSERS:
        return "write the host or address alone, without its kind in front"
    found = next((hint for sign, hint in _DNS_HINTS.items() if sign in label), None)
    return found or f"a label has letters, digits and inner hyphens, at most 63: {quoted(label)}"


_DNS_HINTS = {
    "*": "a wildcard stands alone as the left-most label, as in *.example.com",
    ",": "one name at a time, each with an option of its own",
    "://": "a URL is no name: leave out its scheme and path",
    "/": "neither a path nor a network is a name: write the host, or one address",
    ":": "a port is no part of a name",
    "_": "a host name has no underscore (RFC 1034 3.5): write a hyphen",
}
_KINDS: dict[type[x509.GeneralName], str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "URI",
}
_PARSERS: dict[str, Callable[[str], x509.GeneralName]] = {
    "dns": dns_name,
    "ip": ip_address,
    "email": email_address,
    "uri": uri,
}
_TEXTS: dict[str, Callable[[str], str]] = {"DNS": dns_text, "email": email_text, "URI": uri_text}
