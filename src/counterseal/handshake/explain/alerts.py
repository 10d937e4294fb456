"""What a fatal alert of the server means in its situation.

nginx itself refuses no client by an alert; Go, Java, Node, GnuTLS and openssl do, so an alert about the client's
certificate also says that something else than nginx ends the TLS connection. RFC 8446 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from counterseal.handshake.authorities import Listed
from counterseal.handshake.explain.nginx_log import LogHint, log_alert
from counterseal.handshake.peer_causes import CERTIFICATE_WITHHELD, KEY_NOT_LOADED, NAME_REJECTED, VERSION_NOT_OFFERED
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.numbers import TLS12, TLS13

if TYPE_CHECKING:
    from counterseal.handshake.explain.situation import Situation


class AlertDiagnosis(NamedTuple):
    """What happened, why, and where nginx says so."""

    happened: str
    cause: Cause
    log: LogHint | None
    directive: str | None


_REQUIRED = Cause(
    "the server requires a client certificate and ends the handshake without one; nginx would answer 400 instead, so "
    "another program ends TLS here",
    "come with a certificate of one of the accepted CAs: --name, --cert and --key, or --p12",
)
_NOTHING_COMMON = Cause(
    "client and server have no cipher suite, group or signature algorithm in common, or the server block has no "
    "certificate of a kind that the client takes",
    "compare what the ClientHello offers with ssl_ciphers, ssl_ecdh_curve and the kind of key in ssl_certificate",
)
_TOO_OLD = Cause(
    "the server speaks neither TLS 1.3 nor TLS 1.2: only versions that RFC 8996 has forbidden, and no browser speaks",
    "let the server offer TLS 1.2 and 1.3, or update it",
)
_UNKNOWN_CA = Cause(
    "the server trusts no CA above the client's certificate, or an intermediate is missing on the way to it",
    "send the whole chain, and give the server the CA that issued it",
)
_OTHER = Cause("the server gave up for the reason that the alert names", "read the server's log at the same second")
_BY_NAME: dict[str, tuple[Cause, str | None]] = {
    "unrecognized_name": (NAME_REJECTED, "server_name, ssl_reject_handshake"),
    "protocol_version": (VERSION_NOT_OFFERED, "ssl_protocols"),
    "handshake_failure": (_NOTHING_COMMON, "ssl_ciphers, ssl_ecdh_curve"),
    "insufficient_security": (_NOTHING_COMMON, "ssl_ciphers, ssl_ecdh_curve"),
    "internal_error": (KEY_NOT_LOADED, "ssl_certificate, ssl_certificate_key"),
    "no_application_protocol": (
        Cause(
            "the server speaks none of the protocols offered by ALPN",
            "offer another one: --alpn h2 where it speaks HTTP/2 alone, or --alpn http/1.1",
        ),
        "http2",
    ),
    "access_denied": (
        Cause(
            "the server rejects this session or certificate; nginx does so when a session of another site is offered",
            "connect without the session; keep sessions off where clients are verified",
        ),
        "ssl_session_tickets, ssl_session_cache",
    ),
    "unknown_ca": (_UNKNOWN_CA, None),
    "bad_certificate": (_UNKNOWN_CA, None),
    "certificate_unknown": (_UNKNOWN_CA, None),
    "certificate_expired": (
        Cause(
            "the client's certificate, or a CA's, is out of its dates by the server's clock", "renew it, set the clock"
        ),
        None,
    ),
    "certificate_revoked": (Cause("the client's certificate is revoked", "issue the client a new certificate"), None),
    "unsupported_certificate": (
        Cause(
            "the client's certificate is not made for clients: extended key usage without clientAuth, or a kind of key "
            "that the server does not take",
            "issue the client a certificate of the client profile",
        ),
        None,
    ),
    "decrypt_error": (
        Cause("a signature does not verify: the private key does not belong to the certificate", "use the right key"),
        None,
    ),
}
_WITHOUT = frozenset(
    {"handshake_failure", "bad_certificate", "certificate_required", "certificate_unknown", "decode_error"}
)
"""How servers answer an empty Certificate: OpenSSL, Go and Node in their versions, Java, and at last GnuTLS."""


def alert_diagnosis(case: Situation) -> AlertDiagnosis:
    """Return what the server's fatal alert means after what had been said."""
    story = case.story
    assert story.alert is not None  # noqa: S101 - the caller looked
    description = story.alert[1]
    name = alert_meaning(description).name
    happened = f"the server ends the connection with the alert {name} ({description})"
    if name == "certificate_required" or (story.client_chain == () and name in _WITHOUT):
        return AlertDiagnosis(happened, CERTIFICATE_WITHHELD if case.withheld else _REQUIRED, None, None)
    if name == "protocol_version" and story.offered is not None and {TLS12, TLS13} <= {*story.offered.versions}:
        return AlertDiagnosis(happened, _TOO_OLD, log_alert(name), "ssl_protocols TLSv1.2 TLSv1.3;")
    cause, directive = _BY_NAME.get(name, (_OTHER, None))
    if cause is _UNKNOWN_CA and case.listed is Listed.NONE:
        cause = Cause("the server names the CAs it takes, and none is above the client's certificate", _UNKNOWN_CA.fix)
    return AlertDiagnosis(happened, cause, log_alert(name), directive)
