"""Contexts of probes: what they trust, and that a key never stays anywhere."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from counterseal.errors import InputError, KeyAccessError
from counterseal.handshake.client_context import client_context
from counterseal.handshake.observation import ProbeIdentity
from prove_pki import certificate_pem, prove_pki

PKI = prove_pki()


def test_a_probe_trusts_nobody() -> None:
    """An empty store: OpenSSL has nothing to complete the client's chain from, and the server is only looked at."""
    context = client_context("1.3", identity=PKI.leaving)
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert context.minimum_version == context.maximum_version == ssl.TLSVersion.TLSv1_3


def test_a_judging_context_trusts_only_what_it_is_given() -> None:
    """One anchor, the name checked."""
    context = client_context("1.2", trust_anchors=certificate_pem(PKI.root))
    assert context.cert_store_stats()["x509"] == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_judging_with_an_identity_is_refused() -> None:
    """The anchors would complete the client's chain."""
    with pytest.raises(InputError, match="while presenting an identity"):
        client_context("1.3", identity=PKI.leaving, trust_anchors=certificate_pem(PKI.root))


def test_anchors_that_are_no_certificates_are_refused() -> None:
    """The message names what was to be read."""
    with pytest.raises(InputError, match="trust anchors"):
        client_context("1.3", trust_anchors=b"nothing")


def test_an_identity_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by memory file nor by the private directory that stands in for it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - the kernel's own directory
    client_context("1.3", identity=PKI.leaving)
    monkeypatch.delattr(os, "memfd_create")
    client_context("1.3", identity=PKI.leaving)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208 - the same


def test_without_memory_files_the_key_is_readable_by_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that stands in for a memory file has mode 0600 in a directory of mode 0700."""
    modes: list[int] = []

    def look(_context: ssl.SSLContext, path: str, **_: object) -> None:
        modes.extend((Path(path).stat().st_mode & 0o777, Path(path).parent.stat().st_mode & 0o777))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    client_context("1.3", identity=PKI.leaving)
    assert modes == [0o600, 0o700]


def test_a_key_of_another_certificate_is_named_not_shown() -> None:
    """The error names the identity and OpenSSL's reason, never the key."""
    wrong = ProbeIdentity("mixed up", certificate_pem(PKI.good), PKI.leaving.private_key)
    with pytest.raises(KeyAccessError) as caught:
        client_context("1.3", identity=wrong)
    assert "mixed up" in caught.value.message
    assert "key values mismatch" in caught.value.message
    assert "PRIVATE KEY" not in repr(wrong) + caught.value.message


def test_an_encrypted_key_is_refused_without_asking() -> None:
    """OpenSSL would otherwise prompt on the terminal."""
    encrypted = PKI.leaver.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    with pytest.raises(KeyAccessError):
        client_context("1.3", identity=ProbeIdentity("locked", certificate_pem(PKI.leaver), encrypted))
