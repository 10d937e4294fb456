"""Name the alert that ended a handshake (RFC 8446 section 6, RFC 6066 section 9).

OpenSSL reports a received alert as the reason of its error (``TLSV1_UNRECOGNIZED_NAME``); whatever else it reports
is a fault of our own side or of the bytes, not an alert.
"""

from __future__ import annotations

import re

from counterseal.handshake.wire.alerts import ALERT_MEANINGS

ALERTS = frozenset(alert.name for alert in ALERT_MEANINGS.values()) - {"close_notify"}

_REASON = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)")


def alert_name(reason: str | None) -> str | None:
    """Return the alert's name for OpenSSL's error ``reason``, or None when the peer sent no alert."""
    matched = _REASON.fullmatch(reason or "")
    name = matched[1].lower() if matched else ""
    return name if name in ALERTS else None
