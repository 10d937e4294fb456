"""A CA of easy-rsa and one of openssl are taken over with what they issued and revoked."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cryptography import x509

from command import counterseal
from programs import run_program

EASY_RSA = Path("/usr/share/easy-rsa/easyrsa")


@pytest.mark.skipif(not EASY_RSA.exists(), reason="easy-rsa is not installed")
def test_an_easy_rsa_directory_is_taken_over(tmp_path: Path) -> None:
    """Both certificates are in the inventory, the revoked one on the next CRL, and the CA issues."""
    environment = {**os.environ, "EASYRSA_PKI": str(tmp_path / "pki"), "EASYRSA_BATCH": "1", "EASYRSA_ALGO": "ec"}
    for words in (["init-pki"], ["build-ca", "nopass"], *(["build-client-full", n, "nopass"] for n in ("ann", "ben"))):
        _easy_rsa(words, environment, tmp_path)
    _easy_rsa(["revoke", "ben", "keyCompromise"], environment, tmp_path)
    home = tmp_path / "home"
    ran = counterseal(home, "import-ca", "--easy-rsa", str(tmp_path / "pki"), "--no-passphrase")
    assert ran.code == 0, ran.stderr
    listed = json.loads(counterseal(home, "list", "--json").stdout)["certificates"]
    assert {row["name"]: row["status"] for row in listed} == {"ann": "valid", "ben": "revoked"}
    assert counterseal(home, "crl", "--out", str(tmp_path / "crl")).code == 0
    crl = x509.load_pem_x509_crl((tmp_path / "crl" / "root.crl.pem").read_bytes())
    ben = next(int(row["serial_number"], 16) for row in listed if row["name"] == "ben")
    assert crl.get_revoked_certificate_by_serial_number(ben) is not None
    issued = counterseal(home, "client", "cid", "--out", str(tmp_path / "out"))
    assert issued.code == 0, issued.stderr
    out = tmp_path / "out"
    ca = str(tmp_path / "pki" / "ca.crt")
    assert "OK" in run_program("openssl", "verify", "-CAfile", ca, str(out / "cid.cert.pem"), cwd=tmp_path)


def _easy_rsa(words: list[str], environment: dict[str, str], directory: Path) -> None:
    import subprocess  # noqa: PLC0415 - only here

    shell = shutil.which("sh") or "/bin/sh"
    ran = subprocess.run(
        [shell, str(EASY_RSA), *words], env=environment, cwd=directory, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
