"""Chains and lists of CAs that fill several records, and such that are more than OpenSSL or TLS takes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest

from broken_setups import anchors
from counterseal.handshake.examine import examine
from counterseal.handshake.explain.checks import Anchors
from counterseal.handshake.explain.explanation import explain
from counterseal.handshake.explain.modes import Mode
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import Dial
from foreign_servers import openssl_serving
from pki_fixtures import make_ca, new_key
from prove_bench import ProveBench, nginx_binaries, wait_for_line
from prove_pki import CLIENT_CA_FILE, DOMAIN, certificate_pem, identity_of, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.observation import TLSVersion
    from pki_fixtures import Issued

PKI = prove_pki()
HOST = f"panel.{DOMAIN}"
RECORD = 16 * 1024
VERSIONS: tuple[TLSVersion, ...] = ("1.2", "1.3")


@cache
def others(count: int) -> tuple[Issued, ...]:
    """Return CAs that have nothing to do with it, with long names."""
    key = new_key()
    return tuple(make_ca(f"another {number} {'x' * 40}", key=key, organization="y" * 60) for number in range(count))


def meet(path: Path, version: TLSVersion, *, chain: int, named: int) -> Explanation:
    """Return what is said of a server that sends so many others in its chain, and names so many, to a client's like."""
    server = certificate_pem(PKI.server, PKI.server_ca, *others(chain)) + key_pem(PKI.server)
    (path / "server.pem").write_bytes(server)
    (path / "client-ca.pem").write_bytes(certificate_pem(PKI.root, PKI.client_ca, *others(named)))
    identity = identity_of("good", PKI.good, PKI.client_ca, *others(chain))
    files = ("-cert", "server.pem", "-cert_chain", "server.pem", "-CAfile", "client-ca.pem")
    with openssl_serving(path, *files, "-Verify", "3", "-www") as port:
        what = Dial(Endpoint("127.0.0.1", port), HOST, HOST, tls_version=version, identity=identity, timeout=30)
        return explain(examine(what), name=HOST, anchors=Anchors(anchors()["root"]), at=datetime.now(UTC))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_messages_of_several_records(version: TLSVersion, tmp_path: Path) -> None:
    """Both chains and the request are read whole, and the certificates beside the path change nothing."""
    found = meet(tmp_path, version, chain=50, named=150)
    sizes = [rung.size or 0 for rung in found.ladder if rung.name in {"Certificate", "CertificateRequest"}]
    assert len(sizes) == 3
    assert min(sizes) > RECORD
    assert found.mode is Mode.REQUIRED
    assert (found.diagnosis, found.server_diagnosis) == (None, None)
    assert found.server_checks is not None
    assert len(found.server_checks.certificates) == 3


def test_more_than_a_client_takes(tmp_path: Path) -> None:
    """OpenSSL ends the handshake at 100 KB of certificates."""
    found = meet(tmp_path, "1.2", chain=300, named=0).diagnosis
    assert found is not None
    assert "excessive message size" in found.happened
    assert "a bundle of CAs stands in its chain" in found.cause


@pytest.mark.nginx
@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
def test_more_names_of_cas_than_a_message_holds(binary: Path, tmp_path: Path) -> None:
    """64 KB of them, as in a bundle of public CAs: nginx takes the file, and then no handshake comes about."""
    with ProveBench(tmp_path, binary) as bench:
        files = bench.pki.files(leaver_revoked=False)
        bench.install(files | {CLIENT_CA_FILE: files[CLIENT_CA_FILE] + certificate_pem(*others(500))})
        assert bench.test()[0] == 0
        bench.start()
        for version in VERSIONS:
            what = Dial(bench.endpoints[0], HOST, HOST, tls_version=version, timeout=30)
            explained = explain(examine(what), name=HOST, anchors=Anchors(anchors()["root"]), at=datetime.now(UTC))
            found = explained.diagnosis
            assert found is not None
            assert "more than the 64 KB that fit" in found.cause
            assert found.directive == "ssl_client_certificate"
            assert found.log is not None
            wait_for_line(tmp_path / "error.log", found.log)
