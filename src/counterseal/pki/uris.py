"""Uniform resource identifiers as subject alternative names: absolute, and of one meaning only.

They have a host, as RFC 5280 4.2.1.6 demands wherever there is an authority (RFC 3986 3.2), but for two schemes that
name things without one: ``urn:`` (RFC 8141) and ``tag:`` (RFC 4151). Peers compare them octet for octet, and many see
them joined into one string with other names; so nothing stands in one that separates names, but for the comma of a tag,
which only a date can follow, and nothing is percent-encoded that could be written plainly. A ``spiffe:`` URI is a
SPIFFE ID (SPIFFE standard, section 2), ``urn:uuid:`` has a UUID (RFC 9562 section 4).
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
_CHARACTER = r"(?:[A-Za-z0-9._~:@!$&()*+;=-]|%[0-9A-Fa-f]{2})"  # pchar of RFC 3986 without comma and quote
_NAMES_WITHOUT_HOST = {
    "urn": (
        re.compile(
            r"urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
            rf"|(?!uuid:)[a-z0-9][a-z0-9-]{{0,30}}[a-z0-9]:{_CHARACTER}(?:{_CHARACTER}|/)*)",
            re.IGNORECASE | re.ASCII,  # else U+017F is an 's', and U+212A a 'k'
        ),
        "a URN is urn:NAMESPACE:NAME, no dot or underscore in NAMESPACE, no '?' or '#' in NAME, as urn:dev:pump-7",
    ),
    "tag": (
        re.compile(
            r"tag:(?:[a-z0-9._-]+@)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
            rf",[0-9]{{4}}(?:-[0-9]{{2}}){{0,2}}:(?:{_CHARACTER}|[/?])*",
            re.IGNORECASE | re.ASCII,  # else U+017F is an 's', and U+212A a 'k'
        ),
        "a tag is tag:DOMAIN,DATE:NAME, such as tag:example.com,2026:pump-7",
    ),
}
_SPIFFE_ID = re.compile(r"spiffe://[a-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_NEVER_ENCODED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~,\"'\x7f" + bytes(range(0x20))
)


def uri_host(text: str) -> str:
    """Return the host of a strict absolute URI, an IPv6 address in its brackets; raises InputError ``name.uri``.

    It is empty for a URN and a tag. The host's own syntax is left to the caller, except that an address is one.
    """
    if text[:9].lower() == "spiffe://":
        return _spiffe_trust_domain(text)
    if has_no_host(text):
        _check_name(text)
        return ""
    match = _URI.fullmatch(text) if len(text) <= _MAX_URI else None
    if match is None:
        raise _refused(text, "write scheme://host/path, without user, space, comma or quotes; or a urn: or tag:")
    if int(match["port"] or 0) > _MAX_PORT:
        raise _refused(text, f"there is no port {match['port']}")
    _check_encoded(text)
    return match["host"]


def has_no_host(text: str) -> bool:
    """Whether it is a URI of one of the schemes that name without a host: ``urn:`` and ``tag:``."""
    return text.partition(":")[0].lower() in _NAMES_WITHOUT_HOST


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


def _check_name(text: str) -> None:
    pattern, hint = _NAMES_WITHOUT_HOST[text.partition(":")[0].lower()]
    if len(text) > _MAX_URI or not pattern.fullmatch(text):
        raise _refused(text, hint)
    _check_encoded(text)


def _check_encoded(text: str) -> None:
    for encoded in _PERCENT.finditer(text):
        if int(encoded[1], 16) in _NEVER_ENCODED:
            raise _refused(text, f"{encoded[0]} is a character that is written plainly, or that never stands in a URI")


def _spiffe_trust_domain(text: str) -> str:
    if not _SPIFFE_ID.fullmatch(text) or len(text) > _MAX_URI:
        raise _refused(text, "a SPIFFE ID is spiffe://trust-domain/path: lower-case domain, no port, query or '%'")
    return text.removeprefix("spiffe://").partition("/")[0]


def _refused(text: str, hint: str) -> InputError:
    return InputError("name.uri", f"not a URI to certify: {quoted(text)}", hint=hint)
