"""A site that asks a responder about its clients: the proof sees what it says, and whether it is asked at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.plan import plan
from counterseal.handshake.prove import prove_rows
from counterseal.handshake.rows import RowKind
from counterseal.nginx.ocsp import OCSP
from counterseal.nginx.site import Listen, Revocation
from integration.nginx.responders import responder
from integration.prove.test_rendered_sites import PKI, facts_of, files_of, make_site
from nginx_process import nginx_binary, nginx_version, private_nginx, serve
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.rows import RowResult
    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

__all__ = ["nginx_binary", "nginx_version", "private_nginx"]

pytestmark = pytest.mark.nginx
TRIED = frozenset({RowKind.GOOD, RowKind.REVOKED})


def look(nginx: PrivateNginx, version: NginxVersion, responder_port: int) -> dict[RowKind, RowResult]:
    """Serve a site that asks this responder and has no list, and return what its proof says; 30 s a connection."""
    listen, redirecting = ((Listen("127.0.0.1", free_port()),) for _ in range(2))
    asking = OCSP(f"http://127.0.0.1:{responder_port}/")
    site = make_site("panel", listen=listen, redirect_from=redirecting, revocation=Revocation.MAP, ocsp=asking)
    sites = [site]
    serve(nginx, files_of(sites, nginx, version, generation=1), ("127.0.0.1", listen[0].port))
    facts = facts_of(sites, nginx, generation=1)
    rows = [row for row in plan(facts, PKI.identities, timeout=30) if row.kind in TRIED and row.tls_version == "1.3"]
    found = {result.row.kind: result for result in prove_rows(facts, rows, timeout=30).rows}
    nginx.stop()
    return found


def test_what_the_responder_says_is_proved(
    private_nginx: PrivateNginx, nginx_version: NginxVersion, tmp_path: Path
) -> None:
    """Revoked by its word; or by the map alone, which fails; or gone, and nobody gets in, which fails and says why."""
    with responder(tmp_path, PKI.client_ca, [PKI.good], [PKI.revoked]) as port:
        right = look(private_nginx, nginx_version, port)
    assert {kind: row.observed for kind, row in right.items() if not row.passed} == {}
    assert right[RowKind.REVOKED].observed == "400 Bad Request, verify=FAILED:certificate revoked"
    with responder(tmp_path, PKI.client_ca, [PKI.good, PKI.revoked]) as port:
        forgetful = look(private_nginx, nginx_version, port)
    assert {kind: row.passed for kind, row in forgetful.items()} == {RowKind.GOOD: True, RowKind.REVOKED: False}
    assert "the responder says good" in (forgetful[RowKind.REVOKED].cause or "")
    with responder(tmp_path, PKI.client_ca, []) as port:
        ignorant = look(private_nginx, nginx_version, port)
    assert "does not know the certificate" in (ignorant[RowKind.GOOD].cause or "")
    gone = look(private_nginx, nginx_version, free_port())
    assert "got no answer about the certificate" in (gone[RowKind.GOOD].cause or "")
    assert not gone[RowKind.GOOD].passed
