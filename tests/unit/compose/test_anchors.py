"""A directory of CAs is taken whole, whatever else lies in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import crl, intermediate, root
from counterseal.compose.anchors import certificates_below
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
