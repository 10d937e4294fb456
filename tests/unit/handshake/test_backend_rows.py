"""The rows in which the prover plays the backend: which there are, and how they are judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterseal.handshake.backend_rows import KINDS
from counterseal.handshake.judge import judge
from counterseal.handshake.observation import BackendSight, Endpoint, Observation, ProbeIdentity
from counterseal.handshake.plan import plan
from counterseal.handshake.rows import Row, RowKind
from counterseal.handshake.site import BackendFacts, Backends, Identities, SiteFacts

ONE = ProbeIdentity("one", b"", b"")
BACKEND = BackendFacts(Path("/x"), ("/up",), client_serial=7)
FACTS = SiteFacts("panel", (Endpoint("127.0.0.1", 1),), "panel.test", "required", generation=1, backend=BACKEND)
ALL = Backends(ONE, ONE, ONE, ONE, ONE, ONE, ONE)


def backend_rows_of(facts: SiteFacts, backends: Backends) -> dict[RowKind, Row]:
    """Return the rows about backends."""
    rows = plan(facts, Identities(good=ONE, backends=backends))
    return {row.kind: row for row in rows if row.kind in KINDS}


def test_every_kind_is_played() -> None:
    """By a client whom the site admits, at the place that leads to the prover."""
    rows = backend_rows_of(FACTS, ALL)
    assert set(rows) == KINDS
    assert {row.attempt.path for row in rows.values() if row.attempt} == {"/up"}
    assert all(row.attempt and row.attempt.identity is ONE and row.backend is ONE for row in rows.values())


def test_of_another_ca_only_impostors_without_its_key_can_be_played() -> None:
    """The others say why they are skipped; nginx's certificate is seen by an impostor, too."""
    facts = replace(FACTS, backend=replace(BACKEND, is_ours=False))
    rows = backend_rows_of(facts, Backends(foreign=ONE, forged=ONE))
    assert {kind for kind, row in rows.items() if row.skipped is None} == {
        RowKind.BACKEND_FOREIGN,
        RowKind.BACKEND_FORGED,
        RowKind.BACKEND_SEES,
    }
    assert rows[RowKind.BACKEND_GOOD].skipped == "the CA of the backend is not ours, or is revoked"


def test_nginx_without_a_certificate_has_no_row_for_it() -> None:
    """Nothing is expected to be shown."""
    facts = replace(FACTS, backend=replace(BACKEND, client_serial=None))
    assert RowKind.BACKEND_SEES not in backend_rows_of(facts, ALL)


@pytest.mark.parametrize(
    ("kind", "status", "sight", "words"),
    [
        (RowKind.BACKEND_GOOD, 200, BackendSight(reached=True), None),
        (RowKind.BACKEND_GOOD, 502, BackendSight(), "nginx takes no backend"),
        (RowKind.BACKEND_GOOD, 502, None, "did not connect"),
        (RowKind.BACKEND_FOREIGN, 502, BackendSight(), None),
        (RowKind.BACKEND_FOREIGN, 502, None, "did not connect"),
        (RowKind.BACKEND_FOREIGN, 200, BackendSight(reached=True), "does not verify its backend"),
        (RowKind.BACKEND_REVOKED, 502, BackendSight(reached=True), "does not verify its backend"),
        (RowKind.BACKEND_SEES, 200, BackendSight(reached=True, client_serial=7), None),
        (RowKind.BACKEND_SEES, 200, BackendSight(reached=True), "sees no certificate of nginx"),
        (RowKind.BACKEND_SEES, 502, BackendSight(client_serial=8), "sees no certificate of nginx"),
    ],
)
def test_what_arrives_decides(kind: RowKind, status: int, sight: BackendSight | None, words: str | None) -> None:
    """A 502 alone is no proof: nginx must have connected, and no request may have come."""
    result = judge(backend_rows_of(FACTS, ALL)[kind], Observation(status=status, tls_version="1.3", backend=sight))
    assert result.passed is (words is None)
    assert words is None or words in (result.cause or "")
