"""Subject alternative names: what a person types becomes a name of a known kind, or an error that says why not.

The syntax is checked strictly, because nginx and many applications see the names joined into one string: a DNS name
that holds a comma could pass for two. RFC 5280 4.2.1.6, RFC 1034 3.5, RFC 5890 (IDN as A-label), RFC 6125 (wildcards).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+;=%-]+")
_MAX_DNS = 253
_MAX_SHOWN = 80


def parse_name(text: str) -> x509.GeneralName:
    """Return the general name that ``text`` spells.

    ``DNS:``, ``IP:``, ``email:`` and ``URI:`` name the kind; without a prefix it is recognised by its form.
    Raises InputError (``name.*``) with the offending value.
    """
    prefix, colon, rest = text.partition(":")
    parse = _PARSERS.get(prefix.lower()) if colon else None
    return parse(rest) if parse else _guess(text)(text)


def show_name(name: x509.GeneralName) -> str:
    """Return the name with its kind in front, as ``parse_name`` reads it."""
    if isinstance(name, x509.DirectoryName):
        return f"DN:{name.value.rfc4514_string()}"
    if isinstance(name, x509.OtherName):
        return f"other:{name.type_id.dotted_string}"
    if isinstance(name, x509.RegisteredID):
        return f"RID:{name.value.dotted_string}"
    return f"{kind_of(name)}:{name.value}"


def kind_of(name: x509.GeneralName) -> str:
    """Return ``DNS``, ``IP``, ``email``, ``URI`` or, for the kinds we never issue, ``other``."""
    for cls, kind in _KINDS:
        if isinstance(name, cls):
            return kind
    return "other"


def check_name(name: x509.GeneralName) -> x509.GeneralName:
    """Return the name if its syntax is what ``parse_name`` would accept; raises InputError otherwise.

    For names that come out of a foreign CSR, where any octets may stand.
    """
    kind = kind_of(name)
    if kind == "other":
        raise InputError("name.kind", f"a name of this kind is not issued: {_short(show_name(name))}")
    return _PARSERS[kind.lower()](str(name.value))


def dns_name(text: str) -> x509.DNSName:
    """Return a DNS name in lower case, IDN as A-label, a wildcard only as the whole left-most label."""
    host = text.removesuffix(".")
    wildcard = host.startswith("*.")
    labels = _to_ascii(host[2:] if wildcard else host).lower()
    full = f"*.{labels}" if wildcard else labels
    if not labels or len(full) > _MAX_DNS:
        raise InputError("name.dns", f"DNS name is empty or longer than {_MAX_DNS} octets: {_short(text)}")
    for label in labels.split("."):
        if not _LABEL.fullmatch(label):
            raise InputError("name.dns", f"not a DNS name: {_short(text)}", hint=_dns_hint(label))
    return x509.DNSName(full)


def ip_address(text: str) -> x509.IPAddress:
    """Return an IP address; networks are refused."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text.strip("[]")))
    except ValueError as error:
        raise InputError("name.ip", f"not an IP address: {_short(text)}") from error


def email_address(text: str) -> x509.RFC822Name:
    """Return a mailbox with its domain as A-label (RFC 5280 4.2.1.6; no display name, no quoted local part)."""
    local, at, domain = text.rpartition("@")
    if not at or not _EMAIL_LOCAL.fullmatch(local):
        raise InputError("name.email", f"not an e-mail address: {_short(text)}")
    return x509.RFC822Name(f"{local}@{dns_name(domain).value}")


def uri(text: str) -> x509.UniformResourceIdentifier:
    """Return an absolute URI with a host, such as ``spiffe://example.org/db``; no comma, space or quote."""
    if not _URI.fullmatch(text) or not urlsplit(text).netloc:
        raise InputError("name.uri", f"not an absolute URI with a host: {_short(text)}")
    return x509.UniformResourceIdentifier(text)


def _guess(text: str) -> Callable[[str], x509.GeneralName]:
    if "://" in text:
        return uri
    if "@" in text:
        return email_address
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return dns_name
    return ip_address


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - 20 ms that only international names need

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise InputError("name.dns", f"not an international DNS name: {_short(host)} ({error})") from error


def _dns_hint(label: str) -> str:
    if "*" in label:
        return "a wildcard stands alone as the left-most label, as in *.example.com"
    if not label:
        return "there is an empty label: two dots, or one at the start"
    return f"a label has letters, digits and inner hyphens, at most 63: {_short(label)}"


def _short(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")


_KINDS: tuple[tuple[type[x509.GeneralName], str], ...] = (
    (x509.DNSName, "DNS"),
    (x509.IPAddress, "IP"),
    (x509.RFC822Name, "email"),
    (x509.UniformResourceIdentifier, "URI"),
)
_PARSERS: dict[str, Callable[[str], x509.GeneralName]] = {
    "dns": dns_name,
    "ip": ip_address,
    "email": email_address,
    "uri": uri,
}
