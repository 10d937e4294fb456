"""Every broken set-up is explained by its true cause, against both real nginx."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import broken_extensions
from broken_setups import SETUPS, Chain, Setup, clients, files
from broken_sites import Edit
from command import here
from counterseal.handshake.explain.nginx_log import LogHint
from foreign_servers import openssl_serving
from meeting import Met, coming_with, meet, trusting
from pki_fixtures import make_client, make_server, new_key
from prove_bench import ProveBench, nginx_binaries, wait_for_line
from prove_pki import DOMAIN, certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pki_fixtures import Issued

CASES = [
    pytest.param(setup, binary, id=f"{name}-{kind}")
    for kind, binary in nginx_binaries().items()
    for name, setup in (SETUPS | broken_extensions.SETUPS).items()
]
_STOCK = Edit(r"include pages.conf;")


def install(bench: ProveBench, setup: Setup) -> None:
    """Write the right files with the wrong one among them, and start nginx; it must take them without a word."""
    for edit in (*setup.edits, *((_STOCK,) if setup.stock else ())):
        bench.texts[edit.file] = edit.apply(bench.texts[edit.file], setup.site)
    wrong: dict[str, bytes] = {}
    if setup.files is not None:
        own = (files() | broken_extensions.files()).get(setup.files)
        wrong = own if own is not None else bench.pki.variant(setup.files, leaver_revoked=False)
    bench.install(bench.pki.files(leaver_revoked=False) | wrong)
    assert bench.test()[0] == 0, bench.test()[1]
    bench.start()


def everybody() -> dict[str, Chain]:
    """Return all clients by name."""
    return clients() | broken_extensions.clients()


def look(bench: ProveBench, setup: Setup) -> Met:
    """Meet the server as the client of the set-up, with the command."""
    directory, host = bench.directory, setup.target or f"{setup.site}.{DOMAIN}"
    options = [
        *("--connect", "127.0.0.1"),
        *coming_with(directory, everybody()[setup.client] if setup.client else None),
        *trusting(directory, setup.trust),
        *("--path", setup.path, "--alpn", ",".join(setup.protocols)),
        *(("--no-sni",) if setup.nameless else ()),
        *(("--sni", setup.sni) if setup.sni else ()),
        *(("--tls", setup.tls) if setup.tls else ()),
    ]
    return meet(directory, f"{host}:{bench.ports[2 if setup.plain_port else 0]}", *options)


@pytest.mark.nginx
@pytest.mark.parametrize(("setup", "binary"), CASES)
def test_the_cause_that_is_named_is_the_true_one(setup: Setup, binary: Path, tmp_path: Path) -> None:
    """With a fix beside it and its exit code; and where only one side is at fault, the other is not blamed."""
    with ProveBench(tmp_path, binary) as bench:
        install(bench, setup)
        met = look(bench, setup)
        if met.found["lack"] is not None:
            wait_for_line(tmp_path / "error.log", LogHint(**met.found["diagnosis"]["log"]))
    (failure,) = met.failures
    assert failure is met.found["server_diagnosis" if setup.fault == "server" else "diagnosis"], met
    assert setup.words in failure["cause"], failure
    assert failure["fix"]
    assert failure["code"] == setup.code, failure
    assert met.code == (3 if met.found["established"] else 1), met


def test_there_are_enough_of_them() -> None:
    """Forty at the least."""
    assert len(SETUPS) >= 40


@pytest.mark.nginx
def test_a_certificate_that_a_browser_would_withhold(tmp_path: Path) -> None:
    """Of the one that the client comes with it is said whether it matches what the server asks for, and why not."""
    with ProveBench(tmp_path, nginx_binaries()["system"]) as bench:
        install(bench, SETUPS["client: no certificate"])
        good, foreign, expired = (own_of(bench, client) for client in ("good", "foreign", "expired"))
    assert (good["fits"], good["offered_by_browser"], good["reasons"]) == (True, True, [])
    assert (foreign["fits"], foreign["offered_by_browser"]) == (False, False)
    assert foreign["reasons"] == ["its CA is not among the accepted ones: CN=Lone Root"]
    assert (expired["fits"], expired["offered_by_browser"]) == (True, False)


def own_of(bench: ProveBench, client: str) -> dict[str, Any]:
    """Come as this client, and return what is said of its certificate."""
    (own,) = look(bench, replace(SETUPS["client: no certificate"], client=client)).found["client_certificates"]["own"]
    return dict(own)


@pytest.mark.nginx
def test_a_certificate_withheld_for_the_list_of_cas_is_the_cause(tmp_path: Path) -> None:
    """The only one that the CA here has is of a CA that the server does not name."""
    home = tmp_path / "no-ca"  # it has one now
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "alice", "--out", str(tmp_path / "out"), "--no-p12").code == 0
    with ProveBench(tmp_path, nginx_binaries()["system"]) as bench:
        install(bench, SETUPS["client: no certificate"])
        met = meet(tmp_path, f"panel.{DOMAIN}:{bench.ports[0]}", "--connect", "127.0.0.1", *trusting(tmp_path, "root"))
    assert met.code == 3
    cause, fix = met.found["diagnosis"]["cause"], met.found["diagnosis"]["fix"]
    assert "none of those at hand is what the server asks for" in cause
    assert "alice (its CA is not among the accepted ones: " in cause
    assert "put the CA of this one into ssl_client_certificate" in fix


def test_a_key_that_does_not_belong_to_its_certificate(tmp_path: Path) -> None:
    """Refused before anything is sent."""
    good, ca = clients()["good"]
    (tmp_path / "client.pem").write_bytes(certificate_pem(good, ca) + key_pem(ca))
    ran = here(tmp_path / "no-ca", "handshake", "127.0.0.1:9", "--cert", str(tmp_path / "client.pem"))
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: the private key does not belong to the first certificate: client.pem\nhint: ")


def test_a_key_below_the_security_level(tmp_path: Path) -> None:
    """RSA of 1024 bits is not even loaded at OpenSSL's level 2."""
    _, ca = clients()["good"]
    weak = make_client(ca, "weak", key=new_key("rsa-1024"))
    ran = here(tmp_path / "no-ca", "handshake", "127.0.0.1:9", *coming_with(tmp_path, (weak, ca)))
    assert (ran.code, ran.stdout) == (1, "")
    said, hint = ran.stderr.splitlines()
    assert said == "error: OpenSSL does not take the certificate and key of client.pem: ee key too small"
    assert hint.startswith("hint: its security level (2) wants RSA of 2048 bits")


@contextlib.contextmanager
def openssl_with(directory: Path, server: Issued, *options: str) -> Iterator[str]:
    """Run ``openssl s_server`` with this certificate, and yield what a client of it types."""
    ca = prove_pki().server_ca
    (directory / "server.pem").write_bytes(certificate_pem(server, ca) + key_pem(server))
    own = ("-cert", "server.pem", "-cert_chain", "server.pem", "-key", "server.pem", "-www")
    with openssl_serving(directory, *own, *options) as port:
        yield f"panel.{DOMAIN}:{port}"


@pytest.mark.parametrize(
    ("key", "options", "words", "code"),
    [
        ("rsa-1024", ("-cipher", "ALL:@SECLEVEL=0"), "the key of the server certificate is too weak", 3),
        ("rsa-2048", ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "neither TLS 1.3 nor TLS 1.2", 1),
    ],
)
def test_a_server_below_the_security_level(
    key: str, options: tuple[str, ...], words: str, code: int, tmp_path: Path
) -> None:
    """A weak key is seen by the checks; an old version ends the handshake."""
    server = make_server(prove_pki().server_ca, f"panel.{DOMAIN}", key=new_key(key))
    with openssl_with(tmp_path, server, *options) as target:
        met = meet(tmp_path, target, "--connect", "127.0.0.1", *trusting(tmp_path, "root"))
    assert words in met.failures[-1]["cause"]
    assert met.code == code


def test_a_key_whose_signatures_the_server_does_not_take(tmp_path: Path) -> None:
    """The certificate stays at home, and the missing certificate is not the cause."""
    with openssl_with(tmp_path, prove_pki().server, "-Verify", "3", "-client_sigalgs", "ed25519") as target:
        good = coming_with(tmp_path, clients()["good"])
        met = meet(tmp_path, target, "--connect", "127.0.0.1", *good, *trusting(tmp_path, "root"))
    assert "takes no signature by its kind of key" in met.found["diagnosis"]["cause"]
    assert met.code == 3


def test_a_server_that_names_no_cas(tmp_path: Path) -> None:
    """Whom it trusts is not known here: a good certificate is not said to be at fault, nor a bad one to be unknown."""
    words = {"good": "the server trusts no CA above", "expired": "has expired"}
    options = ("-Verify", "3", "-verify_return_error", "-no-CAfile", "-no-CApath")
    with openssl_with(tmp_path, prove_pki().server, *options) as target:
        for client, cause in words.items():
            own = coming_with(tmp_path, clients()[client])
            met = meet(tmp_path, target, "--connect", "127.0.0.1", *own, *trusting(tmp_path, "root"))
            assert met.found["client_certificates"]["accepted_authorities"] == []
            assert cause in met.found["diagnosis"]["cause"]
            assert met.code == 3
