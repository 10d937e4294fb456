"""Name the alert that ended a handshake (RFC 8446 section 6, RFC 6066 section 9).

OpenSSL reports a received alert as the reason of its error (``TLSV1_UNRECOGNIZED_NAME``); whatever else it reports
is a fault of our own side or of the bytes, not an alert.
"""

from __future__ import annotations

import re

ALERTS = frozenset(
    {
        "access_denied",
        "bad_certificate",
        "bad_certificate_status_response",
        "bad_record_mac",
        "certificate_expired",
        "certificate_required",
        "certificate_revoked",
        "certificate_unknown",
        "decode_error",
        "decrypt_error",
        "handshake_failure",
        "illegal_parameter",
        "inappropriate_fallback",
        "insufficient_security",
        "internal_error",
        "missing_extension",
        "no_application_protocol",
        "protocol_version",
        "record_overflow",
        "unexpected_message",
        "unknown_ca",
        "unknown_psk_identity",
        "unrecognized_name",
        "unsupported_certificate",
        "unsupported_extension",
        "user_canceled",
    }
)

_REASON = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)")


def alert_name(reason: str | None) -> str | None:
    """Return the alert's name for OpenSSL's error ``reason``, or None when the peer sent no alert."""
    matched = _REASON.fullmatch(reason or "")
    name = matched[1].lower() if matched else ""
    return name if name in ALERTS else None
