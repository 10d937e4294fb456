"""``verify --like nginx`` speaks for the nginx that is installed and its OpenSSL, and says what that one answers."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from command import here
from integration.nginx_verify.lab import NOW, Shown, authority, client, crl, roots
from integration.nginx_verify.server import Files, Server

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx


def test_what_a_delta_does_is_said_for_the_openssl_of_the_installed_nginx(
    private_nginx: PrivateNginx, nginx_version: NginxVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lets the client in, another refuses everybody; each is told what the other would do."""
    alice = client("alice", authority("rootA")).make()
    delta = crl("rootA", extensions=((x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True)))
    paths = {name: tmp_path / f"{name}.pem" for name in ("alice", "ca", "crl")}
    for name, one in (("alice", alice.certificate), ("ca", roots("rootA")[0]), ("crl", delta)):
        paths[name].write_bytes(one.public_bytes(Encoding.PEM))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nginx").symlink_to(private_nginx.binary)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    server = Server(private_nginx)
    server.add("delta", Files(paths["ca"].read_bytes(), crl=paths["crl"].read_bytes()))
    server.start()

    seen = server.ask("delta", Shown("alice", (alice,)))
    words = ("--trust", str(paths["ca"]), "--crl", str(paths["crl"]), "--at", NOW.isoformat())
    ran = here(tmp_path, "verify", str(paths["alice"]), "--like", "nginx", *words, "--json")

    told = json.loads(ran.stdout)["verify"]["nginx"]
    assert nginx_version.openssl is not None
    assert told["who"] == f"nginx {nginx_version} with OpenSSL {'.'.join(map(str, nginx_version.openssl))}"
    assert (told["code"] or 200, told["ssl_client_verify"], told["error"]) == (seen.code, seen.verify, seen.error)
    assert ran.code == (0 if seen.code == 200 else 3)
    assert [other["code"] for other in told["elsewhere"]] == [495 if seen.code == 200 else None]
