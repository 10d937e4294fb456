"""A hybrid group that is agreed on by the real client and the real nginx, both with an OpenSSL that knows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from broken_sites import Edit
from command import counterseal
from newer_openssl import newer_openssl
from prove_bench import ProveBench, nginx_binaries
from prove_pki import certificate_pem, key_pem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["newer_openssl"]  # a fixture

pytestmark = [pytest.mark.nginx, pytest.mark.usefixtures("newer_openssl")]
HYBRID = "X25519MLKEM768 (post-quantum hybrid: x25519 and ML-KEM-768)"


@pytest.fixture(scope="module")
def bench(newer_openssl: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProveBench]:
    """Run nginx with the groups that OpenSSL takes by itself; its site ``other`` is on the second port alone."""
    del newer_openssl
    with ProveBench(tmp_path_factory.mktemp("hybrid"), nginx_binaries()["system"]) as running:
        running.install(running.pki.files(leaver_revoked=False))
        good = running.pki.good
        (running.directory / "good.pem").write_bytes(certificate_pem(good, running.pki.client_ca) + key_pem(good))
        (running.directory / "root.pem").write_bytes(certificate_pem(running.pki.root))
        running.start()
        yield running


def look(bench: ProveBench, *options: str, code: int = 0) -> dict[str, Any]:
    """Run the command as a good client, in a process that has the newer OpenSSL too."""
    target = ("--connect", "127.0.0.1", "--trust", str(bench.directory / "root.pem"))
    own = ("--cert", str(bench.directory / "good.pem"))
    name = f"panel.prove.test:{bench.ports[0]}"
    ran = counterseal(bench.directory / "no-ca", "handshake", name, *target, *own, "--json", *options)
    assert ran.code == code, ran
    found: dict[str, Any] = json.loads(ran.stdout)["handshake"]
    return found


def test_a_hybrid_group_is_agreed_on(bench: ProveBench) -> None:
    """The whole explanation: what was offered, what was chosen, how large it is, and what the keys come from."""
    page = bench.directory / "page.html"
    found = look(bench, "--html", str(page))
    assert (found["version"], found["group"], found["post_quantum"]) == ("TLS 1.3", "X25519MLKEM768", True)
    rows = {row["name"]: row for row in found["ladder"] if row["sender"] == "client" or row["name"] == "ServerHello"}
    offered, chosen = rows["ClientHello"], rows["ServerHello"]
    assert offered["fields"]["groups"].startswith(f"{HYBRID}, x25519, ")
    assert chosen["fields"]["group"] == HYBRID
    assert offered["size"] > 1184 + 32  # the share of the client, draft-ietf-tls-ecdhe-mlkem 4.1
    assert chosen["size"] > 1088 + 32  # and of the server
    assert any(f"the two key shares in {HYBRID}" in step for step in found["keys"]["steps"])
    assert (found["keys"]["forward_secret"], found["keys"]["post_quantum"]) == (True, True)
    assert (found["client_certificates"]["mode"], found["diagnosis"]) == ("required", None)
    assert page.read_text().count(HYBRID) >= 3


def test_there_is_none_in_tls_12(bench: ProveBench) -> None:
    """It is not offered there, and what is agreed on is no hybrid."""
    found = look(bench, "--tls", "1.2")
    assert (found["group"], found["post_quantum"], found["keys"]["post_quantum"]) == ("x25519", False, False)


def test_a_server_that_takes_nothing_else(bench: ProveBench) -> None:
    """Who speaks TLS 1.2 alone has no group in common with it; who knows the hybrid one gets in."""
    edit = Edit(r"map_hash_bucket", r"ssl_ecdh_curve X25519MLKEM768; \g<0>", everywhere=True)
    bench.texts[edit.file] = edit.apply(bench.texts[edit.file], "panel")
    bench.install(bench.pki.files(leaver_revoked=False))
    bench.reload()
    assert look(bench)["group"] == "X25519MLKEM768"
    refused = look(bench, "--tls", "1.2", code=1)["diagnosis"]
    assert "the server takes nothing of TLS 1.2" in refused["cause"]
    assert refused["fix"].startswith("leave out --tls")
