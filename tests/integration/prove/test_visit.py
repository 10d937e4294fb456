"""A server by its URL: what a visitor learns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import InputError
from counterseal.handshake.prove import prove
from counterseal.handshake.rows import RowKind
from counterseal.handshake.site import Identities
from counterseal.handshake.visit import facts_of_url
from prove_bench import ProveBench, nginx_binaries

if TYPE_CHECKING:
    from pathlib import Path

BINARIES = nginx_binaries()


@pytest.mark.nginx
@pytest.mark.parametrize("binary", BINARIES.values(), ids=list(BINARIES))
def test_what_a_visitor_learns(binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for, over which TLS, and whether the pages are ours."""
    monkeypatch.setattr("counterseal.handshake.connect._resolve", lambda *_: ["127.0.0.1"])
    with ProveBench(tmp_path, binary) as bench:
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        port = bench.ports[0]
        panel, other, mixed = (
            facts_of_url(f"https://{site}.prove.test:{port}/app") for site in ("panel", "other", "mixed")
        )
        meant = facts_of_url(f"https://other.prove.test:{port}", client_certificates="required")
        proof, contrary = prove(panel, bench.pki.identities), prove(meant, Identities())
    assert [facts.client_certificates for facts in (panel, other, mixed)] == ["required", "none", "optional"]
    assert (panel.generation, panel.tls_versions, panel.path) == (1, ("1.2", "1.3"), "/.well-known/counterseal")
    assert [(row.row.title, row.observed) for row in proof.failed] == []
    assert RowKind.NO_CERTIFICATE in {row.row.kind for row in contrary.failed}


@pytest.mark.nginx
def test_an_address_in_the_url(tmp_path: Path) -> None:
    """Clients send no SNI for an address, and a default server that rejects names answers nobody."""
    with ProveBench(tmp_path, next(iter(BINARIES.values()))) as bench:
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        facts = facts_of_url(f"https://127.0.0.1:{bench.ports[0]}/")
        proof = prove(facts, Identities())
    assert facts.server_name == "127.0.0.1"
    assert any("unrecognized_name" in row.observed for row in proof.failed)


@pytest.mark.parametrize(
    "url", ["http://a.test/", "a.test", "https://", "https://a.test:99999/", "https://u@a.test/", "https://[::1/"]
)
def test_what_is_no_https_url(url: str) -> None:
    """Nothing is connected to."""
    with pytest.raises(InputError, match="URL"):
        facts_of_url(url)
