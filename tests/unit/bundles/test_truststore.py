"""Java stores, as far as the cryptography library can judge them; keytool does in the integration tests."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bundle_fixtures import PASSWORD, client_credential
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.bundles.truststore import encode_truststore, java_files
from counterseal.errors import InputError
from counterseal.fileset import SECRET
from pki_fixtures import pki


def test_key_store_and_trust_store_are_planned_as_secrets() -> None:
    """One password for both; the trust store must not serve to guess it."""
    files = java_files(client_credential(), PASSWORD, strength=Strength.MODERN, rounds=FAST_ROUNDS)
    assert {file.path: file.mode for file in files} == {
        "client.device.keystore.p12": SECRET,
        "client.device.truststore.p12": SECRET,
    }


def test_every_trust_anchor_has_its_own_alias() -> None:
    """Java looks entries up by alias, and a repeated one would hide an anchor."""
    anchors = (pki().root.certificate, pki().lone_root.certificate)
    content = encode_truststore(anchors, PASSWORD, strength=Strength.MODERN, rounds=FAST_ROUNDS + 1)
    read = load_pkcs12(content, PASSWORD.encode())
    assert {entry.friendly_name: entry.certificate for entry in read.additional_certs} == {
        b"counterseal-root": anchors[0],
        b"counterseal-root-2": anchors[1],
    }


def test_keys_that_only_browsers_refuse_are_welcome() -> None:
    """Java knows Ed25519 and P-521."""
    for kind in ("ed25519", "p-521"):
        credential = client_credential(kind)
        keystore, _ = java_files(credential, PASSWORD, strength=Strength.MODERN, rounds=FAST_ROUNDS).files
        read = load_pkcs12(keystore.content, PASSWORD.encode())
        assert read.cert is not None
        assert read.cert.certificate == credential.certificate


def test_a_password_that_java_cannot_take_is_refused() -> None:
    """Its PKCS#12 code says "Password is not ASCII" and then calls the password wrong."""
    with pytest.raises(InputError, match="ASCII") as caught:
        java_files(client_credential(), "pässwörter", strength=Strength.MODERN)
    assert caught.value.code == "bundle.password_characters"
