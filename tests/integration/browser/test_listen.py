"""A colleague's Firefox "does nothing": what ``counterseal listen`` says of it, and what it shows in the browser."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bundle_fixtures import PASSWORD
from counterseal.bundles.credential import Credential
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.pki.lint import lint
from firefox import FirefoxError
from listening import Listening, listening
from pki_fixtures import key_of, make_server
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firefox import Firefox

pytestmark = pytest.mark.slow
PKI = prove_pki()
CLIENTS = {
    "good": (PKI.good, PKI.client_ca, PKI.root),
    "expired": (PKI.expired, PKI.client_ca, PKI.root),
    "foreign": (PKI.foreign, PKI.foreign_root),
    "server": (PKI.server, PKI.server_ca, PKI.root),
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Listening]:
    """Listen with the certificate of ``*.prove.test``."""
    with listening(tmp_path, "--json", "--timeout", "60") as running:
        yield running


def url(desk: Listening) -> str:
    """Return what the colleague is told to open."""
    return f"https://panel.prove.test:{desk.port}/"


def pack(directory: Path, name: str) -> Path:
    """Write the PKCS#12 of one client."""
    end_entity, *issuers = (one.certificate for one in CLIENTS[name])
    key = CLIENTS[name][0].private_key
    packed = encode(
        Credential(name, end_entity, tuple(issuers[:-1]), issuers[-1], key), PASSWORD, strength=Strength.MODERN
    )
    (directory / f"{name}.p12").write_bytes(packed)
    return directory / f"{name}.p12"


def test_what_firefox_does_is_told(browser: Firefox, desk: Listening, tmp_path: Path) -> None:
    """It does not trust us; has nothing that it would show; is let in; shows what others issued if no CA is named."""
    with pytest.raises(FirefoxError, match="insecure certificate"):
        browser.open(url(desk))
    arrived = desk.arrival()
    assert arrived["alert"] == {"sender": "client", "name": "unknown_ca"}
    assert "does not trust the certificate that it was shown" in arrived["diagnosis"]["cause"]

    (tmp_path / "root.pem").write_bytes(certificate_pem(PKI.root))
    browser.trust(tmp_path / "root.pem")
    for left_out in ("expired", "server"):
        browser.import_pkcs12(pack(tmp_path, left_out), PASSWORD)
    browser.open(url(desk))
    arrived = desk.arrival()
    assert arrived["heading"] == "the client came without a certificate"
    assert "X25519MLKEM768 (post-quantum hybrid: x25519 and ML-KEM-768)" in arrived["ladder"][0]["fields"]["groups"]
    assert "browsers leave out what has expired, is not for clients" in arrived["diagnosis"]["cause"]
    assert arrived["heading"] in browser.text()

    browser.import_pkcs12(pack(tmp_path, "good"), PASSWORD)
    browser.forget()
    browser.open(url(desk))
    arrived = desk.arrival()
    assert arrived["heading"].endswith("and nginx would let it in")
    assert (arrived["diagnosis"], arrived["client_checks"]["valid"]) == (None, True)
    assert arrived["heading"] in browser.text()
    assert browser.faults() == []

    browser.discard_own()
    browser.import_pkcs12(pack(tmp_path, "foreign"), PASSWORD)
    browser.forget()
    browser.open(url(desk))
    arrived = desk.arrival()
    assert arrived["heading"] == "the client came without a certificate"
    assert "CN=Test Client CA, the CAs that were named to it" in arrived["diagnosis"]["cause"]

    with listening(tmp_path, "--any-ca", "--json", "--timeout", "60") as curious:
        browser.open(url(curious))
        arrived = curious.arrival()
    assert arrived["heading"] == "the client came with CN=client.device, and nginx would refuse it"
    assert [own["offered_by_browser"] for own in arrived["own"]] == [False]
    assert arrived["heading"] in browser.text()


@pytest.mark.parametrize(
    ("name", "kind", "code", "refusal"),
    [
        ("*.test", "p-256", "lint.wildcard", "insecure certificate"),
        ("panel.test", "ed25519", "lint.server_key", "Reached error page"),
        ("panel.test", "p-384", None, None),
    ],
)
def test_firefox_refuses_what_is_remarked_on(
    browser: Firefox, tmp_path: Path, name: str, kind: str, code: str | None, refusal: str | None
) -> None:
    """A wildcard before a single label, and a kind of key that it does not offer to take."""
    server = make_server(PKI.server_ca, name, key=key_of(kind))
    codes = {finding.code for finding in lint(server.certificate)} - {"lint.server_lifetime"}
    assert codes == ({code} if code else set())
    (tmp_path / "own.pem").write_bytes(certificate_pem(server, PKI.server_ca) + key_pem(server))
    (tmp_path / "root.pem").write_bytes(certificate_pem(PKI.root))
    browser.trust(tmp_path / "root.pem")
    expected = pytest.raises(FirefoxError, match=refusal) if refusal else contextlib.nullcontext()
    with listening(tmp_path, "--json", "--timeout", "60", "--cert", str(tmp_path / "own.pem")) as desk:
        with expected:
            browser.open(f"https://panel.test:{desk.port}/")
        assert (desk.arrival()["heading"] == "the client came without a certificate") == (code is None)
