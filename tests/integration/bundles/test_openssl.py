"""PKCS#12 and PEM files as OpenSSL sees them: algorithms, rounds, chain, key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bundle_fixtures import PASSWORD, client_credential, server_credential, single_tier_credential
from counterseal.bundles.pem import pem_files
from counterseal.bundles.pkcs12 import DEFAULT_ROUNDS, FAST_ROUNDS, Strength, encode
from counterseal.files import write_fileset
from pki_fixtures import WHILE_VALID
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.bundles.credential import Credential

MODERN = "PBES2, PBKDF2, AES-256-CBC, Iteration {rounds}, PRF hmacWithSHA256"
COMPATIBLE = "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration {rounds}"
BOTH = pytest.mark.parametrize("strength", list(Strength))


def _read(directory: Path, content: bytes, password: str, *options: str) -> str:
    (directory / "x.p12").write_bytes(content)
    (directory / "password").write_text(password + "\n")
    return run_program("openssl", "pkcs12", "-in", "x.p12", "-passin", "file:password", *options, cwd=directory)


@pytest.mark.parametrize("rounds", [None, FAST_ROUNDS, 5_000])
@pytest.mark.parametrize(
    ("strength", "mac", "cipher"), [(Strength.MODERN, "sha256", MODERN), (Strength.COMPATIBLE, "sha1", COMPATIBLE)]
)
def test_algorithms_and_rounds_are_as_promised(
    tmp_path: Path, strength: Strength, mac: str, cipher: str, rounds: int | None
) -> None:
    """Certificates, key and MAC alike, and nothing is left unencrypted."""
    content = encode(client_credential(), PASSWORD, strength=strength, rounds=rounds)
    said = _read(tmp_path, content, PASSWORD, "-info", "-noout")
    expected = cipher.format(rounds=rounds or DEFAULT_ROUNDS)
    assert f"MAC: {mac}, Iteration {rounds or DEFAULT_ROUNDS}\n" in said
    assert re.findall(r"(Encrypted data|Keybag): (.+)", said) == [("Encrypted data", expected), ("Keybag", expected)]
    assert said.count("Certificate bag") == 3
    assert "\nKey bag" not in said


@BOTH
@pytest.mark.parametrize("kind", ["p-256", "p-384", "rsa-2048"])
def test_key_name_and_chain_come_out_as_they_went_in(tmp_path: Path, strength: Strength, kind: str) -> None:
    """The friendly name is the credential's."""
    known = client_credential(kind, name="Alice Smith <alice@example.com>")
    said = _read(tmp_path, encode(known, PASSWORD, strength=strength, rounds=FAST_ROUNDS), PASSWORD, "-nodes")
    assert "friendlyName: Alice Smith <alice@example.com>" in said
    assert x509.load_pem_x509_certificates(said.encode()) == [known.certificate, *known.authorities]
    key = load_pem_private_key(said[said.index("-----BEGIN PRIVATE KEY") :].encode(), None)
    assert key.public_key() == known.certificate.public_key()


@BOTH
@pytest.mark.parametrize(
    "password", ["".join(map(chr, range(0x20, 0x7F))), "pässwörter sind", "密码密码密码", "a 😀 b"]
)
def test_any_printable_password_opens_the_file(tmp_path: Path, strength: Strength, password: str) -> None:
    """At the library's rounds of the MAC and at others."""
    for rounds in (FAST_ROUNDS, FAST_ROUNDS + 1):
        content = encode(client_credential(), password, strength=strength, rounds=rounds)
        assert "Shrouded Keybag" in _read(tmp_path, content, password, "-info", "-noout")


@BOTH
def test_a_wrong_password_is_noticed(tmp_path: Path, strength: Strength) -> None:
    """By the MAC, before anything is decrypted."""
    (tmp_path / "x.p12").write_bytes(encode(client_credential(), PASSWORD, strength=strength))
    (tmp_path / "password").write_text("k7mp-w2xh-9tqr-n4vd-b8cy\n")
    command = ["openssl", "pkcs12", "-in", "x.p12", "-passin", "file:password", "-noout"]
    assert "invalid password" in run_program(*command, cwd=tmp_path, exit_code=1)


@pytest.mark.parametrize(
    ("credential", "purpose"), [(client_credential(), "sslclient"), (server_credential(), "sslserver")]
)
def test_the_chain_verifies_from_the_files_alone(tmp_path: Path, credential: Credential, purpose: str) -> None:
    """``ca.pem`` is the anchor, ``NAME.chain.pem`` fills the gap, and the first of the full chain is what is sent."""
    write_fileset(tmp_path, pem_files(credential))
    command = ["openssl", "verify", "-purpose", purpose, "-attime", str(int(WHILE_VALID.timestamp()))]
    command += ["-CAfile", "ca.pem", "-untrusted", f"{credential.name}.chain.pem"]
    assert "OK" in run_program(*command, f"{credential.name}.cert.pem", cwd=tmp_path)
    assert "OK" in run_program(*command, f"{credential.name}.fullchain.pem", cwd=tmp_path)
    pair = [f"{credential.name}.cert.pem", f"{credential.name}.key.pem"]
    certified = run_program("openssl", "x509", "-pubkey", "-noout", "-in", pair[0], cwd=tmp_path)
    assert certified == run_program("openssl", "pkey", "-pubout", "-in", pair[1], cwd=tmp_path)


def test_a_single_tier_verifies_without_a_chain_file(tmp_path: Path) -> None:
    """There is none to be named."""
    write_fileset(tmp_path, pem_files(single_tier_credential()))
    command = ["openssl", "verify", "-purpose", "sslclient", "-attime", str(int(WHILE_VALID.timestamp()))]
    assert "OK" in run_program(*command, "-CAfile", "ca.pem", "client.device.cert.pem", cwd=tmp_path)
    assert not (tmp_path / "client.device.chain.pem").exists()
