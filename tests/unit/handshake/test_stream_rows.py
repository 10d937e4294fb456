"""The rows of a stream site: which there are, and that an ended connection is not taken for a refusal too easily."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from counterseal.handshake.judge import judge
from counterseal.handshake.observation import BackendSight, Endpoint, Observation, ProbeIdentity
from counterseal.handshake.plan import plan
from counterseal.handshake.rows import Row, RowKind
from counterseal.handshake.site import BackendFacts, Backends, Identities, SiteFacts

K = RowKind
ONE = ProbeIdentity("one", b"", b"")
FACTS = SiteFacts("db", (Endpoint("127.0.0.1", 1),), "db.test", "required", generation=7, is_stream=True)
IDENTITIES = Identities(good=ONE, expired=ONE, foreign=ONE, server_purpose=ONE, other_client_ca=ONE, revoked=ONE)
CLOSED = Observation(tls_version="1.3", closed=True, certificate_requested=True)
LET_IN = Observation(tls_version="1.3", status=200, decision="admitted", generation=7, certificate_requested=True)
NOT_LISTED = replace(LET_IN, status=403, decision="refused")


def row_of(kind: RowKind, **changes: Any) -> Row:  # noqa: ANN401 - any of the facts
    """Return the row of that kind."""
    rows = plan(replace(FACTS, trust_anchors=b"x", **changes), replace(IDENTITIES, backends=Backends(foreign=ONE)))
    return next(row for row in rows if row.kind is kind)


def test_a_stream_is_tried_with_every_client_and_no_name() -> None:
    """Nothing about pages, paths, headers or server names."""
    kinds = {row.kind for row in plan(FACTS, IDENTITIES)}
    assert kinds == {
        K.SERVER, K.NO_CERTIFICATE, K.GOOD, K.EXPIRED, K.FOREIGN, K.SERVER_PURPOSE, K.OTHER_CLIENT_CA, K.REVOKED,
        K.RESUMPTION, K.RESUMED_AFTER_REVOCATION, K.PLAIN_ON_TLS_PORT,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes", "seen", "words"),
    [
        (K.GOOD, {}, LET_IN, None),
        (K.GOOD, {}, CLOSED, "nginx ends the connection of a good client"),
        (K.GOOD, {"has_allow": True}, NOT_LISTED, None),
        (K.GOOD, {"has_allow": True}, LET_IN, "lets in whoever connects"),
        (K.GOOD, {"has_allow": True}, CLOSED, "nginx ends the connection of a good client"),
        (K.NO_CERTIFICATE, {}, CLOSED, None),
        (K.NO_CERTIFICATE, {}, LET_IN, "lets in whoever connects"),
        (K.EXPIRED, {"has_allow": True}, NOT_LISTED, "lets in whoever connects"),
        (K.REVOKED, {}, LET_IN, "the revocation is not in force"),
        (K.RESUMPTION, {}, replace(LET_IN, resumed=True), "TLS sessions are on"),
        (K.SERVER, {}, replace(CLOSED, server_verify=(0, "ok")), None),
        (K.PLAIN_ON_TLS_PORT, {}, Observation(closed=True), None),
    ],
)
def test_a_stream_row_is_judged(kind: RowKind, changes: dict[str, Any], seen: Observation, words: str | None) -> None:
    """With the cause of what is wrong."""
    result = judge(row_of(kind, **changes), seen)
    assert result.passed is (words is None), result
    assert words is None or words in (result.cause or "")


@pytest.mark.parametrize(
    "seen",
    [
        Observation(error="connecting: connection refused"),
        Observation(closed=True),
        Observation(tls_version="1.3", error="no end within 5 s, waiting for the answer"),
        Observation(alert="internal_error", closed=True),
    ],
    ids=["nobody listens", "ended before the handshake", "no end", "alert"],
)
def test_not_every_silence_is_a_refusal(seen: Observation) -> None:
    """An nginx that is not there, or hangs, proves no lock-out."""
    assert not judge(row_of(K.NO_CERTIFICATE), seen).passed


@pytest.mark.parametrize(
    ("sight", "passed"), [(BackendSight(), True), (None, False), (BackendSight(reached=True), False)]
)
def test_before_a_backend_of_another_ca_a_good_client_is_led_to_an_impostor(
    sight: BackendSight | None, *, passed: bool
) -> None:
    """Nginx must knock there, and send nothing."""
    backend = BackendFacts(Path("/x"), ("/up",), is_ours=False)
    row = row_of(K.GOOD, backend=backend)
    assert row.backend is ONE
    assert judge(row, replace(CLOSED, backend=sight)).passed is passed
