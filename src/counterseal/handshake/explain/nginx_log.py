"""The line of nginx's error log that belongs to a refusal, and the level at which it is written.

nginx logs refused clients at ``info``; with the default level ``error`` nothing is written, and only
``$ssl_client_verify`` in the access log tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.verify_reasons import VerifyReason


@dataclass(frozen=True, slots=True)
class LogHint:
    """A part of the line that can be searched for, and the level that error_log must have to show it."""

    text: str
    level: str = "info"


_BY_CODE = {
    421: "client attempted to request the server name different from the one that was negotiated",
    496: "client sent no required SSL certificate",
    497: "client sent plain HTTP request to HTTPS port",
}
_BY_ALERT = {
    "unrecognized_name": "handshake rejected while SSL handshaking",
    "protocol_version": "unsupported protocol) while SSL handshaking",
    "handshake_failure": "no shared cipher) while SSL handshaking",
    "internal_error": "cert cb error) while SSL handshaking",
}


def log_line(code: int) -> LogHint:
    """Return the line for one of nginx's codes."""
    return LogHint(_BY_CODE[code])


def log_alert(name: str) -> LogHint | None:
    """Return the line that goes with an alert which nginx sent."""
    return LogHint(_BY_ALERT[name]) if name in _BY_ALERT else None


def log_verify(reason: VerifyReason | None) -> LogHint:
    """Return the line for a refused client certificate, with OpenSSL's number and message where they are known."""
    text = "client SSL certificate verify error"
    return LogHint(f"{text}: ({reason.code}:{reason.message})" if reason and reason.code else text)
