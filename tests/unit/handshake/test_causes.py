"""Every entry of the tables of causes is reached by some wrong outcome, and says what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from counterseal.handshake.backend_outcomes import BACKEND_SYMPTOMS
from counterseal.handshake.causes import PROBE_ENDED
from counterseal.handshake.judge import judge
from counterseal.handshake.observation import Observation, Staple, StapleFault
from counterseal.handshake.outcomes import SYMPTOMS
from counterseal.handshake.rows import RowKind as K
from counterseal.handshake.server_reasons import OTHER_SERVER_FAULT, SERVER_REASONS
from counterseal.handshake.stream_outcomes import STREAM_SYMPTOMS
from counterseal.handshake.verify_reasons import VERIFY_REASONS, verify_reason
from judging import PKI, foreign_page, page, row_of

OUTCOMES: list[tuple[K, dict[str, Any], Observation, str]] = [
    (K.GOOD, {}, Observation(error="in the handshake: wrong_version_number"), "listen lacks the ssl parameter"),
    (K.GOOD, {}, Observation(error="in the handshake: record_layer_failure"), "listen lacks the ssl parameter"),
    (K.PLAIN_ON_TLS_PORT, {}, Observation(status=200), "listen lacks the ssl parameter"),
    (K.GOOD, {}, Observation(error="connecting: connection refused"), "nothing listens"),
    (
        K.PLAIN_ON_TLS_PORT,
        {},
        Observation(error="connecting: cannot resolve a.test: name not known"),
        "no resolver knows",
    ),
    (K.PLAIN_ON_TLS_PORT, {}, Observation(error="connecting: no route to host"), "no route leads there"),
    (K.GOOD, {}, Observation(error="no end within 5 s, in the handshake"), "no answer in time"),
    (K.GOOD, {}, Observation(alert="internal_error"), "a path with a variable"),
    (K.NO_SNI, {}, page(400, "NONE"), "ssl_reject_handshake is missing"),
    (K.UNKNOWN_SNI, {}, page(200, "SUCCESS"), "ssl_reject_handshake is missing"),
    (K.GOOD, {}, page(421), "so the default server answered"),
    (K.GOOD, {}, Observation(alert="unrecognized_name"), "the default server rejected the handshake"),
    (K.GOOD, {}, Observation(alert="protocol_version"), "TLS version is not offered"),
    (K.GOOD, {}, Observation(alert="unknown_ca"), "something in front of nginx"),
    (K.TLS_VERSION, {}, page(400, "NONE"), "the default server's ssl_protocols"),
    (K.GOOD, {}, page(200, "SUCCESS", generation=2), "still serves another generation"),
    (K.SERVER, {}, page(400, server_certificate_serial=1, server_verify=(0, "ok")), "another server certificate"),
    (K.FORGED_HEADERS, {}, foreign_page(200, leaked=("X",)), "identity headers reach the application"),
    (K.RESUMED_AFTER_REVOCATION, {}, page(200, "SUCCESS", resumed=True), "sessions outlive the reload"),
    (K.CROSS_SITE_RESUMPTION, {}, page(200, "SUCCESS", resumed=True), "sessions of another site"),
    (K.RESUMPTION, {}, page(200, "SUCCESS", resumed=True), "TLS sessions are on"),
    (K.EARLY_DATA, {}, page(200, "SUCCESS", early_data=16384), "ssl_early_data is on"),
    (K.NO_CERTIFICATE, {"client_certificates": "none"}, page(200, "NONE"), "ssl_verify_client is inherited"),
    (K.NO_CERTIFICATE, {}, page(200, "NONE", certificate_requested=False), "ssl_verify_client is off or missing"),
    (K.NO_CERTIFICATE, {}, page(200, "NONE"), "ssl_verify_client is optional"),
    (K.FOREIGN, {}, page(200, "FAILED:unable to verify the first certificate"), "optional_no_ca"),
    (K.FOREIGN, {}, page(200, "SUCCESS"), "the foreign CA is trusted"),
    (K.FOREIGN, {}, page(400, "SUCCESS"), "the foreign CA is trusted"),
    (K.SERVER_PURPOSE, {}, page(200, "SUCCESS"), "clientAuth beside serverAuth"),
    (K.EXPIRED, {}, page(200, "SUCCESS"), "the clock of the nginx host"),
    (K.OTHER_CLIENT_CA, {}, page(200, "SUCCESS"), "the issuer is not pinned"),
    (K.UNLISTED, {}, page(200, "SUCCESS"), "the list of known certificates"),
    (K.REVOKED, {}, page(200, "SUCCESS"), "the revocation is not in force"),
    (K.REVOKED, {}, page(400, "SUCCESS"), "only in the map behind it"),
    (K.REVOKED, {}, page(403, None), "the revocation is not in force"),
    (K.RESUMED_AFTER_REVOCATION, {}, page(200, "SUCCESS"), "the revocation is not in force"),
    (K.NO_CERTIFICATE, {}, foreign_page(200), "error_page 495 or 496 leads to the application"),
    (K.PROTECTED_WITHOUT, {}, foreign_page(200), "does not cover this path"),
    (K.OTHER_SNI, {}, page(200, "NONE"), "negotiated under another name"),
    (K.RIVAL_SNI, {}, page(200, "SUCCESS"), "negotiated under another name"),
    (K.RIVAL_RESUMPTION, {}, page(200, "SUCCESS", resumed=True), "sessions of another site"),
    (K.RIVAL_RESUMPTION, {}, page(200, "SUCCESS"), "the issuer is not pinned"),
    (K.REVOKED_CA, {}, page(200, "SUCCESS"), "the CA was revoked and is still admitted"),
    (K.REDIRECT, {}, foreign_page(200, certificate_requested=None), "also listens without ssl"),
    (K.GOOD, {"has_allow": True}, page(200, "SUCCESS"), "its map defaults to admit"),
    (K.GOOD, {}, foreign_page(200), "another server block answers"),
    (K.GOOD, {}, page(403, "SUCCESS"), "verified, yet refused"),
    (K.GOOD, {}, page(400, "SUCCESS"), "verified, yet refused"),
    (K.GOOD, {}, page(400, "NONE"), "no certificate arrived at nginx"),
    (K.GOOD, {}, page(400, None), "does not say why"),
    (K.GOOD, {}, page(400, "FAILED"), "does not say why"),
    (K.GOOD, {}, page(400, "FAILED:something new"), "OpenSSL refused the certificate"),
    (K.STAPLE, {}, Observation(staple=Staple("none", StapleFault.ABSENT)), "got no answer from the responder"),
    (K.STAPLE, {}, Observation(staple=Staple("old", StapleFault.NOT_BELIEVED)), "what no client can believe"),
    (K.STAPLE, {}, Observation(staple=Staple("revoked", StapleFault.NOT_GOOD)), "does not say good"),
    (K.SERVER, {}, Observation(server_verify=(999, "?"), error="x"), "clients do not trust"),
]


@pytest.mark.parametrize(("kind", "changes", "seen", "words"), OUTCOMES)
def test_a_wrong_outcome_has_its_cause(kind: K, changes: dict[str, Any], seen: Observation, words: str) -> None:
    """Each of them is what an administrator would be told."""
    result = judge(row_of(kind, **changes), seen)
    assert not result.passed
    assert words in (result.cause or "")
    assert result.fix


@pytest.mark.parametrize("seen", [page(400, "FAILED:certificate has expired"), Observation(error="closed")])
def test_a_probe_that_has_ended_is_no_fault_of_the_site(seen: Observation) -> None:
    """Nginx is right to refuse it; where nginx has another reason, that is the cause."""
    row = row_of(K.GOOD)
    assert row.attempt is not None
    assert row.attempt.identity is not None
    ended = replace(row, attempt=replace(row.attempt, identity=replace(row.attempt.identity, has_ended=True)))
    assert judge(ended, seen).cause == PROBE_ENDED.cause
    assert judge(row, seen).cause != PROBE_ENDED.cause
    assert judge(ended, page(400, "FAILED:CRL has expired")).cause != PROBE_ENDED.cause


def test_every_symptom_is_reached() -> None:
    """No entry of the table is hidden behind another one."""
    told = {judge(row_of(kind, **changes), seen).cause for kind, changes, seen, _ in OUTCOMES}
    elsewhere = {symptom.points_to.cause for symptom in (*BACKEND_SYMPTOMS, *STREAM_SYMPTOMS)}  # tests of their own
    causes = {symptom.points_to.cause for symptom in SYMPTOMS}
    assert sorted(causes - told - elsewhere) == []


@pytest.mark.parametrize("reason", VERIFY_REASONS, ids=lambda reason: reason.message)
def test_a_good_client_refused_for_a_reason_is_told_its_cause(reason: Any) -> None:  # noqa: ANN401 - pytest hands it over
    """Each message of OpenSSL that nginx shows, in every spelling."""
    for message in (reason.message, *reason.aliases):
        result = judge(row_of(K.GOOD), page(400, f"FAILED:{message}"))
        assert (result.cause, result.fix) == (reason.cause, reason.fix)


def test_messages_and_numbers_are_unique() -> None:
    """One row a message, so that a look-up has one answer."""
    texts = [text for reason in VERIFY_REASONS for text in (reason.message, *reason.aliases)]
    codes = [reason.code for reason in VERIFY_REASONS if reason.code is not None]
    assert len(set(texts)) == len(texts)
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("verify", [None, "", "SUCCESS", "NONE", "FAILED", "FAILED:new"])
def test_an_unknown_message_has_no_reason(verify: str | None) -> None:
    """What the table does not know is not guessed."""
    assert verify_reason(verify) is None


@pytest.mark.parametrize("code", sorted(SERVER_REASONS))
def test_a_server_that_is_not_trusted_is_told_why(code: int) -> None:
    """By OpenSSL's number alone."""
    result = judge(row_of(K.SERVER), Observation(server_verify=(code, "text"), error="server not trusted"))
    assert result.cause == SERVER_REASONS[code].cause != OTHER_SERVER_FAULT.cause


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (PKI.foreign_root, "holds none of the CAs above"),
        (PKI.client_ca, "an issuing CA without its root"),
        (PKI.root, "is missing from ssl_crl"),
    ],
)
def test_the_list_of_cas_tells_a_wrong_file_from_a_missing_crl(held: Any, words: str) -> None:  # noqa: ANN401 - pytest hands it over
    """With a CRL configured OpenSSL's last word is about the CRL, whatever is wrong with the chain."""
    names = (held.certificate.subject.public_bytes(),)
    seen = page(400, "FAILED:unable to get certificate CRL", authorities=names)
    assert words in (judge(row_of(K.GOOD), seen).cause or "")


def test_the_words_are_plain() -> None:
    """Lower case, no full stop, no quoting of what only programmers see."""
    causes = [symptom.points_to for symptom in SYMPTOMS]
    texts = [text for cause in causes for text in (cause.cause, cause.fix)]
    texts += [text for reason in VERIFY_REASONS for text in (reason.cause, reason.fix)]
    assert [text for text in texts if text.endswith(".") or text.startswith(("A ", "The "))] == []
