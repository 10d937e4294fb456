"""Chains and lists of CAs that fill several records, and such that are more than OpenSSL or TLS takes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.explain.nginx_log import LogHint
from foreign_servers import openssl_serving
from meeting import Met, coming_with, meet, trusting
from pki_fixtures import make_ca, new_key
from prove_bench import ProveBench, nginx_binaries, wait_for_line
from prove_pki import CLIENT_CA_FILE, DOMAIN, certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

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


def look(path: Path, version: TLSVersion, *, chain: int, named: int) -> Met:
    """Return what is said of a server that sends so many others in its chain, and names so many, to a client's like."""
    server = certificate_pem(PKI.server, PKI.server_ca, *others(chain)) + key_pem(PKI.server)
    (path / "server.pem").write_bytes(server)
    (path / "client-ca.pem").write_bytes(certificate_pem(PKI.root, PKI.client_ca, *others(named)))
    files = ("-cert", "server.pem", "-cert_chain", "server.pem", "-CAfile", "client-ca.pem")
    with openssl_serving(path, *files, "-Verify", "3", "-www") as port:
        client = coming_with(path, (PKI.good, PKI.client_ca, *others(chain)))
        return meet(
            path, f"{HOST}:{port}", "--connect", "127.0.0.1", "--tls", version, *trusting(path, "root"), *client
        )


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_messages_of_several_records(version: TLSVersion, tmp_path: Path) -> None:
    """Both chains and the request are read whole, and the certificates beside the path change nothing."""
    met = look(tmp_path, version, chain=50, named=150)
    sizes = [row["size"] for row in met.found["ladder"] if row["name"] in {"Certificate", "CertificateRequest"}]
    assert len(sizes) == 3
    assert min(sizes) > RECORD
    assert met.found["client_certificates"]["mode"] == "required"
    assert (met.code, met.failures) == (0, [])
    assert len(met.found["server_checks"]["path"]) == 3


def test_more_than_a_client_takes(tmp_path: Path) -> None:
    """OpenSSL ends the handshake at 100 KB of certificates."""
    met = look(tmp_path, "1.2", chain=300, named=0)
    assert met.code == 1
    assert "excessive message size" in met.found["diagnosis"]["happened"]
    assert "a bundle of CAs stands in its chain" in met.found["diagnosis"]["cause"]


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
            target = (f"{HOST}:{bench.ports[0]}", "--connect", "127.0.0.1", "--tls", version)
            met = meet(tmp_path, *target, *trusting(tmp_path, "root"))
            found = met.found["diagnosis"]
            assert met.code == 1
            assert "more than the 64 KB that fit" in found["cause"]
            assert found["directive"] == "ssl_client_certificate"
            wait_for_line(tmp_path / "error.log", LogHint(**found["log"]))
