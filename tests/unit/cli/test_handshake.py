"""Mistakes at ``counterseal handshake`` are told before anything is sent, with what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundle_fixtures import PASSWORD, client_credential
from command import here, write_secret
from counterseal.bundles.pkcs12 import Strength, encode
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

PKI = prove_pki()
NOWHERE = "127.0.0.1:9"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write a client's files as our commands do, and a PKCS#12."""
    (tmp_path / "a.cert.pem").write_bytes(certificate_pem(PKI.good))
    (tmp_path / "a.key.pem").write_bytes(key_pem(PKI.good))
    (tmp_path / "b.pem").write_bytes(certificate_pem(PKI.good))
    packed = encode(client_credential(), PASSWORD, strength=Strength.MODERN, rounds=2048)
    (tmp_path / "a.p12").write_bytes(packed)
    write_secret(tmp_path / "wrong.txt", "wrong\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--path", "admin"), 2, "error: a path begins with a slash: 'admin'\nhint: write --path /admin\n"),
        (("--sni", ""), 2, "error: no name given: --sni ''\nhint: to send none: --no-sni\n"),
        (("--sni", "a..b"), 2, "error: not a name of a host: 'a..b'\nhint: 1 to 63 octets stand before and behind"),
        (("--alpn", f"h2,{'x' * 300}"), 2, "error: not a protocol for ALPN: 'xxx"),
        (("--alpn", "h2,ä"), 2, "error: not a protocol for ALPN: 'ä'\nhint: as registered, such as h2 or http/1.1"),
        (("--cert", "@/a.cert.pem"), 1, "hint: name its file: --key @/a.key.pem\n"),
        (("--cert", "@/b.pem"), 1, "error: no private key beside the certificate: @/b.pem\n"),
        (("--p12", "@/b.pem"), 2, "error: no PKCS#12 but PEM: @/b.pem\nhint: come with it: --cert @/b.pem,"),
        (("--p12", "@/a.p12"), 1, "hint: give its password: --password-file FILE\n"),
        (("--p12", "@/a.p12", "--password-file", "@/wrong.txt"), 1, "hint: it was shown once, when the file was made;"),
    ],
)
def test_a_mistake(words: tuple[str, ...], code: int, said: str, files: Path) -> None:
    """Nothing on stdout; the file in the message."""
    ran = here(files / "no-ca", "handshake", NOWHERE, *(word.replace("@", str(files)) for word in words))
    assert (ran.code, ran.stdout) == (code, "")
    assert said.replace("@", str(files)) in ran.stderr
