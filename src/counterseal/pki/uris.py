"""Uniform resource identifiers as subject alternative names: absolute, with a host, and of one meaning only.

Peers compare them octet for octet, and many see them joined into one string with other names; so nothing stands in one
that separates names, and nothing is percent-encoded that could be written plainly. RFC 5280 4.2.1.6, RFC 3986, and for
``spiffe:`` the SPIFFE ID of the SPIFFE standard, section 2.
"""

from __future__ import annotations

import ipaddress
import re

from counterseal.errors import InputError
from counterseal.pki.shown import quoted

_MAX_URI = 2048
_MAX_PORT = 65_535
_URI = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://
        (?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+) (?::(?P<port>[0-9]{1,5}))?
        (?P<rest>[/?\#](?:[A-Za-z0-9._~:/?\#@!$&()*+;=-]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)
_SPIFFE_ID = re.compile(r"spiffe://[a-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_NEVER_ENCODED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~,\"'\x7f" + bytes(range(0x20))
)


def uri_host(text: str) -> str:
    """Return the host of a strict absolute URI, an IPv6 address in its brackets; raises InputError ``name.uri``.

    The host's own syntax is left to the caller, except that an address is one.
    """
    if text[:9].lower() == "spiffe://":
        return _spiffe_trust_domain(text)
    match = _URI.fullmatch(text) if len(text) <= _MAX_URI else None
    if match is None:
        raise _refused(text, "write it as scheme://host/path, without user, space, comma or quotes")
    if int(match["port"] or 0) > _MAX_PORT:
        raise _refused(text, f"there is no port {match['port']}")
    for encoded in _PERCENT.finditer(text):
        if int(encoded[1], 16) in _NEVER_ENCODED:
            raise _refused(text, f"{encoded[0]} is a character that is written plainly, or that never stands in a URI")
    return match["host"]


def is_address(host: str) -> bool:
    """Whether the host of a URI is an IP address as it stands there."""
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host[1:-1])
        else:
            ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _spiffe_trust_domain(text: str) -> str:
    if not _SPIFFE_ID.fullmatch(text) or len(text) > _MAX_URI:
        raise _refused(text, "a SPIFFE ID is spiffe://trust-domain/path: lower-case domain, no port, query or '%'")
    return text.removeprefix("spiffe://").partition("/")[0]


def _refused(text: str, hint: str) -> InputError:
    return InputError("name.uri", f"not an absolute URI with a host: {quoted(text)}", hint=hint)
