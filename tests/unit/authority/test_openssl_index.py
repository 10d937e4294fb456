"""What openssl and easy-rsa keep, read as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.authority.openssl_index import common_name_in, find_certificate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("/C=DE/O=example/CN=ann", "ann"),
        ("/CN=ann/emailAddress=ann@example.com", "ann"),
        ("/CN=HTTP/www.example.com", "HTTP/www.example.com"),
        ("/O=SCN=x", None),
        ("/CN=", None),
    ],
)
def test_the_common_name_ends_where_the_next_attribute_begins(subject: str, name: str | None) -> None:
    """A slash alone is part of it."""
    assert common_name_in(subject) == name


@pytest.mark.parametrize(("number", "name"), [(0x0A, "0A"), (0x1FF, "01FF")])
def test_a_certificate_is_found_by_whole_octets(tmp_path: Path, number: int, name: str) -> None:
    """In the directory of either program."""
    assert find_certificate(tmp_path, number) is None
    path = tmp_path / "certs_by_serial" / f"{name}.pem"
    path.parent.mkdir()
    path.touch()
    assert find_certificate(tmp_path, number) == path
