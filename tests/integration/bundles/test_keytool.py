"""Java's own reading of the key store and the trust store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundle_fixtures import PASSWORD, client_credential, single_tier_credential
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.bundles.truststore import encode_keystore, java_files
from counterseal.files import write_fileset
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.bundles.credential import Credential

EVERY_SIGN = "".join(map(chr, range(0x20, 0x7F)))


def _list(directory: Path, credential: Credential, store: str, *, strength: Strength, password: str = PASSWORD) -> str:
    write_fileset(directory, java_files(credential, password, strength=strength, rounds=FAST_ROUNDS))
    (directory / "password").write_text(password + "\n")
    keystore = ["-keystore", f"client.device.{store}.p12", "-storetype", "PKCS12", "-storepass:file", "password"]
    return run_program("keytool", "-J-Duser.language=en", "-list", "-v", *keystore, cwd=directory)


@pytest.mark.parametrize("strength", list(Strength))
def test_the_key_store_holds_one_key_with_its_whole_chain(tmp_path: Path, strength: Strength) -> None:
    """Certificate, client CA and root, under the credential's name."""
    said = _list(tmp_path, client_credential(), "keystore", strength=strength)
    assert "Your keystore contains 1 entry" in said
    assert "Alias name: client.device" in said
    assert "Entry type: PrivateKeyEntry" in said
    assert "Certificate chain length: 3" in said
    owners = [line for line in said.splitlines() if line.startswith("Owner: ")]
    assert owners == ["Owner: CN=client.device", "Owner: CN=Test Client CA", "Owner: CN=Test Root"]


@pytest.mark.parametrize("strength", list(Strength))
def test_a_name_in_any_alphabet_is_the_alias(tmp_path: Path, strength: Strength) -> None:
    """It is stored as Unicode, which OpenSSL's own listing would not show."""
    known = client_credential(name="zoë 王 😀")
    (tmp_path / "x.p12").write_bytes(encode_keystore(known, PASSWORD, strength=strength, rounds=FAST_ROUNDS))
    (tmp_path / "password").write_text(PASSWORD + "\n")
    command = ["keytool", "-J-Dfile.encoding=UTF-8", "-list", "-keystore", "x.p12", "-storepass:file", "password"]
    assert "zoë 王 😀, " in run_program(*command, cwd=tmp_path)


@pytest.mark.parametrize("strength", list(Strength))
def test_the_trust_store_holds_the_root_as_trusted(tmp_path: Path, strength: Strength) -> None:
    """A certificate without Oracle's attribute for trust would be invisible to Java."""
    said = _list(tmp_path, client_credential(), "truststore", strength=strength)
    assert "Alias name: counterseal-root" in said
    assert "Entry type: trustedCertEntry" in said
    assert "Owner: CN=Test Root" in said


def test_a_single_tier_has_a_chain_of_two(tmp_path: Path) -> None:
    """Certificate and root."""
    said = _list(tmp_path, single_tier_credential(), "keystore", strength=Strength.MODERN)
    assert "Certificate chain length: 2" in said


@pytest.mark.parametrize("kind", ["rsa-2048", "p-384", "p-521", "ed25519"])
def test_every_kind_of_key_is_read(tmp_path: Path, kind: str) -> None:
    """Also those that only browsers refuse."""
    assert "PrivateKeyEntry" in _list(tmp_path, client_credential(kind), "keystore", strength=Strength.MODERN)


@pytest.mark.parametrize("strength", list(Strength))
def test_every_sign_of_ascii_may_be_in_the_password(tmp_path: Path, strength: Strength) -> None:
    """Space and quotes included."""
    said = _list(tmp_path, client_credential(), "keystore", strength=strength, password=EVERY_SIGN)
    assert "PrivateKeyEntry" in said
