"""Certificates and keys out of the files that people have, and what is said of those that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from counterseal.compose.identities import identity_from_files, identity_from_pkcs12
from counterseal.errors import FileError, InputError, KeyAccessError
from counterseal.keystore.pkcs8 import encrypt_key
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.observation import ProbeIdentity

PKI = prove_pki()


def subjects(identity: ProbeIdentity) -> list[str]:
    """Return whose certificates an identity sends."""
    return [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(identity.certificate_chain)]


def test_one_file_or_two(tmp_path: Path) -> None:
    """The key behind the chain or in a file of its own; a root at the end is not sent."""
    both, chain, key = tmp_path / "both.pem", tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate_pem(PKI.good, PKI.client_ca, PKI.root))
    key.write_bytes(key_pem(PKI.good))
    both.write_bytes(chain.read_bytes() + key.read_bytes())
    for identity in (identity_from_files(both, None, lambda: None), identity_from_files(chain, key, lambda: None)):
        assert subjects(identity) == ["CN=probe good,OU=counterseal-probe", "CN=Test Client CA"]
    assert "PRIVATE" not in repr(identity_from_files(both, None, lambda: None))


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    """Only then; a wrong one is said to be wrong."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate_pem(PKI.good, PKI.client_ca))
    key.write_bytes(encrypt_key(PKI.good.private_key, b"right and proper"))
    assert identity_from_files(chain, key, lambda: b"right and proper").name == "chain.pem"
    with pytest.raises(KeyAccessError) as wrong:
        identity_from_files(chain, key, lambda: b"wrong")
    with pytest.raises(KeyAccessError) as missing:
        identity_from_files(chain, key, lambda: None)
    assert (wrong.value.code, missing.value.code) == ("key.passphrase_wrong", "key.passphrase_missing")


def test_a_pkcs12(tmp_path: Path) -> None:
    """With its chain; a wrong password is said to be wrong, and a file without a key to be incomplete."""
    path = tmp_path / "good.p12"
    chain, lock = [PKI.client_ca.certificate, PKI.root.certificate], BestAvailableEncryption(b"password")
    key, certificate = PKI.good.private_key, PKI.good.certificate
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"good", key, certificate, chain, lock))
    assert subjects(identity_from_pkcs12(path, b"password"))[1:] == ["CN=Test Client CA"]
    with pytest.raises(KeyAccessError, match="does not open"):
        identity_from_pkcs12(path, b"wrong")
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"good", None, None, chain, lock))
    with pytest.raises(InputError, match="no certificate with its key"):
        identity_from_pkcs12(path, b"password")


def test_what_does_not_fit_together(tmp_path: Path) -> None:
    """Another's key, no certificate, no key, no file."""
    chain, key, text = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "text"
    chain.write_bytes(certificate_pem(PKI.good, PKI.client_ca))
    key.write_bytes(key_pem(PKI.client_ca))
    text.write_bytes(b"words")
    for error, code, certificate, private in (
        (KeyAccessError, "key.mismatch", chain, key),
        (KeyAccessError, "key.malformed", chain, None),
        (InputError, "certificate.none", text, key),
        (FileError, "file.read", tmp_path / "none", key),
    ):
        with pytest.raises(error) as caught:
            identity_from_files(certificate, private, lambda: None)
        assert caught.value.code == code
