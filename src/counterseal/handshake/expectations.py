"""What each kind of client must meet at a site, as the site was meant.

The one place that knows how nginx answers when it is right: 400 for a certificate that does not verify, 403 for one
that verifies and is not admitted, 421 for a Host that was not negotiated, an alert for a name that nobody serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.backend_rows import KINDS as BACKEND_KINDS
from counterseal.handshake.backend_rows import expected_of_backend
from counterseal.handshake.rows import Expectation, RowKind
from counterseal.handshake.stream_expectations import expected_at_stream
from counterseal.handshake.verdict import Verdict

if TYPE_CHECKING:
    from counterseal.handshake.site import SiteFacts

_ADMITTED = frozenset({Verdict.ADMITTED, Verdict.REDIRECTED})
_REFUSED = frozenset({Verdict.REFUSED})
_FORBIDDEN = frozenset({Verdict.FORBIDDEN})
_NOT_ANSWERED = frozenset({Verdict.ALERT, Verdict.UNANSWERED})
_HANDSHAKE_DONE = frozenset(Verdict) - _NOT_ANSWERED


def expected(kind: RowKind, facts: SiteFacts) -> Expectation:
    """Return what a client of this kind must meet at the site."""
    if kind in BACKEND_KINDS:
        return expected_of_backend(kind, facts.backend, is_stream=facts.is_stream)
    if kind is RowKind.STAPLE:
        return _staple(facts)
    if facts.is_stream:
        return expected_at_stream(kind, facts)
    return _EXPECTATIONS[kind](facts)


def _server(facts: SiteFacts) -> Expectation:
    return Expectation("trusted: chain, name, dates, purpose", _HANDSHAKE_DONE, serial=facts.server_certificate_serial)


def _staple(facts: SiteFacts) -> Expectation:
    """Every kind of site alike: the question ends before anything but TLS has been spoken."""
    meant = facts.stapling is not None and facts.stapling.meant
    text = "a response that says good" if meant else "none, unless the certificate demands one, or one that says good"
    return Expectation(text, _NOT_ANSWERED, stapling=facts.stapling)


def _without_certificate(facts: SiteFacts) -> Expectation:
    if facts.client_certificates == "none":
        return Expectation(
            "admitted, and asked for no certificate",
            _FORBIDDEN if facts.has_allow else _ADMITTED,
            asked=False,
            generation=facts.generation,
            own_page=facts.is_ours,
        )
    if facts.client_certificates == "optional":
        return _authenticated(facts, verify="NONE", asked=True)
    return Expectation("refused with 400", _refused(facts), verify="NONE", generation=facts.generation, asked=True)


def _good(facts: SiteFacts) -> Expectation:
    if facts.client_certificates == "none":
        return _without_certificate(facts)
    return _authenticated(facts, verify="SUCCESS", asked=True)


def _authenticated(facts: SiteFacts, *, verify: str, asked: bool | None, resumed: bool | None = None) -> Expectation:
    text = "verified, then 403: not on the allow list" if facts.has_allow else "admitted"
    if facts.has_allow and verify == "NONE":
        text = "403: not on the allow list"
    return Expectation(
        text if resumed is None else f"{text}, by a full handshake",
        _FORBIDDEN if facts.has_allow else _ADMITTED,
        verify=verify,
        generation=facts.generation,
        own_page=facts.is_ours,
        asked=asked,
        resumed=resumed,
    )


def _bad(facts: SiteFacts) -> Expectation:
    return Expectation("refused with 400", _refused(facts), verify="FAILED", generation=facts.generation)


def _of_another_client_ca(facts: SiteFacts) -> Expectation:
    return Expectation(_refusal_text(facts), _refused(facts), generation=facts.generation)


def _unlisted(facts: SiteFacts) -> Expectation:
    return Expectation(
        "verified, then refused with 400", _refused(facts), verify="SUCCESS", generation=facts.generation
    )


def _revoked(facts: SiteFacts) -> Expectation:
    if facts.revocation in {"crl", "both"} or facts.asks_responder:
        return _bad(facts)
    return Expectation(_refusal_text(facts), _refused(facts), generation=facts.generation)


def _resumption(facts: SiteFacts) -> Expectation:
    return _authenticated(facts, verify="SUCCESS", asked=None, resumed=False)


def _cross_site_resumption(facts: SiteFacts) -> Expectation:
    # nginx with the fix of CVE-2025-23419 and before 1.29.2 ends such a handshake with an alert instead
    verdicts = (_FORBIDDEN if facts.has_allow else _ADMITTED) | {Verdict.ALERT}
    return Expectation("not resumed", verdicts, resumed=False)


def _rival_resumption(facts: SiteFacts) -> Expectation:
    return Expectation(f"not resumed, and {_refusal_text(facts)}", _refused(facts) | {Verdict.ALERT}, resumed=False)


def _early_data(_facts: SiteFacts) -> Expectation:
    return Expectation("not offered", frozenset(Verdict), early_data=False)


def _wrong_name(facts: SiteFacts) -> Expectation:
    if facts.is_ours:
        return Expectation("alert unrecognized_name", frozenset({Verdict.ALERT}), alert="unrecognized_name")
    return Expectation("not admitted", frozenset(Verdict) - _ADMITTED)


def _other_name(_facts: SiteFacts) -> Expectation:
    return Expectation(
        "421, or an alert where that name is not served", frozenset({Verdict.MISDIRECTED, Verdict.ALERT})
    )


def _protected_without(facts: SiteFacts) -> Expectation:
    return Expectation("refused with 403 or 400", _REFUSED | _FORBIDDEN, own_page=facts.is_ours)


def _protected_good(facts: SiteFacts) -> Expectation:
    return Expectation("403: not on the allow list" if facts.has_allow else "admitted", _good(facts).verdicts)


def _forged_headers(_facts: SiteFacts) -> Expectation:
    return Expectation("no forged header reaches the application", _ADMITTED)


def _tls_version(_facts: SiteFacts) -> Expectation:
    return Expectation("handshake refused", _NOT_ANSWERED)


def _plain_on_tls_port(facts: SiteFacts) -> Expectation:
    others = set() if facts.is_ours else {Verdict.REFUSED, Verdict.REDIRECTED, Verdict.UNANSWERED}
    return Expectation("refused with 400: plain HTTP", frozenset({Verdict.PLAIN_REFUSED, *others}))


def _redirect(_facts: SiteFacts) -> Expectation:
    return Expectation("redirected to https", frozenset({Verdict.REDIRECTED}))


def _refused(facts: SiteFacts) -> frozenset[Verdict]:
    """Return how nginx may refuse; somebody else's may rightly answer ``error_page 495 496 =403``.

    A site of ours keeps 403 for its allow list, so that a list that no probe is on cannot hide what is missing before.
    """
    return _REFUSED if facts.is_ours else _REFUSED | _FORBIDDEN


def _refusal_text(facts: SiteFacts) -> str:
    return "refused with 400" if facts.is_ours else "refused with 400 or 403"


_EXPECTATIONS = {
    RowKind.SERVER: _server,
    RowKind.NO_CERTIFICATE: _without_certificate,
    RowKind.GOOD: _good,
    RowKind.GOOD_WITHOUT_CHAIN: _good,
    RowKind.EXPIRED: _bad,
    RowKind.FOREIGN: _bad,
    RowKind.SERVER_PURPOSE: _bad,
    RowKind.OTHER_CLIENT_CA: _of_another_client_ca,
    RowKind.UNLISTED: _unlisted,
    RowKind.REVOKED: _revoked,
    RowKind.REVOKED_CA: _of_another_client_ca,
    RowKind.RESUMED_AFTER_REVOCATION: _revoked,
    RowKind.RESUMPTION: _resumption,
    RowKind.CROSS_SITE_RESUMPTION: _cross_site_resumption,
    RowKind.EARLY_DATA: _early_data,
    RowKind.NO_SNI: _wrong_name,
    RowKind.UNKNOWN_SNI: _wrong_name,
    RowKind.OTHER_SNI: _other_name,
    RowKind.RIVAL_SNI: _other_name,
    RowKind.RIVAL_RESUMPTION: _rival_resumption,
    RowKind.PROTECTED_WITHOUT: _protected_without,
    RowKind.PROTECTED_GOOD: _protected_good,
    RowKind.FORGED_HEADERS: _forged_headers,
    RowKind.TLS_VERSION: _tls_version,
    RowKind.PLAIN_ON_TLS_PORT: _plain_on_tls_port,
    RowKind.REDIRECT: _redirect,
}
