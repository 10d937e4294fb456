"""Every broken set-up is explained by its true cause, against both real nginx."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import broken_extensions
from broken_setups import SETUPS, Chain, Setup, anchors, clients, files
from broken_sites import Edit
from counterseal.errors import KeyAccessError
from counterseal.handshake.client_context import client_context
from counterseal.handshake.examine import examine
from counterseal.handshake.explain.checks import Anchors
from counterseal.handshake.explain.explanation import Explanation, explain
from counterseal.handshake.explain.matching import OwnCertificate
from counterseal.handshake.observation import Endpoint, ProbeIdentity
from counterseal.handshake.trace.dial import Dial
from foreign_servers import openssl_serving
from pki_fixtures import make_client, make_server, new_key
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, certificate_pem, identity_of, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

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


def look(bench: ProveBench, setup: Setup, *, own: tuple[OwnCertificate, ...] = ()) -> Explanation:
    """Meet the server as the client of the set-up, and explain it."""
    host = setup.target or f"{setup.site}.{DOMAIN}"
    what = Dial(
        endpoint=Endpoint("127.0.0.1", bench.ports[2] if setup.plain_port else bench.ports[0]),
        server_name=None if setup.nameless else setup.sni or host,
        host_header=host,
        path=setup.path,
        tls_version=setup.tls,
        identity=identity_of(setup.client, *everybody()[setup.client]) if setup.client else None,
        protocols=setup.protocols,
    )
    trusted = Anchors(for_servers=anchors()[setup.trust])
    return explain(examine(what), name=host, own=own, anchors=trusted, at=datetime.now(UTC))


@pytest.mark.nginx
@pytest.mark.parametrize(("setup", "binary"), CASES)
def test_the_cause_that_is_named_is_the_true_one(setup: Setup, binary: Path, tmp_path: Path) -> None:
    """With a fix beside it; and where only one side is at fault, the other is not blamed."""
    with ProveBench(tmp_path, binary) as bench:
        install(bench, setup)
        explained = look(bench, setup)
    found = explained.server_diagnosis if setup.fault == "server" else explained.diagnosis
    other = explained.diagnosis if setup.fault == "server" else explained.server_diagnosis
    assert found is not None, explained
    assert setup.words in found.cause, found
    assert found.fix
    assert found.code == setup.code, found
    assert other is None, other


def test_there_are_enough_of_them() -> None:
    """Forty at the least."""
    assert len(SETUPS) >= 40


@pytest.mark.nginx
def test_a_certificate_that_a_browser_would_withhold(tmp_path: Path) -> None:
    """The client comes without one; of its own certificates it is said which does not match, and why."""
    with ProveBench(tmp_path, nginx_binaries()["system"]) as bench:
        install(bench, SETUPS["client: no certificate"])
        own = tuple(
            OwnCertificate(name, certificates_of(name)) for name in ("good", "foreign", "expired", "any usage only")
        )
        explained = look(bench, SETUPS["client: no certificate"], own=own)
    assert [match.name for match in explained.matches][0::3] == ["good", "foreign"]  # what fits comes first
    by_name = {match.name: match for match in explained.matches}
    good, foreign, expired = by_name["good"], by_name["foreign"], by_name["expired"]
    assert (good.fits, good.offered_by_browser, good.reasons) == (True, True, ())
    assert (foreign.fits, foreign.offered_by_browser) == (False, False)
    assert foreign.reasons == ("its CA is not among the accepted ones: CN=Lone Root",)
    assert (expired.fits, expired.offered_by_browser) == (True, False)
    assert explained.diagnosis is not None
    assert "none of those at hand" not in explained.diagnosis.cause


@pytest.mark.nginx
def test_a_certificate_withheld_for_the_list_of_cas_is_the_cause(tmp_path: Path) -> None:
    """The only one that there is comes from a CA that the server does not name."""
    with ProveBench(tmp_path, nginx_binaries()["system"]) as bench:
        install(bench, SETUPS["client: no certificate"])
        own = (OwnCertificate("foreign", certificates_of("foreign")),)
        explained = look(bench, SETUPS["client: no certificate"], own=own)
    assert explained.diagnosis is not None
    assert "none of those at hand is what the server asks for" in explained.diagnosis.cause
    assert "foreign (its CA is not among the accepted ones: CN=Lone Root)" in explained.diagnosis.cause
    assert "put the CA of this one into ssl_client_certificate" in explained.diagnosis.fix


def certificates_of(name: str) -> tuple[x509.Certificate, ...]:
    """Return a client's chain."""
    return tuple(issued.certificate for issued in clients()[name])


def test_a_key_that_does_not_belong_to_its_certificate() -> None:
    """Refused before anything is sent, with OpenSSL's reason."""
    good, ca = clients()["good"]
    wrong = ProbeIdentity("mixed up", certificate_pem(good, ca), key_pem(ca))
    with pytest.raises(KeyAccessError, match=r"(?i)mixed up: key.values.mismatch"):
        client_context(None, identity=wrong)


def test_a_key_below_the_security_level() -> None:
    """RSA of 1024 bits is not even loaded at OpenSSL's level 2."""
    _, ca = clients()["good"]
    weak = make_client(ca, "weak", key=new_key("rsa-1024"))
    with pytest.raises(KeyAccessError, match=r"(?i)weak: ee.key.too.small"):
        client_context(None, identity=identity_of("weak", weak, ca))


@pytest.mark.parametrize(
    ("key", "options", "words"),
    [
        ("rsa-1024", ("-cipher", "ALL:@SECLEVEL=0"), "the key of the server certificate is too weak"),
        ("rsa-2048", ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "neither TLS 1.3 nor TLS 1.2"),
    ],
)
def test_a_server_below_the_security_level(key: str, options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """A weak key is seen by the checks; an old version ends the handshake."""
    pki = prove_pki()
    server = make_server(pki.server_ca, f"panel.{DOMAIN}", key=new_key(key))
    (tmp_path / "server.pem").write_bytes(certificate_pem(server, pki.server_ca) + key_pem(server))
    own = ("-cert", "server.pem", "-cert_chain", "server.pem", "-key", "server.pem", "-www")
    with openssl_serving(tmp_path, *own, *options) as port:
        host = f"panel.{DOMAIN}"
        what = Dial(Endpoint("127.0.0.1", port), host, host)
        explained = explain(examine(what), name=host, anchors=Anchors(anchors()["root"]), at=datetime.now(UTC))
    found = explained.diagnosis or explained.server_diagnosis
    assert found is not None
    assert words in found.cause


def test_a_key_whose_signatures_the_server_does_not_take(tmp_path: Path) -> None:
    """The certificate stays at home, and the missing certificate is not the cause."""
    pki = prove_pki()
    (tmp_path / "server.pem").write_bytes(certificate_pem(pki.server, pki.server_ca) + key_pem(pki.server))
    own = ("-cert", "server.pem", "-cert_chain", "server.pem", "-key", "server.pem", "-www")
    with openssl_serving(tmp_path, *own, "-Verify", "3", "-client_sigalgs", "ed25519") as port:
        host, client = f"panel.{DOMAIN}", identity_of("good", *clients()["good"])
        explained = explain(
            examine(Dial(Endpoint("127.0.0.1", port), host, host, identity=client)), name=None, at=datetime.now(UTC)
        )
    assert explained.diagnosis is not None
    assert "takes no signature by its kind of key" in explained.diagnosis.cause


def test_a_server_that_names_no_cas(tmp_path: Path) -> None:
    """Whom it trusts is not known here: a good certificate is not said to be at fault, nor a bad one to be unknown."""
    pki = prove_pki()
    (tmp_path / "server.pem").write_bytes(certificate_pem(pki.server, pki.server_ca) + key_pem(pki.server))
    own = ("-cert", "server.pem", "-cert_chain", "server.pem", "-key", "server.pem", "-www")
    host, words = f"panel.{DOMAIN}", {"good": "the server trusts no CA above", "expired": "has expired"}
    with openssl_serving(tmp_path, *own, "-Verify", "3", "-verify_return_error", "-no-CAfile", "-no-CApath") as port:
        for client, cause in words.items():
            identity = identity_of(client, *clients()[client])
            what = Dial(Endpoint("127.0.0.1", port), host, host, identity=identity, timeout=30)
            found = explain(examine(what), name=None, at=datetime.now(UTC))
            assert found.examination.main.story.request is not None
            assert found.examination.main.story.request.authorities == ()
            assert found.diagnosis is not None
            assert cause in found.diagnosis.cause
