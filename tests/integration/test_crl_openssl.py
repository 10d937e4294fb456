"""Signed lists, read and verified by openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.pki.crl import RevocationReason, encode_entry, sign_crl, to_pem
from signing import CAKey, KeySigner, ca_certificate

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)


def make_key(kind: str) -> CAKey:
    """Return a new key."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("kind", ["rsa", "p-256", "ed25519"])
def test_openssl_verifies_and_reads_a_list(tmp_path: Path, kind: str) -> None:
    """The signature is good, and number, times, serials and reasons are those that were put in."""
    key = make_key(kind)
    certificate = ca_certificate(key)
    entries = [
        encode_entry((1 << 158) + 1, datetime(2051, 2, 3, 4, 5, 6, tzinfo=UTC), reason=RevocationReason.KEY_COMPROMISE),
        encode_entry(0x0A, NOW),
    ]
    crl = sign_crl(
        certificate,
        number=4096,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        entries=entries,
        signer=KeySigner(key),
    )
    (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "crl.pem").write_bytes(to_pem(crl))
    shown = subprocess.run(
        ["openssl", "crl", "-in", "crl.pem", "-CAfile", "ca.pem", "-verify", "-noout", "-text"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert "verify OK" in shown.stderr
    facts = [
        "Version 2 (0x1)",
        "X509v3 CRL Number: \n                4096",
        "X509v3 Authority Key Identifier",
        "Serial Number: 4000000000000000000000000000000000000001",
        "Revocation Date: Feb  3 04:05:06 2051 GMT",
        "Key Compromise",
        "Serial Number: 0A",
    ]
    assert [fact for fact in facts if fact not in shown.stdout] == []
