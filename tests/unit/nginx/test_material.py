"""Nothing stands in the wrong file."""

from __future__ import annotations

from typing import Any

import pytest

from counterseal.errors import ConfigError
from counterseal.nginx.material import Material


def pem(label: str) -> bytes:
    """Return a PEM block of that kind with no sense in it."""
    return f"-----BEGIN {label}-----\nAA==\n-----END {label}-----\n".encode()


SOUND: dict[str, Any] = {"certificate_chain": pem("CERTIFICATE"), "private_key": pem("PRIVATE KEY")}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"client_cas_pem": pem("CERTIFICATE") + pem("PRIVATE KEY")}, "PRIVATE KEY does not belong into: client CAs"),
        ({"crl_pem": pem("CERTIFICATE")}, "CERTIFICATE does not belong into: CRLs"),
        ({"certificate_chain": b""}, "no PEM block: certificate chain"),
        ({"private_key": pem("ENCRYPTED PRIVATE KEY")}, "does not belong into: private key"),
        ({"client_cas_pem": pem("CERTIFICATE").rstrip()}, "does not end with a line feed"),
        ({"verify_depth": -1}, "verify depth is negative"),
        ({"issuer_dns": ("CN=\n",)}, "issuer name is not as nginx prints it"),
        ({"issuer_dns": ("CN=a",), "issuer_cas": ("a", "b")}, "2 CA names for 1 issuers"),
    ],
)
def test_a_misplaced_block_is_refused(changes: dict[str, Any], part: str) -> None:
    """What nginx -t would not notice is noticed here."""
    with pytest.raises(ConfigError, match="cannot use certificates") as caught:
        Material(**{**SOUND, **changes})
    assert part in caught.value.message


def test_the_private_key_is_not_shown() -> None:
    """The repr holds no key."""
    assert "PRIVATE" not in repr(Material(**SOUND))
