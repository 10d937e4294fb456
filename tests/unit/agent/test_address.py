"""What a person types as the address of a service."""

from __future__ import annotations

import pytest

from counterseal.agent.address import ServerAddress
from counterseal.errors import InputError


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("https://ca.example.com", "ca.example.com", 443, "/.well-known/est/cacerts"),
        ("https://CA.example.com:8443/", "ca.example.com", 8443, "/.well-known/est/cacerts"),
        ("https://10.0.0.1:1", "10.0.0.1", 1, "/.well-known/est/cacerts"),
        ("https://[::ffff:10.0.0.1]", "::ffff:10.0.0.1", 443, "/.well-known/est/cacerts"),
        ("https://[::1]:8443", "::1", 8443, "/.well-known/est/cacerts"),
        ("https://ca/.well-known/est", "ca", 443, "/.well-known/est/cacerts"),
        ("https://ca/.well-known/est/devices/", "ca", 443, "/.well-known/est/devices/cacerts"),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int, path: str) -> None:
    """With and without port and path, and with the label of one CA (RFC 7030 3.2.2)."""
    address = ServerAddress.parse(text)
    assert (address.host, address.port, address.path("cacerts")) == (host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "ca.example.com", "http://ca", "https://", "https://ca:0x1", "https://ca:99999", "https://user@ca", "https://ca?x=1",
        "https://ca#x", "https://ca/acme", "https://ca/.well-known/est/a/b", "https://ca/.well-known/est/..%2f",
        "https://a\r\nb", "file:///etc/passwd", "https://a..b", "https://.a", "https://...", f"https://{'a' * 64}.test",
        "https://ca:0", f"https://{'a.' * 127}a",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """With how to write it."""
    with pytest.raises(InputError) as caught:
        ServerAddress.parse(text)
    assert (caught.value.code, "https://ca.example.com:8443" in str(caught.value.hint)) == ("est.url", True)


def test_it_is_shown_as_it_was_typed() -> None:
    """Without a port that goes without saying."""
    assert str(ServerAddress("::1", 8443)) == "https://[::1]:8443"
    assert str(ServerAddress("ca", 443)) == "https://ca"
