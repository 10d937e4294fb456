"""OpenSSL's reasons are turned into alert names, and nothing else is."""

from __future__ import annotations

import pytest

from counterseal.handshake.alert import alert_name


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("TLSV1_UNRECOGNIZED_NAME", "unrecognized_name"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol_version"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake_failure"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate_required"),
        ("TLSV1_ALERT_ACCESS_DENIED", "access_denied"),
        ("WRONG_VERSION_NUMBER", None),
        ("TLSV1_ALERT_NO_SUCH_THING", None),
        ("", None),
        (None, None),
    ],
)
def test_an_alert_is_named(reason: str | None, name: str | None) -> None:
    """What is no alert of the peer stays unnamed."""
    assert alert_name(reason) == name
