"""What passes and what does not, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from counterseal.handshake.judge import judge, skip
from counterseal.handshake.observation import Observation, Staple, StapleFault
from counterseal.handshake.rows import RowKind as K
from judging import WELCOME, foreign_page, page, row_of

EXPIRED = "FAILED:certificate has expired"
REVOKED = "FAILED:certificate revoked"

PASSING: list[tuple[K, dict[str, Any], Observation]] = [
    (K.NO_CERTIFICATE, {}, page(400, "NONE")),
    (K.NO_CERTIFICATE, {"client_certificates": "optional"}, page(200, "NONE")),
    (K.NO_CERTIFICATE, {"client_certificates": "none"}, page(200, "NONE", certificate_requested=False)),
    (K.NO_CERTIFICATE, {"generation": None}, foreign_page(400, code=496, verify="NONE")),
    (K.NO_CERTIFICATE, {"generation": None}, foreign_page(403)),
    (K.GOOD, {}, page(200, "SUCCESS")),
    (K.GOOD, {"has_allow": True}, page(403, "SUCCESS")),
    (K.GOOD, {"generation": None}, foreign_page(302, location="/login")),
    (K.GOOD, {"generation": None}, foreign_page(502)),
    (K.GOOD, {}, page(200, "SUCCESS", certificate_requested=None)),
    (K.EXPIRED, {}, page(400, EXPIRED)),
    (K.EXPIRED, {"generation": None}, foreign_page(400, code=495, verify="FAILED")),
    (K.OTHER_CLIENT_CA, {}, page(400, "SUCCESS")),
    (K.REVOKED, {}, page(400, REVOKED)),
    (K.REVOKED, {"revocation": "map"}, page(400, "SUCCESS")),
    (K.REVOKED, {"revocation": "map", "asks_responder": True}, page(400, REVOKED)),
    (K.RESUMED_AFTER_REVOCATION, {}, page(400, REVOKED)),
    (K.RESUMED_AFTER_REVOCATION, {"revocation": "map"}, page(400, "SUCCESS", resumed=True)),
    (K.RESUMPTION, {}, page(200, "SUCCESS")),
    (K.CROSS_SITE_RESUMPTION, {}, Observation(alert="access_denied")),
    (K.EARLY_DATA, {}, page(200, "SUCCESS")),
    (K.EARLY_DATA, {"generation": None}, Observation(alert="certificate_required")),
    (K.NO_SNI, {}, Observation(alert="unrecognized_name")),
    (K.NO_SNI, {"generation": None}, foreign_page(400)),
    (K.OTHER_SNI, {}, page(421)),
    (K.PROTECTED_WITHOUT, {}, page(403, "NONE")),
    (K.FORGED_HEADERS, {}, foreign_page(200, leaked=())),
    (K.TLS_VERSION, {}, Observation(alert="protocol_version")),
    (K.PLAIN_ON_TLS_PORT, {}, Observation(status=400, code=497)),
    (K.REDIRECT, {}, Observation(status=301, location="https://panel.test/")),
    (K.SERVER, {}, page(400, "NONE", server_verify=(0, "ok"))),
    (K.STAPLE, {}, Observation(staple=Staple("good"))),
    (K.STAPLE, {"stapling": WELCOME}, Observation(staple=Staple("good"))),
    (K.STAPLE, {"stapling": WELCOME}, Observation(staple=Staple("none came", StapleFault.ABSENT))),
    (K.STAPLE, {"is_stream": True}, Observation(staple=Staple("good"))),
]
FAILING: list[tuple[K, dict[str, Any], Observation, str]] = [
    (K.NO_CERTIFICATE, {}, page(200, "NONE"), "200, verify=NONE"),
    (K.NO_CERTIFICATE, {}, page(403, "NONE"), "403, verify=NONE"),
    (K.NO_CERTIFICATE, {}, page(400, "NONE", certificate_requested=False), "asked for no certificate"),
    (K.NO_CERTIFICATE, {"client_certificates": "none"}, page(200, "NONE"), "asked"),
    (K.NO_CERTIFICATE, {}, page(400, "NONE", generation=2), "generation 2"),
    (K.GOOD, {}, foreign_page(200), "200"),
    (K.GOOD, {}, page(400, REVOKED), "400"),
    (K.GOOD, {"has_allow": True}, page(200, "SUCCESS"), "200"),
    (K.GOOD, {}, Observation(closed=True), "closed without an answer"),
    (K.FOREIGN, {}, page(400, "SUCCESS"), "verify=SUCCESS"),
    (K.REVOKED, {}, page(400, "SUCCESS"), "verify=SUCCESS"),
    (K.REVOKED, {"revocation": "map", "asks_responder": True}, page(400, "SUCCESS"), "verify=SUCCESS"),
    (K.REVOKED, {"has_allow": True, "revocation": "map"}, page(403, "SUCCESS"), "403"),
    (K.RESUMED_AFTER_REVOCATION, {}, page(200, "SUCCESS", resumed=True), "session resumed"),
    (K.RESUMPTION, {}, page(200, "SUCCESS", resumed=True), "session resumed"),
    (K.EARLY_DATA, {}, page(200, "SUCCESS", early_data=16384), "offered, up to 16384 octets"),
    (K.EARLY_DATA, {}, page(403, "SUCCESS", early_data=1), "offered, up to 1 octets"),
    (K.NO_SNI, {}, Observation(alert="internal_error"), "alert internal_error"),
    (K.NO_SNI, {}, page(400, "NONE"), "400"),
    (K.OTHER_SNI, {}, page(200, "NONE"), "200"),
    (K.FORGED_HEADERS, {}, foreign_page(200, leaked=("X-SSL-Client-Verify",)), "upstream saw forged"),
    (K.FORGED_HEADERS, {}, foreign_page(400), "400"),
    (K.TLS_VERSION, {}, page(400, "NONE"), "400"),
    (K.PLAIN_ON_TLS_PORT, {}, Observation(status=200), "200"),
    (K.PLAIN_ON_TLS_PORT, {"generation": None}, Observation(error="connecting: connection refused"), "refused"),
    (K.REDIRECT, {}, Observation(status=301, location="http://panel.test/"), "301 to http://panel.test/"),
    (K.SERVER, {}, Observation(server_verify=(62, "hostname mismatch"), error="x"), "hostname mismatch (62)"),
    (K.SERVER, {}, page(400, "NONE", server_verify=(0, "ok"), server_certificate_serial=0xAB), "certificate AB"),
    (K.STAPLE, {}, Observation(staple=Staple("none came", StapleFault.ABSENT)), "none came"),
    (
        K.STAPLE, {"stapling": WELCOME}, Observation(staple=Staple("none came", StapleFault.ABSENT, demanded=True)),
        "none came",
    ),
    (K.STAPLE, {"stapling": WELCOME}, Observation(staple=Staple("expired", StapleFault.NOT_BELIEVED)), "expired"),
    (K.STAPLE, {}, Observation(alert="handshake_failure"), "alert handshake_failure"),
    (K.STAPLE, {}, Observation(error="asking for an OCSP response: connection refused"), "refused"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes", "seen"), PASSING)
def test_what_was_expected_passes(kind: K, changes: dict[str, Any], seen: Observation) -> None:
    """A passed row has no cause."""
    result = judge(row_of(kind, **changes), seen)
    assert result.passed, result.observed
    assert (result.cause, result.fix) == (None, None)


@pytest.mark.parametrize(("kind", "changes", "seen", "observed"), FAILING)
def test_what_was_not_expected_fails(kind: K, changes: dict[str, Any], seen: Observation, observed: str) -> None:
    """A failed row says what was seen."""
    result = judge(row_of(kind, **changes), seen)
    assert not result.passed
    assert observed in result.observed


def test_a_skipped_row_is_no_failure_and_says_why() -> None:
    """It passes, so that a proof can, and cannot be taken for one that was tried."""
    result = skip(row_of(K.GOOD), "no identity")
    assert (result.passed, result.skipped, result.observed) == (True, "no identity", "not tried")
