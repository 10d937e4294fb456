"""A directory of CAs is taken whole, whatever else lies in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import crl, intermediate, root
from counterseal.compose.anchors import certificates_at, certificates_below
from counterseal.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_certificate_is_found_once(tmp_path: Path) -> None:
    """As the links of ``openssl rehash`` and a bundle beside the files name them twice."""
    upper, lower = (one.certificate.public_bytes(Encoding.PEM) for one in (root(), intermediate()))
    (tmp_path / "a.pem").write_bytes(lower)
    (tmp_path / "b.crt").write_bytes(root().certificate.public_bytes(Encoding.DER))
    (tmp_path / "1a2b3c4d.0").symlink_to(tmp_path / "b.crt")
    (tmp_path / "bundle.pem").write_bytes(upper + lower)
    (tmp_path / "root.crl").write_bytes(crl(root()).public_bytes(Encoding.DER))
    (tmp_path / "README").write_text("our CAs\n")
    (tmp_path / "old").mkdir()
    assert set(certificates_below(tmp_path)) == {root().certificate, intermediate().certificate}
    assert len(certificates_below(tmp_path)) == 2


def test_a_directory_without_one_is_refused(tmp_path: Path) -> None:
    """By name."""
    (tmp_path / "root.crl").write_bytes(crl(root()).public_bytes(Encoding.DER))
    with pytest.raises(InputError, match=f"no certificate in the files of {tmp_path}"):
        certificates_below(tmp_path)


def test_a_damaged_certificate_is_told_of(tmp_path: Path) -> None:
    """It is not among those that are trusted, and nobody would know why; a key beside them is no news."""
    whole = root().certificate.public_bytes(Encoding.PEM)
    lines = whole.splitlines(keepends=True)
    (tmp_path / "cut.pem").write_bytes(whole + b"".join(lines[:4]))
    (tmp_path / "typo.pem").write_bytes(whole.replace(lines[2], b"!" + lines[2]))
    (tmp_path / "key.pem").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    cut = f"warning: passed over, {tmp_path}/cut.pem, line {len(lines) + 1}: 'CERTIFICATE': the block does not end with"
    typo = f"warning: passed over, {tmp_path}/typo.pem, line 1: 'CERTIFICATE': what stands between BEGIN and END"
    said: list[str] = []
    assert certificates_at(tmp_path, said.append) == (root().certificate,)
    assert [line[: len(begin)] for line, begin in zip(said, (cut, typo), strict=True)] == [cut, typo]
    said.clear()
    assert certificates_at(tmp_path / "cut.pem", said.append) == (root().certificate,)
    assert len(said) == 1
