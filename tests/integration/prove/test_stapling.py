"""The row about a stapled OCSP response, where all is well and where none has to come; broken ones are in the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from broken_sites import BROKEN_SITES
from counterseal.handshake.plan import plan
from counterseal.handshake.prove import prove_rows
from counterseal.handshake.rows import RowKind
from counterseal.handshake.site import Stapling
from pki_fixtures import Issued, remade
from prove_bench import ProveBench, nginx_binaries
from prove_pki import SERVER_CHAIN_FILE, certificate_pem, prove_pki
from stapling import STAPLE_FILE, response

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.rows import RowResult
    from counterseal.handshake.site import SiteFacts

PKI = prove_pki()
WITH_A_FILE = next(broken for broken in BROKEN_SITES if broken.files == "staple-stale")
STAPLES = Stapling(lambda: datetime.now(UTC), meant=True)
MAY = replace(STAPLES, meant=False)
DEMAND = (x509.TLSFeature([x509.TLSFeatureType.status_request]),)


def look(facts: SiteFacts) -> RowResult:
    """Return what the one row of this kind at the first address says; 30 s for each connection."""
    facts = replace(facts, endpoints=facts.endpoints[:1])
    rows = [row for row in plan(facts, PKI.identities, timeout=30) if row.kind is RowKind.STAPLE]
    return prove_rows(facts, rows).rows[0]


def files(server: Issued, answer: bytes = b"") -> dict[str, bytes]:
    """Return what nginx serves, with this certificate and this response."""
    chain = certificate_pem(server, PKI.server_ca)
    return PKI.files(leaver_revoked=False) | {SERVER_CHAIN_FILE: chain} | ({STAPLE_FILE: answer} if answer else {})


@pytest.mark.nginx
@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
def test_a_response_that_is_good_and_one_that_need_not_come(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good one passes; none passes where nobody wants one, and not where the certificate demands one."""
    monkeypatch.setattr("counterseal.handshake.staple_watch.PATIENCE", 0.2)
    demanding = remade(PKI.server, PKI.server_ca, add=DEMAND)
    with ProveBench(tmp_path, binary) as bench:
        bench.install(files(PKI.server))
        bench.start()
        facts = replace(bench.facts("panel"), stapling=MAY)
        assert (look(facts).passed, look(facts).observed) == (True, "no OCSP response came")
        bench.install(files(demanding))
        bench.reload()
        demanded = look(facts)
        bench.break_site(WITH_A_FILE)
        bench.install(files(demanding, response(demanding, PKI.server_ca)))
        bench.reload()
        assert look(bench.facts("panel")).observed.startswith("good; from ")
        assert look(replace(bench.facts("panel"), tls_versions=("1.3",))).observed.startswith("good; from ")
    assert (demanded.passed, "must-staple" in demanded.observed) == (False, True)
    assert "got no answer from the responder" in (demanded.cause or "")
