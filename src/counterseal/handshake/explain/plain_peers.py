"""Who answers that speaks no TLS, by the first bytes it sends."""

from __future__ import annotations

import re

from counterseal.handshake.peer_causes import PLAIN
from counterseal.handshake.symptoms import Cause
from counterseal.pki.shown import printable

_SHOWN = 40
_GREETINGS = (
    (re.compile(rb"HTTP/\d|<(!doctype|html)", re.IGNORECASE), "HTTP"),
    (re.compile(rb"SSH-"), "SSH"),
    (re.compile(rb"220[ -].*(E?SMTP|mail)", re.IGNORECASE), "SMTP"),
    (re.compile(rb"220[ -]"), "FTP or SMTP"),
    (re.compile(rb"\* (OK|PREAUTH|BYE)"), "IMAP"),
    (re.compile(rb"\+OK"), "POP3"),
    (re.compile(rb"RFB \d"), "VNC"),
    (re.compile(rb"-ERR"), "Redis or POP3"),
    (re.compile(rb"E\x00\x00\x00"), "PostgreSQL"),
    (re.compile(rb".\x00\x00\x00\x0a\d", re.DOTALL), "MySQL"),
)
NOT_TLS = Cause(
    "another service listens on this port, or one that turns to TLS only when asked",
    "check the port; for SMTP, IMAP, POP3 and PostgreSQL use --starttls",
)
_SERVER = re.compile(rb"\r\nserver:[ \t]*([^\r\n/ (]+)", re.IGNORECASE)
_NGINX = frozenset({"nginx", "openresty", "angie", "tengine"})
_APACHE = "write SSLEngine on, a certificate and its key into the <VirtualHost> of this port"
_OTHERS = "switch TLS on where the port is configured (HAProxy: bind ... ssl crt FILE; Caddy: https:// in the address)"


def plain_http(opening: bytes) -> tuple[Cause, str | None]:
    """Return why a port answers in plain HTTP and what mends it, with nginx's directive where the server is one.

    The Server header tells who answers; what stands in front of it may have written or removed it.
    """
    matched = _SERVER.search(opening)
    product = None if matched is None else printable(matched[1].decode("latin-1"))
    if product is not None and product.lower() in _NGINX:
        return PLAIN, "listen ADDRESS ssl;"
    who = "whoever answers (it sends no Server header)" if product is None else f"its server, {product},"
    is_apache = product is not None and product.lower() == "apache"
    return (
        Cause(
            f"this port speaks HTTP in the clear: {who} has no TLS there, and verifies nobody",
            f"{_APACHE if is_apache else _OTHERS}; or ask the port that has TLS, 443 beside 80",
        ),
        None,
    )


def name_plain_peer(opening: bytes) -> tuple[str, str]:
    """Return the protocol that greets like this, and the beginning as it can be shown."""
    name = next((name for pattern, name in _GREETINGS if pattern.match(opening)), "something else")
    return name, repr(opening[:_SHOWN])[1:]
