"""The recipe of the tutorials, openssl's lines beside ours, read back with the same openssl: the same values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from command import counterseal, write_secret
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
CA = "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=Root CA"
SERVER = "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=server.example.com"
CLIENT = "/CN=client.device"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a directory with what the recipe makes, and one with what we make, under the same names."""
    place = tmp_path_factory.mktemp("recipe")
    theirs, ours = place / "theirs", place / "ours"
    theirs.mkdir()
    for name in ("passphrase", "password"):
        write_secret(place / name, f"{name} of the test\n")
    _by_hand(theirs)
    home, unlocked = place / "home", ("--passphrase-file", str(place / "passphrase"))
    for words in (
        ("init", "--single-tier", "--subject", CA, "--key", "rsa-4096", "--lifetime", "3650d"),
        ("server", "server.example.com", "--subject", SERVER, "--key", "rsa-2048", "--lifetime", "365d"),
        ("client", "client.device", "--key", "rsa-2048", "--password-file", str(place / "password")),
    ):
        ran = counterseal(home, *words, *unlocked, *(() if words[0] == "init" else ("--out", str(ours))))
        assert ran.code == 0, ran.stderr
    (ours / "secure-ca.key").write_bytes((home / "keys" / "root.key.pem").read_bytes())
    return theirs, ours


def _by_hand(directory: Path) -> None:
    def openssl(*words: str) -> None:
        run_program("openssl", *words, cwd=directory)

    key = ("-passin", "file:../passphrase")
    openssl("genrsa", "-aes256", "-passout", "file:../passphrase", "-out", "secure-ca.key", "4096")
    request = ("req", "-new", "-x509", "-days", "3650", "-sha256", "-extensions", "v3_ca", "-subj", CA)
    openssl(*request, "-key", "secure-ca.key", *key, "-out", "ca.pem")
    for name, subject in (("server.example.com", SERVER), ("client.device", CLIENT)):
        openssl("genrsa", "-out", f"{name}.key.pem", "2048")
        openssl("req", "-new", "-key", f"{name}.key.pem", "-subj", subject, "-out", f"{name}.csr")
        issuer = ("-CA", "ca.pem", "-CAkey", "secure-ca.key", *key, "-CAserial", "ca.srl", "-CAcreateserial")
        sign = ("x509", "-req", "-sha256", "-days", "365", "-in", f"{name}.csr", *issuer)
        openssl(*sign, "-out", f"{name}.cert.pem")
    pack = ("pkcs12", "-export", "-clcerts", "-in", "client.device.cert.pem", "-inkey", "client.device.key.pem")
    openssl(*pack, "-passout", "file:../password", "-out", "client.device.p12")


def _same(places: tuple[Path, Path], *words: str) -> str:
    """Return what openssl says of both, which has to be the same."""
    theirs, ours = (run_program("openssl", *words, cwd=place) for place in places)
    assert ours == theirs
    return ours


@pytest.mark.parametrize(
    ("name", "bits", "days"),
    [("ca", 4096, 3650), ("server.example.com.cert", 2048, 365), ("client.device.cert", 2048, 365)],
)
def test_a_certificate_says_what_the_recipe_asks_for(
    places: tuple[Path, Path], name: str, bits: int, days: int
) -> None:
    """Subject and issuer as they are encoded, key, digest, version and the day on which it ends."""
    said = _same(places, "x509", "-in", f"{name}.pem", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253,show_type")
    assert said.startswith("subject=CN=")
    for place in places:
        text = run_program("openssl", "x509", "-in", f"{name}.pem", "-noout", "-text", cwd=place)
        assert f"Public-Key: ({bits} bit)" in text
        assert text.count("Signature Algorithm: sha256WithRSAEncryption") == 2
        until = run_program("openssl", "x509", "-in", f"{name}.pem", "-noout", "-enddate", cwd=place)
        end = datetime.strptime(until.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        assert abs(end - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=10)


def test_the_ca_has_the_extensions_of_v3_ca(places: tuple[Path, Path]) -> None:
    """And a critical keyUsage, which the recipe leaves out; both key identifiers name its own key."""
    shown = ("x509", "-in", "ca.pem", "-noout", "-ext")
    for place in places:
        text = run_program("openssl", *shown, "basicConstraints,subjectKeyIdentifier,authorityKeyIdentifier", cwd=place)
        assert "X509v3 Basic Constraints: critical\n    CA:TRUE" in text
        own, authority = (
            text.partition(f"X509v3 {one} Key Identifier:")[2].split()[0] for one in ("Subject", "Authority")
        )
        assert own == authority
    usage = run_program("openssl", *shown, "keyUsage", cwd=places[1])
    assert usage.split("\n")[0:2] == ["X509v3 Key Usage: critical", "    Certificate Sign, CRL Sign"]


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_what_was_made_is_for_one_purpose_alone(places: tuple[Path, Path], purpose: str) -> None:
    """The recipe's certificates pass as anything; ours are for what they were asked for, with the name in the SAN."""
    for name, own in (("server.example.com", "sslserver"), ("client.device", "sslclient")):
        verify = ("openssl", "verify", "-CAfile", "ca.pem", "-purpose", purpose, f"{name}.cert.pem")
        assert "OK" in run_program(*verify, cwd=places[0])
        assert ("OK" in run_program(*verify, cwd=places[1], exit_code=0 if own == purpose else 2)) == (own == purpose)
    host = ("openssl", "x509", "-in", "server.example.com.cert.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:server.example.com" in run_program(*host, cwd=places[1])


def test_the_serial_number_needs_no_file(places: tuple[Path, Path]) -> None:
    """Random, at least 128 bits of it, as DER has them: positive, and no longer than 20 octets."""
    serials = {
        run_program("openssl", "x509", "-in", f"{name}.pem", "-noout", "-serial", cwd=places[1]).strip()
        for name in ("ca", "server.example.com.cert", "client.device.cert")
    }
    assert len(serials) == 3
    assert all(128 <= 4 * len(serial.removeprefix("serial=")) <= 160 for serial in serials)
    assert not list(places[1].glob("*.srl"))


def test_keys_and_pkcs12_open_with_the_same_words(places: tuple[Path, Path]) -> None:
    """The key of the CA is encrypted, those that nginx reads are not; the PKCS#12 has what ``-clcerts`` takes out."""
    opened = ("pkey", "-in", "secure-ca.key", "-passin", "file:../passphrase", "-noout", "-check")
    assert "Key is valid" in _same(places, *opened)
    packed = ("openssl", "pkcs12", "-in", "client.device.p12", "-passin", "file:../password", "-nodes", "-clcerts")
    for place in places:
        key = run_program("openssl", "rsa", "-in", "client.device.key.pem", "-noout", "-modulus", cwd=place)
        certificate = run_program("openssl", "x509", "-in", "client.device.cert.pem", "-noout", "-modulus", cwd=place)
        text = run_program(*packed, cwd=place)
        assert key == certificate
        assert (text.count("BEGIN CERTIFICATE"), text.count("BEGIN PRIVATE KEY")) == (1, 1)


def test_inspect_reads_both(places: tuple[Path, Path]) -> None:
    """In place of ``openssl x509 -text``; of the recipe's it says what is wrong."""
    theirs, ours = (
        counterseal(place / "no-home", "inspect", str(place / "server.example.com.cert.pem")).stdout for place in places
    )
    for said in (theirs, ours):
        assert "subject      CN=server.example.com,OU=eng,O=example,L=shanghai,ST=shanghai,C=CN\n" in said
        assert "issued by    CN=Root CA,OU=eng,O=example,L=shanghai,ST=shanghai,C=CN" in said
        assert "key          RSA 2048" in said
        assert "364d 23h left" in said
    assert "names        DNS:server.example.com\n" in ours
    assert "names        none" in theirs
    assert ("lint." in theirs, "lint." in ours) == (True, False)
