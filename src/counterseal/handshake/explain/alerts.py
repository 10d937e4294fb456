"""What a fatal alert of the server means in its situation.

nginx itself refuses no client by an alert; Go, Java, Node, GnuTLS and openssl do, so an alert about the client's
certificate also says that something else than nginx ends the TLS connection. RFC 8446 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from counterseal.handshake.explain.client_refused import REFUSALS, missing_cause, refused_cause
from counterseal.handshake.explain.common_ground import explain_lack
from counterseal.handshake.explain.nginx_log import LogHint, log_alert
from counterseal.handshake.peer_causes import KEY_NOT_LOADED, NAME_NOT_SENT, NAME_REJECTED, VERSION_NOT_OFFERED
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.numbers import TLS12, TLS13
from counterseal.handshake.wire.suites import KeyExchange

if TYPE_CHECKING:
    from counterseal.handshake.explain.situation import Situation
    from counterseal.handshake.explain.story import Story


class AlertDiagnosis(NamedTuple):
    """What happened, why, and where nginx says so."""

    happened: str
    cause: Cause
    log: LogHint | None
    directive: str | None


_NOTHING_COMMON = Cause(
    "client and server have no cipher suite, group or signature algorithm in common, or the server has no certificate "
    "of a kind that the client takes",
    "compare what the ClientHello offers with the server's suites, groups and kind of key (nginx: ssl_ciphers, "
    "ssl_ecdh_curve, ssl_certificate)",
)
_ONE_VERSION = Cause(
    f"{_NOTHING_COMMON.cause}; or it does not speak the one TLS version that was offered, as GnuTLS puts it",
    f"offer both versions; {_NOTHING_COMMON.fix}",
)
_TOO_OLD = Cause(
    "the server speaks neither TLS 1.3 nor TLS 1.2: only versions that RFC 8996 has forbidden, and no browser speaks",
    "let the server offer TLS 1.2 and 1.3, or update it",
)
_TOO_MANY_NAMES = Cause(
    "the server gives up where it would name the CAs whose clients it takes: the names of all in its file are more "
    "than the 64 KB that fit into a CertificateRequest (RFC 8446 4.2.4), as with a bundle of public CAs",
    "leave in ssl_client_certificate the CAs that issue the clients, and put the others into ssl_trusted_certificate, "
    "which is not named to clients",
)
_AT_THE_NAMES = (
    _TOO_MANY_NAMES,
    LogHint("SSL_do_handshake() failed (SSL: error:0A0C0103:SSL routines::internal error)", "crit"),
    "ssl_client_certificate",
)
_INSIDE = Cause(
    "something failed inside the server in the middle of the handshake: its key could not sign, as with a token or "
    "another machine that keeps it, or memory ran out",
    "read the server's log at the same second",
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
            "the server rejects this session; nginx does so when a session of another site is offered",
            "connect without the session; keep sessions off where clients are verified",
        ),
        "ssl_session_tickets, ssl_session_cache",
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
        return AlertDiagnosis(happened, missing_cause(case), None, None)
    if case.presented and name in REFUSALS:
        return AlertDiagnosis(happened, refused_cause(case, name), None, None)
    if name == "internal_error" and story.version is not None:
        named = _AT_THE_NAMES if _is_at_request(story) else (_INSIDE, None, None)
        return AlertDiagnosis(happened, *named)
    if name == "protocol_version" and story.offered is not None and {TLS12, TLS13} <= {*story.offered.versions}:
        return AlertDiagnosis(happened, _TOO_OLD, log_alert(name), "ssl_protocols TLSv1.2 TLSv1.3;")
    if case.lack is not None:
        lacking = explain_lack(case.lack)
        return AlertDiagnosis(happened, lacking.cause, lacking.log, lacking.directive)
    cause, directive = _BY_NAME.get(name, (_OTHER, None))
    if cause is NAME_REJECTED and story.offered is not None and story.offered.server_name is None:
        cause = NAME_NOT_SENT
    if cause is _NOTHING_COMMON and story.offered is not None and len(story.offered.versions) == 1:
        cause = _ONE_VERSION
    return AlertDiagnosis(happened, cause, log_alert(name), directive)


def _is_at_request(story: Story) -> bool:
    """Whether the next message of the server would have been its CertificateRequest."""
    if story.request is not None:
        return False
    if story.is_tls13:  # RFC 8446 2: it goes ahead of the server's Certificate
        return story.server_chain is None
    return story.exchange is KeyExchange.RSA or story.group is not None or story.prime_bits is not None
