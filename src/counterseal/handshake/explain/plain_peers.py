"""Who answers that speaks no TLS, by the first bytes it sends."""

from __future__ import annotations

import re

from counterseal.handshake.symptoms import Cause

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
    "check the port; for SMTP, IMAP and PostgreSQL use --starttls",
)


def name_plain_peer(opening: bytes) -> tuple[str, str]:
    """Return the protocol that greets like this, and the beginning as it can be shown."""
    name = next((name for pattern, name in _GREETINGS if pattern.match(opening)), "something else")
    return name, repr(opening[:_SHOWN])[1:]
